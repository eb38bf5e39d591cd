//! Times as platforms write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use portcullis_core::Time;

/// How a platform writes its times.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    /// Of times that name no zone.
    pub(crate) zone: TimeZone,
    /// In the directives of strftime, where it is no common form.
    pub(crate) form: Option<String>,
}

impl Times {
    /// RFC 3339 with its offset; a date and time without one, in the platform's zone; seconds, milliseconds,
    /// microseconds or nanoseconds since 1970, told apart by their digits; or the form that was named. `None` where it is none of them,
    /// or before 1970.
    pub(crate) fn read(&self, text: &str) -> Option<Time> {
        let stamp = match &self.form {
            Some(form) => self.of_form(form, text),
            None => of_digits(text)
                .or_else(|| text.parse().ok())
                .or_else(|| self.local(text.parse().ok()?)),
        };
        let ms = stamp?.as_millisecond();
        u64::try_from(ms).ok().map(Time)
    }

    fn of_form(&self, form: &str, text: &str) -> Option<Timestamp> {
        let whole = Timestamp::strptime(form, text).ok();
        whole.or_else(|| self.local(DateTime::strptime(form, text).ok()?))
    }

    fn local(&self, time: DateTime) -> Option<Timestamp> {
        self.zone.to_timestamp(time).ok()
    }
}

fn of_digits(text: &str) -> Option<Timestamp> {
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i64 = text.parse().ok()?;
    let stamp = match text.len() {
        9 | 10 => Timestamp::from_second(number),
        12 | 13 => Timestamp::from_millisecond(number),
        15 | 16 => Timestamp::from_microsecond(number),
        18 | 19 => Timestamp::from_nanosecond(number.into()),
        _ => return None,
    };
    stamp.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let tokyo = Times {
            zone: TimeZone::get("Asia/Tokyo").unwrap(),
            form: None,
        };
        let want = Some(Time(1_642_410_123_000));
        let table = [
            ("2022-01-17T09:02:03Z", want),
            ("2022-01-17T10:02:03+01:00", want),
            ("2022-01-17T18:02:03", want),
            ("2022-01-17 18:02:03", want),
            ("2022-01-17 18:02:03.25", Some(Time(1_642_410_123_250))),
            ("1642410123", want),
            ("1642410123000", want),
            ("1642410123000000", want),
            ("1642410123000000000", want),
            ("16424", None),
            ("", None),
            ("yesterday", None),
            ("1969-12-31T00:00:00Z", None),
            ("2022-13-17T09:02:03Z", None),
        ];
        for (text, want) in table {
            assert_eq!(tokyo.read(text), want, "{text:?}");
        }
        let other = Times {
            form: Some("%d.%m.%Y %H:%M:%S".into()),
            ..tokyo
        };
        assert_eq!(other.read("17.01.2022 18:02:03"), want);
        assert_eq!(other.read("2022-01-17T09:02:03Z"), None);
    }
}

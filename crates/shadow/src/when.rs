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

/// A time, and whether a change of clocks makes two of it, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct When {
    pub(crate) time: Time,
    pub(crate) is_ambiguous: bool,
}

impl Times {
    /// RFC 3339 with its offset; a date and time without one, in the platform's zone; seconds, milliseconds,
    /// microseconds or nanoseconds since 1970, told apart by their digits; or the form that was named. `None` where it is none of them,
    /// or before 1970. Of a local time that comes twice the earlier is taken; one that is skipped is as much later as
    /// the clocks were put forward (RFC 5545).
    pub(crate) fn read(&self, text: &str) -> Option<When> {
        let (stamp, is_ambiguous) = match &self.form {
            Some(form) => sure(Timestamp::strptime(form, text).ok())
                .or_else(|| self.local(DateTime::strptime(form, text).ok()?)),
            None => sure(of_digits(text).or_else(|| text.parse().ok()))
                .or_else(|| self.local(text.parse().ok()?)),
        }?;
        let time = u64::try_from(stamp.as_millisecond()).ok().map(Time)?;
        Some(When { time, is_ambiguous })
    }

    fn local(&self, time: DateTime) -> Option<(Timestamp, bool)> {
        let local = self.zone.to_ambiguous_timestamp(time);
        let is_ambiguous = local.is_ambiguous();
        Some((local.compatible().ok()?, is_ambiguous))
    }
}

fn sure(stamp: Option<Timestamp>) -> Option<(Timestamp, bool)> {
    stamp.map(|stamp| (stamp, false))
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
            assert_eq!(tokyo.read(text).map(|when| when.time), want, "{text:?}");
        }
        let other = Times {
            form: Some("%d.%m.%Y %H:%M:%S".into()),
            ..tokyo
        };
        let read = |text| other.read(text).map(|when| when.time);
        assert_eq!(read("17.01.2022 18:02:03"), want);
        assert_eq!(read("2022-01-17T09:02:03Z"), None);
    }
}

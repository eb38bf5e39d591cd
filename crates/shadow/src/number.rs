//! Amounts as platforms write them.

use crate::row::PLACES;
use portcullis_chains::Amount;
use std::borrow::Cow;

/// More zeros than this make anything larger than is counted.
const MOST_ZEROS: usize = 60;
/// Digits that a number of JSON keeps where it has a point or an exponent (IEEE 754, binary64).
const JSON_DIGITS: usize = 15;

/// Why a text is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Something else than digits and one point.
    #[error("is not written in digits with at most one decimal mark")]
    Form,
    /// Finer than anything.
    #[error("has more than 18 digits after the point")]
    Fine,
    /// Base units in parts.
    #[error("is no whole number of base units")]
    Part,
    /// Larger than is counted.
    #[error("is larger than 3.4e20 units")]
    Large,
    /// Nothing, which nobody withdraws.
    #[error("is zero")]
    Zero,
    /// A number of JSON that has been rounded.
    #[error("is a JSON number of more than 15 digits, of which the last are lost")]
    Rounded,
}

impl NumberError {
    /// What to do about it.
    pub(crate) const fn next(self) -> &'static str {
        match self {
            Self::Form => {
                "say in the mapping how amounts are written: decimal = \",\" and thousands = \".\""
            }
            Self::Fine | Self::Part => {
                "say in the mapping which assets are in base units: [base_units] ETH = 18"
            }
            Self::Large => "if these are base units, say so in the mapping: [base_units] ETH = 18",
            Self::Zero => "leave such rows out, or name the right column for amount",
            Self::Rounded => "export amounts as strings",
        }
    }
}

/// How a platform writes amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Writing {
    decimal: char,
    thousands: Option<char>,
}

impl Writing {
    /// With these marks, a point and none otherwise; `None` where they would be taken for something else.
    pub(crate) fn new(decimal: Option<char>, thousands: Option<char>) -> Option<Self> {
        let decimal = decimal.unwrap_or('.');
        let is_mark = |mark: char| !mark.is_alphanumeric() && mark != '+' && mark != '-';
        let are_marks = is_mark(decimal) && thousands.is_none_or(is_mark);
        (are_marks && thousands != Some(decimal)).then_some(Self { decimal, thousands })
    }

    /// The same number with a point and nothing else between its digits.
    pub(crate) fn plain(self, text: &str) -> Result<Cow<'_, str>, NumberError> {
        if self.decimal == '.' && self.thousands.is_none() {
            return Ok(Cow::Borrowed(text));
        }
        let end = text.find(['e', 'E']).unwrap_or(text.len());
        let (mantissa, exponent) = text.split_at(end);
        let (whole, fraction) = mantissa.split_once(self.decimal).unwrap_or((mantissa, ""));
        let whole = self.ungrouped(whole).ok_or(NumberError::Form)?;
        if !is_digits(&whole) || !is_digits(fraction) {
            return Err(NumberError::Form);
        }
        Ok(Cow::Owned(format!("{whole}.{fraction}{exponent}")))
    }

    /// Groups are of three digits, in India those before the last of two: anything else is no grouping.
    fn ungrouped(self, whole: &str) -> Option<Cow<'_, str>> {
        let Some((first, rest)) = self.thousands.and_then(|mark| whole.split_once(mark)) else {
            return Some(Cow::Borrowed(whole));
        };
        let groups: Vec<&str> = rest.split(self.thousands?).collect();
        let (last, middle) = groups.split_last()?;
        let is_grouped = (1..=3).contains(&first.len())
            && last.len() == 3
            && middle.iter().all(|group| (2..=3).contains(&group.len()));
        is_grouped.then(|| Cow::Owned([first, &groups.concat()].concat()))
    }
}

/// A number of JSON as it was read: where that is binary, only so many digits are what was written.
pub(crate) fn of_json(text: &str) -> Result<Cow<'_, str>, NumberError> {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.chars().filter(char::is_ascii_digit);
    let digits: String = digits.collect();
    let is_whole = text.bytes().all(|byte| byte.is_ascii_digit());
    let told = digits.trim_matches('0').len();
    if is_whole || told <= JSON_DIGITS {
        Ok(Cow::Borrowed(text))
    } else {
        Err(NumberError::Rounded)
    }
}

/// `12.5` or `125e-1` in units of 10⁻¹⁸.
pub(crate) fn of_units(text: &str) -> Result<Amount, NumberError> {
    scaled(text, PLACES)
}

/// Base units of an asset with so many decimals, in units of 10⁻¹⁸.
pub(crate) fn of_base(text: &str, decimals: u8) -> Result<Amount, NumberError> {
    let missing = PLACES.checked_sub(decimals).ok_or(NumberError::Fine)?;
    let whole = scaled(text, 0).map_err(|fault| match fault {
        NumberError::Fine => NumberError::Part,
        other => other,
    })?;
    let grains = 10_u128.pow(missing.into());
    let grains = whole.0.checked_mul(grains);
    grains.map(Amount).ok_or(NumberError::Large)
}

/// So many times ten to the `places`, exactly.
fn scaled(text: &str, places: u8) -> Result<Amount, NumberError> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, power(exponent).ok_or(NumberError::Form)?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if digits.is_empty() || !is_digits(&digits) {
        return Err(NumberError::Form);
    }
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Err(NumberError::Zero);
    }
    let behind = i64::try_from(fraction.len()).map_err(|_| NumberError::Fine)?;
    let shifted = shifted(digits, i64::from(places) + exponent - behind)?;
    shifted.parse().map(Amount).map_err(|_| NumberError::Large)
}

/// The digits with so many zeros behind them, or without.
fn shifted(digits: &str, zeros: i64) -> Result<String, NumberError> {
    let count = usize::try_from(zeros.unsigned_abs()).unwrap_or(usize::MAX);
    if zeros < 0 {
        let kept = digits.len().saturating_sub(count);
        let (kept, cut) = digits.split_at(kept);
        let is_exact = !kept.is_empty() && cut.bytes().all(|byte| byte == b'0');
        return is_exact.then(|| kept.to_owned()).ok_or(NumberError::Fine);
    }
    if count > MOST_ZEROS {
        return Err(NumberError::Large);
    }
    Ok(format!("{digits}{}", "0".repeat(count)))
}

/// What stands behind an `e`.
fn power(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, text.get(1..)?),
        b'+' => (1, text.get(1..)?),
        _ => (1, text),
    };
    let is_power = (1..=4).contains(&digits.len()) && is_digits(digits);
    let power: i64 = is_power.then(|| digits.parse().ok())??;
    Some(sign * power)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        let one = 10_u128.pow(18);
        let table = [
            ("1", Ok(Amount(one))),
            ("12.5", Ok(Amount(25 * one / 2))),
            (".5", Ok(Amount(one / 2))),
            ("5.", Ok(Amount(5 * one))),
            ("007", Ok(Amount(7 * one))),
            ("0.000000000000000001", Ok(Amount(1))),
            ("0.1000000000000000000000", Ok(Amount(one / 10))),
            ("0.0000000000000000001", Err(NumberError::Fine)),
            ("340282366920938463464", Err(NumberError::Large)),
            ("0.0", Err(NumberError::Zero)),
            ("", Err(NumberError::Form)),
            (".", Err(NumberError::Form)),
            ("-1", Err(NumberError::Form)),
            ("1,000", Err(NumberError::Form)),
            ("1.2.3", Err(NumberError::Form)),
            ("1e3", Ok(Amount(1_000 * one))),
            ("1e-05", Ok(Amount(one / 100_000))),
            ("1.25E+2", Ok(Amount(125 * one))),
            ("1e-18", Ok(Amount(1))),
            ("10e-19", Ok(Amount(1))),
            ("1e-19", Err(NumberError::Fine)),
            ("1e400", Err(NumberError::Large)),
            ("0e400", Err(NumberError::Zero)),
            ("1e", Err(NumberError::Form)),
            ("1e+-2", Err(NumberError::Form)),
            ("1e99999", Err(NumberError::Form)),
            ("e5", Err(NumberError::Form)),
            ("٣", Err(NumberError::Form)),
        ];
        for (text, want) in table {
            assert_eq!(of_units(text), want, "{text:?}");
        }
        assert_eq!(of_base("2500000", 6), of_units("2.5"));
        assert_eq!(of_base("", 6), Err(NumberError::Form));
        assert_eq!(of_base("1.5", 6), Err(NumberError::Part));
        assert_eq!(of_base("25e5", 6), of_units("2.5"));
        assert_eq!(of_base("1", 19), Err(NumberError::Fine));
    }

    #[test]
    fn marks() {
        let read = |decimal, thousands, text| {
            let plain = Writing::new(Some(decimal), thousands)
                .unwrap()
                .plain(text)?;
            of_units(&plain)
        };
        let german = |text| read(',', Some('.'), text);
        assert_eq!(german("1,5"), of_units("1.5"));
        assert_eq!(german("1.234.567,25"), of_units("1234567.25"));
        assert_eq!(german("12"), of_units("12"));
        assert_eq!(german("1,5e-3"), of_units("0.0015"));
        assert_eq!(read(',', None, "1234,5"), of_units("1234.5"));
        assert_eq!(read('.', Some(','), "12,34,567.5"), of_units("1234567.5"));
        assert_eq!(
            read('.', Some('\u{202f}'), "1\u{202f}000"),
            of_units("1000")
        );
        // A point that is neither: nobody guesses which of the two was meant.
        for text in [
            "1.5", "1.23,4", "1234.567", ".500", "1,5,5", "1,500.25", "-1,5",
        ] {
            assert_eq!(german(text), Err(NumberError::Form), "{text:?}");
        }
        assert_eq!(read(',', None, "1.5"), Err(NumberError::Form));
    }

    #[test]
    fn numbers_of_json_are_what_was_written_or_refused() {
        for (text, is_exact) in [
            ("0.1", true),
            ("1e-5", true),
            ("18446744073709551615", true),
            ("1e21", true),
        ] {
            assert_eq!(of_json(text).is_ok(), is_exact, "{text}");
        }
        assert_eq!(of_json("1.965300000000000047"), Err(NumberError::Rounded));
        assert_eq!(of_json("1.2345678901234568e21"), Err(NumberError::Rounded));
    }
}

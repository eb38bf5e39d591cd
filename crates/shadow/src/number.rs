//! Amounts as platforms write them.

use crate::row::PLACES;
use portcullis_chains::Amount;

/// Why a text is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Something else than digits and one point.
    #[error("is not written in digits with at most one point")]
    Form,
    /// Finer than anything.
    #[error("has more than 18 digits after the point")]
    Fine,
    /// Larger than is counted.
    #[error("is larger than 3.4e20 units")]
    Large,
    /// Nothing, which nobody withdraws.
    #[error("is zero")]
    Zero,
}

/// `12.5` in units of 10⁻¹⁸.
pub(crate) fn of_units(text: &str) -> Result<Amount, NumberError> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > usize::from(PLACES) {
        return Err(NumberError::Fine);
    }
    let missing = usize::from(PLACES) - fraction.len();
    let digits = [whole, fraction, &"0".repeat(missing)].concat();
    let is_empty = whole.is_empty() && fraction.is_empty();
    count(&digits)
        .filter(|_| !is_empty)
        .unwrap_or(Err(NumberError::Form))
}

/// Base units of an asset with so many decimals, in units of 10⁻¹⁸.
pub(crate) fn of_base(text: &str, decimals: u8) -> Result<Amount, NumberError> {
    let missing = PLACES.checked_sub(decimals).ok_or(NumberError::Fine)?;
    let digits = [text, &"0".repeat(missing.into())].concat();
    count(&digits)
        .filter(|_| !text.is_empty())
        .unwrap_or(Err(NumberError::Form))
}

/// What digits say; `None` where there is something else among them.
fn count(digits: &str) -> Option<Result<Amount, NumberError>> {
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(match digits.parse() {
        Ok(0) => Err(NumberError::Zero),
        Ok(amount) => Ok(Amount(amount)),
        Err(_) => Err(NumberError::Large),
    })
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
            ("1e3", Err(NumberError::Form)),
            ("٣", Err(NumberError::Form)),
        ];
        for (text, want) in table {
            assert_eq!(of_units(text), want, "{text:?}");
        }
        assert_eq!(of_base("2500000", 6), of_units("2.5"));
        assert_eq!(of_base("", 6), Err(NumberError::Form));
        assert_eq!(of_base("1.5", 6), Err(NumberError::Form));
        assert_eq!(of_base("1", 19), Err(NumberError::Fine));
    }
}

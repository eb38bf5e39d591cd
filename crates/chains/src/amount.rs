//! Amounts of an asset in its base units.

use core::fmt;
use core::str::FromStr;

use minicbor::{Decode, Decoder, Encode, Encoder};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount in the smallest unit of its asset: wei for ether, a token's own base unit otherwise.
///
/// Arithmetic is checked and there is no other: an overflow is an `Option::None` for the caller to
/// refuse. In CBOR it is a byte string of exactly 16 bytes, big-endian; in JSON a string of decimal
/// digits without leading zeros, because JSON numbers lose digits on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub u128);

/// Why a text is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Empty, a sign, a point, a space, or anything else but the digits 0 to 9.
    #[error("an amount is written in the digits 0 to 9 only, in base units")]
    NotDigits,
    /// A first digit 0 before others.
    #[error("an amount has no leading zeros")]
    LeadingZero,
    /// More than 128 bits.
    #[error("an amount is below 2^128 base units")]
    TooLarge,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum, unless it overflows.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, unless `other` is larger.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// As people write it who count in units of so many decimal places: `0.25` for
    /// 250,000,000,000,000,000 at 18.
    #[must_use]
    pub fn in_units(self, places: u8) -> String {
        let places = usize::from(places);
        let digits = format!("{self:0>width$}", width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() {
            whole.to_owned()
        } else {
            format!("{whole}.{fraction}")
        }
    }

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(AmountError::NotDigits);
        }
        if text.len() > 1 && text.starts_with('0') {
            return Err(AmountError::LeadingZero);
        }
        text.parse().map(Self).map_err(|_| AmountError::TooLarge)
    }
}

impl fmt::Display for Amount {
    /// In base units; width and fill are honoured.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<C> Encode<C> for Amount {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0.to_be_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Amount {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let at = d.position();
        <[u8; 16]>::try_from(d.bytes()?)
            .map(|bytes| Self(u128::from_be_bytes(bytes)))
            .map_err(|_| {
                minicbor::decode::Error::message("an amount is 16 bytes, big-endian").at(at)
            })
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::caip::text::deserialize(deserializer, "an amount as a string of decimal digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units() {
        let table = [
            (0, 18, "0"),
            (1, 18, "0.000000000000000001"),
            (250_000_000_000_000_000, 18, "0.25"),
            (1_000_000_000_000_000_000, 18, "1"),
            (12_345_000_000_000_000_000, 18, "12.345"),
            (7, 0, "7"),
            (70, 0, "70"),
            (1_500_000, 6, "1.5"),
            (u128::MAX, 30, "340282366.920938463463374607431768211455"),
        ];
        for (amount, places, want) in table {
            assert_eq!(Amount(amount).in_units(places), want);
        }
    }

    #[test]
    fn texts() {
        let table = [
            ("0", Ok(Amount(0))),
            ("1000000000000000000", Ok(Amount(1_000_000_000_000_000_000))),
            (
                "340282366920938463463374607431768211455",
                Ok(Amount(u128::MAX)),
            ),
            (
                "340282366920938463463374607431768211456",
                Err(AmountError::TooLarge),
            ),
            ("", Err(AmountError::NotDigits)),
            ("+1", Err(AmountError::NotDigits)),
            ("-1", Err(AmountError::NotDigits)),
            ("1.0", Err(AmountError::NotDigits)),
            ("1e18", Err(AmountError::NotDigits)),
            (" 1", Err(AmountError::NotDigits)),
            ("1_000", Err(AmountError::NotDigits)),
            ("0x10", Err(AmountError::NotDigits)),
            ("٣", Err(AmountError::NotDigits)),
            ("00", Err(AmountError::LeadingZero)),
            ("01", Err(AmountError::LeadingZero)),
        ];
        for (text, want) in table {
            assert_eq!(text.parse::<Amount>(), want, "{text:?}");
        }
    }

    #[test]
    fn json_is_a_string_and_nothing_else() {
        assert_eq!(serde_json::to_string(&Amount(7)).unwrap(), "\"7\"");
        assert_eq!(serde_json::from_str::<Amount>("\"7\"").unwrap(), Amount(7));
        for foreign in ["7", "7.0", "null", "\"07\"", "[\"7\"]", "true"] {
            assert!(
                serde_json::from_str::<Amount>(foreign).is_err(),
                "{foreign}"
            );
        }
    }

    #[test]
    fn cbor_is_sixteen_bytes() {
        assert_eq!(
            hex::encode(minicbor::to_vec(Amount(258)).unwrap()),
            "5000000000000000000000000000000102"
        );
        for foreign in [
            "0a",
            "420102",
            "5100000000000000000000000000000000ff",
            "f6",
            "6137",
        ] {
            assert!(minicbor::decode::<Amount>(&hex::decode(foreign).unwrap()).is_err());
        }
    }

    #[test]
    fn arithmetic_never_wraps() {
        assert_eq!(Amount(u128::MAX).checked_add(Amount(1)), None);
        assert_eq!(Amount(1).checked_sub(Amount(2)), None);
        assert_eq!(Amount(1).checked_add(Amount(2)), Some(Amount(3)));
        assert_eq!(Amount(3).checked_sub(Amount(2)), Some(Amount(1)));
    }

    proptest! {
        #[test]
        fn round_trips(value: u128) {
            let amount = Amount(value);
            prop_assert_eq!(amount.to_string().parse::<Amount>().unwrap(), amount);
            let cbor = minicbor::to_vec(amount).unwrap();
            prop_assert_eq!(minicbor::decode::<Amount>(&cbor).unwrap(), amount);
            let json = serde_json::to_string(&amount).unwrap();
            prop_assert_eq!(serde_json::from_str::<Amount>(&json).unwrap(), amount);
        }
    }
}

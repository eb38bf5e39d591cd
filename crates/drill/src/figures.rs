//! The public figures of 17 January 2022, and how large a re-enactment of them is.
//!
//! From Crypto.com's own report of 20 January 2022: 483 users, 4,836.26 ETH, 443.93 BTC, and about US$66,200 of other
//! currencies (all in [`crate::money`]). Who of the 483 lost what is not public.

use crate::money::{Asset, Money};
use core::fmt;
use core::str::FromStr;
use portcullis_chains::Amount;
use serde::{Serialize, Serializer};

/// Users who were affected, in all currencies together; here each has ETH, every fifth BTC, and every tenth the token.
pub const ACCOUNTS: u64 = 483;
/// Honest customers beside them; ours, the firm's own number of that hour is not public.
pub const HONEST: u64 = 3_000;

/// How large a drill is, in thousandths of the incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scale(u32);

/// Not a scale.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no scale: write a number from 0.02 to 2 with at most three digits after the point"
)]
pub struct NotAScale(String);

impl Scale {
    /// The incident as it was.
    pub const WHOLE: Self = Self(1000);
    /// Below this not every kind of attack would come up.
    const LEAST: u32 = 20;
    const MOST: u32 = 2000;

    /// Attacked accounts.
    #[must_use]
    pub fn accounts(self) -> u64 {
        self.of(ACCOUNTS).max(1)
    }

    /// Honest customers.
    #[must_use]
    pub fn honest(self) -> u64 {
        self.of(HONEST).max(1)
    }

    /// What the attacked accounts hold together of an asset: exactly the public figure at scale 1.
    #[must_use]
    pub fn held(self, asset: &'static Asset) -> Money {
        // Multiplied before it is divided, so that the whole is the whole to the base unit.
        let held = asset.stolen.0 * u128::from(self.accounts()) / u128::from(ACCOUNTS);
        asset.much(Amount(held))
    }

    fn of(self, whole: u64) -> u64 {
        (whole * u64::from(self.0) + 500) / 1000
    }
}

impl Default for Scale {
    fn default() -> Self {
        Self::WHOLE
    }
}

/// As a number: that of its text.
impl Serialize for Scale {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let number = self.to_string().parse();
        s.serialize_f64(number.map_err(serde::ser::Error::custom)?)
    }
}

impl FromStr for Scale {
    type Err = NotAScale;

    fn from_str(text: &str) -> Result<Self, NotAScale> {
        let wrong = || NotAScale(text.to_owned());
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(part) || part.len() > 3 || text.len() > 6 {
            return Err(wrong());
        }
        let thousandths = format!("{whole}{part:0<3}").parse().map_err(|_| wrong())?;
        let is_meant = (Self::LEAST..=Self::MOST).contains(&thousandths);
        is_meant.then_some(Self(thousandths)).ok_or_else(wrong)
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:03}", self.0 / 1000, self.0 % 1000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::ASSETS;

    #[test]
    fn the_whole_is_the_public_figure_to_the_base_unit() {
        let whole: Scale = "1".parse().unwrap();
        assert_eq!((whole, whole.accounts()), (Scale::WHOLE, 483));
        for asset in ASSETS {
            assert_eq!(whole.held(asset).amount, asset.stolen);
        }
        let tenth: Scale = "0.1".parse().unwrap();
        assert_eq!((tenth.accounts(), tenth.honest()), (48, 300));
    }

    #[test]
    fn scales_as_texts() {
        for (text, shown) in [
            ("1", Some("1")),
            ("1.0", Some("1")),
            ("0.1", Some("0.1")),
            ("0.02", Some("0.02")),
            ("0.125", Some("0.125")),
            ("2", Some("2")),
            ("0.01", None),
            ("3", None),
            ("-1", None),
            ("1e3", None),
            ("", None),
            ("0.1234", None),
        ] {
            let scale = text.parse::<Scale>().ok().map(|scale| scale.to_string());
            assert_eq!(scale.as_deref(), shown, "{text}");
        }
    }
}

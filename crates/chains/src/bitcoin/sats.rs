//! Amounts that can exist on the chain.

use core::fmt;

use crate::Amount;

/// An amount in satoshis, at most the 21 million bitcoin that can ever exist.
///
/// With that bound a sum over the inputs of any transaction here fits 64 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sats(u64);

/// More satoshis than can ever exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the amount is above the 21 million bitcoin that can exist")]
pub struct TooMuch;

impl Sats {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// 21 million bitcoin: what nodes take as the largest amount (`MAX_MONEY` of Bitcoin Core).
    pub const MAX: Self = Self(2_100_000_000_000_000);

    /// Checks that so many satoshis can exist.
    pub const fn new(sats: u64) -> Result<Self, TooMuch> {
        if sats > Self::MAX.0 {
            return Err(TooMuch);
        }
        Ok(Self(sats))
    }

    /// The number of satoshis.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// An amount of this crate's own tables, which are within the bound.
    pub(super) const fn known(sats: u32) -> Self {
        Self(sats as u64)
    }
}

impl TryFrom<Amount> for Sats {
    type Error = TooMuch;

    fn try_from(amount: Amount) -> Result<Self, TooMuch> {
        u64::try_from(amount.0)
            .map_err(|_| TooMuch)
            .and_then(Self::new)
    }
}

impl From<Sats> for Amount {
    fn from(sats: Sats) -> Self {
        Self(u128::from(sats.0))
    }
}

impl fmt::Display for Sats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sat", self.0)
    }
}

//! What a transaction costs, and what it has to cost to take another's place.

use bitcoin::{OutPoint, Txid};

use super::Sats;
use super::size::Size;

/// A fee rate in satoshis per 1,000 virtual bytes, the unit in which nodes estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeeRate(u64);

/// A rate that is no sensible one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fee rate is {} to {} satoshis per 1,000 virtual bytes", FeeRate::MIN.0, FeeRate::MAX.0)]
pub struct FeeRateError;

impl FeeRate {
    /// One satoshi per virtual byte, which every node relays at its default.
    pub const MIN: Self = Self(1_000);

    /// Ten thousand satoshis per virtual byte, several times what has ever been paid for long.
    pub const MAX: Self = Self(10_000_000);

    /// Checks the bounds.
    pub const fn per_1000_virtual_bytes(sats: u64) -> Result<Self, FeeRateError> {
        if sats < Self::MIN.0 || sats > Self::MAX.0 {
            return Err(FeeRateError);
        }
        Ok(Self(sats))
    }

    /// The fee of so many virtual bytes in satoshis, rounded up.
    pub(super) const fn price(self, virtual_bytes: u64) -> u64 {
        self.0.saturating_mul(virtual_bytes).div_ceil(1_000)
    }
}

/// A plan that stands in the journal and may be in nodes' memory: what a replacement has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub(super) txid: Txid,
    pub(super) shared: OutPoint,
    pub(super) fee: Sats,
    pub(super) virtual_bytes: u64,
}

impl Standing {
    /// The transaction that would be replaced.
    #[must_use]
    pub const fn txid(&self) -> Txid {
        self.txid
    }

    /// The output that every plan of the same releases spends first, so that at most one of them
    /// happens.
    #[must_use]
    pub const fn shared(&self) -> OutPoint {
        self.shared
    }

    /// What it pays to whoever takes it into a block.
    #[must_use]
    pub const fn fee(&self) -> Sats {
        self.fee
    }

    /// The same shared input, and nothing to outbid: for a plan that nobody has signed, which no node has.
    #[must_use]
    pub const fn unsigned(mut self) -> Self {
        self.fee = Sats::ZERO;
        self
    }

    /// The least fee in satoshis with which nodes take a transaction of so many virtual bytes in its
    /// place (BIP 125, rules 3 and 4, and the higher rate that Bitcoin Core asks beside them): the
    /// whole of its fee, also per virtual byte, and the default of 1 satoshi per virtual byte more.
    pub(super) const fn least_above(&self, virtual_bytes: u64) -> u64 {
        let fee = self.fee.get();
        // Both factors are small: a fee is below 2^51, a size below 2^20, and the divisor not zero.
        let same_rate = fee.saturating_mul(virtual_bytes).div_ceil(self.divisor());
        let more_than = if same_rate > fee { same_rate } else { fee };
        more_than.saturating_add(virtual_bytes)
    }

    const fn divisor(&self) -> u64 {
        if self.virtual_bytes == 0 {
            1
        } else {
            self.virtual_bytes
        }
    }
}

/// The least that a transaction of this size has to pay, in satoshis.
pub(super) fn least(rate: FeeRate, replaced: Option<&Standing>, size: &Size) -> u64 {
    let virtual_bytes = size.virtual_bytes();
    let bump = replaced.map_or(0, |standing| standing.least_above(virtual_bytes));
    rate.price(virtual_bytes).max(bump)
}

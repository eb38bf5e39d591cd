//! What a transaction may cost at most.

use crate::Amount;

/// Fees under EIP-1559, in wei per unit of gas, and the limit of gas.
///
/// Values whose product cannot be counted cannot be built, so [`Fees::ceiling`] always has an
/// answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fees {
    max_fee_per_gas: u128,
    max_priority_fee_per_gas: u128,
    gas_limit: u64,
}

/// Why fees make no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeesError {
    /// The tip is above the whole; nodes refuse this.
    #[error("max_priority_fee_per_gas is above max_fee_per_gas: lower it")]
    PriorityAboveMax,
    /// Gas limit times fee does not fit 128 bits.
    #[error("gas_limit times max_fee_per_gas is above 2^128 wei: lower one of them")]
    Overflow,
}

impl Fees {
    /// Checks that the tip is within the whole and that the ceiling can be counted.
    pub const fn new(
        max_fee_per_gas: u128,
        max_priority_fee_per_gas: u128,
        gas_limit: u64,
    ) -> Result<Self, FeesError> {
        if max_priority_fee_per_gas > max_fee_per_gas {
            return Err(FeesError::PriorityAboveMax);
        }
        if max_fee_per_gas.checked_mul(gas_limit as u128).is_none() {
            return Err(FeesError::Overflow);
        }
        Ok(Self {
            max_fee_per_gas,
            max_priority_fee_per_gas,
            gas_limit,
        })
    }

    /// The most that a unit of gas may cost, in wei.
    #[must_use]
    pub const fn max_fee_per_gas(&self) -> u128 {
        self.max_fee_per_gas
    }

    /// How much of that may go to whoever builds the block, in wei.
    #[must_use]
    pub const fn max_priority_fee_per_gas(&self) -> u128 {
        self.max_priority_fee_per_gas
    }

    /// The most units of gas that the transaction may use.
    #[must_use]
    pub const fn gas_limit(&self) -> u64 {
        self.gas_limit
    }

    /// The most that the transaction can cost beside what it pays: gas limit times fee, in wei.
    #[must_use]
    pub const fn ceiling(&self) -> Amount {
        // `new` has shown that the product fits.
        Amount(self.max_fee_per_gas.saturating_mul(self.gas_limit as u128))
    }

    /// Whether nodes take a transaction with these fees in the place of one with `earlier`: both
    /// fees at least a tenth higher, which is the default of the common nodes.
    #[must_use]
    pub fn outbids(&self, earlier: &Self) -> bool {
        earlier.least_above().is_some_and(|least| {
            self.max_fee_per_gas >= least.max_fee_per_gas
                && self.max_priority_fee_per_gas >= least.max_priority_fee_per_gas
        })
    }

    /// The lowest fees that outbid these, at the same gas limit, where any can be counted.
    #[must_use]
    pub fn least_above(&self) -> Option<Self> {
        let tenth_above = |old: u128| old.checked_add(old.div_ceil(10).max(1));
        let (max, tip) = (
            tenth_above(self.max_fee_per_gas)?,
            tenth_above(self.max_priority_fee_per_gas)?,
        );
        Self::new(max.max(tip), tip, self.gas_limit).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        assert_eq!(Fees::new(1, 2, 21_000), Err(FeesError::PriorityAboveMax));
        assert_eq!(Fees::new(u128::MAX, 0, 2), Err(FeesError::Overflow));
        assert_eq!(
            Fees::new(u128::MAX, 0, 1).unwrap().ceiling(),
            Amount(u128::MAX)
        );
        assert_eq!(Fees::new(30, 2, 21_000).unwrap().ceiling(), Amount(630_000));
    }

    #[test]
    fn outbidding_takes_a_tenth_on_both() {
        let earlier = Fees::new(100, 10, 21_000).unwrap();
        let table = [
            (110, 11, true),
            (109, 11, false),
            (110, 10, false),
            (200, 20, true),
        ];
        for (max, priority, want) in table {
            assert_eq!(
                Fees::new(max, priority, 21_000).unwrap().outbids(&earlier),
                want,
                "{max}"
            );
        }
        let nothing = Fees::new(0, 0, 21_000).unwrap();
        assert!(!nothing.outbids(&nothing));
        let least = earlier.least_above();
        assert_eq!(least, Fees::new(110, 11, 21_000).ok());
        assert!(least.unwrap().outbids(&earlier));
        let most = Fees::new(u128::MAX, 1, 1).unwrap();
        assert!(!most.outbids(&most));
    }
}

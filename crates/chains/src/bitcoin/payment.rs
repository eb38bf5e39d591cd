//! One output that a release pays.

use super::{Sats, TooMuch};
use crate::Amount;
use crate::caip::BitcoinAddress;

/// The most payments in one plan, so that it fits an entry of the journal together with its inputs.
pub const MAX_PAYMENTS: usize = 250;

/// An amount to an address, above dust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Payment {
    to: BitcoinAddress,
    amount: Sats,
}

/// Why a payment cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// More than can exist.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    /// So little that nodes do not relay it.
    #[error("nodes do not relay less than {least} to this kind of address: pay at least that")]
    Dust {
        /// The least that they relay.
        least: Sats,
    },
}

impl Payment {
    /// Checks that the amount can exist and is above dust.
    pub fn new(to: BitcoinAddress, amount: Amount) -> Result<Self, PaymentError> {
        let amount = Sats::try_from(amount)?;
        let least = to.lock().dust();
        if amount < least {
            return Err(PaymentError::Dust { least });
        }
        Ok(Self { to, amount })
    }

    /// Who is paid.
    #[must_use]
    pub const fn to(&self) -> BitcoinAddress {
        self.to
    }

    /// How much is paid.
    #[must_use]
    pub const fn amount(&self) -> Sats {
        self.amount
    }
}

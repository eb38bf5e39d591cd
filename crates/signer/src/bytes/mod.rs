//! The planned bytes, read a second time.
//!
//! The core has compared them with the act already. Here they are compared again, field by field and
//! by other code, with what this signer knows by itself.

mod mandate;
mod spend;
mod transfer;

use crate::record::Pays;
use portcullis_chains::bitcoin::Refused;
use portcullis_chains::caip::Address;
use portcullis_chains::ethereum::{NotPlain, TxError};
use portcullis_chains::{Amount, ChainId};
use portcullis_mandate::Malformed;

pub(crate) use mandate::CheckedMandate;
pub(crate) use spend::{CheckedSpend, ClaimedSpend, payment};
pub(crate) use transfer::CheckedTransfer;

/// A plan that is exactly what its release may be: bytes that may be signed.
#[derive(Clone, Debug)]
pub(crate) enum Checked {
    /// A transaction, for the wallet's key.
    Transfer(CheckedTransfer),
    /// A mandate, for the statement key.
    Mandate(CheckedMandate),
    /// A transaction from coins, for the wallet's keys.
    Spend(Box<CheckedSpend>),
}

impl Checked {
    /// The nonce or number that it takes.
    pub(crate) fn nonce(&self) -> u64 {
        match self {
            Self::Transfer(transfer) => transfer.nonce(),
            Self::Mandate(mandate) => mandate.number(),
            Self::Spend(spend) => spend.number(),
        }
    }

    /// What it pays; nothing where it gives the release up.
    pub(crate) fn pays(&self) -> Option<Pays> {
        match self {
            Self::Transfer(transfer) => transfer.pays(),
            Self::Mandate(mandate) => mandate.pays(),
            Self::Spend(spend) => spend.pays(),
        }
    }
}

/// Why planned bytes are not signed. Each is an alarm: the core let them pass and this signer does
/// not, so one of the two is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefused {
    /// Not a transaction.
    #[error("the planned bytes are no transaction: {0}")]
    Transaction(#[from] TxError),
    /// Not a plain transfer.
    #[error("the planned bytes are no plain transfer: {0}")]
    NotPlain(#[from] NotPlain),
    /// The wallet's address is not the key's.
    #[error("the wallet's address is not that of its key: check the names in the configuration")]
    OtherKey,
    /// On another chain than the wallet.
    #[error("the plan is for {0}, the wallet is not")]
    Chain(ChainId),
    /// Another nonce or number than the release's first plan.
    #[error("the plan has nonce {got}, the release has nonce {first}")]
    Nonce {
        /// Planned now.
        got: u64,
        /// Planned first.
        first: u64,
    },
    /// No mandate.
    #[error("the planned bytes are no mandate: {0}")]
    Mandate(#[from] Malformed),
    /// A mandate of another network or wallet, or for another act.
    #[error("the mandate is for another network, wallet or act than the release")]
    OtherMandate,
    /// Another payee than the act's.
    #[error("the plan pays {0}, the act does not")]
    Payee(Address),
    /// Another asset or amount than the act's.
    #[error("the plan pays another asset or amount than the act")]
    Amount,
    /// The release was given up, and the plan pays.
    #[error("the release was given up, and the plan still pays")]
    GivenUp,
    /// The fee may be above a cap.
    #[error("the plan may cost {0} in fees, above the signer's or the wallet's cap")]
    Fee(Amount),
    /// Not the batch's payments from the wallet's own coins.
    #[error("the planned payment from coins is refused: {0}")]
    Spend(#[from] Refused),
    /// What the plan says of its inputs is not what they hold.
    #[error("the plan lies about what its inputs hold")]
    Claims,
    /// The fee is above the signer's cap for the transaction's size.
    #[error("the plan pays more per byte than the signer's cap")]
    FeeRate,
    /// The fee per gas is above the signer's cap.
    #[error("the plan may pay {0} per gas, above the signer's cap")]
    FeePerGas(Amount),
}

impl PlanRefused {
    /// Whether a cap of the signer's own is all that is in the way.
    pub(crate) fn is_cap(&self) -> bool {
        matches!(
            self,
            Self::Fee(_)
                | Self::FeePerGas(_)
                | Self::FeeRate
                | Self::Spend(Refused::FeeAboveCeiling { .. })
        )
    }
}

//! Decisions.

use crate::reason::Reason;
use crate::time::Time;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// What becomes of an act.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "kebab-case")]
pub enum Decision {
    /// It takes effect now; money goes out by the plan beside it.
    #[n(0)]
    Release,
    /// It waits.
    #[n(1)]
    Hold {
        /// For these, each in its own way; ordered.
        #[n(0)]
        needs: Vec<Need>,
        /// Not before then, where that is known.
        #[n(1)]
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<Time>,
    },
    /// It is refused and nothing has changed.
    #[n(2)]
    Refuse {
        /// Why: the first in the order of numbers.
        #[n(0)]
        reason: Reason,
    },
}

/// What a held act waits for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize,
)]
#[serde(tag = "need", rename_all = "kebab-case")]
pub enum Need {
    /// A new assertion over the same digest: the old one's factor no longer counts.
    #[n(0)]
    Assertion,
    /// The ledger's debit attestation.
    #[n(1)]
    Debit,
    /// So many more approvals by different approvers.
    #[n(2)]
    Approvals {
        /// How many.
        #[n(0)]
        missing: u32,
    },
    /// So many more administrators.
    #[n(3)]
    Quorum {
        /// How many.
        #[n(0)]
        missing: u32,
    },
    /// A delay.
    #[n(4)]
    Delay,
    /// The end of a suspension.
    #[n(5)]
    Lift,
    /// The account's unfreezing.
    #[n(6)]
    Unfreeze,
    /// Room in a limit's window.
    #[n(7)]
    Room,
    /// So many more members with role support behind a recovery.
    #[n(10)]
    Support {
        /// How many.
        #[n(0)]
        missing: u32,
    },
    /// A screening vendor's attestation that passes it.
    #[n(15)]
    Screening,
    /// The attestation that the travel rule's message was exchanged.
    #[n(16)]
    TravelRule,
    /// The herald's word on a TOTP code.
    #[n(18)]
    Totp,
    /// The assertions over the same digest of so many more principals of the account.
    #[n(19)]
    Principals {
        /// How many.
        #[n(0)]
        missing: u32,
    },
    /// Somebody who looks at what a list says of the payee: an approval that is newer than the list, or
    /// a screening that passes it.
    #[n(20)]
    Label,
    /// Others that the wallet pays in the same transaction, until its batch is due.
    #[n(21)]
    Batch,
}

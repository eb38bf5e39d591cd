//! Realms and roles: who belongs where, and what a member of staff may ask for.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// A trust domain with its own keys and switch. A principal belongs to exactly one, and nothing
/// authenticates across two.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum Realm {
    /// Holders of accounts.
    #[n(0)]
    Customers,
    /// The platform's own people and services, and the keepers.
    #[n(1)]
    Staff,
}

/// What a principal of the staff realm may do. The table of role × act is `tests/snapshots/roles__roles.snap`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Part of the quorum that loosens: roles, limits, lifting.
    #[n(0)]
    Administrator,
    /// Runs the platform: suspends, resumes and voids what was withheld.
    #[n(1)]
    Operator,
    /// Approves large withdrawals.
    #[n(2)]
    Approver,
    /// Helps customers; may only restrict.
    #[n(3)]
    Support,
    /// Reads everything, changes nothing.
    #[n(4)]
    Auditor,
    /// The platform's back end, which relays its customers' acts.
    #[n(5)]
    BackEnd,
    /// A keeper; may suspend.
    #[n(6)]
    Keeper,
}

impl Role {
    /// Every role, in the order of the tables.
    pub const ALL: [Self; 7] = [
        Self::Administrator,
        Self::Operator,
        Self::Approver,
        Self::Support,
        Self::Auditor,
        Self::BackEnd,
        Self::Keeper,
    ];
}

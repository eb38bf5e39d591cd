//! Sets of labels in force: what lists say of the addresses that money is to go to.
//!
//! An act names a set by its digest (`SetLabels`); whoever decides holds the bytes of every set in force
//! and looks up by itself. State is told of bytes with [`State::hold_labels`], and says with
//! [`State::lacks`] which of them an entry takes: without them nobody can tell what the entry does, so
//! that whoever follows fetches first, and applies then. docs/design/062 has the reasons.
//!
//! [`State::hold_labels`]: crate::State::hold_labels
//! [`State::lacks`]: crate::State::lacks

mod opened;
mod payee;
mod shelf;

pub use opened::{Opened, WrongBytes};
pub use payee::Payee;
pub(crate) use shelf::refuses;
pub use shelf::{Shelf, Sight};

use crate::act::LabelsOffered;
use crate::digest::Digest;
use minicbor::{Decode, Encode};
use portcullis_labels::Kind;
pub use portcullis_labels::MAX_SET;
use serde::{Deserialize, Serialize};

/// Most sets in force.
pub const MAX_LISTS: usize = 16;

/// What a list may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "kebab-case")]
pub enum ListKind {
    /// An authority's: what it names is refused.
    #[n(1)]
    Authority,
    /// Anybody else's: what it names is held at most, and somebody looks.
    #[n(2)]
    Community,
}

impl From<Kind> for ListKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Authority => Self::Authority,
            Kind::Community => Self::Community,
        }
    }
}

/// A set in force, as state knows it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct InForce {
    /// The set's digest.
    #[n(0)]
    pub set: Digest,
    /// What it may do.
    #[n(1)]
    pub kind: ListKind,
    /// From which risk on it does.
    #[n(2)]
    pub from: u8,
    /// Whose list it is.
    #[n(3)]
    pub source: String,
    /// How many labels it has.
    #[n(4)]
    pub labels: u32,
    /// The entry that put it in force.
    #[n(5)]
    pub entry: u64,
}

impl InForce {
    /// What an act offers, once an entry has put it in force.
    #[must_use]
    pub fn of(offered: &LabelsOffered, entry: u64) -> Self {
        Self {
            set: offered.digest,
            kind: offered.kind,
            from: offered.from,
            source: offered.source.clone(),
            labels: offered.labels,
            entry,
        }
    }
}

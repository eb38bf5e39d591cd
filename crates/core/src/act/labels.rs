//! Putting sets of labels in force.

use crate::digest::Digest;
use crate::labels::ListKind;
use crate::policy::Name;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Put a set in force under a name, in the place of another or of none, or take one out.
///
/// In the place of none it only adds, and counts as soon as a quorum agrees. In the place of another it
/// waits for the delay floor, since whatever is missing from it is delisted.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct SetLabels {
    /// What the list is called here: lower-case letters, digits and hyphens.
    #[n(0)]
    pub name: Name,
    /// The digest of the set in force under that name, so that two proposals cannot both pass; absent
    /// where there is none.
    #[n(1)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Digest>,
    /// The new set; where absent the list is taken out.
    #[n(2)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<LabelsOffered>,
}

/// A set as whoever proposes it describes it. What it says of kind and number must be so: a set of which
/// it is not holds every withdrawal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct LabelsOffered {
    /// The set's digest (`docs/spec/labels.md`).
    #[n(0)]
    pub digest: Digest,
    /// Whether what it names is refused, or held.
    #[n(1)]
    pub kind: ListKind,
    /// The lowest risk, from 0 to 10, at which a label refuses or holds. Lower ones only inform policy.
    #[n(2)]
    pub from: u8,
    /// Whose list it is, and of when: at most 128 bytes.
    #[n(3)]
    pub source: String,
    /// How many labels it has.
    #[n(4)]
    pub labels: u32,
    /// How many rows of the list gave none, by the name of why; in the names' order, none twice.
    #[n(5)]
    #[serde(default)]
    pub rejected: Vec<RejectedRows>,
}

/// Rows of a list that gave no label.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields)]
pub struct RejectedRows {
    /// The name of why.
    #[n(0)]
    pub why: Name,
    /// How many.
    #[n(1)]
    pub rows: u32,
}

use super::ListKind;
use crate::digest::Digest;
use portcullis_labels::{LabelSet, MAX_SET, SetDigest, SetError};
use std::sync::Arc;

/// The bytes that the journal names by a digest, opened.
///
/// They need not be a set: a quorum can approve the digest of anything. Everybody who has the bytes sees
/// the same then, and every withdrawal waits until the list is replaced.
#[derive(Clone, Debug)]
pub struct Opened {
    digest: Digest,
    set: Result<Arc<LabelSet>, SetError>,
}

/// Bytes that are not those of the digest that they were to have, or more than any set has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these are not the bytes of that digest: fetch them again")]
pub struct WrongBytes;

impl Opened {
    /// Opens bytes from anywhere by the digest that they are named by.
    pub fn named(digest: Digest, bytes: Vec<u8>) -> Result<Self, WrongBytes> {
        if bytes.len() > MAX_SET {
            return Err(WrongBytes);
        }
        let set = match LabelSet::named(SetDigest(digest.0), bytes) {
            Err(SetError::Digest) => return Err(WrongBytes),
            read => read.map(Arc::new),
        };
        Ok(Self { digest, set })
    }

    /// The digest by which the journal names the bytes.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// The set, or why the bytes are none.
    pub fn set(&self) -> Result<&Arc<LabelSet>, SetError> {
        self.set.as_ref().map_err(|error| *error)
    }

    /// The set, where the bytes are one.
    #[must_use]
    pub fn set_if_one(&self) -> Option<&Arc<LabelSet>> {
        self.set.as_ref().ok()
    }

    /// The set, if it is what an act says of it.
    #[must_use]
    pub fn if_so(&self, kind: ListKind, source: &str, labels: u32) -> Option<&Arc<LabelSet>> {
        let set = self.set_if_one()?;
        let header = set.header();
        let is_so = ListKind::from(header.kind()) == kind
            && header.source() == source
            && u32::try_from(set.len()) == Ok(labels);
        is_so.then_some(set)
    }
}

impl From<Arc<LabelSet>> for Opened {
    fn from(set: Arc<LabelSet>) -> Self {
        Self {
            digest: Digest(set.digest().0),
            set: Ok(set),
        }
    }
}

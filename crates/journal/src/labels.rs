//! Label sets beside the journal: the bytes that acts name, each in a file by its digest.
//!
//! They are no part of the journal's bytes, and as old as its entries: whoever decides again needs every set
//! that was ever in force. So only what no act has named is ever removed.

use portcullis_core::labels::{MAX_SET, Opened, WrongBytes};
use portcullis_core::{Digest, ReadEntry, State};
use portcullis_host::{Disk, DiskError};

/// The folder of sets in the journal's folder.
pub const FOLDER: &str = "labels";

/// The file of a set.
#[must_use]
pub fn file(digest: Digest) -> String {
    format!("{FOLDER}/{digest}")
}

/// Why a set is not to be had from the disk.
#[derive(Debug, thiserror::Error)]
pub enum LabelsError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// No file.
    #[error(
        "the label set {0} is not there, and entries cannot be decided without it: fetch it from a gate \
         (`portcullis labels fetch`) or take it from a replica, and put it into labels/ beside the journal"
    )]
    Lacks(Digest),
    /// A file with other bytes.
    #[error("labels/{0} is not that set: remove the file and put the right bytes there")]
    Damaged(Digest),
}

/// The sets in a folder.
#[derive(Clone, Copy)]
pub struct LabelFiles<'a>(pub &'a dyn Disk);

impl LabelFiles<'_> {
    /// Whether there is a file for it.
    #[must_use]
    pub fn has(self, digest: Digest) -> bool {
        self.0.exists(&file(digest))
    }

    /// The bytes of a set, checked against their digest and opened.
    pub fn open(self, digest: Digest) -> Result<Opened, LabelsError> {
        let bytes = self.0.read(&file(digest), MAX_SET as u64)?;
        let bytes = bytes.ok_or(LabelsError::Lacks(digest))?;
        Opened::named(digest, bytes).map_err(|WrongBytes| LabelsError::Damaged(digest))
    }

    /// Keeps bytes that are those of the digest. Durable when this returns.
    pub fn keep(self, digest: Digest, bytes: &[u8]) -> Result<(), DiskError> {
        self.0.replace(&file(digest), bytes)
    }

    /// A piece of a set from that byte on, shorter where the set ends; nothing where there is no such byte.
    pub fn piece(
        self,
        digest: Digest,
        from: u64,
        most: usize,
    ) -> Result<Option<Vec<u8>>, DiskError> {
        if !self.has(digest) {
            return Ok(None);
        }
        let file = self.0.append(&file(digest))?;
        let Some(left) = file.len().checked_sub(from) else {
            return Ok(None);
        };
        let size = usize::try_from(left).map_or(most, |left| left.min(most));
        let mut bytes = vec![0; size];
        file.read_at(from, &mut bytes)?;
        Ok(Some(bytes))
    }

    /// Removes bytes that no act has named. Those that one has are needed for ever.
    pub fn forget(self, digest: Digest) -> Result<(), DiskError> {
        self.0.remove(&file(digest))
    }

    /// Puts at hand what is in force, for a state from a snapshot.
    pub fn provide_in_force(self, state: &mut State) -> Result<(), LabelsError> {
        for digest in state.shelf().lacking().clone() {
            state.hold_labels(self.open(digest)?);
        }
        Ok(())
    }

    /// Puts at hand what an entry takes: see [`State::lacks`].
    pub fn provide(self, state: &mut State, read: &ReadEntry) -> Result<(), LabelsError> {
        for digest in state.lacks(read) {
            state.hold_labels(self.open(digest)?);
        }
        Ok(())
    }
}

//! The seam between the journal and what keeps it.

use portcullis_host::DiskError;
use portcullis_tlog::Frontier;

/// Keeps batches of entries, in order, for ever.
///
/// There is one writer. A call that returns an error leaves the outcome unknown unless the error says
/// otherwise: the caller stops, opens the store again and reads what is there.
pub trait Store: Send {
    /// Make sure that a batch of this many bytes will find room. [`StoreError::Full`] means that
    /// nothing has changed and that the store can be used on.
    fn make_room(&mut self, frontier: &Frontier, bytes: u64) -> Result<(), StoreError>;

    /// Append the batch whose first entry has index `first`. Durable when this returns.
    fn append(&mut self, first: u64, entries: &[Vec<u8>]) -> Result<(), StoreError>;
}

/// Why a store did not do as it was told.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room; nothing was written.
    #[error("the journal's disk is full; nothing was changed. Make room and send the same again")]
    Full,
    /// Something failed halfway.
    #[error("the journal's store failed, the outcome is unknown until it is opened again: {0}")]
    Unknown(#[from] DiskError),
    /// What is stored is not what was written.
    #[error("the journal is damaged: {0}. Nothing was changed; restore {1} from a replica")]
    Damaged(String, String),
}

/// What a store holds, as far as it has to be kept in memory.
#[derive(Clone, Debug)]
pub struct Recovered {
    /// The tree before the first entry here.
    pub base: Frontier,
    /// The entries from there to the end.
    pub entries: Vec<Vec<u8>>,
}

//! The single writer.

use crate::store::{Recovered, Store, StoreError};
use crate::view::{Growth, ReadError, View};
use portcullis_host::Disk;
use portcullis_tlog::{Frontier, TreeHead, frontier_at};
use std::sync::Arc;

/// The journal's only writer. Readers share its [`View`].
pub struct Journal<S> {
    store: S,
    frontier: Frontier,
    view: Arc<View>,
}

/// Why a journal is not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tiles before the store's last part.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Fewer entries than a checkpoint that was cosigned.
    #[error(
        "the journal ends at entry {found} but a checkpoint of {known} entries was cosigned: \
         acknowledged entries are missing. Restore the journal from a replica; nothing was changed"
    )]
    Shrunk {
        /// Entries found.
        found: u64,
        /// Entries known.
        known: u64,
    },
}

impl<S: Store> Journal<S> {
    /// Take up the journal where the store ends. `known` is the size of the newest checkpoint that
    /// anybody has seen cosigned: with fewer entries the journal does not open.
    pub fn open(
        store: S,
        recovered: &Recovered,
        disk: Arc<dyn Disk>,
        known: u64,
    ) -> Result<Self, OpenError> {
        let found = recovered.base.size() + recovered.entries.len() as u64;
        if found < known {
            return Err(OpenError::Shrunk { found, known });
        }
        let (view, frontier) = View::open(disk, recovered)?;
        Ok(Self {
            store,
            frontier,
            view: Arc::new(view),
        })
    }

    /// What readers see.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view)
    }

    /// Size and root.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        self.frontier.head()
    }

    /// Make sure that a batch of this many entry bytes and entries finds room: asked before the
    /// entries are applied, so that a full disk refuses and changes nothing.
    pub fn make_room(&mut self, bytes: u64, entries: u64) -> Result<(), StoreError> {
        // Two length bytes for each entry, and the frame's head.
        let bytes = bytes
            .saturating_add(entries.saturating_mul(2))
            .saturating_add(64);
        self.store.make_room(&self.frontier, bytes)
    }

    /// Append a batch. When this returns its entries are durable and readers see them.
    pub fn append(&mut self, entries: Vec<Vec<u8>>) -> Result<TreeHead, StoreError> {
        self.store.append(self.frontier.size(), &entries)?;
        let growth = Growth::of(&self.frontier, entries);
        let head = growth.head;
        self.frontier = self.view.grow(growth);
        Ok(head)
    }
}

/// Whether the tiles of a view lead to a frontier that a segment states.
pub(crate) fn tiles_lead_to(view: &View, frontier: &Frontier) -> bool {
    frontier_at(view, frontier.size()).is_ok_and(|found| found == *frontier)
}

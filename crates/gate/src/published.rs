//! The newest cosigned checkpoint, for everybody who waits for one.

use portcullis_core::Time;
use portcullis_tlog::{Cosigned, TreeHead};
use std::sync::Arc;
use tokio::sync::watch;

/// A quorum-cosigned checkpoint with the bytes that others get.
#[derive(Clone, Debug)]
pub struct Witnessed {
    /// The note.
    pub note: Arc<[u8]>,
    /// Size and root.
    pub head: TreeHead,
    /// The oldest of the quorum's cosignatures.
    pub oldest: Time,
    /// The newest.
    pub newest: Time,
}

impl Witnessed {
    /// From the proof.
    #[must_use]
    pub fn new(cosigned: &Cosigned) -> Self {
        Self {
            note: cosigned.signed().note().to_string().into_bytes().into(),
            head: cosigned.head(),
            oldest: Time::from_unix_seconds(cosigned.oldest().unix()),
            newest: Time::from_unix_seconds(cosigned.newest().unix()),
        }
    }

    /// Whether it contains the entry.
    pub(crate) fn covers(&self, entry: u64) -> bool {
        self.head.size > entry
    }
}

/// Holds the newest checkpoint and wakes who waits.
#[derive(Debug)]
pub struct Published {
    newest: watch::Sender<Option<Witnessed>>,
}

impl Published {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self {
            newest: watch::Sender::new(None),
        }
    }

    /// Show a checkpoint.
    pub fn show(&self, witnessed: Witnessed) {
        self.newest.send_replace(Some(witnessed));
    }

    /// The newest.
    #[must_use]
    pub fn newest(&self) -> Option<Witnessed> {
        self.newest.borrow().clone()
    }

    /// How many wait for one.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.newest.receiver_count()
    }

    /// A receiver that wakes at every new one.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Option<Witnessed>> {
        self.newest.subscribe()
    }
}

impl Default for Published {
    fn default() -> Self {
        Self::new()
    }
}

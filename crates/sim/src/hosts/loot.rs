//! Keys that others have taken the place of, and that a thief has got hold of since.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What thieves have; all its clones are one.
#[derive(Clone, Default)]
pub struct Loot(Arc<Mutex<Stolen>>);

/// What was stolen.
#[derive(Default)]
pub struct Stolen {
    /// Keys of witnesses that have been replaced.
    pub witnesses: BTreeSet<usize>,
    /// Whether every replica that reads has come past the newest handover. A whole quorum of replaced witnesses shows
    /// another end of the journal to whoever has not, as 042 says: nobody is shown one then.
    pub are_past: bool,
}

impl Loot {
    /// Look at it or add to it.
    pub fn stolen(&self) -> MutexGuard<'_, Stolen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether whoever has the gate shows what stolen keys have signed.
    pub(super) fn is_shown(&self) -> bool {
        let stolen = self.stolen();
        stolen.witnesses.is_empty() || stolen.are_past
    }
}

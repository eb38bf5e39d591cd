//! Entries that a gate has shown and that no cosigned root has confirmed yet.

use portcullis_core::entry::{Body, Entry};
use portcullis_tlog::{Cosigned, Frontier, Hash, LogKey, Quorum, TreeHead};

/// Most bytes held unconfirmed. An honest journal has a cosigned checkpoint at least every second of
/// entries; whoever shows more than this without one is not showing the journal.
const MAX_AHEAD: usize = 256 * 1024 * 1024;

/// Entries behind a confirmed frontier, hashed as they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Ahead {
    base: Frontier,
    entries: Vec<Vec<u8>>,
    leaves: Vec<Hash>,
    bytes: usize,
    /// How many of the entries have been searched for checkpoints.
    searched: usize,
}

impl Ahead {
    /// Nothing, behind this frontier.
    #[must_use]
    pub(super) fn behind(base: Frontier) -> Self {
        Self {
            base,
            ..Self::default()
        }
    }

    /// The index of the next entry wanted.
    #[must_use]
    pub(super) fn next(&self) -> u64 {
        self.base.size().saturating_add(self.leaves.len() as u64)
    }

    /// Add the next entry; `false` where that is too much.
    #[must_use]
    pub(super) fn push(&mut self, entry: Vec<u8>) -> bool {
        self.bytes = self.bytes.saturating_add(entry.len());
        if self.bytes > MAX_AHEAD {
            return false;
        }
        self.leaves.push(Hash::leaf(&entry));
        self.entries.push(entry);
        true
    }

    /// The root that these entries lead to at a size, if they reach it.
    #[must_use]
    pub(super) fn root_at(&self, size: u64) -> Option<Hash> {
        self.frontier_at(size).map(|frontier| frontier.root())
    }

    fn frontier_at(&self, size: u64) -> Option<Frontier> {
        let count = usize::try_from(size.checked_sub(self.base.size())?).ok()?;
        let leaves = self.leaves.get(..count)?;
        let mut frontier = self.base.clone();
        for leaf in leaves {
            frontier.append(*leaf);
        }
        Some(frontier)
    }

    /// The largest size at which a cosigned checkpoint *among these entries* has their root. Where a
    /// journal is longer than one answer, its own checkpoints confirm it piece by piece.
    ///
    /// Each entry is searched once.
    pub(super) fn confirmed_within(&mut self, log: &LogKey, quorum: &Quorum) -> Option<TreeHead> {
        let new = self.entries.get(self.searched..).unwrap_or_default();
        self.searched = self.entries.len();
        let heads = new.iter().rev().filter_map(|bytes| {
            let Body::Checkpoint(note) = Entry::from_bytes(bytes).ok()?.body else {
                return None;
            };
            Some(Cosigned::parse(&note, log, quorum).ok()?.head())
        });
        let is_ours = |head: &TreeHead| self.root_at(head.size) == Some(head.root);
        let mut ours = heads.filter(is_ours);
        ours.next().filter(|head| head.size > self.base.size())
    }

    /// Take the entries below a confirmed size out.
    pub(super) fn take_to(&mut self, size: u64) -> Vec<Vec<u8>> {
        let Some(frontier) = self.frontier_at(size) else {
            return Vec::new();
        };
        let count = usize::try_from(size.saturating_sub(self.base.size())).unwrap_or(usize::MAX);
        let rest = self.entries.split_off(count.min(self.entries.len()));
        self.leaves.drain(..count.min(self.leaves.len()));
        self.base = frontier;
        self.bytes = rest.iter().map(Vec::len).sum();
        self.searched = self.searched.saturating_sub(count);
        std::mem::replace(&mut self.entries, rest)
    }
}

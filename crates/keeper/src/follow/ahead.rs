//! Entries that a gate has shown and that no cosigned root has confirmed yet.
//!
//! Honest journals have a cosigned checkpoint at least every second of entries, so that what is held
//! is small. A gate may have gone for longer without one, and a journal once cosigned is the journal:
//! past a bound its entries are only hashed, up to a cosigned root; the roots passed on the way are
//! then known to be the journal's, and the entries are fetched a second time, piece by piece.

use portcullis_core::entry::{Body, Entry};
use portcullis_tlog::{Frontier, Hash, TreeHead};
use std::collections::VecDeque;

/// Most bytes of entries held unconfirmed.
const MAX_AHEAD: usize = 64 * 1024 * 1024;
/// Most pieces of so many bytes that are hashed towards one cosigned root: 4 TiB.
const MAX_PIECES: usize = 1 << 16;

/// Entries behind a confirmed frontier, hashed as they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Ahead {
    base: Frontier,
    entries: Vec<Vec<u8>>,
    leaves: Vec<Hash>,
    bytes: usize,
    /// How many of the entries have been searched for checkpoints.
    searched: usize,
    /// Where the entries are too many to be held.
    scout: Option<Scout>,
    /// Heads of this journal, found by scouting, that are still to be reached.
    stones: VecDeque<TreeHead>,
}

/// What became of an entry that was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// It is held, or hashed on the way.
    Taken,
    /// It ends the scout's way: what follows is fetched again from the beginning.
    Arrived,
    /// More than any journal of ours.
    TooMuch,
}

/// Goes ahead by hashes alone.
#[derive(Clone, Debug)]
struct Scout {
    frontier: Frontier,
    /// The end of each piece behind it.
    passed: Vec<TreeHead>,
    /// Bytes since the last of them.
    bytes: usize,
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

    /// Forget what was shown. What scouting has found is the journal's, whoever shows something else.
    pub(super) fn drop_shown(&mut self) {
        let (base, stones) = (self.base.clone(), std::mem::take(&mut self.stones));
        *self = Self {
            base,
            stones,
            ..Self::default()
        };
    }

    /// The index of the next entry wanted.
    #[must_use]
    pub(super) fn next(&self) -> u64 {
        match &self.scout {
            Some(scout) => scout.frontier.size(),
            None => self.base.size().saturating_add(self.leaves.len() as u64),
        }
    }

    /// Take the next entry. `is_cosigned` is asked where the scout passes: whether a quorum has
    /// cosigned this very head.
    #[must_use]
    pub(super) fn push(&mut self, entry: Vec<u8>, is_cosigned: impl Fn(TreeHead) -> bool) -> Shown {
        let Some(scout) = &mut self.scout else {
            return self.hold(entry);
        };
        if !scout.pass(&entry) {
            return Shown::TooMuch;
        }
        if !is_cosigned(scout.frontier.head()) {
            return Shown::Taken;
        }
        self.arrive();
        Shown::Arrived
    }

    fn hold(&mut self, entry: Vec<u8>) -> Shown {
        self.bytes = self.bytes.saturating_add(entry.len());
        self.leaves.push(Hash::leaf(&entry));
        self.entries.push(entry);
        if self.stones.is_empty() && self.bytes > MAX_AHEAD {
            self.go_scouting();
        }
        // Between two heads that scouting found there are fewer.
        if self.bytes > 2 * MAX_AHEAD {
            Shown::TooMuch
        } else {
            Shown::Taken
        }
    }

    /// From here on only hashes are kept; what is held is fetched again.
    fn go_scouting(&mut self) {
        let mut frontier = self.base.clone();
        for leaf in std::mem::take(&mut self.leaves) {
            frontier.append(leaf);
        }
        let passed = vec![frontier.head()];
        let base = self.base.clone();
        *self = Self {
            base,
            scout: Some(Scout {
                frontier,
                passed,
                bytes: 0,
            }),
            ..Self::default()
        };
    }

    /// The scout stands at a cosigned root, so every root on its way is the journal's.
    fn arrive(&mut self) {
        if let Some(scout) = self.scout.take() {
            let end = scout.frontier.head();
            self.stones = scout.passed.into_iter().chain([end]).collect();
        }
    }

    /// Whether entries are only hashed for now.
    #[must_use]
    pub(super) fn is_scouting(&self) -> bool {
        self.scout.is_some()
    }

    /// The next head that scouting has found, once the entries held reach it.
    #[must_use]
    pub(super) fn stone(&self) -> Option<TreeHead> {
        self.stones
            .front()
            .copied()
            .filter(|stone| stone.size <= self.next())
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
    /// Each entry is searched once. `cosigned` reads a checkpoint.
    pub(super) fn confirmed_within(
        &mut self,
        cosigned: impl Fn(&[u8]) -> Option<TreeHead>,
    ) -> Option<TreeHead> {
        let new = self.entries.get(self.searched..).unwrap_or_default();
        self.searched = self.entries.len();
        let heads = new.iter().rev().filter_map(|bytes| {
            let Body::Checkpoint(note) = Entry::from_bytes(bytes).ok()?.body else {
                return None;
            };
            cosigned(&note)
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
        self.stones.retain(|stone| stone.size > size);
        std::mem::replace(&mut self.entries, rest)
    }
}

impl Scout {
    fn pass(&mut self, entry: &[u8]) -> bool {
        self.frontier.append(Hash::leaf(entry));
        self.bytes = self.bytes.saturating_add(entry.len());
        if self.bytes > MAX_AHEAD {
            self.passed.push(self.frontier.head());
            self.bytes = 0;
        }
        self.passed.len() <= MAX_PIECES
    }
}

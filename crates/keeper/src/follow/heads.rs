//! What the witnesses have cosigned, as far as this keeper has seen.

use portcullis_core::{Span, Time};
use portcullis_tlog::{Cosigned, Hash, Timestamp, TreeHead};
use std::collections::{BTreeMap, VecDeque};

/// How old the oldest of the quorum's cosignatures may be for a keeper to act by it.
pub const FRESH: Span = Span::seconds(3);
/// How far ahead of the own clock it may be: further, and the own clock may be so far behind that
/// something stale looks fresh.
pub const SKEW: Span = Span::seconds(1);

/// Most sizes that are remembered each way.
const REMEMBERED: usize = 1024;

/// What no honest journal with honest witnesses shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// A quorum cosigned two histories.
    Fork {
        /// One.
        ours: TreeHead,
        /// The other; the sizes are equal, or ours is what its tree holds at our size.
        theirs: TreeHead,
    },
    /// A quorum cosigned fewer entries after it had cosigned more.
    Shrunk {
        /// More, before.
        from: TreeHead,
        /// Fewer, after.
        to: TreeHead,
    },
}

/// Cosigned heads: the newest, those still to be reached, and those reached.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    /// Of the largest size, with the freshest cosignatures.
    newest: Option<Cosigned>,
    /// When each size was first seen to be cosigned: the newest cosignature then. Ascending.
    first: VecDeque<(u64, Timestamp)>,
    /// Beyond what has been applied.
    open: BTreeMap<u64, TreeHead>,
    /// At or below it.
    past: BTreeMap<u64, Hash>,
}

impl Heads {
    /// Take in a head that a quorum cosigned. The proof type is all the proof that it needs; whether
    /// entries lead to it shows later.
    pub fn see(&mut self, seen: Cosigned) -> Result<(), Breach> {
        let theirs = seen.head();
        if let Some(ours) = self.at(theirs.size).filter(|ours| *ours != theirs) {
            return Err(Breach::Fork { ours, theirs });
        }
        match &self.newest {
            Some(newest) if theirs.size < newest.head().size => self.see_smaller(&seen),
            Some(newest) if theirs.size == newest.head().size => {
                if seen.oldest() > newest.oldest() {
                    self.newest = Some(seen);
                }
                Ok(())
            }
            _ => {
                self.see_larger(seen);
                Ok(())
            }
        }
    }

    fn see_larger(&mut self, seen: Cosigned) {
        let head = seen.head();
        self.first.push_back((head.size, seen.newest()));
        if self.first.len() > REMEMBERED {
            self.first.pop_front();
        }
        self.await_too(head);
        self.newest = Some(seen);
    }

    /// A head beyond what has been applied is one to come to, behind a larger one, too. Witnesses who stayed over a
    /// handover make a larger one count before its rotation has been read, and the last of those of before comes
    /// after it then.
    pub(super) fn await_too(&mut self, head: TreeHead) {
        self.open.insert(head.size, head);
        if self.open.len() > REMEMBERED {
            // The largest judges; one in between only tells a fork from wrong entries sooner.
            self.open.pop_first();
        }
    }

    /// An old checkpoint may come late. One whose every cosignature is newer than every one of the
    /// larger head cannot: the two quorums share an honest witness, and it never goes back.
    fn see_smaller(&self, seen: &Cosigned) -> Result<(), Breach> {
        let (Some(newest), Some((_, first))) = (&self.newest, self.first.back()) else {
            return Ok(());
        };
        if seen.oldest() > *first {
            let (from, to) = (newest.head(), seen.head());
            return Err(Breach::Shrunk { from, to });
        }
        Ok(())
    }

    /// Entries up to a cosigned head were applied. Every other head on the way must have had the
    /// root that those entries have there.
    pub fn reach(
        &mut self,
        head: TreeHead,
        root_at: impl Fn(u64) -> Option<Hash>,
    ) -> Result<(), Breach> {
        let beyond = self.open.split_off(&head.size.saturating_add(1));
        let passed = std::mem::replace(&mut self.open, beyond);
        for theirs in passed.into_values() {
            let Some(root) = root_at(theirs.size) else {
                continue;
            };
            if root != theirs.root {
                let size = theirs.size;
                return Err(Breach::Fork {
                    ours: TreeHead { size, root },
                    theirs,
                });
            }
            self.past.insert(theirs.size, root);
        }
        self.past.insert(head.size, head.root);
        while self.past.len() > REMEMBERED {
            self.past.pop_first();
        }
        Ok(())
    }

    /// Others speak for the journal beyond this size: what those of before have said of more is worth nothing.
    pub(super) fn turn(&mut self, size: u64) {
        self.newest.take_if(|newest| newest.head().size > size);
        self.first.retain(|(first, _)| *first <= size);
        self.open.retain(|open, _| *open <= size);
    }

    fn at(&self, size: u64) -> Option<TreeHead> {
        let past = self
            .past
            .get(&size)
            .map(|root| TreeHead { size, root: *root });
        let newest = self.newest.as_ref().map(Cosigned::head);
        self.open
            .get(&size)
            .copied()
            .or(past)
            .or(newest.filter(|head| head.size == size))
    }

    /// The largest head that a quorum cosigned, with its freshest cosignatures.
    #[must_use]
    pub fn newest(&self) -> Option<&Cosigned> {
        self.newest.as_ref()
    }

    /// Heads that have not been reached, smallest first.
    #[must_use]
    pub fn open(&self) -> impl DoubleEndedIterator<Item = TreeHead> + '_ {
        self.open.values().copied()
    }

    /// The newest cosignature on the first checkpoint known here that contains the entry.
    #[must_use]
    pub fn first_cosigned(&self, entry: u64) -> Option<Time> {
        let at = self.first.partition_point(|(size, _)| *size <= entry);
        let (_, newest) = self.first.get(at)?;
        Some(Time::from_unix_seconds(newest.unix()))
    }

    /// Whether the newest head's cosignatures are fresh enough to act by.
    #[must_use]
    pub fn is_fresh(&self, now: Time) -> bool {
        self.newest.as_ref().is_some_and(|newest| {
            let oldest = Time::from_unix_seconds(newest.oldest().unix());
            now.since(oldest) <= FRESH && oldest <= now.after(SKEW)
        })
    }
}

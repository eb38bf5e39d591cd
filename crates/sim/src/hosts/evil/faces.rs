//! The faces that readers are shown: the journal as it is, as it was, shorter, or another one.

use super::{Evil, ok};
use crate::dice::Dice;
use crate::forgery;
use crate::hosts::Misdeed;
use crate::wire::Message;
use portcullis_core::codec::encode;
use portcullis_core::follow::FollowAnswer;
use portcullis_core::state::keys::Handover;
use portcullis_core::{Body, Entry};
use portcullis_host::Reply;
use portcullis_tlog::{Frontier, Hash, TreeHead};

/// Which face readers see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    Whole,
    Old,
    Fork,
    Shorter,
    Shrunk,
    Wrong,
    Nothing,
    Retired,
}

/// A second history.
pub(super) struct Fork {
    /// Where it leaves the first.
    at: u64,
    entries: Vec<Vec<u8>>,
    pub(super) head: TreeHead,
    pub(super) note: Option<Vec<u8>>,
}

impl Evil {
    pub(super) fn show(&mut self, face: Face) -> bool {
        self.face = face;
        true
    }

    /// Another history from a while ago on, whose first entry pays the thief.
    pub(super) fn begin_fork(&mut self, dice: &mut Dice) -> bool {
        let size = self.journal.head().size;
        // Those of before would be believed of what lies before their successors.
        let handovers = self.state.handovers();
        let last = handovers.last().map_or(0, Handover::last);
        let at = size.saturating_sub(1 + dice.below(6)).max(last);
        let Some(bytes) = forgery::forge(self, Misdeed::ReleaseWithoutEvidence, dice) else {
            return false;
        };
        let Ok(before) = self.view().entries(0..at, usize::MAX) else {
            return false;
        };
        let mut frontier = Frontier::new();
        for entry in &before {
            frontier.append(Hash::leaf(entry));
        }
        let mut entries = vec![bytes];
        while at + (entries.len() as u64) < size + 1 {
            entries.push(Entry::new(self.now(), Body::Checkpoint(vec![1])).to_bytes());
        }
        for entry in &entries {
            frontier.append(Hash::leaf(entry));
        }
        self.fork = Some(Fork {
            at,
            entries,
            head: frontier.head(),
            note: None,
        });
        true
    }

    pub(super) fn follow(&self, message: &Message) -> Option<Reply> {
        let from: u64 = message
            .target
            .split_once("from=")?
            .1
            .split('&')
            .next()?
            .parse()
            .ok()?;
        let face = if self.common.loot.is_shown() {
            self.face
        } else {
            Face::Whole
        };
        let (checkpoint, mut entries) = match face {
            Face::Nothing => return None,
            Face::Whole | Face::Wrong => (self.whole(from)?, self.entries(from)),
            Face::Retired => (self.retired.clone()?, self.entries(from)),
            Face::Old => {
                let note = self.older.clone().or_else(|| self.newest.clone())?;
                (note, self.entries(from))
            }
            Face::Shorter => (self.older.clone()?, Vec::new()),
            Face::Shrunk => (self.shrunk.clone()?, Vec::new()),
            Face::Fork => {
                let fork = self.fork.as_ref()?;
                (fork.note.clone()?, self.forked(fork, from))
            }
        };
        if face == Face::Wrong
            && let Some(first) = entries.first_mut()
        {
            first.reverse();
        }
        let size = size_of(&checkpoint);
        entries.truncate(usize::try_from(size.saturating_sub(from)).unwrap_or(0));
        let entries = entries.into_iter().map(Into::into).collect();
        Some(ok(encode(&FollowAnswer {
            checkpoint,
            from,
            entries,
        })))
    }

    /// The newest checkpoint; or the last of those of before, for whoever has not come past it.
    fn whole(&self, from: u64) -> Option<Vec<u8>> {
        let newest = self.newest.clone()?;
        let behind = from.saturating_add(1)..size_of(&newest);
        let mut handovers = self.state.handovers().iter();
        let Some(ahead) = handovers.find(|handover| behind.contains(&handover.last())) else {
            return Some(newest);
        };
        let entry = self.view().entry(ahead.sealed?).ok()?;
        match Entry::from_bytes(&entry).ok()?.body {
            Body::Checkpoint(note) => Some(note),
            _ => None,
        }
    }

    fn entries(&self, from: u64) -> Vec<Vec<u8>> {
        let size = self.journal.head().size;
        if from >= size {
            return Vec::new();
        }
        let entries = self.view().entries(from..size, usize::MAX);
        entries
            .unwrap_or_default()
            .iter()
            .map(|e| e.to_vec())
            .collect()
    }

    fn forked(&self, fork: &Fork, from: u64) -> Vec<Vec<u8>> {
        let mut entries = self.entries(0);
        entries.truncate(usize::try_from(fork.at).unwrap_or(0));
        entries.extend(fork.entries.iter().cloned());
        let skip = usize::try_from(from).unwrap_or(usize::MAX);
        entries.into_iter().skip(skip).collect()
    }
}

fn size_of(note: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(note);
    text.lines()
        .nth(1)
        .and_then(|line| line.parse().ok())
        .unwrap_or(0)
}

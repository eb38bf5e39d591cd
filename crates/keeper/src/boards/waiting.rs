//! Postings that were not accepted so far.

use portcullis_core::board::{MAX_WAITING, Posting};
use portcullis_core::decide::Cosigned;
use portcullis_core::{Reason, Span, State, Time};
use std::collections::VecDeque;

/// How often they are looked at again.
const LOOK_AGAIN: Span = Span::seconds(1);
/// Most of those in one look that take signatures to be checked: anybody posts what can never count,
/// with all the signatures that a posting holds, and no keeper may be kept busy by it.
const LOOKS: usize = 32;

/// Oldest first.
#[derive(Default)]
pub(super) struct Waiting {
    queue: VecDeque<(Posting, Option<Reason>)>,
    look_again: Time,
    seen: u64,
}

impl Waiting {
    /// Let a posting wait, and why; the oldest makes room.
    pub(super) fn push(&mut self, posting: Posting, why: Option<Reason>) {
        if self.queue.len() == MAX_WAITING {
            self.queue.pop_front();
        }
        self.queue.push_back((posting, why));
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Posting) -> bool) {
        self.queue.retain(|(posting, _)| keep(posting));
    }

    /// Take out what is to be looked at now. What names a checkpoint that nobody knows yet is refused
    /// before any signature, so only what names a known one is looked at; of what was refused for
    /// something else a few, in turn, and none while the journal stands still.
    pub(super) fn due(
        &mut self,
        state: &State,
        newest: Option<Cosigned>,
        now: Time,
    ) -> Vec<Posting> {
        if now < self.look_again {
            return Vec::new();
        }
        self.look_again = now.after(LOOK_AGAIN);
        let grew = state.size() != std::mem::replace(&mut self.seen, state.size());
        let mut left = if grew { LOOKS } else { 0 };
        let mut due = Vec::new();
        for (posting, why) in std::mem::take(&mut self.queue) {
            let named = posting.act.checkpoint;
            let is_newest = newest.is_some_and(|newest| newest.body == named);
            let is_known = is_newest || state.facts().checkpoints.contains_key(&named);
            let is_due = if why == Some(Reason::UnknownCheckpoint) {
                is_known
            } else {
                let some_left = left > 0;
                left = left.saturating_sub(1);
                some_left
            };
            if is_due {
                due.push(posting);
            } else {
                self.queue.push_back((posting, why));
            }
        }
        due
    }
}

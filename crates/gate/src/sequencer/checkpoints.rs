//! Which cosigned checkpoints enter the journal: the newest, as the first entry of the next batch;
//! if none comes within a second, one batch is opened for it, once.

use crate::published::Witnessed;
use portcullis_core::{Span, Time};
use std::collections::VecDeque;
use std::ops::Range;

/// How long a checkpoint waits for a batch to lead.
const WAIT: Span = Span::seconds(1);
/// How old the journaled cosignatures of an idle journal may grow before a batch renews them.
const RENEW: Span = Span::seconds(60);

/// The same for a journal in which nothing happens: two entries an hour.
const RENEW_IDLE: Span = Span::seconds(1800);

/// What has been journaled of checkpoints.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// Size and oldest cosignature of the newest journaled one.
    newest: Option<(u64, Time)>,
    /// Entries that are no checkpoints and that no journaled checkpoint contains.
    uncovered: VecDeque<Range<u64>>,
    /// When a checkpoint that covers some of them was first seen.
    waiting_since: Option<Time>,
}

impl Checkpoints {
    /// After a start every entry counts as uncovered: one checkpoint too many does no harm.
    pub(super) fn new(size: u64) -> Self {
        let uncovered = (size > 0).then_some(0..size).into_iter().collect();
        Self {
            newest: None,
            uncovered,
            waiting_since: None,
        }
    }

    /// Whether the checkpoint is to be journaled now.
    pub(super) fn is_wanted(&mut self, candidate: &Witnessed, busy: bool, now: Time) -> bool {
        let size = candidate.head.size;
        if busy {
            return self.newest.is_none_or(|(known, oldest)| {
                size > known || (size == known && candidate.oldest.since(oldest) > RENEW)
            });
        }
        // Acts name a journaled checkpoint of at most an hour: an idle journal renews its newest.
        let aged = |(known, oldest): (u64, Time)| {
            size >= known && candidate.oldest.since(oldest) > RENEW_IDLE
        };
        if self.newest.is_some_and(aged) {
            return true;
        }
        let covers = self
            .uncovered
            .front()
            .is_some_and(|range| range.start < size);
        if !covers {
            return false;
        }
        let since = *self.waiting_since.get_or_insert(now);
        now.since(since) >= WAIT
    }

    /// A batch was appended: its plain entries, and the checkpoint that led it.
    pub(super) fn appended(&mut self, plain: Range<u64>, checkpoint: Option<&Witnessed>) {
        if !plain.is_empty() {
            self.uncovered.push_back(plain);
        }
        let Some(checkpoint) = checkpoint else { return };
        let size = checkpoint.head.size;
        self.newest = Some((size, checkpoint.oldest));
        self.waiting_since = None;
        while self
            .uncovered
            .front()
            .is_some_and(|range| range.end <= size)
        {
            self.uncovered.pop_front();
        }
        if let Some(range) = self.uncovered.front_mut() {
            range.start = range.start.max(size);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_tlog::{Hash, TreeHead};

    fn witnessed(size: u64, seconds: u64) -> Witnessed {
        let time = Time::from_unix_seconds(seconds);
        let head = TreeHead {
            size,
            root: Hash::EMPTY_ROOT,
        };
        Witnessed {
            note: Vec::new().into(),
            head,
            oldest: time,
            newest: time,
        }
    }

    #[test]
    fn an_idle_journal_gets_one_checkpoint_and_then_rests() {
        let mut checkpoints = Checkpoints::new(0);
        checkpoints.appended(0..1, None);
        let first = witnessed(1, 100);
        assert!(!checkpoints.is_wanted(&first, false, Time(100_000)));
        assert!(!checkpoints.is_wanted(&first, false, Time(100_999)));
        assert!(checkpoints.is_wanted(&first, false, Time(101_000)));
        checkpoints.appended(2..2, Some(&first));
        // The next cosigned head covers only the checkpoint entry itself.
        for second in 102..200 {
            assert!(!checkpoints.is_wanted(&witnessed(2, second), false, Time(second * 1000)));
        }
    }

    #[test]
    fn an_idle_journal_renews_its_checkpoint_before_acts_can_name_it_no_more() {
        let mut checkpoints = Checkpoints::new(0);
        checkpoints.appended(0..1, None);
        checkpoints.appended(2..2, Some(&witnessed(1, 100)));
        assert!(!checkpoints.is_wanted(&witnessed(2, 1900), false, Time(1_900_000)));
        assert!(checkpoints.is_wanted(&witnessed(2, 1901), false, Time(1_901_000)));
        checkpoints.appended(3..3, Some(&witnessed(2, 1901)));
        assert!(!checkpoints.is_wanted(&witnessed(3, 1902), false, Time(1_902_000)));
    }

    #[test]
    fn a_batch_is_led_by_the_newest_checkpoint_and_renews_an_old_one() {
        let mut checkpoints = Checkpoints::new(0);
        checkpoints.appended(0..1, None);
        assert!(checkpoints.is_wanted(&witnessed(1, 100), true, Time(100_000)));
        checkpoints.appended(2..3, Some(&witnessed(1, 100)));
        assert!(!checkpoints.is_wanted(&witnessed(1, 150), true, Time(150_000)));
        assert!(checkpoints.is_wanted(&witnessed(1, 161), true, Time(161_000)));
        assert!(checkpoints.is_wanted(&witnessed(3, 101), true, Time(101_000)));
    }
}

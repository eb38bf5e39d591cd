//! What came before a pattern was seen: the first rows of a theft look like any other.

use super::{Pattern, Would};
use crate::row::Row;
use portcullis_core::Time;
use portcullis_core::behaviour::{Place, WINDOW};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// Most places of rows that are kept: as many as are looked at beside each other.
const MOST: usize = 1 << 17;

/// A row, and what would have become of it.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) row: Row,
    pub(super) would: Would,
}

/// Where rows of one pattern meet.
pub(super) type Meeting = (Pattern, Place);

/// Rows of the last 24 hours that belong to no episode yet.
#[derive(Default)]
pub(super) struct Before {
    rows: HashMap<Meeting, VecDeque<Arc<Judged>>>,
    in_order: VecDeque<(Time, Meeting)>,
}

impl Before {
    /// One more, which no pattern is seen in so far.
    pub(super) fn keep(&mut self, meeting: Meeting, judged: &Arc<Judged>) {
        let time = judged.row.time;
        self.forget(time);
        let rows = self.rows.entry(meeting).or_default();
        rows.push_back(Arc::clone(judged));
        self.in_order.push_back((time, meeting));
    }

    /// Those that met there, the first first; each is given once.
    pub(super) fn take(&mut self, meeting: Meeting, now: Time) -> VecDeque<Arc<Judged>> {
        self.forget(now);
        self.rows.remove(&meeting).unwrap_or_default()
    }

    fn forget(&mut self, now: Time) {
        while let Some((time, meeting)) = self.in_order.front()
            && (now.since(*time) >= WINDOW || self.in_order.len() >= MOST)
        {
            if let Some(rows) = self.rows.get_mut(meeting) {
                // What was taken since has left its place in the order behind.
                if rows.front().is_some_and(|first| first.row.time <= *time) {
                    rows.pop_front();
                }
                if rows.is_empty() {
                    self.rows.remove(meeting);
                }
            }
            self.in_order.pop_front();
        }
    }
}

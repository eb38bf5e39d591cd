//! How many withdrawals to fresh addresses an hour has, beside the hours of the week before.

use crate::time::{Span, Time};

/// A week's hours.
const HOURS: u16 = 168;
/// What counts as the usual hour at least: two where there is usually one are no rush.
const FEWEST: u64 = 4;
/// More tenths than this are not told apart.
const MOST: u64 = 1_000;

/// A count for each hour of the last week and the one that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rush {
    /// By the hour's number since 1970, the oldest first; the last one runs.
    counts: Vec<u32>,
    /// The number of the hour that runs.
    hour: u64,
}

impl Default for Rush {
    fn default() -> Self {
        Self {
            counts: vec![0],
            hour: 0,
        }
    }
}

impl Rush {
    pub(super) fn note(&mut self, now: Time) {
        self.turn_to(hour(now));
        if let Some(count) = self.counts.last_mut() {
            *count = count.saturating_add(1);
        }
    }

    /// The hour's count in tenths of the usual one. What was before the first that was ever noted says nothing.
    pub(super) fn tenths(&self, now: Time) -> u32 {
        let hour = hour(now);
        let running = if hour == self.hour {
            self.counts.last()
        } else {
            None
        };
        let known = self.counts.len() as u64;
        let first = self.hour.saturating_sub(known.saturating_sub(1));
        let before = self.counts.iter().zip(first..);
        let before = before.filter(|(_, of)| *of < hour && hour - of <= u64::from(HOURS));
        let sum: u64 = before.map(|(count, _)| u64::from(*count)).sum();
        let hours = hour.saturating_sub(first).clamp(1, u64::from(HOURS));
        let usual = sum.max(FEWEST * hours);
        let now = u64::from(running.copied().unwrap_or(0));
        let tenths = now * 10 * hours / usual;
        u32::try_from(tenths.min(MOST)).unwrap_or(u32::MAX)
    }

    fn turn_to(&mut self, hour: u64) {
        if self.counts.len() == 1 && self.hour == 0 {
            self.hour = hour;
        }
        // A pause of over a week leaves nothing.
        let ahead = hour.saturating_sub(self.hour).min(u64::from(HOURS) + 1);
        self.counts.extend((0..ahead).map(|_| 0));
        let surplus = self.counts.len().saturating_sub(usize::from(HOURS) + 1);
        self.counts.drain(..surplus);
        self.hour = self.hour.max(hour);
    }
}

fn hour(time: Time) -> u64 {
    time.0 / Span::hours(1).0
}

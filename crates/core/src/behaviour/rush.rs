//! How many withdrawals the last hour had, beside the hours of the week before.

use crate::time::{Span, Time};
use minicbor::{Decode, Encode};

/// A week's hours.
const HOURS: u16 = 168;
/// What counts as the usual hour at least: two where there is usually one are no rush.
const FEWEST: u64 = 4;
/// More tenths than this are not told apart.
const MOST: u64 = 1_000;
/// The length of one.
const HOUR: Span = Span::hours(1);

/// A count for each hour of the last week and the one that runs.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct Rush {
    /// By the hour's number since 1970, the oldest first; the last one runs.
    #[n(0)]
    counts: Vec<u32>,
    /// The number of the hour that runs.
    #[n(1)]
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

    /// How many there were within the last sixty minutes: those of the hour that runs, and of the one before as
    /// large a part as lies within. Whoever asks as the clock strikes is not alone for that.
    pub(super) fn within_an_hour(&self, now: Time) -> u32 {
        let hour = hour(now);
        let left = HOUR.0 - now.0 % HOUR.0;
        let before = hour.checked_sub(1).map_or(0, |before| self.count(before));
        let part = u64::from(before) * left / HOUR.0;
        let part = u32::try_from(part).unwrap_or(u32::MAX);
        self.count(hour).saturating_add(part)
    }

    /// The last hour's count in tenths of the usual one. What was before the first that was ever noted says nothing.
    pub(super) fn tenths(&self, now: Time) -> u32 {
        let hour = hour(now);
        let first = self.first();
        let before = self.counts.iter().zip(first..);
        let before = before.filter(|(_, of)| *of < hour && hour - of <= u64::from(HOURS));
        let sum: u64 = before.map(|(count, _)| u64::from(*count)).sum();
        let hours = hour.saturating_sub(first).clamp(1, u64::from(HOURS));
        let usual = sum.max(FEWEST * hours);
        let now = u64::from(self.within_an_hour(now));
        let tenths = now * 10 * hours / usual;
        u32::try_from(tenths.min(MOST)).unwrap_or(u32::MAX)
    }

    /// The hour that the first count is of.
    fn first(&self) -> u64 {
        let known = self.counts.len() as u64;
        self.hour.saturating_sub(known.saturating_sub(1))
    }

    fn count(&self, hour: u64) -> u32 {
        let at = hour.checked_sub(self.first());
        let at = at.and_then(|at| usize::try_from(at).ok());
        at.and_then(|at| self.counts.get(at)).copied().unwrap_or(0)
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
    time.0 / HOUR.0
}

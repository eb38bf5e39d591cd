//! Counts.

use crate::judge::{Ground, Would};
use crate::row::{Factor, Row};
use portcullis_chains::Amount;
use portcullis_core::{Span, Time};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Most assets that are told apart; what is in no list of ours may say anything.
const MOST_ASSETS: usize = 1_000;
const OTHERS: &str = "(others)";
/// Hours that delays are counted in.
const HOURS: usize = 24 * 31;

/// So many, and how much of each asset, in units of 10⁻¹⁸.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// How many.
    pub count: u64,
    /// How much.
    pub amounts: BTreeMap<String, Amount>,
}

impl Count {
    fn add(&mut self, row: &Row) {
        self.count += 1;
        add_to(&mut self.amounts, row);
    }
}

/// One more amount among those of each asset.
pub(crate) fn add_to(amounts: &mut BTreeMap<String, Amount>, row: &Row) {
    let is_known = amounts.contains_key(&row.asset) || amounts.len() < MOST_ASSETS;
    let asset = if is_known { &*row.asset } else { OTHERS };
    let amount = amounts.entry(asset.to_owned()).or_default();
    *amount = amount.checked_add(row.amount).unwrap_or(Amount(u128::MAX));
}

/// On one ground.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    /// All of them.
    #[serde(flatten)]
    pub all: Count,
    /// Those on this ground alone.
    pub alone: u64,
}

/// How long those wait that nothing but time keeps, in hours begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delays(Vec<u64>);

impl Default for Delays {
    fn default() -> Self {
        Self(vec![0; HOURS + 1])
    }
}

impl Delays {
    fn add(&mut self, span: Span) {
        let hours = usize::try_from(span.0.div_ceil(Span::hours(1).0)).unwrap_or(HOURS);
        if let Some(count) = self.0.get_mut(hours.min(HOURS)) {
            *count += 1;
        }
    }

    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The hours by which so many of a hundred have gone out; none where nobody waits.
    #[must_use]
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let all = self.count();
        let want = (all * percent).div_ceil(100).max(1);
        let mut sum = 0;
        let hours = self.0.iter().zip(0..);
        let mut reached = hours.filter_map(|(count, hours)| {
            sum += count;
            (sum >= want).then_some(hours)
        });
        reached.next().filter(|_| all > 0)
    }
}

impl Serialize for Delays {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("count", &self.count())?;
        for (name, percent) in [("p50_hours", 50), ("p90_hours", 90), ("p99_hours", 99)] {
            map.serialize_entry(name, &self.percentile(percent))?;
        }
        map.end()
    }
}

/// What rows came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// The time of the first and of the last.
    pub first: Option<Time>,
    /// The last.
    pub last: Option<Time>,
    /// All that were judged.
    pub judged: Count,
    /// Rows that stood there once more, with the same id and the same in all else: they count once.
    pub repeated: u64,
    /// Rows with the id of another row, which are not the same: they count.
    pub same_ids: u64,
    /// Those that the platform let go.
    pub went_out: u64,
    /// Those that would have gone out at once.
    pub out: Count,
    /// Those that would have waited.
    pub held: Count,
    /// Those that would have been refused.
    pub refused: Count,
    /// How many of them the file says a factor of.
    pub with_factor: u64,
    /// By ground; one that is held on several counts for each.
    #[serde(serialize_with = "by_name")]
    pub grounds: Vec<(Ground, Held)>,
    /// How long those wait that nothing but time keeps.
    pub delays: Delays,
    /// By day since 1970: out, held, refused.
    pub days: BTreeMap<u64, [u64; 3]>,
    /// How often so long nothing came that what is usual was learnt anew.
    #[serde(skip)]
    pub anew: u64,
    /// What memory had no room for.
    #[serde(skip)]
    pub forgotten: Forgotten,
}

/// What was forgotten before its time, for there is a bound on what is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Young addresses, which counted as old.
    pub addresses: u64,
    /// Accounts, of which a week's outflow was counted anew.
    pub accounts: u64,
    /// Patterns, which were over and may stand there twice.
    pub episodes: u64,
}

impl Default for Tally {
    fn default() -> Self {
        let grounds = Ground::ALL.into_iter();
        Self {
            first: None,
            last: None,
            judged: Count::default(),
            repeated: 0,
            same_ids: 0,
            went_out: 0,
            out: Count::default(),
            held: Count::default(),
            refused: Count::default(),
            with_factor: 0,
            grounds: grounds.map(|ground| (ground, Held::default())).collect(),
            delays: Delays::default(),
            days: BTreeMap::new(),
            anew: 0,
            forgotten: Forgotten::default(),
        }
    }
}

fn by_name<S: Serializer>(grounds: &[(Ground, Held)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(grounds.iter().map(|(ground, held)| (ground.name(), held)))
}

impl Tally {
    pub(crate) fn add(&mut self, row: &Row, grounds: &[Ground]) {
        self.first.get_or_insert(row.time);
        self.last = Some(row.time);
        self.judged.add(row);
        self.went_out += u64::from(row.went_out);
        self.with_factor += u64::from(row.factor != Factor::Unsaid);
        let (to, at) = match Would::by(grounds) {
            Would::GoOut | Would::Unread => (&mut self.out, 0),
            Would::BeHeld => (&mut self.held, 1),
            Would::BeRefused => (&mut self.refused, 2),
        };
        to.add(row);
        let day = row.time.0 / Span::hours(24).0;
        self.days.entry(day).or_default()[at] += 1;
        for ground in grounds {
            if let Some((_, held)) = self.grounds.get_mut(ground.at()) {
                held.all.add(row);
                held.alone += u64::from(grounds.len() == 1);
            }
        }
        let waits: Option<Vec<Span>> = grounds.iter().map(|ground| ground.waits()).collect();
        if let Some(longest) = waits.and_then(|waits| waits.into_iter().max()) {
            self.delays.add(longest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_delays() {
        let mut delays = Delays::default();
        assert_eq!(delays.percentile(50), None);
        for hours in [1, 2, 3, 24] {
            delays.add(Span::hours(hours));
        }
        delays.add(Span(1));
        let of = [50, 90, 99].map(|percent| delays.percentile(percent));
        assert_eq!(of, [Some(2), Some(24), Some(24)]);
        delays.add(Span::hours(100_000));
        assert_eq!(delays.percentile(100), Some(HOURS as u64));
    }
}

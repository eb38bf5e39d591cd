//! What has left each account, in the core's own windows.

use super::Ground;
use super::names::Names;
use crate::row::{Factor, Row};
use crate::terms::Limit;
use portcullis_chains::Amount;
use portcullis_core::behaviour::Place;
use portcullis_core::window::{Events, Outflow as _};
use portcullis_core::{Span, Time};
use std::collections::HashMap;

const HOUR: Span = Span::hours(1);
const DAY: Span = Span::hours(24);
const WEEK: Span = Span::hours(24 * 7);
/// Accounts, each with an asset that has a limit, in one generation; two are kept, some 100 MiB each at most.
const MOST: usize = 1 << 18;

/// By account and asset, for a week.
#[derive(Default)]
pub(super) struct Flows {
    all: Lately,
    /// By codes alone.
    codes: Lately,
    cleared: Time,
}

#[derive(Default)]
struct Flow {
    events: Events,
    last: Time,
}

/// Flows of whom something was heard lately. Once a generation is full, the one before it is forgotten.
struct Lately {
    new: HashMap<Place, Flow>,
    old: HashMap<Place, Flow>,
    most: usize,
    forgotten: u64,
}

impl Flows {
    /// The first limit that one more would pass.
    pub(super) fn exceeded(&self, limit: &Limit, row: &Row, names: &Names) -> Option<Ground> {
        let flow = self.all.get(place(row, names));
        let over = |span: Span, most: Option<Amount>| {
            most.is_some_and(|most| sum(flow, span, row).is_none_or(|sum| sum > most))
        };
        if limit.per_transaction.is_some_and(|most| row.amount > most) {
            return Some(Ground::OverTransaction);
        }
        let windows = [
            (over(HOUR, limit.hour), Ground::OverHour),
            (over(DAY, limit.day), Ground::OverDay),
            (over(WEEK, limit.week), Ground::OverWeek),
        ];
        windows
            .into_iter()
            .find_map(|(over, ground)| over.then_some(ground))
    }

    /// Whether a code would pay more than codes may within a day.
    pub(super) fn is_over_code(&self, limit: &Limit, row: &Row, names: &Names) -> bool {
        let flow = self.codes.get(place(row, names));
        let over = |most| sum(flow, DAY, row).is_none_or(|sum| sum > most);
        limit.code_day.is_some_and(over)
    }

    pub(super) fn add(&mut self, row: &Row, names: &Names) {
        self.clear(row.time);
        let place = place(row, names);
        if row.factor == Factor::Totp {
            self.codes.add(place, row);
        }
        self.all.add(place, row);
    }

    /// How many were forgotten within their week, for there were too many.
    pub(super) fn forgotten(&self) -> u64 {
        self.all.forgotten
    }

    /// Once a day, those of whom a week has heard nothing.
    fn clear(&mut self, now: Time) {
        if now.since(self.cleared) < DAY {
            return;
        }
        self.cleared = now;
        for lately in [&mut self.all, &mut self.codes] {
            for flows in [&mut lately.new, &mut lately.old] {
                flows.retain(|_, flow| flow.is_of_the_week(now));
            }
        }
    }
}

impl Default for Lately {
    fn default() -> Self {
        Self {
            new: HashMap::new(),
            old: HashMap::new(),
            most: MOST,
            forgotten: 0,
        }
    }
}

impl Lately {
    fn get(&self, place: Place) -> Option<&Flow> {
        self.new.get(&place).or_else(|| self.old.get(&place))
    }

    fn add(&mut self, place: Place, row: &Row) {
        if self.new.len() >= self.most && !self.new.contains_key(&place) {
            self.turn(row.time);
        }
        let known = self.old.remove(&place);
        let flow = self.new.entry(place);
        flow.or_insert_with(|| known.unwrap_or_default()).add(row);
    }

    fn turn(&mut self, now: Time) {
        let forgotten = std::mem::replace(&mut self.old, std::mem::take(&mut self.new));
        let early = forgotten.values().filter(|flow| flow.is_of_the_week(now));
        self.forgotten += early.count() as u64;
    }
}

impl Flow {
    fn add(&mut self, row: &Row) {
        self.events.add(row.amount, row.time);
        self.last = row.time;
    }

    fn is_of_the_week(&self, now: Time) -> bool {
        now.since(self.last) < WEEK
    }
}

fn place(row: &Row, names: &Names) -> Place {
    Place::of(&[row.account.as_bytes(), &[0], names.asset.as_bytes()].concat())
}

/// What would have left with one more; `None` where that overflows.
fn sum(flow: Option<&Flow>, span: Span, row: &Row) -> Option<Amount> {
    let before = match flow {
        Some(flow) => flow.events.within(span, row.time)?,
        None => Amount::ZERO,
    };
    before.checked_add(row.amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_accounts_those_are_forgotten_that_were_heard_of_longest_ago() {
        let mut lately = Lately {
            most: 2,
            ..Lately::default()
        };
        let place = |name: &str| Place::of(name.as_bytes());
        let row = crate::month::month(4, 1).next().unwrap().row;
        for name in ["a", "b", "c", "a", "d"] {
            lately.add(place(name), &row);
        }
        let known = |name| lately.get(place(name)).is_some();
        let kept = ["a", "b", "c", "d"].map(known);
        assert_eq!((kept, lately.forgotten), ([true, false, true, true], 1));
    }
}

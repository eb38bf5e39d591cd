//! What has left each account, in the core's own windows.

use super::Ground;
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

/// By account and asset, for a week.
#[derive(Default)]
pub(super) struct Flows {
    all: HashMap<Place, Flow>,
    /// By codes alone.
    codes: HashMap<Place, Flow>,
    cleared: Time,
}

#[derive(Default)]
struct Flow {
    events: Events,
    last: Time,
}

impl Flows {
    /// The first limit that one more would pass.
    pub(super) fn exceeded(&self, limit: &Limit, row: &Row) -> Option<Ground> {
        let flow = self.all.get(&place(row));
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
    pub(super) fn is_over_code(&self, limit: &Limit, row: &Row) -> bool {
        let flow = self.codes.get(&place(row));
        let over = |most| sum(flow, DAY, row).is_none_or(|sum| sum > most);
        limit.code_day.is_some_and(over)
    }

    pub(super) fn add(&mut self, row: &Row) {
        self.clear(row.time);
        let place = place(row);
        if row.factor == Factor::Totp {
            self.codes.entry(place).or_default().add(row);
        }
        self.all.entry(place).or_default().add(row);
    }

    /// Once a day, those of whom a week has heard nothing.
    fn clear(&mut self, now: Time) {
        if now.since(self.cleared) < DAY {
            return;
        }
        self.cleared = now;
        for flows in [&mut self.all, &mut self.codes] {
            flows.retain(|_, flow| now.since(flow.last) < WEEK);
        }
    }
}

impl Flow {
    fn add(&mut self, row: &Row) {
        self.events.add(row.amount, row.time);
        self.last = row.time;
    }
}

fn place(row: &Row) -> Place {
    Place::of(&[row.account.as_bytes(), &[0], row.asset.as_bytes()].concat())
}

/// What would have left with one more; `None` where that overflows.
fn sum(flow: Option<&Flow>, span: Span, row: &Row) -> Option<Amount> {
    let before = match flow {
        Some(flow) => flow.events.within(span, row.time)?,
        None => Amount::ZERO,
    };
    before.checked_add(row.amount)
}

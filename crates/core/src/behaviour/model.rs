//! The same counted again, from a list of all that was ever asked.

use super::{Asked, Behaviour, Company, Count, Hours, LEARNS, WINDOW};
use crate::codec::encode;
use crate::time::{Span, Time};
use portcullis_chains::Amount;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const DAY: u64 = Span::hours(24).0;
const HOUR: u64 = Span::hours(1).0;

#[derive(Clone, Copy, Debug)]
struct Said {
    time: u64,
    account: u8,
    amount: u8,
    to: u8,
    address_hours: u16,
    changed_hours: u16,
}

impl Said {
    fn asked(self) -> Asked {
        let age = |hours: u16| Some(Span::hours(hours.into()));
        Asked::new(
            &[self.account],
            b"ether",
            Amount(self.amount.into()),
            &[self.to],
        )
        .to_an_address_of(age(self.address_hours))
        .after_a_change(age(self.changed_hours))
    }

    fn is_fresh(&self) -> bool {
        self.address_hours < 24
    }

    fn is_changed(&self) -> bool {
        self.is_fresh() && self.changed_hours < 24
    }
}

/// Accounts that were there within 24 hours, as somebody sees it at a time.
fn there(all: &[Said], is_there: &impl Fn(&Said) -> bool, now: u64) -> BTreeSet<u8> {
    let within = |said: &&Said| said.time <= now && now - said.time < WINDOW.0;
    let here = all.iter().filter(within).filter(|said| is_there(said));
    here.map(|said| said.account).collect()
}

fn count(all: &[Said], is_there: impl Fn(&Said) -> bool, account: u8, now: u64) -> Count {
    let mut others = there(all, &is_there, now);
    others.remove(&account);
    let mut most = BTreeMap::<u64, usize>::new();
    for (at, said) in all.iter().enumerate().filter(|(_, said)| is_there(said)) {
        let met = there(&all[..=at], &is_there, said.time).len();
        let of_day = most.entry(said.time / DAY).or_default();
        *of_day = met.max(*of_day);
    }
    let today = now / DAY;
    let before = most.range(today.saturating_sub(7)..today);
    let usually = before.map(|(_, met)| *met).filter(|met| *met > 1).max();
    let number = |count: usize| u32::try_from(count).unwrap();
    Count {
        now: number(others.len()),
        usually: number(usually.unwrap_or(0)),
    }
}

/// Within the last hour, and in tenths of the usual one.
fn hours(all: &[Said], counts: impl Fn(&Said) -> bool, now: u64) -> (u32, u32) {
    let times: Vec<u64> = all
        .iter()
        .filter(|said| counts(said))
        .map(|said| said.time)
        .collect();
    let of = |hour: u64| times.iter().filter(|time| **time / HOUR == hour).count() as u64;
    let hour = now / HOUR;
    let last = of(hour) + of(hour - 1) * (HOUR - now % HOUR) / HOUR;
    let newest = times.last().copied().unwrap_or(0) / HOUR;
    let oldest = times.first().copied().unwrap_or(0) / HOUR;
    // The counts of a week before the newest, and of nothing before the first, are known.
    let first = oldest.max(newest.saturating_sub(168));
    let sum: u64 = (hour.saturating_sub(168)..hour).map(of).sum();
    let known = (hour.saturating_sub(first)).clamp(1, 168);
    let usual = sum.max(4 * known);
    let number = |count: u64| u32::try_from(count).unwrap();
    (number(last), number((last * 10 * known / usual).min(1_000)))
}

fn look(all: &[Said], one: Said) -> Company {
    let own = Company {
        address_hours: Hours(one.address_hours),
        changed_hours: Hours(one.changed_hours),
        ..Company::QUIET
    };
    let begun = all.first().map(|said| said.time);
    if begun.is_none_or(|begun| one.time - begun < LEARNS.0) {
        return own;
    }
    let at = |is_there: &dyn Fn(&Said) -> bool| count(all, is_there, one.account, one.time);
    let alike = |said: &Said| said.is_fresh() && said.amount == one.amount;
    let together = |said: &Said| said.to == one.to;
    let (fresh, rush) = hours(all, Said::is_fresh, one.time);
    Company {
        alike: if one.is_fresh() {
            at(&alike)
        } else {
            Count::default()
        },
        together: at(&together),
        changed: if one.is_changed() {
            at(&Said::is_changed)
        } else {
            Count::default()
        },
        fresh,
        rush,
        sudden: hours(all, |_| true, one.time).1,
        ..own
    }
}

prop_compose! {
    /// Mostly within minutes of each other, sometimes a day or more apart.
    fn a_wait()(short in 0..4 * HOUR, long in 0..40_u8, days in 0..9 * DAY) -> u64 {
        if long == 0 { days } else { short }
    }
}

prop_compose! {
    fn many()(rows in prop::collection::vec((a_wait(), 0..9_u8, 0..3_u8, 0..3_u8, 0..40_u16, 0..60_u16), 1..120)) -> Vec<Said> {
        let mut time = 1_000 * DAY;
        let said = rows.into_iter().map(|(wait, account, amount, to, address_hours, changed_hours)| {
            time += wait;
            Said { time, account, amount, to, address_hours, changed_hours }
        });
        said.collect()
    }
}

proptest! {
    #[test]
    fn it_is_what_a_recount_says(all in many()) {
        let mut behaviour = Behaviour::default();
        for (at, one) in all.iter().enumerate() {
            let (asked, now) = (one.asked(), Time(one.time));
            prop_assert_eq!(behaviour.look(&asked, now), look(&all[..at], *one), "{}", at);
            behaviour.note(&asked, now);
        }
        let read: Behaviour = minicbor::decode(&encode(&behaviour)).unwrap();
        prop_assert_eq!(read, behaviour);
    }
}

/// However many there are, and however hostile: no more is kept than this.
#[test]
fn no_more_is_kept_than_so_much() {
    let mut behaviour = Behaviour::default();
    let most = (1 << 17) + 20_000_u32;
    for n in 0..most {
        let name = n.to_be_bytes();
        let asked = Asked::new(&name, b"ether", Amount(n.into()), &name)
            .to_an_address_of(Some(Span(0)))
            .after_a_change(Some(Span(0)));
        behaviour.note(&asked, Time(u64::from(n)));
    }
    let bytes = encode(&behaviour).len();
    assert!(bytes < 16 << 20, "{bytes} bytes");
    // The newest are still seen; those before the bound are not.
    let now = Time(most.into());
    let last = (most - 1).to_be_bytes();
    let at = |to: &[u8]| {
        let place = super::Place::of(to);
        behaviour
            .destinations
            .others(place, super::Who::of(b"me"), now)
            .now
    };
    assert_eq!((at(&last), at(&0_u32.to_be_bytes())), (1, 0));
}

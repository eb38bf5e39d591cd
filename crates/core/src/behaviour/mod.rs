//! How withdrawals of many accounts look beside each other: what none of them shows by itself.
//!
//! A thief who has got past the platform's own checks once does it again: the same amount out of many
//! accounts, to addresses that nobody has paid before, or from many accounts to one. Each of these is
//! counted here, and what it usually is beside it, so that a merchant whom many pay every day is none.
//!
//! All of it is bounded and made of whole numbers alone: it is state, and every replica has the same. It
//! may hold a withdrawal and never release one.

mod gathering;
mod rush;

pub use gathering::{Gatherings, Place, Who};

use crate::time::{Span, Time};
use portcullis_chains::Amount;
use rush::Rush;

/// How far back withdrawals are looked at beside each other.
pub const WINDOW: Span = Span::hours(24);
/// How long is only learnt what is usual: before, anything would look like a theft.
pub const LEARNS: Span = Span::hours(24 * 7);

/// A withdrawal as far as others can be like it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    account: Who,
    size: Place,
    destination: Place,
    is_fresh: bool,
    has_changed: bool,
}

impl Asked {
    /// By an account, of an asset, to a destination (an address with its tag, if it has one), each in whatever
    /// bytes name it.
    #[must_use]
    pub fn new(account: &[u8], asset: &[u8], amount: Amount, to: &[u8]) -> Self {
        let size = [asset, &[0], &amount.0.to_be_bytes()].concat();
        Self {
            account: Who::of(account),
            size: Place::of(&size),
            destination: Place::of(to),
            is_fresh: false,
            has_changed: false,
        }
    }

    /// The account has not paid the address before, or not for long.
    #[must_use]
    pub const fn to_a_fresh_address(self, is_fresh: bool) -> Self {
        Self { is_fresh, ..self }
    }

    /// A factor, or the contact, of the account was changed shortly before.
    #[must_use]
    pub const fn after_a_change(self, has_changed: bool) -> Self {
        Self {
            has_changed,
            ..self
        }
    }
}

/// What a withdrawal looks like beside the others of the last 24 hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Company {
    /// Other accounts that asked for just this amount of this asset, each to a fresh address, where this one is.
    pub alike: Count,
    /// Other accounts that asked to pay this destination.
    pub together: Count,
    /// Other accounts that pay a fresh address shortly after a change of their factors or contact, where this one does.
    pub changed: Count,
    /// Withdrawals to fresh addresses within this hour, in tenths of what is usual: 10 is the usual hour.
    pub rush: u32,
}

/// How many, and how many at most on any of the seven days before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count {
    /// Now.
    pub now: u32,
    /// At most on one of the seven days before this one.
    pub usually: u32,
}

impl Count {
    /// How many more than twice as many as usually: chance alone brings no more than that.
    #[must_use]
    pub const fn beyond(self) -> u32 {
        self.now.saturating_sub(self.usually.saturating_mul(2))
    }
}

/// What withdrawals have looked like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    sizes: Gatherings,
    destinations: Gatherings,
    changed: Gatherings,
    rush: Rush,
    begun: Option<Time>,
}

/// Where all accounts meet that have changed something.
const CHANGED: Place = Place::ALL;

impl Behaviour {
    /// What this one looks like at a time, which is no earlier than what was noted. Like nothing, while what is
    /// usual is only learnt.
    #[must_use]
    pub fn look(&self, asked: &Asked, now: Time) -> Company {
        if self.begun.is_none_or(|begun| now.since(begun) < LEARNS) {
            return Company::default();
        }
        let Asked { account, size, .. } = *asked;
        let fresh = |count| {
            if asked.is_fresh {
                count
            } else {
                Count::default()
            }
        };
        let changed = |count| {
            if asked.has_changed {
                fresh(count)
            } else {
                Count::default()
            }
        };
        Company {
            alike: fresh(self.sizes.others(size, account, now)),
            together: self.destinations.others(asked.destination, account, now),
            changed: changed(self.changed.others(CHANGED, account, now)),
            rush: self.rush.tenths(now),
        }
    }

    /// Remember this one.
    pub fn note(&mut self, asked: &Asked, now: Time) {
        self.begun.get_or_insert(now);
        if asked.is_fresh && asked.has_changed {
            self.changed.note(CHANGED, asked.account, now);
        }
        if asked.is_fresh {
            self.sizes.note(asked.size, asked.account, now);
            self.rush.note(now);
        }
        self.destinations
            .note(asked.destination, asked.account, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Span = Span::hours(24);
    const BEGIN: Time = Time(LEARNS.0);

    fn asked(account: u32, amount: u128, to: u32, is_fresh: bool) -> Asked {
        let (account, to) = (account.to_be_bytes(), to.to_be_bytes());
        Asked::new(&account, b"ether", Amount(amount), &to).to_a_fresh_address(is_fresh)
    }

    /// One that has learnt for a week, with one withdrawal like no other.
    fn learnt() -> Behaviour {
        let mut behaviour = Behaviour::default();
        behaviour.note(&asked(u32::MAX, u128::MAX, u32::MAX, false), Time(0));
        behaviour
    }

    /// Notes these one after the other, and gives what each looked like.
    fn all(behaviour: &mut Behaviour, begin: Time, every: Span, all: &[Asked]) -> Vec<Company> {
        let mut now = begin;
        let looks = all.iter().map(|asked| {
            let company = behaviour.look(asked, now);
            behaviour.note(asked, now);
            now = now.after(every);
            company
        });
        looks.collect()
    }

    #[test]
    fn equal_sums_to_fresh_addresses_of_different_accounts_are_alike() {
        let mut behaviour = learnt();
        let theft: Vec<Asked> = (0..20).map(|n| asked(n, 999, 1_000 + n, true)).collect();
        let looks = all(&mut behaviour, BEGIN, Span::seconds(60), &theft);
        let alike: Vec<u32> = looks.iter().map(|look| look.alike.now).collect();
        assert_eq!(alike, (0..20).collect::<Vec<_>>());
        let later = BEGIN.after(Span::seconds(60 * 20));
        for (other, want) in [
            (asked(99, 999, 5, true), 20),
            (asked(99, 998, 5, true), 0),
            // Known addresses are nobody's hiding place.
            (asked(99, 999, 5, false), 0),
            // One account alone is no company to itself.
            (asked(7, 999, 5, true), 19),
        ] {
            assert_eq!(behaviour.look(&other, later).alike.now, want, "{other:?}");
        }
    }

    #[test]
    fn nothing_is_said_before_a_week_has_been_seen() {
        let mut behaviour = learnt();
        let theft: Vec<Asked> = (0..20).map(|n| asked(n, 999, 7, true)).collect();
        let looks = all(&mut behaviour, Time(LEARNS.0 - 20), Span(1), &theft);
        assert!(looks.iter().all(|look| *look == Company::default()));
        assert_eq!(behaviour.look(&theft[0], BEGIN).together.now, 19);
    }

    #[test]
    fn what_is_over_a_day_old_is_forgotten() {
        let mut behaviour = learnt();
        let theft: Vec<Asked> = (0..5).map(|n| asked(n, 999, 7, true)).collect();
        all(&mut behaviour, BEGIN, Span(0), &theft);
        let one = asked(9, 999, 7, true);
        for (after, want) in [(DAY.0 - 1, 5), (DAY.0, 0)] {
            let look = behaviour.look(&one, Time(BEGIN.0 + after));
            assert_eq!((look.alike.now, look.together.now), (want, want), "{after}");
        }
    }

    #[test]
    fn a_destination_that_many_pay_every_day_is_usual() {
        let mut behaviour = Behaviour::default();
        for day in 0..7 {
            let payers: Vec<Asked> = (0..30).map(|n| asked(n, u128::from(n), 7, false)).collect();
            all(
                &mut behaviour,
                Time(BEGIN.0 + day * DAY.0),
                Span::seconds(60),
                &payers,
            );
        }
        let eighth = Time(BEGIN.0 + 7 * DAY.0 + 1);
        let together = behaviour.look(&asked(99, 1, 7, false), eighth).together;
        assert_eq!((together.usually, together.beyond()), (30, 0));
        let elsewhere = behaviour.look(&asked(99, 1, 8, false), eighth).together;
        assert_eq!(elsewhere, Count::default());
    }

    #[test]
    fn many_who_changed_something_are_seen_beside_each_other() {
        let mut behaviour = learnt();
        let theft = (0..9).map(|n| asked(n, u128::from(n), n, true).after_a_change(true));
        all(&mut behaviour, BEGIN, Span(0), &theft.collect::<Vec<_>>());
        let one = asked(99, 1, 99, true);
        for (one, want) in [
            (one.after_a_change(true), 9),
            (one, 0),
            (one.after_a_change(true).to_a_fresh_address(false), 0),
        ] {
            assert_eq!(behaviour.look(&one, BEGIN).changed.now, want);
        }
    }

    #[test]
    fn many_fresh_addresses_within_an_hour_are_a_rush() {
        let mut behaviour = Behaviour::default();
        // One every ten minutes for a week is six an hour.
        let usual: Vec<Asked> = (0..7 * 24 * 6)
            .map(|n| asked(n, u128::from(n), n, true))
            .collect();
        all(&mut behaviour, BEGIN, Span::seconds(600), &usual);
        let now = Time(BEGIN.0 + 7 * DAY.0);
        let one = asked(1, 1, 1, true);
        assert_eq!(behaviour.look(&one, now).rush, 0);
        let many: Vec<Asked> = (0..60)
            .map(|n| asked(n, 5_000 + u128::from(n), n, true))
            .collect();
        all(&mut behaviour, now, Span::seconds(1), &many);
        assert_eq!(behaviour.look(&one, now.after(Span::seconds(60))).rush, 100);
    }
}

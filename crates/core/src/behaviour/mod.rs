//! How withdrawals of many accounts look beside each other: what none of them shows by itself.
//!
//! A thief who has got past the platform's own checks once does it again: the same amount out of many
//! accounts, to addresses that nobody has paid before, or from many accounts to one. Each of these is
//! counted here, and what it usually is beside it, so that a merchant whom many pay every day is none.
//!
//! All of it is bounded and made of whole numbers alone: it is state, and every replica has the same. It
//! may hold a withdrawal and never release one (docs/design/056 and 067).

mod company;
mod contacts;
mod gathering;
#[cfg(test)]
mod model;
mod rush;

pub use company::{Company, Count, Hours, Part, Said, Sign};
pub use gathering::{Gatherings, Place, Who};

use crate::time::{Span, Time};
use contacts::Contacts;
use minicbor::{Decode, Encode};
use portcullis_chains::Amount;
use rush::Rush;

/// How far back withdrawals are looked at beside each other.
pub const WINDOW: Span = Span::hours(24);
/// How long is only learnt what is usual: before, anything would look like a theft.
pub const LEARNS: Span = Span::hours(24 * 7);
/// How long an address is fresh, and a factor or a contact changed shortly before.
pub const RECENT: Span = Span::hours(24);

/// A withdrawal as far as others can be like it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Asked {
    /// Who.
    #[n(0)]
    account: Who,
    /// How much of what.
    #[n(1)]
    size: Place,
    /// To whom.
    #[n(2)]
    destination: Place,
    /// For how long the account may pay there.
    #[n(3)]
    address: Hours,
    /// How long ago the account changed a factor or its contact.
    #[n(4)]
    changed: Hours,
}

impl Asked {
    /// By an account, of an asset, to a destination (an address with its tag, if it has one), each in whatever
    /// bytes name it. To an old address, and nothing has changed.
    #[must_use]
    pub fn new(account: &[u8], asset: &[u8], amount: Amount, to: &[u8]) -> Self {
        let size = [asset, &[0], &amount.0.to_be_bytes()].concat();
        Self {
            account: Who::of(account),
            size: Place::of(&size),
            destination: Place::of(to),
            address: Hours::MANY,
            changed: Hours::MANY,
        }
    }

    /// To an address that the account may pay, or has paid, for so long; none where it is old or nobody knows.
    #[must_use]
    pub fn to_an_address_of(self, age: Option<Span>) -> Self {
        Self {
            address: Hours::of(age),
            ..self
        }
    }

    /// So long after the newest change of the account's factors, or of its contact; none where nobody knows of one.
    #[must_use]
    pub fn after_a_change(self, age: Option<Span>) -> Self {
        Self {
            changed: Hours::of(age),
            ..self
        }
    }

    /// What it looks like where nothing is known of others.
    #[must_use]
    pub fn alone(&self) -> Company {
        Company {
            address_hours: self.address,
            changed_hours: self.changed,
            ..Company::QUIET
        }
    }

    fn is_fresh(&self) -> bool {
        self.address.is_recent()
    }

    /// A thief's own factor or contact is in place, and the address too.
    fn is_fresh_after_a_change(&self) -> bool {
        self.is_fresh() && self.changed.is_recent()
    }
}

/// What withdrawals have looked like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Behaviour {
    #[n(0)]
    sizes: Gatherings,
    #[n(1)]
    destinations: Gatherings,
    #[n(2)]
    changed: Gatherings,
    /// To fresh addresses.
    #[n(3)]
    rush: Rush,
    /// To any.
    #[n(4)]
    sudden: Rush,
    #[n(5)]
    begun: Option<Time>,
    #[n(6)]
    contacts: Contacts,
}

/// Where all accounts meet that have changed something.
const CHANGED: Place = Place::ALL;

impl Behaviour {
    /// What this one looks like at a time, which is no earlier than what was noted. Like no other, while what is
    /// usual is only learnt.
    #[must_use]
    pub fn look(&self, asked: &Asked, now: Time) -> Company {
        let own = asked.alone();
        if self.begun.is_none_or(|begun| now.since(begun) < LEARNS) {
            return own;
        }
        let account = asked.account;
        let others = |here: bool, at: &Gatherings, place| {
            let count = here.then(|| at.others(place, account, now));
            count.unwrap_or_default()
        };
        Company {
            alike: others(asked.is_fresh(), &self.sizes, asked.size),
            together: others(true, &self.destinations, asked.destination),
            changed: others(asked.is_fresh_after_a_change(), &self.changed, CHANGED),
            fresh: self.rush.within_an_hour(now),
            rush: self.rush.tenths(now),
            sudden: self.sudden.tenths(now),
            ..own
        }
    }

    /// Remember this one.
    pub fn note(&mut self, asked: &Asked, now: Time) {
        self.begun.get_or_insert(now);
        if asked.is_fresh_after_a_change() {
            self.changed.note(CHANGED, asked.account, now);
        }
        if asked.is_fresh() {
            self.sizes.note(asked.size, asked.account, now);
            self.rush.note(now);
        }
        self.sudden.note(now);
        self.destinations
            .note(asked.destination, asked.account, now);
    }

    /// Remember that an account has another contact.
    pub fn note_contact(&mut self, account: &[u8], now: Time) {
        self.contacts.note(Place::of(account), now);
    }

    /// How long ago an account's contact was changed, where that is remembered: for 30 days.
    #[must_use]
    pub fn contact_since(&self, account: &[u8], now: Time) -> Option<Span> {
        self.contacts.since(Place::of(account), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Span = Span::hours(24);
    const BEGIN: Time = Time(LEARNS.0);

    fn asked(account: u32, amount: u128, to: u32, is_fresh: bool) -> Asked {
        let (account, to) = (account.to_be_bytes(), to.to_be_bytes());
        let age = is_fresh.then_some(Span(0));
        Asked::new(&account, b"ether", Amount(amount), &to).to_an_address_of(age)
    }

    /// Just now, or never.
    fn changed(asked: Asked, has_changed: bool) -> Asked {
        asked.after_a_change(has_changed.then_some(Span(0)))
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
        let alone = Company {
            address_hours: Hours(0),
            ..Company::QUIET
        };
        assert!(looks.iter().all(|look| *look == alone));
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
        let theft = (0..9).map(|n| changed(asked(n, u128::from(n), n, true), true));
        all(&mut behaviour, BEGIN, Span(0), &theft.collect::<Vec<_>>());
        let one = asked(99, 1, 99, true);
        for (one, want) in [
            (changed(one, true), 9),
            (one, 0),
            (changed(one, true).to_an_address_of(None), 0),
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
        let look = behaviour.look(&one, now);
        assert_eq!((look.fresh, look.rush, look.sudden), (6, 10, 10));
        let many: Vec<Asked> = (0..60)
            .map(|n| asked(n, 5_000 + u128::from(n), n, true))
            .collect();
        all(&mut behaviour, now, Span::seconds(1), &many);
        // A minute into the hour: 60 within it, and 59 of 60 parts of the six before.
        let look = behaviour.look(&one, now.after(Span::seconds(60)));
        assert_eq!((look.fresh, look.rush, look.sudden), (65, 108, 108));
        // An hour later they are part of what is usual, and the last of them over.
        let look = behaviour.look(&one, now.after(Span::hours(2)));
        assert_eq!((look.fresh, look.rush), (0, 0));
    }
}

//! Where accounts meet: at one amount, at one destination.

use super::{Count, WINDOW};
use crate::digest::Digest;
use crate::few::FewBy;
use crate::time::{Span, Time};
use minicbor::{Decode, Encode};
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

/// Most withdrawals that are looked at beside each other. A platform that has more in a day looks back less far:
/// a theft is quick.
const MOST_EVENTS: usize = 1 << 17;
/// Most accounts that are told apart at one place.
const MOST_ACCOUNTS: usize = 256;
/// Most places of which it is remembered how many meet there usually.
const MOST_PLACES: usize = 1 << 16;
/// How many days that is remembered for.
const DAYS: u64 = 7;

/// Where accounts meet: whatever bytes name it. Two places that meet by chance, or by somebody's work, share one count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Place(#[n(0)] u64);

/// An account, told apart from the others at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Who(#[n(0)] u32);

impl Place {
    /// One for all.
    pub const ALL: Self = Self(0);

    /// Of its name.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        let Digest(digest) = Digest::plain(name);
        let first = digest.first_chunk();
        Self(first.map_or(0, |first| u64::from_be_bytes(*first)))
    }
}

impl Who {
    /// Of its name.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        let Digest(digest) = Digest::plain(name);
        let first = digest.first_chunk();
        Self(first.map_or(0, |first| u32::from_be_bytes(*first)))
    }
}

/// Who was where within the window, and how many met there on the days before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Gatherings {
    #[n(0)]
    events: VecDeque<Event>,
    #[n(1)]
    places: BTreeMap<Place, Accounts>,
    #[n(2)]
    usual: BTreeMap<Place, Usual>,
    /// The day on which room was last made among those.
    #[n(3)]
    cleared: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
struct Event {
    #[n(0)]
    time: Time,
    #[n(1)]
    place: Place,
    #[n(2)]
    account: Who,
}

impl Gatherings {
    /// The other accounts at a place, at a time which is no earlier than what was noted.
    #[must_use]
    pub fn others(&self, place: Place, account: Who, now: Time) -> Count {
        let usual = self.usual.get(&place);
        Count {
            now: self.there(place, now).others(account),
            usually: usual.map_or(0, |usual| usual.before(day(now))),
        }
    }

    /// Who is at a place, those left out whose time is over and who have not been forgotten yet.
    fn there(&self, place: Place, now: Time) -> Cow<'_, Accounts> {
        let Some(there) = self.places.get(&place) else {
            return Cow::Owned(Accounts::default());
        };
        let mut there = Cow::Borrowed(there);
        let gone = self.events.iter().take_while(|event| is_over(event, now));
        for event in gone.filter(|event| event.place == place) {
            there.to_mut().leave(event.account);
        }
        there
    }

    /// An account comes to a place.
    pub fn note(&mut self, place: Place, account: Who, now: Time) {
        self.forget(now);
        self.events.push_back(Event {
            time: now,
            place,
            account,
        });
        let there = self.places.entry(place).or_default();
        there.come(account);
        let count = there.count();
        if count > 1 {
            self.remember(place, count, day(now));
        }
    }

    fn forget(&mut self, now: Time) {
        while let Some(event) = self.events.front()
            && (is_over(event, now) || self.events.len() >= MOST_EVENTS)
        {
            let Event { place, account, .. } = *event;
            self.events.pop_front();
            if let Some(there) = self.places.get_mut(&place) {
                there.leave(account);
                if there.count() == 0 {
                    self.places.remove(&place);
                }
            }
        }
    }

    fn remember(&mut self, place: Place, count: u32, today: u64) {
        if self.usual.len() >= MOST_PLACES && !self.usual.contains_key(&place) {
            self.make_room(today);
            // What is not remembered counts as unusual: it holds, where it would not have.
            if self.usual.len() >= MOST_PLACES {
                return;
            }
        }
        self.usual.entry(place).or_default().see(today, count);
    }

    /// Those where hardly anybody meets go first. Once a day: it looks at all of them.
    fn make_room(&mut self, today: u64) {
        if self.cleared < today {
            self.cleared = today;
            self.usual
                .retain(|_, usual| usual.is_recent(today) && usual.most() > 2);
        }
    }
}

fn is_over(event: &Event, now: Time) -> bool {
    now.since(event.time) >= WINDOW
}

fn day(time: Time) -> u64 {
    time.0 / Span::hours(24).0
}

/// Accounts at one place, each with how often it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
struct Accounts(#[n(0)] FewBy<Who, u32>);

impl Accounts {
    fn come(&mut self, account: Who) {
        if self.0.len() < MOST_ACCOUNTS || self.is_there(account) {
            let times = self.0.entry(account);
            *times = times.saturating_add(1);
        }
    }

    /// One that was not counted any more when it came is not there.
    fn leave(&mut self, account: Who) {
        match self.0.get(&account) {
            None => {}
            Some(0 | 1) => {
                self.0.remove(&account);
            }
            Some(_) => *self.0.entry(account) -= 1,
        }
    }

    fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    fn others(&self, account: Who) -> u32 {
        self.count() - u32::from(self.is_there(account))
    }

    fn is_there(&self, account: Who) -> bool {
        self.0.get(&account).is_some()
    }
}

/// The most that met at a place on each of the last days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
struct Usual(#[n(0)] VecDeque<(u64, u32)>);

impl Usual {
    fn see(&mut self, today: u64, count: u32) {
        match self.0.back_mut() {
            Some((day, most)) if *day == today => *most = count.max(*most),
            _ => self.0.push_back((today, count)),
        }
        while self.0.front().is_some_and(|(day, _)| day + DAYS < today) {
            self.0.pop_front();
        }
    }

    fn before(&self, today: u64) -> u32 {
        let before = self.0.iter();
        let before = before.filter(|(day, _)| *day < today && day + DAYS >= today);
        before.map(|(_, most)| *most).max().unwrap_or(0)
    }

    fn most(&self) -> u32 {
        self.0.iter().map(|(_, most)| *most).max().unwrap_or(0)
    }

    fn is_recent(&self, today: u64) -> bool {
        self.0.back().is_some_and(|(day, _)| day + DAYS >= today)
    }
}

//! Whose contact was changed not long ago: accounts keep the contact, and not since when.

use super::Place;
use crate::time::{Span, Time};
use minicbor::{Decode, Encode};
use std::collections::{BTreeMap, VecDeque};

/// How long that is remembered.
const REMEMBERED: Span = Span::hours(24 * 30);
/// Most changes that are; a platform with more in a month remembers the newest.
const MOST: usize = 1 << 16;

/// The newest change of each account's contact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct Contacts {
    #[n(0)]
    newest: BTreeMap<Place, Time>,
    #[n(1)]
    in_order: VecDeque<(Time, Place)>,
}

impl Contacts {
    pub(super) fn note(&mut self, account: Place, now: Time) {
        while let Some((time, place)) = self.in_order.front().copied()
            && (now.since(time) >= REMEMBERED || self.in_order.len() >= MOST)
        {
            self.in_order.pop_front();
            // Another one may have come since.
            if self.newest.get(&place) == Some(&time) {
                self.newest.remove(&place);
            }
        }
        self.newest.insert(account, now);
        self.in_order.push_back((now, account));
    }

    pub(super) fn since(&self, account: Place, now: Time) -> Option<Span> {
        let newest = self.newest.get(&account)?;
        Some(now.since(*newest)).filter(|age| *age < REMEMBERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_change_counts_for_a_month() {
        let [one, other] = [b"one", b"two"].map(|name| Place::of(name.as_slice()));
        let mut contacts = Contacts::default();
        let hours = |n| Time(Span::hours(n).0);
        contacts.note(one, hours(0));
        contacts.note(one, hours(100));
        contacts.note(other, hours(719));
        for (account, now, want) in [
            (one, 100, Some(0)),
            (one, 800, Some(700)),
            (one, 820, None),
            (other, 719, Some(0)),
        ] {
            let since = contacts.since(account, hours(now));
            assert_eq!(since, want.map(Span::hours), "{now}");
        }
        // The first of the two is forgotten, the newer stays.
        contacts.note(other, hours(721));
        assert_eq!(contacts.since(one, hours(721)), Some(Span::hours(621)));
    }

    #[test]
    fn no_more_than_so_many_are_remembered() {
        let mut contacts = Contacts::default();
        for n in 0..MOST as u64 + 10 {
            contacts.note(Place::of(&n.to_be_bytes()), Time(n));
        }
        assert_eq!(
            (contacts.newest.len(), contacts.in_order.len()),
            (MOST, MOST)
        );
        assert_eq!(
            contacts.since(Place::of(&9_u64.to_be_bytes()), Time(1 << 20)),
            None
        );
    }
}

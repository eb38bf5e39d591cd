//! The customers' address books, as far as a platform's withdrawals show them.

use crate::row::{Factor, Row};
use crate::seen::Seen;
use crate::terms::Terms;
use portcullis_core::behaviour::Place;
use portcullis_core::{Span, Time};
use std::collections::{HashMap, HashSet, VecDeque};

/// Most accounts that are known to have nothing but a weak factor.
const MOST_WEAK: usize = 1 << 20;
/// Most addresses that are known to be young, in some 64 MiB: beyond, the oldest of them count as old.
const MOST_YOUNG: usize = 1 << 20;

/// Who has paid whom, and who has had a factor.
pub(super) struct Book {
    addresses: Seen,
    factors: Seen,
    /// Accounts that proved something by mail or SMS, and nothing by anything better.
    weak: HashSet<Place>,
    /// Addresses that a customer paid first not long ago, with the time of that.
    young: HashMap<Place, Time>,
    in_order: VecDeque<(Time, Place)>,
    /// How long ago: after that all are old.
    old: Span,
    most: usize,
    forgotten: u64,
}

/// How long an address has stood in its customer's book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// So long.
    Aged(Span),
    /// For longer than anything asks for, or nobody can tell.
    Old,
}

impl Address {
    pub(super) const fn age(self) -> Option<Span> {
        match self {
            Self::Aged(age) => Some(age),
            Self::Old => None,
        }
    }

    pub(super) fn is_younger_than(self, span: Span) -> bool {
        self.age().is_some_and(|age| age < span)
    }
}

impl Book {
    pub(super) fn new(terms: &Terms) -> Self {
        Self {
            addresses: Seen::default(),
            factors: Seen::default(),
            weak: HashSet::new(),
            young: HashMap::new(),
            in_order: VecDeque::new(),
            old: terms.delay.max(terms.code_age),
            most: MOST_YOUNG,
            forgotten: 0,
        }
    }

    /// How old the address is: by the file, or since the customer paid it first. While the book is only learnt,
    /// an address that was not seen before may be as old as any.
    pub(super) fn look(&mut self, row: &Row, to: &str, is_learning: bool) -> Address {
        self.forget(row.time);
        let key = [&*row.account, to];
        let was_seen = self.addresses.see(key);
        if let Some(since) = row.address_since {
            return Address::Aged(row.time.since(since));
        }
        let place = Place::of(&[row.account.as_bytes(), &[0], to.as_bytes()].concat());
        if let Some(first) = self.young.get(&place) {
            return Address::Aged(row.time.since(*first));
        }
        if was_seen || is_learning {
            return Address::Old;
        }
        self.young.insert(place, row.time);
        self.in_order.push_back((row.time, place));
        self.bound();
        Address::Aged(Span(0))
    }

    /// Whether the account has had a factor before this row, by this file.
    pub(super) fn has_factor(&mut self, row: &Row) -> bool {
        let key = [&*row.account, ""];
        let account = || Place::of(row.account.as_bytes());
        match row.factor {
            Factor::Totp | Factor::Passkey => {
                if !self.weak.is_empty() {
                    self.weak.remove(&account());
                }
                self.factors.see(key)
            }
            Factor::Unsaid | Factor::None | Factor::Weak => {
                let has_one = self.factors.has(key);
                if row.factor == Factor::Weak && !has_one && self.weak.len() < MOST_WEAK {
                    self.weak.insert(account());
                }
                has_one || row.factor_since.is_some()
            }
        }
    }

    /// How many accounts have proved something by mail or SMS, and nothing by anything better.
    pub(super) fn weak_alone(&self) -> u64 {
        self.weak.len() as u64
    }

    /// How many young addresses counted as old, for there were too many.
    pub(super) fn forgotten(&self) -> u64 {
        self.forgotten
    }

    fn bound(&mut self) {
        if self.in_order.len() > self.most
            && let Some((_, oldest)) = self.in_order.pop_front()
        {
            self.young.remove(&oldest);
            self.forgotten += 1;
        }
    }

    fn forget(&mut self, now: Time) {
        while let Some((first, place)) = self.in_order.front()
            && now.since(*first) >= self.old
        {
            self.young.remove(place);
            self.in_order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_chains::Amount;

    fn row(time: u64, to: &str) -> Row {
        Row {
            time: Time(time),
            number: time,
            id: String::new(),
            account: "a".into(),
            asset: "ETH".into(),
            amount: Amount(1),
            to: to.into(),
            factor: Factor::Passkey,
            factor_since: None,
            contact_since: None,
            address_since: None,
            went_out: true,
            file: 0,
            line: 0,
        }
    }

    #[test]
    fn of_too_many_young_addresses_the_oldest_count_as_old() {
        let mut book = Book::new(&Terms::default());
        book.most = 3;
        let look = |book: &mut Book, time, to: &str| book.look(&row(time, to), to, false);
        for (time, to) in [(0, "x"), (1, "y"), (2, "z"), (3, "w")] {
            assert_eq!(look(&mut book, time, to), Address::Aged(Span(0)));
        }
        assert_eq!(look(&mut book, 4, "x"), Address::Old);
        assert_eq!(look(&mut book, 4, "y"), Address::Aged(Span(3)));
        assert_eq!((book.young.len(), book.forgotten()), (3, 1));
    }
}

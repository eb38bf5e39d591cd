//! The customers' address books, as far as a platform's withdrawals show them.

use crate::row::{Factor, Row};
use crate::seen::Seen;
use crate::terms::Terms;
use portcullis_core::behaviour::Place;
use portcullis_core::{Span, Time};
use std::collections::{HashMap, HashSet, VecDeque};

/// Most accounts that are known to have nothing but a weak factor.
const MOST_WEAK: usize = 1 << 20;

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
        }
    }

    /// How old the address is: by the file, or since the customer paid it first. While the book is only learnt,
    /// an address that was not seen before may be as old as any.
    pub(super) fn look(&mut self, row: &Row, is_learning: bool) -> Address {
        self.forget(row.time);
        let key = [&*row.account, &*row.to];
        let was_seen = self.addresses.see(key);
        if let Some(since) = row.address_since {
            return Address::Aged(row.time.since(since));
        }
        let place = Place::of(&[row.account.as_bytes(), &[0], row.to.as_bytes()].concat());
        if let Some(first) = self.young.get(&place) {
            return Address::Aged(row.time.since(*first));
        }
        if was_seen || is_learning {
            return Address::Old;
        }
        self.young.insert(place, row.time);
        self.in_order.push_back((row.time, place));
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

    fn forget(&mut self, now: Time) {
        while let Some((first, place)) = self.in_order.front()
            && now.since(*first) >= self.old
        {
            self.young.remove(place);
            self.in_order.pop_front();
        }
    }
}

//! What would have become of each withdrawal.

mod answer;
mod book;
mod episode;
mod flows;
mod ground;

pub use answer::{Answer, Would};
pub use episode::{Episode, Example, Pattern};
pub use ground::Ground;

use crate::report::{Report, Tally};
use crate::row::{Factor, Row};
use crate::terms::Terms;
use book::{Address, Book};
use episode::Episodes;
use flows::Flows;
use portcullis_core::behaviour::{Asked, Behaviour, Company, Gatherings, Place, Who};
use portcullis_core::{Span, Time};

/// From how many other accounts on, beyond what is usual, withdrawals without the factor that their accounts have
/// used before are a pattern.
const WITHOUT: u32 = 3;

/// Judges rows, which come in the order of their times.
pub struct Shadow {
    terms: Terms,
    begun: Option<Time>,
    now: Time,
    book: Book,
    flows: Flows,
    behaviour: Behaviour,
    without: Gatherings,
    episodes: Episodes,
    tally: Tally,
}

/// What is known of a row before it is judged.
struct Known {
    address: Address,
    /// How long ago its factor and its contact were changed, where that is known.
    factor: Option<Span>,
    contact: Option<Span>,
    company: Company,
    /// Other accounts that paid without the factor that they have, beyond what is usual.
    without: u32,
}

impl Shadow {
    /// By these terms; nothing has been seen yet.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self {
            book: Book::new(&terms),
            terms,
            begun: None,
            now: Time(0),
            flows: Flows::default(),
            behaviour: Behaviour::default(),
            without: Gatherings::default(),
            episodes: Episodes::default(),
            tally: Tally::default(),
        }
    }

    /// Judge the next one. What the platform itself did not let go is looked at, and counts as asked for only. One
    /// that comes late is judged as if it had come now.
    pub fn take(&mut self, mut row: Row) -> Answer {
        row.time = row.time.max(self.now);
        self.now = row.time;
        let (grounds, company) = self.judge(&row);
        Answer::new(&row, grounds, company)
    }

    fn judge(&mut self, row: &Row) -> (Vec<Ground>, Company) {
        let begun = *self.begun.get_or_insert(row.time);
        let known = self.look(row, begun);
        let patterns = patterns(&self.terms, &known);
        let grounds = self.grounds(row, &known, &patterns);
        for pattern in patterns {
            self.episodes.add(pattern, row);
        }
        if Would::by(&grounds) != Would::BeRefused && row.went_out {
            self.flows.add(row);
        }
        self.tally.add(row, &grounds);
        (grounds, known.company)
    }

    /// What all of it has come to.
    #[must_use]
    pub fn report(&self) -> Report {
        let (terms, tally) = (self.terms.clone(), self.tally.clone());
        Report::new(terms, tally, self.episodes.all())
    }

    /// What there is to know of it; it is known from now on.
    fn look(&mut self, row: &Row, begun: Time) -> Known {
        let since = |then: Option<Time>| then.map(|then| row.time.since(then));
        let (factor, contact) = (since(row.factor_since), since(row.contact_since));
        let is_learning = row.time.since(begun) < self.terms.warm_up;
        let address = self.book.look(row, is_learning);
        let account = row.account.as_bytes();
        // While the book is only learnt, anybody's address may be a fresh one.
        let age = if is_learning {
            Some(Span(0))
        } else {
            address.age()
        };
        let changed = factor.into_iter().chain(contact).min();
        let asked = Asked::new(account, row.asset.as_bytes(), row.amount, row.to.as_bytes())
            .to_an_address_of(age)
            .after_a_change(changed);
        let company = self.behaviour.look(&asked, row.time);
        self.behaviour.note(&asked, row.time);
        let has_factor = self.book.has_factor(row);
        Known {
            address,
            factor,
            contact,
            company,
            without: if is_learning {
                0
            } else {
                self.without(row, has_factor)
            },
        }
    }

    fn without(&mut self, row: &Row, has_factor: bool) -> u32 {
        if row.factor != Factor::None || !has_factor {
            return 0;
        }
        let who = Who::of(row.account.as_bytes());
        let others = self.without.others(Place::ALL, who, row.time);
        self.without.note(Place::ALL, who, row.time);
        others.beyond()
    }

    /// All that speaks against it, what refuses first.
    fn grounds(&self, row: &Row, known: &Known, patterns: &[Pattern]) -> Vec<Ground> {
        let terms = &self.terms;
        let mut grounds = Vec::new();
        match row.factor {
            Factor::None => grounds.push(Ground::NoFactor),
            Factor::Weak => grounds.push(Ground::WeakFactor),
            Factor::Unsaid | Factor::Totp | Factor::Passkey => {}
        }
        let limit = terms.limits.get(&row.asset);
        grounds.extend(limit.and_then(|limit| self.flows.exceeded(limit, row)));
        let waits = |age: Option<Span>| {
            let left = |age: Span| Span(terms.delay.0.saturating_sub(age.0));
            age.map(left).filter(|left| left.0 > 0)
        };
        grounds.extend(waits(known.address.age()).map(Ground::NewAddress));
        grounds.extend(waits(known.factor).map(Ground::NewFactor));
        let is_fresh = known.address.is_younger_than(terms.delay);
        let contact = waits(known.contact).filter(|_| is_fresh);
        grounds.extend(contact.map(Ground::NewContact));
        if row.factor == Factor::Totp {
            let is_young = known.address.is_younger_than(terms.code_age);
            let over = limit.is_some_and(|limit| self.flows.is_over_code(limit, row));
            grounds.extend((is_young || over).then_some(Ground::Passkey));
        }
        let above = limit.and_then(|limit| limit.approval_above);
        grounds.extend(
            above
                .filter(|above| row.amount > *above)
                .map(|_| Ground::Approval),
        );
        let Company {
            alike, together, ..
        } = known.company;
        let looked_at = patterns.iter().filter_map(|pattern| match pattern {
            Pattern::Alike => Some(Ground::Alike(alike.now)),
            Pattern::Together => Some(Ground::Together(together.now)),
            Pattern::WithoutFactor | Pattern::Changed => None,
        });
        grounds.extend(looked_at);
        grounds
    }
}

/// The patterns of attack that a row belongs to.
fn patterns(terms: &Terms, known: &Known) -> Vec<Pattern> {
    let Company {
        alike,
        together,
        changed,
        ..
    } = known.company;
    let all = [
        (known.without >= WITHOUT, Pattern::WithoutFactor),
        (alike.beyond() >= terms.alike, Pattern::Alike),
        (together.beyond() >= terms.together, Pattern::Together),
        (changed.beyond() >= terms.alike, Pattern::Changed),
    ];
    let met = all.into_iter().filter(|(is_met, _)| *is_met);
    met.map(|(_, pattern)| pattern).collect()
}

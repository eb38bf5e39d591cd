//! What would have become of each withdrawal.

mod answer;
mod before;
mod book;
mod episode;
mod flows;
mod ground;
mod names;
mod repeats;

pub use answer::{Answer, Would};
pub use episode::{Episode, Example, Pattern};
pub use ground::Ground;

use crate::report::{Forgotten, Report, Tally};
use crate::row::{Factor, Row};
use crate::terms::{Limit, Terms};
use before::Judged;
use book::{Address, Book};
use episode::{Episodes, Patterns};
use flows::Flows;
use names::Names;
use portcullis_core::behaviour::{Asked, Behaviour, Company, RECENT};
use portcullis_core::{Span, Time};
use repeats::Repeats;
use std::collections::BTreeMap;

/// After so long without a row nothing is known of what is usual: it is learnt anew. One row with a wrong year
/// would begin the week of learning long before there is anything to learn.
const STILL: Span = Span::hours(24 * 30);

/// Judges rows, which come in the order of their times.
pub struct Shadow {
    terms: Terms,
    /// By the names of assets.
    limits: BTreeMap<String, Limit>,
    begun: Option<Time>,
    now: Time,
    book: Book,
    flows: Flows,
    behaviour: Behaviour,
    episodes: Episodes,
    repeats: Repeats,
    tally: Tally,
}

/// What is known of a row before it is judged.
struct Known {
    names: Names,
    address: Address,
    /// How long ago its factor and its contact were changed, where that is known.
    factor: Option<Span>,
    contact: Option<Span>,
    company: Company,
    /// Whether the address is so fresh that a thief may have added it.
    is_fresh: bool,
    /// Whether nothing proved it, though its account has had a factor.
    is_without: bool,
}

impl Known {
    /// Whether a factor or the contact was changed shortly before.
    fn is_after_a_change(&self) -> bool {
        let changed = self.factor.into_iter().chain(self.contact).min();
        changed.is_some_and(|ago| ago < RECENT)
    }
}

impl Shadow {
    /// By these terms; nothing has been seen yet.
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        let limits = terms.limits.iter();
        let limits = limits.map(|(asset, limit)| (names::asset(asset), limit.clone()));
        Self {
            book: Book::new(&terms),
            limits: limits.collect(),
            terms,
            begun: None,
            now: Time(0),
            flows: Flows::default(),
            behaviour: Behaviour::default(),
            episodes: Episodes::default(),
            repeats: Repeats::default(),
            tally: Tally::default(),
        }
    }

    /// Judge the next one. What the platform itself did not let go is looked at, and counts as asked for only. One
    /// that comes late is judged as if it had come now; one that comes again is answered as before, and counts once.
    pub fn take(&mut self, mut row: Row) -> Answer {
        match self.repeats.look(&row) {
            repeats::Known::Again(grounds) => {
                self.tally.repeated += 1;
                return Answer::new(&row, grounds, Company::QUIET).again();
            }
            repeats::Known::SameId => self.tally.same_ids += 1,
            repeats::Known::New => {}
        }
        let whole = repeats::whole(&row);
        row.time = row.time.max(self.now);
        if self.begun.is_some() && row.time.since(self.now) >= STILL {
            self.learn_anew();
        }
        self.now = row.time;
        let (grounds, company) = self.judge(&row);
        if !row.id.is_empty() {
            self.repeats.note(whole, &grounds);
        }
        Answer::new(&row, grounds, company)
    }

    fn learn_anew(&mut self) {
        self.begun = None;
        self.behaviour = Behaviour::default();
        self.tally.anew += 1;
    }

    fn judge(&mut self, row: &Row) -> (Vec<Ground>, Company) {
        let begun = *self.begun.get_or_insert(row.time);
        let known = self.look(row, begun);
        let patterns = patterns(&self.terms, &known);
        let grounds = self.grounds(row, &known, &patterns.shown);
        let would = Would::by(&grounds);
        let is_limited = self.limits.contains_key(&known.names.asset);
        if is_limited && would != Would::BeRefused && row.went_out {
            self.flows.add(row, &known.names);
        }
        self.tally.add(row, &grounds);
        let row = row.clone();
        self.episodes
            .take(Judged { row, would }, &known.names, &patterns);
        (grounds, known.company)
    }

    /// What all of it has come to.
    #[must_use]
    pub fn report(&self) -> Report {
        let (terms, mut tally) = (self.terms.clone(), self.tally.clone());
        tally.forgotten = Forgotten {
            addresses: self.book.forgotten(),
            accounts: self.flows.forgotten(),
            episodes: self.episodes.cut(),
        };
        Report::new(terms, tally, self.episodes.all(), self.book.weak_alone())
    }

    /// What there is to know of it; it is known from now on.
    fn look(&mut self, row: &Row, begun: Time) -> Known {
        let since = |then: Option<Time>| then.map(|then| row.time.since(then));
        let (factor, contact) = (since(row.factor_since), since(row.contact_since));
        let is_learning = row.time.since(begun) < self.terms.warm_up;
        let names = Names::of(row);
        let address = self.book.look(row, &names.to, is_learning);
        let account = row.account.as_bytes();
        // While the book is only learnt, anybody's address may be a fresh one.
        let age = if is_learning {
            Some(Span(0))
        } else {
            address.age()
        };
        let changed = factor.into_iter().chain(contact).min();
        let (asset, to) = (names.asset.as_bytes(), names.to.as_bytes());
        let asked = Asked::new(account, asset, row.amount, to)
            .to_an_address_of(age)
            .after_a_change(changed);
        let company = self.behaviour.look(&asked, row.time);
        self.behaviour.note(&asked, row.time);
        let has_factor = self.book.has_factor(row);
        Known {
            names,
            address,
            factor,
            contact,
            company,
            is_fresh: age.is_some_and(|age| age < RECENT),
            is_without: row.factor == Factor::None && has_factor,
        }
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
        let limit = self.limits.get(&known.names.asset);
        grounds.extend(limit.and_then(|limit| self.flows.exceeded(limit, row, &known.names)));
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
            let over = limit.is_some_and(|limit| self.flows.is_over_code(limit, row, &known.names));
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

/// The patterns of attack that a row belongs to. One without its factor is one by itself; to see the others it
/// takes other accounts.
fn patterns(terms: &Terms, known: &Known) -> Patterns {
    let Company {
        alike,
        together,
        changed,
        ..
    } = known.company;
    let (without, fresh) = (known.is_without, known.is_fresh);
    let after_a_change = fresh && known.is_after_a_change();
    let all = [
        (Pattern::WithoutFactor, without, without),
        (Pattern::Alike, fresh, alike.beyond() >= terms.alike),
        (Pattern::Together, true, together.beyond() >= terms.together),
        (
            Pattern::Changed,
            after_a_change,
            changed.beyond() >= terms.alike,
        ),
    ];
    let mut patterns = Patterns::default();
    for (pattern, may, is_shown) in all.into_iter().filter(|(_, may, _)| *may) {
        patterns.may.extend(may.then_some(pattern));
        patterns.shown.extend(is_shown.then_some(pattern));
    }
    patterns
}

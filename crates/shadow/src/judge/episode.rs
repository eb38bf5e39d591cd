//! Attacks, as far as their rows show them together.

use super::Would;
use super::before::{Before, Judged, Meeting};
use super::names::Names;
use crate::report::add_to;
use crate::row::{PLACES, Row};
use portcullis_chains::Amount;
use portcullis_core::behaviour::{Place, WINDOW, Who};
use portcullis_core::{Span, Time};
use serde::Serialize;
use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// After so long without another row an episode is over: nothing is looked at beside what is older.
const QUIET: Span = WINDOW;
/// Most episodes, the largest of them; most that go on at once, of which those that were quiet longest are over first.
const MOST: usize = 1_000;
const MOST_OPEN: usize = 10_000;
/// Most accounts that are told apart in one, and in all that go on; most rows that are shown of one.
const MOST_ACCOUNTS: usize = 100_000;
const MOST_WHO: usize = 1 << 20;
const EXAMPLES: usize = 10;

/// How a theft shows among withdrawals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pattern {
    /// Without the factor that their accounts have used before.
    WithoutFactor,
    /// Of one amount, out of different accounts, to fresh addresses.
    Alike,
    /// From different accounts to one destination.
    Together,
    /// To fresh addresses, shortly after the account's factor or contact was changed.
    Changed,
}

impl Pattern {
    /// What its rows have in common besides, as this one has it.
    fn common(self, row: &Row) -> String {
        match self {
            Self::Alike => format!("{} {}", row.amount.in_units(PLACES), row.asset),
            Self::Together => row.to.clone(),
            Self::WithoutFactor | Self::Changed => String::new(),
        }
    }

    /// Where its rows meet, however they spell what they have in common.
    fn meeting(self, row: &Row, names: &Names) -> Meeting {
        let place = match self {
            Self::Alike => {
                let amount = row.amount.0.to_be_bytes();
                Place::of(&[names.asset.as_bytes(), &[0], &amount].concat())
            }
            Self::Together => Place::of(names.to.as_bytes()),
            Self::WithoutFactor | Self::Changed => Place::ALL,
        };
        (self, place)
    }

    /// What it is, for people.
    #[must_use]
    pub const fn said(self) -> &'static str {
        match self {
            Self::WithoutFactor => "approved without the factor that the accounts had used before",
            Self::Alike => "one amount, out of many accounts, to fresh addresses",
            Self::Together => "many accounts to one destination",
            Self::Changed => "fresh addresses, shortly after a factor or a contact was changed",
        }
    }
}

/// Rows of one pattern, one soon after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Episode {
    /// Which.
    pub pattern: Pattern,
    /// What they have in common: the amount, the destination.
    pub common: String,
    /// When the first of them was asked for, and the last.
    pub first: Time,
    /// The last.
    pub last: Time,
    /// How many: those, too, that came before anybody could see that there would be more.
    pub rows: u64,
    /// How many of them would have gone out at once.
    pub out: u64,
    /// How many would have waited.
    pub held: u64,
    /// How many would have been refused.
    pub refused: u64,
    /// Out of how many accounts.
    pub accounts: u64,
    /// How much, by asset, in units of 10⁻¹⁸.
    pub amounts: BTreeMap<String, Amount>,
    /// The first of them.
    pub examples: Vec<Example>,
    #[serde(skip)]
    who: BTreeSet<Who>,
}

/// A row that is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Example {
    /// In which of the report's files it stands, counted from 0.
    pub file: u32,
    /// In which line of it.
    pub line: u64,
    /// The platform's name for it.
    pub id: String,
    /// Whose.
    pub account: String,
    /// What would have become of it.
    pub would: Would,
    /// When.
    pub time: Time,
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub asset: String,
    /// To whom.
    pub to: String,
}

#[derive(Default)]
pub(super) struct Episodes {
    open: BTreeMap<Meeting, Episode>,
    /// Those that go on, by their last rows.
    by_last: BTreeSet<(Time, Meeting)>,
    /// How many accounts are told apart in them.
    who: usize,
    /// How many were over before their time, for too many went on.
    cut: u64,
    over: Vec<Episode>,
    before: Before,
}

/// The patterns of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Patterns {
    /// Those that it would belong to, were there others.
    pub(super) may: Vec<Pattern>,
    /// Those that it is seen to belong to.
    pub(super) shown: Vec<Pattern>,
}

impl Episodes {
    /// One more row. Where it shows a pattern, those that came before it stand in the episode, too.
    pub(super) fn take(&mut self, judged: Judged, names: &Names, patterns: &Patterns) {
        let now = judged.row.time;
        self.close(now);
        let judged = Arc::new(judged);
        for pattern in &patterns.may {
            let meeting = pattern.meeting(&judged.row, names);
            if !patterns.shown.contains(pattern) {
                self.before.keep(meeting, &judged);
                continue;
            }
            let mut rows = self.before.take(meeting, now);
            rows.push_back(Arc::clone(&judged));
            self.add(meeting, &rows);
        }
    }

    fn add(&mut self, meeting: Meeting, rows: &VecDeque<Arc<Judged>>) {
        let Some(first) = rows.front() else { return };
        let episode = self.open.entry(meeting).or_insert_with(|| {
            let common = meeting.0.common(&first.row);
            Episode::begin(meeting.0, common, first.row.time)
        });
        self.by_last.remove(&(episode.last, meeting));
        let known = episode.who.len();
        for judged in rows {
            let more = MOST_WHO.saturating_sub(self.who + episode.who.len() - known);
            episode.add(judged, more > 0);
        }
        self.who += episode.who.len() - known;
        self.by_last.insert((episode.last, meeting));
        self.bound();
    }

    /// The largest first; those that go on, too.
    pub(super) fn all(&self) -> Vec<Episode> {
        let all = self.over.iter().chain(self.open.values());
        let mut all: Vec<&Episode> = all.collect();
        largest(&mut all);
        all.into_iter().map(Episode::shown).collect()
    }

    /// How many were over before their time.
    pub(super) fn cut(&self) -> u64 {
        self.cut
    }

    fn close(&mut self, now: Time) {
        while let Some((last, _)) = self.by_last.first()
            && now.since(*last) >= QUIET
        {
            self.close_first();
        }
    }

    fn bound(&mut self) {
        if self.by_last.len() > MOST_OPEN {
            self.cut += 1;
            self.close_first();
        }
    }

    /// The one that has been quiet longest is over.
    fn close_first(&mut self) {
        let Some((_, meeting)) = self.by_last.pop_first() else {
            return;
        };
        if let Some(mut episode) = self.open.remove(&meeting) {
            self.who -= std::mem::take(&mut episode.who).len();
            self.over.push(episode);
        }
        if self.over.len() > 2 * MOST {
            largest(&mut self.over);
        }
    }
}

/// The largest, in their order.
fn largest<E: Borrow<Episode>>(episodes: &mut Vec<E>) {
    let order = |episode: &Episode| (Reverse(episode.rows), episode.first, episode.pattern);
    episodes.sort_by(|a, b| {
        let (a, b) = (a.borrow(), b.borrow());
        order(a)
            .cmp(&order(b))
            .then_with(|| a.common.cmp(&b.common))
    });
    episodes.truncate(MOST);
}

impl Episode {
    /// What would have become of them, for people.
    #[must_use]
    pub fn became(&self) -> String {
        let parts = [
            (self.refused, "would have been refused"),
            (self.held, "would have been held"),
            (self.out, "would have gone out"),
        ];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let parts: Vec<String> = parts
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        format!("{}.", parts.join(", "))
    }

    fn begin(pattern: Pattern, common: String, first: Time) -> Self {
        Self {
            pattern,
            common,
            first,
            last: first,
            rows: 0,
            out: 0,
            held: 0,
            refused: 0,
            accounts: 0,
            amounts: BTreeMap::new(),
            examples: Vec::new(),
            who: BTreeSet::new(),
        }
    }

    /// Without what it takes to go on.
    fn shown(&self) -> Self {
        Self {
            common: self.common.clone(),
            amounts: self.amounts.clone(),
            examples: self.examples.clone(),
            who: BTreeSet::new(),
            ..*self
        }
    }

    /// One more row; its account is told apart from the others where there is room.
    fn add(&mut self, Judged { row, would }: &Judged, has_room: bool) {
        self.first = self.first.min(row.time);
        self.last = self.last.max(row.time);
        self.rows += 1;
        match would {
            Would::GoOut | Would::Unread => self.out += 1,
            Would::BeHeld => self.held += 1,
            Would::BeRefused => self.refused += 1,
        }
        if has_room && self.who.len() < MOST_ACCOUNTS {
            self.who.insert(Who::of(row.account.as_bytes()));
        }
        self.accounts = self.who.len() as u64;
        add_to(&mut self.amounts, row);
        if self.examples.len() < EXAMPLES {
            self.examples.push(Example {
                file: row.file,
                line: row.line,
                id: row.id.clone(),
                account: row.account.clone(),
                would: *would,
                time: row.time,
                amount: row.amount,
                asset: row.asset.clone(),
                to: row.to.clone(),
            });
        }
    }
}

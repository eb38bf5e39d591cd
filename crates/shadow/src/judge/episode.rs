//! Attacks, as far as their rows show them together.

use super::Would;
use super::before::{Before, Judged};
use crate::report::add_to;
use crate::row::{PLACES, Row};
use portcullis_chains::Amount;
use portcullis_core::behaviour::{Place, WINDOW, Who};
use portcullis_core::{Span, Time};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// After so long without another row an episode is over: nothing is looked at beside what is older.
const QUIET: Span = WINDOW;
/// Most episodes, the largest of them; most accounts that are told apart in one; most rows that are shown of one.
const MOST: usize = 1_000;
const MOST_ACCOUNTS: usize = 100_000;
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
    open: BTreeMap<(Pattern, String), Episode>,
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
    pub(super) fn take(&mut self, judged: Judged, patterns: &Patterns) {
        let now = judged.row.time;
        self.close(now);
        let judged = Arc::new(judged);
        for pattern in &patterns.may {
            let common = pattern.common(&judged.row);
            let meeting = (*pattern, Place::of(common.as_bytes()));
            if !patterns.shown.contains(pattern) {
                self.before.keep(meeting, &judged);
                continue;
            }
            let mut rows = self.before.take(meeting, now);
            rows.push_back(Arc::clone(&judged));
            let episode = self.open.entry((*pattern, common.clone()));
            let episode = episode.or_insert_with(|| Episode::begin(*pattern, common, now));
            for judged in &rows {
                episode.add(judged);
            }
        }
    }

    /// The largest first; those that go on, too.
    pub(super) fn all(&self) -> Vec<Episode> {
        let all = self.over.iter().chain(self.open.values());
        largest(all.cloned().collect())
    }

    fn close(&mut self, now: Time) {
        let is_over = |episode: &Episode| now.since(episode.last) >= QUIET;
        let over = self.open.extract_if(.., |_, episode| is_over(episode));
        self.over.extend(over.map(|(_, episode)| episode));
        if self.over.len() > 2 * MOST {
            self.over = largest(std::mem::take(&mut self.over));
        }
    }
}

/// The largest, in their order.
fn largest(mut episodes: Vec<Episode>) -> Vec<Episode> {
    episodes.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.first.cmp(&b.first)));
    episodes.truncate(MOST);
    episodes
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

    fn add(&mut self, Judged { row, would }: &Judged) {
        self.first = self.first.min(row.time);
        self.last = self.last.max(row.time);
        self.rows += 1;
        match would {
            Would::GoOut | Would::Unread => self.out += 1,
            Would::BeHeld => self.held += 1,
            Would::BeRefused => self.refused += 1,
        }
        if self.who.len() < MOST_ACCOUNTS {
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

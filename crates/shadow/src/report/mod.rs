//! The report: what would have become of a platform's withdrawals.

mod html;
mod rows;
mod tally;
mod warnings;

pub use rows::RowsFile;
pub(crate) use tally::add_to;
pub use tally::{Count, Delays, Forgotten, Held, Tally};

use crate::judge::{Episode, Ground};
use crate::mapping::{Columns, Mapping, Noted};
use crate::read::Fault;
use crate::terms::Terms;
use portcullis_report::grouped;
use serde::Serialize;
use std::collections::BTreeMap;

/// Of so many rows one may be unread; where there are more, what the report says of all is not to be relied on.
const READ_OF: u64 = 50;
/// Most rows that are shown of those that could not be read.
const FAULTS: usize = 20;

/// All of it. In JSON as `docs/spec/shadow.schema.json` has it; amounts are in units of 10⁻¹⁸ of their asset.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// By what it was judged.
    pub terms: Terms,
    /// What the rows came to.
    #[serde(flatten)]
    pub tally: Tally,
    /// Attacks, as far as their rows show them together; the largest first.
    pub episodes: Vec<Episode>,
    /// Accounts that prove by mail or SMS and by nothing else.
    pub weak_alone: u64,
    /// What was read, as it was named; an example's `file` is a place in it.
    pub files: Vec<String>,
    /// Which of their columns say what, and which say nothing here.
    pub columns: Columns,
    /// What somebody should know before all else.
    pub warnings: Vec<String>,
    /// What could not be read.
    pub faults: Faults,
    /// Files that were cut, or could not be read to their end.
    pub cut: Vec<String>,
}

/// Rows that could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Faults {
    /// How many.
    pub rows: u64,
    /// By what is wrong.
    pub kinds: BTreeMap<String, Kind>,
    /// The first of them, each with its file and line.
    pub first: Vec<String>,
}

/// Rows that one thing is wrong with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Kind {
    /// How many.
    pub rows: u64,
    /// What to do about it.
    pub next: &'static str,
}

impl Faults {
    /// One more, in a file.
    pub fn add(&mut self, file: &str, fault: &Fault) {
        self.rows += 1;
        let kind = self.kinds.entry(fault.kind()).or_default();
        kind.rows += 1;
        kind.next = fault.next();
        if self.first.len() < FAULTS {
            self.first.push(fault.at(file));
        }
    }
}

impl Report {
    pub(crate) fn new(terms: Terms, tally: Tally, episodes: Vec<Episode>, weak_alone: u64) -> Self {
        Self {
            terms,
            tally,
            episodes,
            weak_alone,
            files: Vec::new(),
            columns: Columns::default(),
            warnings: Vec::new(),
            faults: Faults::default(),
            cut: Vec::new(),
        }
    }

    /// Of these files, of which reading noted this: what somebody should know comes first.
    #[must_use]
    pub fn of_files(self, files: Vec<String>, mapping: &Mapping, noted: &Noted) -> Self {
        let warnings = warnings::of(&self, mapping, noted);
        Self {
            files,
            columns: noted.columns.clone(),
            warnings,
            ..self
        }
    }

    /// All rows: those, too, that could not be read, and those that stood there more than once.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.tally.judged.count + self.tally.repeated + self.faults.rows
    }

    /// Whether so much was read that what is said of all can be relied on: every file to its end, and of fifty rows all
    /// but one.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.cut.is_empty() && self.faults.rows.saturating_mul(READ_OF) <= self.rows()
    }

    /// Who could not withdraw at all on the first day, for people; none where nobody is one.
    #[must_use]
    pub fn locked_out(&self) -> Option<String> {
        let who = match self.weak_alone {
            0 => return None,
            1 => "1 account proves".to_owned(),
            many => format!("{} accounts prove", grouped(many.into())),
        };
        Some(format!(
            "{who} by SMS or mail only, and nothing of theirs would go out: enrol passkeys before you go live."
        ))
    }

    /// Where a row stands, for people.
    #[must_use]
    pub fn place(&self, file: u32, line: u64) -> String {
        let file = usize::try_from(file).ok().and_then(|at| self.files.get(at));
        format!("{}:{line}", file.map_or("", String::as_str))
    }

    /// One file for people, with nothing beside it. `made` is when, `again` the command that makes it again.
    #[must_use]
    pub fn html(&self, made: &str, again: &str) -> String {
        html::page(self, made, again)
    }

    /// How many were held or refused on a ground.
    #[must_use]
    pub fn on(&self, ground: Ground) -> &Held {
        &self.tally.grounds[ground.at()].1
    }
}

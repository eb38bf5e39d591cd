//! The report: what would have become of a platform's withdrawals.

mod html;
mod tally;

pub(crate) use tally::add_to;
pub use tally::{Count, Delays, Held, Tally};

use crate::judge::{Episode, Ground};
use crate::read::Fault;
use crate::terms::Terms;
use serde::Serialize;
use std::collections::BTreeMap;

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
    pub kinds: BTreeMap<String, u64>,
    /// The first of them.
    pub first: Vec<String>,
}

impl Faults {
    /// One more.
    pub fn add(&mut self, fault: &Fault) {
        self.rows += 1;
        let kind = match fault {
            Fault::Row { fault, .. } => fault.to_string(),
            Fault::Form { .. } => "is not of the file’s form".into(),
            Fault::File { why, .. } => why.clone(),
        };
        *self.kinds.entry(kind).or_default() += 1;
        if self.first.len() < FAULTS {
            self.first.push(fault.to_string());
        }
    }
}

impl Report {
    pub(crate) fn new(terms: Terms, tally: Tally, episodes: Vec<Episode>) -> Self {
        Self {
            terms,
            tally,
            episodes,
            faults: Faults::default(),
            cut: Vec::new(),
        }
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

//! What reading notes beside the rows: which columns there are, and what of the mapping was met.

use super::Field;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Most columns that are told apart.
const MOST: usize = 500;

/// What was met while rows were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// Which columns there are.
    pub columns: Columns,
    /// The words of `went_out` that were met.
    pub(super) words: BTreeSet<String>,
    /// Local times that a change of clocks makes two of, or none.
    pub ambiguous: u64,
}

/// The columns of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Columns {
    /// Those that are read, by what they say.
    pub used: BTreeMap<Field, String>,
    /// All others.
    pub ignored: BTreeSet<String>,
}

impl Noted {
    /// Those of another file, too.
    pub fn add(&mut self, other: Self) {
        self.columns.used.extend(other.columns.used);
        self.columns.ignore(other.columns.ignored);
        self.words.extend(other.words);
        self.ambiguous = self.ambiguous.saturating_add(other.ambiguous);
    }
}

impl Columns {
    pub(super) fn ignore(&mut self, names: impl IntoIterator<Item = String>) {
        let room = MOST.saturating_sub(self.ignored.len());
        self.ignored.extend(names.into_iter().take(room));
    }
}

/// A column that a file should have, and has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// What it would say.
    pub field: Field,
    /// Its name, as the mapping has it.
    pub column: String,
}

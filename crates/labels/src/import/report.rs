use std::collections::BTreeMap;

use super::ImportError;
use crate::address::{AddressError, Key};
use crate::draft::{Draft, DraftError};
use crate::rating::Rating;
use crate::text::TextError;

/// Most rejects whose lines a report has.
const SHOWN: usize = 100;

/// Why a row gives no label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Reject {
    /// It has no address; a TagPack may also tag transactions.
    #[error("no address")]
    NoAddress,
    /// It does not say of which asset or network the address is.
    #[error("neither asset nor network is said")]
    NoAsset,
    /// An asset whose addresses cannot be read.
    #[error("addresses of this asset cannot be read")]
    Asset,
    /// An address that cannot be read.
    #[error("{0}")]
    Address(AddressError),
    /// It says nothing of the address.
    #[error("no label")]
    NoText,
    /// A text that cannot be shown.
    #[error("{0}")]
    Text(TextError),
    /// A risk that is none.
    #[error("a risk is a number from 0 to 10")]
    Risk,
    /// A category that is none.
    #[error("unknown category")]
    Category,
}

/// What became of a file's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows that gave a label.
    pub labels: u32,
    /// Rows that did not, by reason.
    pub rejects: BTreeMap<Reject, u32>,
    /// The line of each of the first hundred of them.
    pub first: Vec<(u64, Reject)>,
}

impl Report {
    /// How many rows gave no label.
    #[must_use]
    pub fn rejected(&self) -> u32 {
        self.rejects.values().copied().fold(0, u32::saturating_add)
    }

    fn reject(&mut self, line: u64, why: Reject) {
        let count = self.rejects.entry(why).or_default();
        *count = count.saturating_add(1);
        if self.first.len() < SHOWN {
            self.first.push((line, why));
        }
    }
}

/// A row that was read.
pub(super) struct Entry<'a> {
    pub(super) key: Key,
    pub(super) rating: Rating,
    pub(super) text: &'a str,
}

/// A file's rows on their way into a draft.
pub(super) struct Entering<'a> {
    draft: &'a mut Draft,
    pub(super) report: Report,
}

impl<'a> Entering<'a> {
    pub(super) fn new(draft: &'a mut Draft) -> Self {
        Self {
            draft,
            report: Report::default(),
        }
    }

    /// Takes a row, or counts why not.
    pub(super) fn row(
        &mut self,
        line: u64,
        entry: Result<Entry<'_>, Reject>,
    ) -> Result<(), ImportError> {
        let Entry { key, rating, text } = match entry {
            Ok(entry) => entry,
            Err(why) => {
                self.report.reject(line, why);
                return Ok(());
            }
        };
        match self.draft.add(key, rating, text.trim()) {
            Ok(()) => self.report.labels = self.report.labels.saturating_add(1),
            Err(DraftError::Text(error)) => self.report.reject(line, Reject::Text(error)),
            Err(error) => return Err(ImportError::Full { line, error }),
        }
        Ok(())
    }
}

use std::collections::BTreeMap;

use super::ImportError;
use crate::address::{AddressError, Key};
use crate::draft::{Draft, DraftError};
use crate::rating::Rating;
use crate::text::TextError;

/// Most rows of a file, whatever becomes of them.
pub(super) const MAX_ROWS: u32 = 2_000_000;
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

impl Reject {
    /// Its name, as acts and reports have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoAddress => "no-address",
            Self::NoAsset => "no-asset",
            Self::Asset => "asset",
            Self::Address(error) => address_name(error),
            Self::NoText => "no-text",
            Self::Text(error) => text_name(error),
            Self::Risk => "risk",
            Self::Category => "category",
        }
    }
}

const fn address_name(error: AddressError) -> &'static str {
    match error {
        AddressError::TooLong => "address-too-long",
        AddressError::Characters => "address-characters",
        AddressError::Length => "address-length",
        AddressError::Checksum => "address-checksum",
        AddressError::Network => "address-network",
        AddressError::Form => "address-form",
        AddressError::Tag => "address-tag",
        AddressError::Chain => "address-chain",
    }
}

const fn text_name(error: TextError) -> &'static str {
    match error {
        TextError::Empty => "text-empty",
        TextError::TooLong => "text-too-long",
        TextError::Hidden => "text-hidden",
        TextError::Spaces => "text-spaces",
    }
}

/// What became of a file's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Rows that gave a label.
    pub labels: u32,
    /// Those among them whose address is not of the chain that the list names, and unmistakably of one
    /// other: they are labelled there.
    pub elsewhere: u32,
    /// Rows that gave none, by reason.
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

    fn count(&mut self, elsewhere: bool) {
        self.labels = self.labels.saturating_add(1);
        self.elsewhere = self.elsewhere.saturating_add(u32::from(elsewhere));
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
    /// Whether the list names another chain.
    pub(super) elsewhere: bool,
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
        if self.report.labels.saturating_add(self.report.rejected()) >= MAX_ROWS {
            return Err(ImportError::ManyRows { line });
        }
        let entry = match entry {
            Ok(entry) => entry,
            Err(why) => {
                self.report.reject(line, why);
                return Ok(());
            }
        };
        match self.draft.add(entry.key, entry.rating, entry.text.trim()) {
            Ok(()) => self.report.count(entry.elsewhere),
            Err(DraftError::Text(error)) => self.report.reject(line, Reject::Text(error)),
            Err(error) => return Err(ImportError::Full { line, error }),
        }
        Ok(())
    }
}

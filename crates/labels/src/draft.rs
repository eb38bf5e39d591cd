//! Labels on their way into a set.

use std::collections::BTreeMap;

use crate::address::Key;
use crate::rating::Rating;
use crate::set::{Header, LabelSet, MAX_LABELS, MAX_TEXTS, Row, write};
use crate::text::{self, TextError};

/// Labels from one or several lists, in whatever order they came. The set that is built is the same
/// for the same labels in any order.
#[derive(Debug, Default)]
pub struct Draft {
    entries: Vec<Entry>,
    /// Each text once, with its number: in the order in which they came.
    texts: BTreeMap<Box<str>, u32>,
    /// Bytes of all of them.
    text_bytes: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    key: Key,
    rating: Rating,
    text: u32,
}

/// Why a label is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// [`MAX_LABELS`] are in it already.
    #[error("a set has at most {MAX_LABELS} labels: split the list into several sets")]
    Full,
    /// [`MAX_TEXTS`] bytes of texts are in it already.
    #[error("the labels of a set say at most {MAX_TEXTS} bytes: split the list into several sets")]
    TooMuchText,
    /// What the label says cannot stand in a set.
    #[error(transparent)]
    Text(#[from] TextError),
}

/// How many labels a draft had, to go back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(usize);

impl Draft {
    /// A draft without labels.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a label. Several for one address are kept until the set is built.
    pub fn add(&mut self, key: Key, rating: Rating, text: &str) -> Result<(), DraftError> {
        text::check(text)?;
        if self.entries.len() >= MAX_LABELS {
            return Err(DraftError::Full);
        }
        let text = self.number(text)?;
        self.entries.push(Entry { key, rating, text });
        Ok(())
    }

    fn number(&mut self, text: &str) -> Result<u32, DraftError> {
        if let Some(number) = self.texts.get(text) {
            return Ok(*number);
        }
        let text_bytes = self.text_bytes.saturating_add(text.len());
        if text_bytes > MAX_TEXTS {
            return Err(DraftError::TooMuchText);
        }
        let next = u32::try_from(self.texts.len()).map_err(|_| DraftError::TooMuchText)?;
        self.text_bytes = text_bytes;
        self.texts.insert(text.into(), next);
        Ok(next)
    }

    /// How many labels were added. The set has fewer where one address has several.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no label.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.entries.len())
    }

    /// Forgets every label since the mark. Their texts stay, and count, until the set is built.
    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.entries.truncate(mark.0);
    }

    /// The set of all labels. Of several for one address it has the one of the highest risk, then of
    /// the gravest category, then of the first text in the order of its bytes.
    #[must_use]
    pub fn build(self, header: &Header) -> LabelSet {
        let Self {
            mut entries, texts, ..
        } = self;
        // A number for each text that says where it stands among all, and the texts in that order.
        let mut places = vec![0_usize; texts.len()];
        for (place, number) in texts.values().enumerate() {
            if let Some(slot) = usize::try_from(*number)
                .ok()
                .and_then(|n| places.get_mut(n))
            {
                *slot = place;
            }
        }
        let place = |entry: &Entry| {
            let number = usize::try_from(entry.text).unwrap_or(usize::MAX);
            places.get(number).copied().unwrap_or_default()
        };
        entries.sort_unstable_by(|a, b| {
            let rank = |entry: &Entry| (entry.rating.worst_first(), place(entry));
            a.key.cmp(&b.key).then_with(|| rank(a).cmp(&rank(b)))
        });
        entries.dedup_by_key(|entry| entry.key);
        let rows = entries.iter().map(|entry| Row {
            key: &entry.key,
            rating: entry.rating,
            text: place(entry),
        });
        let texts: Vec<&str> = texts.keys().map(AsRef::as_ref).collect();
        write::set(header, rows, &texts)
    }
}

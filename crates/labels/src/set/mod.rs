//! A set of labels in its one binary form (`docs/spec/labels.md`), and looking into it.
//!
//! The bytes are what is hashed, fetched and kept; a [`LabelSet`] is those bytes, checked in full once,
//! and for each shape where its rows begin and the heads of every sixteenth. Looking up is a binary
//! search in the heads, then in the bytes, and allocates nothing.

mod changes;
mod header;
mod read;
mod rows;
pub(crate) mod write;

use core::fmt;

use sha2::{Digest as _, Sha256};

use crate::address::Key;
use crate::rating::Rating;

pub use changes::{Change, Changes};
pub use header::{Header, Kind};
pub use read::SetError;
use rows::Table;
pub(crate) use write::Row;

/// Most labels in a set.
pub const MAX_LABELS: usize = 2_000_000;
/// Most bytes of all texts of a set.
pub const MAX_TEXTS: usize = 64 * 1024 * 1024;
/// Most bytes of a set: [`MAX_LABELS`] of the widest rows, as many ends of texts, and [`MAX_TEXTS`].
pub const MAX_SET: usize = 208 * 1024 * 1024;

/// The domain of a set's digest.
const DOMAIN: &[u8] = b"portcullis/labels/v1";

/// SHA-256 of `portcullis/labels/v1 ‖ 0x00 ‖ set`: the name of a set in the journal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetDigest(pub [u8; 32]);

impl SetDigest {
    /// The digest of a set's bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        hash.update([0]);
        hash.update(bytes);
        Self(hash.finalize().into())
    }
}

impl fmt::Display for SetDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SetDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetDigest({self})")
    }
}

/// What a set says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label<'a> {
    /// How bad, and of what kind.
    pub rating: Rating,
    /// What the list says, for people.
    pub text: &'a str,
}

/// A set that was checked in full, or built here.
#[derive(Clone, PartialEq, Eq)]
pub struct LabelSet {
    bytes: Vec<u8>,
    header: Header,
    digest: SetDigest,
    tables: Vec<Table>,
    texts: rows::Texts,
}

impl LabelSet {
    /// Reads the bytes that the journal names by this digest, and nothing else.
    pub fn named(digest: SetDigest, bytes: Vec<u8>) -> Result<Self, SetError> {
        if bytes.len() > MAX_SET {
            return Err(SetError::TooLarge);
        }
        if SetDigest::of(&bytes) != digest {
            return Err(SetError::Digest);
        }
        read::set(bytes, digest)
    }

    /// Reads a set from wherever it came. Whoever decides by a set uses [`LabelSet::named`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, SetError> {
        if bytes.len() > MAX_SET {
            return Err(SetError::TooLarge);
        }
        let digest = SetDigest::of(&bytes);
        read::set(bytes, digest)
    }

    /// The canonical bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The set's name in the journal.
    #[must_use]
    pub const fn digest(&self) -> SetDigest {
        self.digest
    }

    /// Of what kind, from where and of when.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// How many addresses have a label.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tables.iter().map(Table::len).sum()
    }

    /// Whether no address has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// What the set says of exactly this key.
    #[must_use]
    pub fn exact(&self, key: &Key) -> Option<Label<'_>> {
        let table = self
            .tables
            .iter()
            .find(|table| table.shape == key.shape())?;
        let row = table.find(&self.bytes, key.bytes())?;
        self.label(table, row)
    }

    /// The worst that the set says of an address: of itself, or of what covers it ([`Key::wider`]).
    #[must_use]
    pub fn find(&self, key: &Key) -> Option<Label<'_>> {
        let own = self.exact(key);
        let wider = key.wider().and_then(|wider| self.exact(&wider));
        [own, wider]
            .into_iter()
            .flatten()
            .min_by_key(|label| label.rating.worst_first())
    }

    /// Every key and its label, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (Key, Label<'_>)> {
        self.tables.iter().flat_map(move |table| {
            (0..table.len()).filter_map(move |row| {
                let key = Key::from_parts(table.shape, table.key(&self.bytes, row)?)?;
                Some((key, self.label(table, row)?))
            })
        })
    }

    fn label(&self, table: &Table, row: usize) -> Option<Label<'_>> {
        let (rating, text) = table.value(&self.bytes, row)?;
        Some(Label {
            rating,
            text: self.texts.get(&self.bytes, text)?,
        })
    }
}

impl fmt::Debug for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LabelSet({}, {} labels)", self.digest, self.len())
    }
}

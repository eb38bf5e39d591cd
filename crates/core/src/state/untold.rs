//! Delays that wait for the herald: what an act began, until it has been told and that is cosigned.

use super::Awaiting;
use crate::digest::Digest;
use crate::time::Time;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use std::collections::BTreeMap;

/// Acts that have not been told, by the entry that began their delay and by digest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Untold {
    by_entry: BTreeMap<u64, Row>,
    entry_of: BTreeMap<Digest, u64>,
}

/// One act.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Row {
    /// Which.
    #[n(0)]
    pub(crate) act: Digest,
    /// The newest cosignature on the first checkpoint that contains its entry.
    #[n(1)]
    pub(crate) cosigned: Option<Time>,
    /// What waits; known once it is cosigned.
    #[n(2)]
    pub(crate) what: Vec<Awaiting>,
    /// Whether the herald has said so. Its entry is to be cosigned yet.
    #[n(3)]
    pub(crate) is_told: bool,
}

impl Untold {
    /// Whether a herald's word about the act would count.
    #[must_use]
    pub fn waits(&self, act: Digest) -> bool {
        self.row(act).is_some_and(|row| !row.is_told)
    }

    /// Whether the act is known here at all, told or not.
    #[must_use]
    pub fn has(&self, act: Digest) -> bool {
        self.entry_of.contains_key(&act)
    }

    /// Acts that wait for the herald's word, by the entries that began their delays.
    pub fn acts(&self) -> impl Iterator<Item = (u64, Digest)> {
        let waiting = self.by_entry.iter().filter(|(_, row)| !row.is_told);
        waiting.map(|(entry, row)| (*entry, row.act))
    }

    /// How many acts' delays have not begun: the herald's word about them is missing, or not cosigned yet.
    #[must_use]
    pub fn count(&self) -> usize {
        self.by_entry.len()
    }

    fn row(&self, act: Digest) -> Option<&Row> {
        self.by_entry.get(self.entry_of.get(&act)?)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_entry.is_empty()
    }

    /// The delay that this entry begins waits for the herald's word about the act.
    pub(crate) fn insert(&mut self, entry: u64, act: Digest) {
        let row = Row {
            act,
            cosigned: None,
            what: Vec::new(),
            is_told: false,
        };
        self.by_entry.insert(entry, row);
        self.entry_of.insert(act, entry);
    }

    /// The first checkpoint contains what an entry began. Says whether that waits for the herald.
    pub(crate) fn cosigned(&mut self, entry: u64, what: &Awaiting, newest: Time) -> bool {
        let Some(row) = self.by_entry.get_mut(&entry) else {
            return false;
        };
        row.cosigned = Some(newest);
        row.what.push(what.clone());
        true
    }

    pub(crate) fn told(&mut self, act: Digest) {
        let entry = self.entry_of.get(&act);
        if let Some(row) = entry.and_then(|entry| self.by_entry.get_mut(entry)) {
            row.is_told = true;
        }
    }

    /// Forget an act, and give what waited.
    pub(crate) fn take(&mut self, act: Digest) -> Option<(u64, Row)> {
        let entry = self.entry_of.remove(&act)?;
        Some((entry, self.by_entry.remove(&entry)?))
    }

    /// What an entry began is no more.
    pub(crate) fn forget(&mut self, entry: u64) {
        if let Some(row) = self.by_entry.remove(&entry) {
            self.entry_of.remove(&row.act);
        }
    }
}

impl<C> Encode<C> for Untold {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.by_entry.encode(e, context)
    }

    fn is_nil(&self) -> bool {
        self.is_empty()
    }
}

impl<'b, C> Decode<'b, C> for Untold {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
        let by_entry = BTreeMap::<u64, Row>::decode(d, context)?;
        let entry_of = by_entry.iter().map(|(entry, row)| (row.act, *entry));
        Ok(Self {
            entry_of: entry_of.collect(),
            by_entry,
        })
    }

    fn nil() -> Option<Self> {
        Some(Self::default())
    }
}

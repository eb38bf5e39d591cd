//! Delays that wait for the herald: what an act began, until it has been told and that is cosigned.

use super::Awaiting;
use crate::digest::Digest;
use crate::time::Time;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use std::collections::BTreeMap;

/// Acts that have not been told, by the entry that began their delay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Untold {
    by_entry: BTreeMap<u64, Row>,
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
    /// What waits. Never empty.
    #[n(2)]
    pub(crate) what: Vec<Awaiting>,
    /// Whether the herald has said so. Its entry is to be cosigned yet.
    #[n(3)]
    pub(crate) is_told: bool,
}

impl Untold {
    /// Whether a herald's word about what this entry began would count.
    #[must_use]
    pub fn waits(&self, entry: u64) -> bool {
        self.by_entry.get(&entry).is_some_and(|row| !row.is_told)
    }

    /// Whether what this entry began is known here at all, told or not.
    #[must_use]
    pub fn has(&self, entry: u64) -> bool {
        self.by_entry.contains_key(&entry)
    }

    /// Whether it is this act that began a delay with this entry, told or not.
    pub(crate) fn is_of(&self, entry: u64, act: Digest) -> bool {
        self.by_entry.get(&entry).is_some_and(|row| row.act == act)
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

    pub(crate) fn is_empty(&self) -> bool {
        self.by_entry.is_empty()
    }

    /// What an act began with this entry waits for the herald's word about it.
    pub(crate) fn insert(&mut self, entry: u64, act: Digest, what: Vec<Awaiting>) {
        let row = Row {
            act,
            cosigned: None,
            what,
            is_told: false,
        };
        self.by_entry.insert(entry, row);
    }

    /// The first checkpoint contains what an entry began. Says whether that waits for the herald.
    pub(crate) fn cosigned(&mut self, entry: u64, newest: Time) -> bool {
        let Some(row) = self.by_entry.get_mut(&entry) else {
            return false;
        };
        row.cosigned = Some(newest);
        true
    }

    pub(crate) fn told(&mut self, entry: u64) {
        if let Some(row) = self.by_entry.get_mut(&entry) {
            row.is_told = true;
        }
    }

    /// What an entry began waits no more: give what waited.
    pub(crate) fn take(&mut self, entry: u64) -> Option<Row> {
        self.by_entry.remove(&entry)
    }

    /// One thing that an entry began was taken back. The rest of the entry waits on.
    pub(crate) fn forget(&mut self, entry: u64, taken_back: &Awaiting) {
        let Some(row) = self.by_entry.get_mut(&entry) else {
            return;
        };
        row.what.retain(|what| what != taken_back);
        if row.what.is_empty() {
            self.by_entry.remove(&entry);
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
        let by_entry = BTreeMap::decode(d, context)?;
        Ok(Self { by_entry })
    }

    fn nil() -> Option<Self> {
        Some(Self::default())
    }
}

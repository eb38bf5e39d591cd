//! An entry, read: with everything that its bytes say by themselves.
//!
//! None of it needs state, so whoever applies many entries reads them on other threads than the one that
//! applies.

use crate::act::{Act, MAX_ACT};
use crate::codec::{CodecError, encode};
use crate::digest::{Digest, Domain};
use crate::entry::{Body, Entry};
use crate::request::{ReadRequest, RequestFault};
use portcullis_tlog::Hash;

/// An entry, or bytes that are none, with what they say by themselves: hash, act, requests.
///
/// Only reading bytes or writing an entry makes one, so nothing in it is of another entry.
#[derive(Clone, Debug)]
pub struct ReadEntry {
    entry: Result<Entry, CodecError>,
    leaf: Hash,
    /// Of the act that it submits.
    act: Option<ReadAct>,
    /// Of its evidence, in their order.
    requests: Vec<Result<ReadRequest, RequestFault>>,
}

/// What deciding asks an act's encoding for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadAct {
    /// The digest that evidence is bound to.
    pub(crate) digest: Digest,
    /// Whether it is longer than [`MAX_ACT`].
    pub(crate) is_too_large: bool,
}

impl ReadAct {
    /// From one encoding.
    pub(crate) fn of(act: &Act) -> Self {
        let bytes = encode(act);
        Self {
            digest: Digest::of(Domain::Act, &bytes),
            is_too_large: bytes.len() > MAX_ACT,
        }
    }
}

impl ReadEntry {
    /// Read an entry's bytes, whatever they are.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self::of(bytes, Entry::from_bytes(bytes))
    }

    /// Write an entry; its canonical bytes beside it.
    #[must_use]
    pub fn written(entry: Entry) -> (Self, Vec<u8>) {
        let bytes = entry.to_bytes();
        (Self::of(&bytes, Ok(entry)), bytes)
    }

    fn of(bytes: &[u8], entry: Result<Entry, CodecError>) -> Self {
        let (act, requests) = match entry.as_ref().map(|entry| &entry.body) {
            Ok(Body::Act(said)) => (Some(ReadAct::of(&said.act)), said.evidence.read()),
            Ok(Body::Evidence(said)) => (None, said.evidence.read()),
            _ => (None, Vec::new()),
        };
        Self {
            entry,
            leaf: Hash::leaf(bytes),
            act,
            requests,
        }
    }

    /// The entry, or why the bytes are none.
    pub fn entry(&self) -> Result<&Entry, CodecError> {
        self.entry.as_ref().map_err(|fault| *fault)
    }

    /// The entry alone, where the bytes are one.
    #[must_use]
    pub fn into_entry(self) -> Option<Entry> {
        self.entry.ok()
    }

    /// The hash of the entry's bytes in the journal's tree.
    #[must_use]
    pub fn leaf(&self) -> Hash {
        self.leaf
    }

    /// The digest of the act that it submits, where it submits one.
    #[must_use]
    pub fn act(&self) -> Option<Digest> {
        self.act.map(|act| act.digest)
    }

    pub(crate) fn read_act(&self) -> Option<ReadAct> {
        self.act
    }

    pub(crate) fn requests(&self) -> &[Result<ReadRequest, RequestFault>] {
        &self.requests
    }
}

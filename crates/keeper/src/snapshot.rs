//! A keeper's own snapshots: where it left off, under its own key.
//!
//! ```text
//! snapshot = signature (64) ‖ body        body = u32 length ‖ note ‖ u32 length ‖ extra ‖ state
//! mark     = signature (64) ‖ body        body = CBOR([size, effects, note])
//! signed   = "portcullis/snapshot/v1" ‖ 0x00 ‖ file name ‖ 0x00 ‖ SHA-256(body)
//! ```
//!
//! A snapshot saves reading the journal from its start; a mark, written more often, saves checking
//! signatures again that this keeper has checked. Neither is truth: what does not verify, or does not
//! lead to the recorded digest of effects, is left aside and the journal is read strictly.

use crate::machine::Machine;
use minicbor::{Decode, Encode};
use portcullis_core::codec::encode;
use portcullis_core::digest::Domain;
use portcullis_core::signature::{Signature, Strict, Verify as _};
use portcullis_core::{Digest, Network, State};
use portcullis_host::DiskError;
use portcullis_keys::StatementKey;
use portcullis_tlog::Cosigned;
use std::sync::Arc;

const SNAPSHOT: &str = "snapshot";
const MARK: &str = "mark";
/// Most bytes of a snapshot: some ten million accounts.
const MAX_SNAPSHOT: u64 = 8 * 1024 * 1024 * 1024;
const MAX_MARK: u64 = 1024 * 1024;

/// The keeper's snapshots in its own folder.
pub(crate) struct Snapshots {
    machine: Machine,
    key: Arc<dyn StatementKey>,
}

/// A snapshot that verified.
pub(crate) struct Restored {
    pub(crate) state: State,
    pub(crate) head: Cosigned,
    pub(crate) extra: Vec<u8>,
}

/// How far this keeper has checked every signature itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Mark {
    /// Entries.
    #[n(0)]
    pub(crate) size: u64,
    /// The running digest of effects after them.
    #[n(1)]
    pub(crate) effects: Digest,
    /// The cosigned checkpoint of this size.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub(crate) note: Vec<u8>,
}

impl Snapshots {
    pub(crate) fn new(machine: Machine, key: Arc<dyn StatementKey>) -> Self {
        Self { machine, key }
    }

    /// Write a snapshot of a state that stands at this head.
    pub(crate) fn save(
        &self,
        state: &State,
        head: &Cosigned,
        extra: &[u8],
    ) -> Result<(), DiskError> {
        let note = head.signed().note().to_string();
        let mut body = Vec::new();
        push(&mut body, note.as_bytes());
        push(&mut body, extra);
        body.extend(state.to_snapshot());
        self.write(SNAPSHOT, &body)
    }

    /// Write a mark for a state that stands at this head.
    pub(crate) fn mark(&self, state: &State, head: &Cosigned) -> Result<(), DiskError> {
        let mark = Mark {
            size: state.size(),
            effects: state.facts().effects,
            note: head.signed().note().to_string().into_bytes(),
        };
        self.write(MARK, &encode(&mark))
    }

    fn write(&self, name: &'static str, body: &[u8]) -> Result<(), DiskError> {
        let Ok(signature) = self.key.sign(&signed_bytes(name, body)) else {
            // Without one the next start reads the journal: slower, and as safe.
            tracing::warn!(name, "the statement key does not sign; not written");
            return Ok(());
        };
        let file = [signature.as_bytes(), body].concat();
        self.machine.disk.replace(name, &file)
    }

    /// The snapshot, if there is one of this network under this key.
    pub(crate) fn load(&self, network: &Arc<Network>) -> Result<Option<Restored>, DiskError> {
        let Some(body) = self.read(SNAPSHOT, MAX_SNAPSHOT)? else {
            return Ok(None);
        };
        let restored = restore(&body, network);
        if restored.is_none() {
            tracing::warn!("the snapshot is not of this network or not readable; left aside");
        }
        Ok(restored)
    }

    /// The mark, if there is one under this key.
    pub(crate) fn load_mark(&self) -> Result<Option<Mark>, DiskError> {
        let body = self.read(MARK, MAX_MARK)?;
        Ok(body.and_then(|body| minicbor::decode(&body).ok()))
    }

    fn read(&self, name: &'static str, cap: u64) -> Result<Option<Vec<u8>>, DiskError> {
        let Some(mut file) = self.machine.disk.read(name, cap)? else {
            return Ok(None);
        };
        let Some(signature) = file.first_chunk::<64>().copied() else {
            return Ok(None);
        };
        let body = file.split_off(64);
        let (key, signature) = (self.key.public_key(), Signature::from_bytes(signature));
        if Strict.verify(key, &signed_bytes(name, &body), &signature) {
            Ok(Some(body))
        } else {
            tracing::warn!(name, "not under this keeper's key; left aside");
            Ok(None)
        }
    }
}

fn signed_bytes(name: &str, body: &[u8]) -> Vec<u8> {
    let digest = Digest::plain(body);
    let named = [name.as_bytes(), &[0], &digest.0].concat();
    Domain::Snapshot.signed_bytes(&named)
}

fn push(body: &mut Vec<u8>, part: &[u8]) {
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    body.extend(length.to_be_bytes());
    body.extend_from_slice(part);
}

fn take<'a>(body: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = body.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (part, rest) = rest.split_at_checked(length)?;
    *body = rest;
    Some(part)
}

fn restore(mut body: &[u8], network: &Arc<Network>) -> Option<Restored> {
    let note = take(&mut body)?;
    let extra = take(&mut body)?.to_vec();
    let head = Cosigned::parse(note, network.log(), network.quorum()).ok()?;
    let state = State::from_snapshot(body, network.clone()).ok()?;
    let is_at = state.facts().log.head() == head.head();
    is_at.then_some(Restored { state, head, extra })
}

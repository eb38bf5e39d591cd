//! A process' own snapshots: where it left off, under its own key. Keepers and the gate load only theirs.
//!
//! ```text
//! snapshot = signature (64) ‖ body        body = u32 length ‖ note ‖ u32 length ‖ extra ‖ state
//! mark     = signature (64) ‖ body        body = CBOR([size, effects, note])
//! signed   = "portcullis/snapshot/v1" ‖ 0x00 ‖ file name ‖ 0x00 ‖ SHA-256(body)
//! ```
//!
//! A snapshot saves reading the journal from its start; a mark, written more often, saves checking
//! signatures again that this process has checked. Neither is truth: what does not verify, or does not
//! lead to the recorded digest of effects, is left aside and the journal is read strictly.

use minicbor::{Decode, Encode};
use portcullis_core::codec::encode;
use portcullis_core::digest::Domain;
use portcullis_core::signature::{Signature, Strict, Verify as _};
use portcullis_core::{Digest, Network, State};
use portcullis_host::{Disk, DiskError};
use portcullis_keys::StatementKey;
use portcullis_tlog::Cosigned;
use std::sync::Arc;
use std::thread;

/// Bytes of the signature in front.
const SIGNATURE: usize = 64;
const SNAPSHOT: &str = "snapshot";
const MARK: &str = "mark";
/// Most bytes of a snapshot: some ten million accounts.
const MAX_SNAPSHOT: u64 = 8 * 1024 * 1024 * 1024;
const MAX_MARK: u64 = 1024 * 1024;

/// The snapshots in a process' own folder.
pub struct Snapshots {
    disk: Arc<dyn Disk>,
    key: Arc<dyn StatementKey>,
}

/// A snapshot that verified.
pub struct Restored<X> {
    /// The state.
    pub state: State,
    /// The cosigned checkpoint that it stands at.
    pub head: Cosigned,
    /// What the process kept beside it.
    pub extra: X,
}

/// How far this process has checked every signature itself.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Mark {
    /// Entries.
    #[n(0)]
    pub size: u64,
    /// The running digest of effects after them.
    #[n(1)]
    pub effects: Digest,
    /// The cosigned checkpoint of this size.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub note: Vec<u8>,
}

impl Mark {
    /// For a state that stands at this head.
    #[must_use]
    pub fn of(state: &State, head: &Cosigned) -> Self {
        Self {
            size: state.size(),
            effects: state.facts().effects,
            note: head.signed().note().to_string().into_bytes(),
        }
    }
}

impl Snapshots {
    /// Those in this folder under this key.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>, key: Arc<dyn StatementKey>) -> Self {
        Self { disk, key }
    }

    /// Write a snapshot of a state that stands at this head.
    pub fn save(&self, state: &State, head: &Cosigned, extra: &[u8]) -> Result<(), DiskError> {
        let note = head.signed().note().to_string();
        let mut file = vec![0; SIGNATURE];
        push(&mut file, note.as_bytes());
        push(&mut file, extra);
        file.extend(state.to_snapshot());
        self.write(SNAPSHOT, file)
    }

    /// Write a mark.
    pub fn mark(&self, mark: &Mark) -> Result<(), DiskError> {
        let mut file = vec![0; SIGNATURE];
        file.extend(encode(mark));
        self.write(MARK, file)
    }

    /// Sign what stands behind the room for the signature, and put all of it in place.
    fn write(&self, name: &'static str, mut file: Vec<u8>) -> Result<(), DiskError> {
        let (room, body) = file.split_at_mut(SIGNATURE);
        let Ok(signature) = self.key.sign(&signed_bytes(name, body)) else {
            // Without one the next start reads the journal: slower, and as safe.
            tracing::warn!(name, "the statement key does not sign; not written");
            return Ok(());
        };
        room.copy_from_slice(signature.as_bytes());
        self.disk.replace(name, &file)
    }

    /// The snapshot, if there is one of this network under this key. `read` makes of what the process kept
    /// beside the state what it was.
    ///
    /// Signature, state and what is beside it take seconds each with millions of accounts, so each has a
    /// thread; what they come to counts only where the signature holds.
    pub fn load<X: Send>(
        &self,
        network: &Arc<Network>,
        read: impl FnOnce(&[u8]) -> Option<X> + Send,
    ) -> Result<Option<Restored<X>>, DiskError> {
        let Some(file) = self.read(SNAPSHOT, MAX_SNAPSHOT)? else {
            return Ok(None);
        };
        let restored = thread::scope(|scope| {
            let is_ours = scope.spawn(|| self.is_ours(SNAPSHOT, &file));
            let restored = restore(file.body(), network, read);
            // A panic there is a signature that was not seen to hold.
            restored.filter(|_| is_ours.join().unwrap_or(false))
        });
        if restored.is_none() {
            tracing::warn!("the snapshot is not of this network or not readable; left aside");
        }
        Ok(restored)
    }

    /// The mark, if there is one under this key.
    pub fn load_mark(&self) -> Result<Option<Mark>, DiskError> {
        let file = self.read(MARK, MAX_MARK)?;
        let file = file.filter(|file| self.is_ours(MARK, file));
        Ok(file.and_then(|file| minicbor::decode(file.body()).ok()))
    }

    /// A file that begins with a signature.
    fn read(&self, name: &'static str, cap: u64) -> Result<Option<File>, DiskError> {
        let bytes = self.disk.read(name, cap)?;
        let bytes = bytes.filter(|bytes| bytes.len() >= SIGNATURE);
        Ok(bytes.map(File))
    }

    /// Whether its signature is this process'.
    fn is_ours(&self, name: &'static str, file: &File) -> bool {
        let Some((signature, body)) = file.0.split_first_chunk::<SIGNATURE>() else {
            return false;
        };
        let (key, signature) = (self.key.public_key(), Signature::from_bytes(*signature));
        let is_ours = Strict.verify(key, &signed_bytes(name, body), &signature);
        if !is_ours {
            tracing::warn!(name, "not under this process' key; left aside");
        }
        is_ours
    }
}

/// Signature and body.
struct File(Vec<u8>);

impl File {
    fn body(&self) -> &[u8] {
        &self.0[SIGNATURE..]
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

fn restore<X: Send>(
    mut body: &[u8],
    network: &Arc<Network>,
    read: impl FnOnce(&[u8]) -> Option<X> + Send,
) -> Option<Restored<X>> {
    let note = take(&mut body)?;
    let extra = take(&mut body)?;
    thread::scope(|scope| {
        let extra = scope.spawn(|| read(extra));
        let state = State::from_snapshot(body, network.clone()).ok()?;
        let extra = extra.join().ok()??;
        let head = state.cosigned(note).ok()?;
        let is_at = state.facts().log.head() == head.head();
        is_at.then_some(Restored { state, head, extra })
    })
}

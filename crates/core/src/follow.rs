//! What a follower reads from a gate: entries in a row, and the newest cosigned checkpoint.
//!
//! Nothing in it is trusted. The follower hashes every entry, and acts by what it applied only once
//! its own root is the root of a checkpoint that the log and a quorum of witnesses signed.

use crate::codec::{self, CodecError};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

/// Most bytes of one answer.
pub const MAX_ANSWER: usize = 4 * 1024 * 1024;
/// Bytes of a piece of a label set, as `GET /v1/labels/{digest}?from=N` gives it; the last is shorter.
pub const LABELS_PIECE: usize = 256 * 1024;

/// The answer to `GET /log/follow?from=N&wait=MS`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FollowAnswer {
    /// The newest checkpoint with a quorum of cosignatures, as a C2SP note.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub checkpoint: Vec<u8>,
    /// The index of the first entry here.
    #[n(1)]
    pub from: u64,
    /// Entries from there, as many as fit, none beyond the checkpoint's size.
    #[n(2)]
    pub entries: Vec<ByteVec>,
}

impl FollowAnswer {
    /// Parse an answer.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode(bytes, MAX_ANSWER)
    }
}

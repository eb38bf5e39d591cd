//! One posting in a file.
//!
//! ```text
//!   0  "PBRD"
//!   4  length of the payload                                  u32, big-endian
//!   8  number                                                 u64, big-endian
//!  16  SHA-256 of the payload                                 32 bytes
//!  48  first half of SHA-256 of binding and the bytes before  16 bytes
//!  64  payload
//! ```
//!
//! A frame without payload gives no posting: it says that all numbers below its own are given out.

use portcullis_core::Digest;
use portcullis_core::board::MAX_POSTING;
use portcullis_core::id::BoardId;

pub(super) const HEADER: usize = 64;
/// A payload is a posting in CBOR, which is shorter than its JSON, with a stamp and a digest.
pub(super) const MAX_PAYLOAD: usize = MAX_POSTING + 1024;

const MAGIC: [u8; 4] = *b"PBRD";

/// Whose frames these are. Another board's read as damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Binding(Digest);

impl Binding {
    pub(super) fn new(genesis: Digest, board: BoardId) -> Self {
        Self(Digest::plain(&[genesis.0.as_slice(), &board.0].concat()))
    }
}

/// What stands at the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read<'a> {
    /// A whole frame.
    Frame { number: u64, payload: &'a [u8] },
    /// The beginning of a frame whose rest was never written.
    Torn,
    /// Neither.
    Damaged,
}

pub(super) fn write(number: u64, payload: &[u8], binding: Binding) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(HEADER + payload.len());
    bytes.extend(MAGIC);
    bytes.extend(length.to_be_bytes());
    bytes.extend(number.to_be_bytes());
    bytes.extend(Digest::plain(payload).0);
    let check = check(&bytes, binding);
    bytes.extend(check);
    bytes.extend(payload);
    bytes
}

/// Reads one frame. What follows the end of the file, or zeros up to it, was never written.
pub(super) fn read(bytes: &[u8], binding: Binding) -> Read<'_> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
        return Read::Torn;
    };
    let whole_header = header[..4] == MAGIC && check(&header[..48], binding) == header[48..];
    if !whole_header {
        return if written(bytes) < HEADER {
            Read::Torn
        } else {
            Read::Damaged
        };
    }
    let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
    let whole = rest
        .get(..length)
        .filter(|payload| Digest::plain(payload).0 == header[16..48]);
    match whole {
        Some(payload) => Read::Frame {
            number: number(header),
            payload,
        },
        None if written(bytes) < HEADER + length => Read::Torn,
        None => Read::Damaged,
    }
}

/// Bytes up to the zeros that end them.
fn written(bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(|byte| *byte != 0);
    last.map_or(0, |last| last + 1)
}

fn number(header: &[u8; HEADER]) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&header[8..16]);
    u64::from_be_bytes(number)
}

fn check(header: &[u8], binding: Binding) -> [u8; 16] {
    let Digest(digest) = Digest::plain(&[&binding.0.0, header].concat());
    let mut half = [0; 16];
    half.copy_from_slice(&digest[..16]);
    half
}

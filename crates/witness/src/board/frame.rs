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
/// What a disk writes whole or not at all.
const SECTOR: usize = 512;
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
    /// A frame of which not all was written.
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

/// Reads the frame at an offset of a file.
///
/// A frame is written and synced before the next one is begun, so a power cut leaves at most the last
/// one unwhole: its end or any of its sectors is missing, and reads as zeros or lies beyond the
/// file's end. Whatever else is wrong is damage.
pub(super) fn read(file: &[u8], offset: usize, binding: Binding) -> Read<'_> {
    let bytes = &file[offset..];
    let whole = whole(bytes, binding);
    if let Some((number, payload)) = whole {
        return Read::Frame { number, payload };
    }
    let length = header(bytes, binding).map_or(HEADER, |header| HEADER + length(header));
    let lacks_something = written(bytes) < length || lacks_a_sector(file, offset, length);
    if lacks_something && !has_frame(&bytes[1..], binding) {
        Read::Torn
    } else {
        Read::Damaged
    }
}

/// Number and payload of the whole frame that the bytes start with.
fn whole(bytes: &[u8], binding: Binding) -> Option<(u64, &[u8])> {
    let header = header(bytes, binding)?;
    let payload = bytes[HEADER..].get(..length(header))?;
    (Digest::plain(payload).0 == header[16..48]).then(|| (number(header), payload))
}

fn header(bytes: &[u8], binding: Binding) -> Option<&[u8; HEADER]> {
    let header = bytes.first_chunk::<HEADER>()?;
    let is_whole = header[..4] == MAGIC && check(&header[..48], binding) == header[48..];
    is_whole.then_some(header)
}

fn has_frame(bytes: &[u8], binding: Binding) -> bool {
    let starts = bytes.windows(MAGIC.len()).enumerate();
    let mut starts = starts.filter(|(_, window)| *window == MAGIC);
    starts.any(|(at, _)| whole(&bytes[at..], binding).is_some())
}

/// Bytes up to the zeros that end them.
fn written(bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(|byte| *byte != 0);
    last.map_or(0, |last| last + 1)
}

/// Whether a sector's share of a frame was never written.
fn lacks_a_sector(file: &[u8], offset: usize, length: usize) -> bool {
    let end = offset.saturating_add(length);
    let sectors = (offset / SECTOR..end.div_ceil(SECTOR)).map(|n| n * SECTOR);
    let shares = sectors.map(|start| start.max(offset)..(start + SECTOR).min(end));
    let mut shares = shares.map(|share| file.get(share));
    shares.any(|share| share.is_none_or(|share| share.iter().all(|byte| *byte == 0)))
}

fn length(header: &[u8; HEADER]) -> usize {
    u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize
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

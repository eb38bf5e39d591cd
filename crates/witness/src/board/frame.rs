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

/// Reads one frame, which begins at this offset of its file. What follows the end of the file, or zeros
/// up to it, was never written.
pub(super) fn read(bytes: &[u8], at: usize, binding: Binding) -> Read<'_> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else {
        return Read::Torn;
    };
    let written = written(bytes);
    let whole_header = header[..4] == MAGIC && check(&header[..48], binding) == header[48..];
    if !whole_header {
        let is_torn = written < HEADER
            || has_hole(&bytes[..written], at) && !has_frame(&bytes[1..written], binding);
        return if is_torn { Read::Torn } else { Read::Damaged };
    }
    let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]) as usize;
    let whole = rest
        .get(..length)
        .filter(|payload| Digest::plain(payload).0 == header[16..48]);
    if let Some(payload) = whole {
        return Read::Frame {
            number: number(header),
            payload,
        };
    }
    let end = HEADER + length;
    let is_torn = written < end || written == end && has_hole(&bytes[..end], at);
    if is_torn { Read::Torn } else { Read::Damaged }
}

/// Bytes up to the zeros that end them.
fn written(bytes: &[u8]) -> usize {
    let last = bytes.iter().rposition(|byte| *byte != 0);
    last.map_or(0, |last| last + 1)
}

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// Whether a sector of these bytes was never written. A power cut leaves the sectors of a frame that was
/// not synced in any order; one that is missing reads as the zeros that were room.
fn has_hole(bytes: &[u8], at: usize) -> bool {
    let first = SECTOR - at % SECTOR;
    let (first, others) = bytes.split_at(first.min(bytes.len()));
    let mut sectors = [first].into_iter().chain(others.chunks(SECTOR));
    sectors.any(|sector| sector.iter().all(|byte| *byte == 0))
}

/// Whether a whole frame stands somewhere: nothing is written behind a frame that is not durable.
fn has_frame(bytes: &[u8], binding: Binding) -> bool {
    let mut starts = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(&MAGIC));
    starts.any(|at| matches!(read(&bytes[at..], at, binding), Read::Frame { .. }))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::network::BOARD;

    fn binding() -> Binding {
        Binding::new(Digest([1; 32]), BOARD)
    }

    fn payload(number: u64) -> Vec<u8> {
        let bytes = (1..=1500_u64).map(|n| u8::try_from(1 + (n * 7 + number) % 250).unwrap_or(1));
        bytes.collect()
    }

    /// Two frames and room; where the second begins, and where it ends.
    fn file() -> (Vec<u8>, usize, usize) {
        let mut bytes = write(0, &payload(0), binding());
        let second = bytes.len();
        bytes.extend(write(1, &payload(1), binding()));
        let end = bytes.len();
        bytes.resize(end + 4000, 0);
        (bytes, second, end)
    }

    /// Each way in which sectors of the last frame can be missing.
    #[test]
    fn a_last_frame_with_holes_was_never_acknowledged() {
        let (whole, second, end) = file();
        let sectors = second / SECTOR..=(end - 1) / SECTOR;
        let count = sectors.clone().count();
        for missing in 1_u32..1 << count {
            let mut bytes = whole.clone();
            for (bit, sector) in sectors.clone().enumerate() {
                if missing >> bit & 1 == 1 {
                    let range = second.max(sector * SECTOR)..end.min((sector + 1) * SECTOR);
                    bytes[range].fill(0);
                }
            }
            let found = read(&bytes[second..], second, binding());
            assert_eq!(found, Read::Torn, "{missing:b}");
        }
    }

    #[test]
    fn a_hole_before_a_whole_frame_or_a_changed_byte_is_damage() {
        let (whole, second, end) = file();
        for sector in 0..second.div_ceil(SECTOR) {
            let mut bytes = whole.clone();
            bytes[sector * SECTOR..second.min((sector + 1) * SECTOR)].fill(0);
            assert_eq!(read(&bytes, 0, binding()), Read::Damaged, "{sector}");
        }
        for at in second..end {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xff;
            let found = read(&bytes[second..], second, binding());
            assert_eq!(found, Read::Damaged, "{at}");
        }
    }
}

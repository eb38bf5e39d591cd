//! Segments: the files that are the truth. `docs/spec/segment.md` is this format.
//!
//! ```text
//! segment = header *frame *00
//! header  = "PCSEG001" first:u64 salt:4 length:u16 frontier:length crc:u32
//! frame   = "PCBT" length:u32 first:u64 count:u32 crc:u32 payload:length
//! ```
//!
//! Integers are big-endian; `crc` is CRC-32 (IEEE) over everything before it in the header, and over
//! salt, length, first, count and payload in a frame. It finds torn writes; what somebody changed on
//! purpose is found by the Merkle tree. A frame is one batch: it is whole or it is not there.
//!
//! The salt is random, and nobody is shown it: customers choose bytes of their entries, and could plant
//! there what looks like a frame. In a batch that was cut short it would pass for a later one.

use portcullis_tlog::{Frontier, parse_bundle, push_entry};

/// Bytes of a frame before its payload.
pub const FRAME_HEAD: usize = 24;

/// What a segment's frames are told by.
pub type Salt = [u8; 4];

/// What a segment's frames are told by and where the first begins, by the first bytes of the segment; for
/// whoever looks on while another process writes.
#[must_use]
pub fn first_frame(start: &[u8]) -> Option<(Salt, usize)> {
    parse_header(start).map(|(_, salt, end)| (salt, end))
}

/// How long the frame with this head is; nothing where no frame has been written.
#[must_use]
pub fn frame_length(head: &[u8; FRAME_HEAD]) -> Option<usize> {
    let payload = u32::from_be_bytes(*head[4..8].first_chunk()?);
    let length = FRAME_HEAD.checked_add(usize::try_from(payload).ok()?);
    length.filter(|_| head.starts_with(FRAME_MAGIC))
}

/// The entries of a whole frame; nothing while it is being written.
#[must_use]
pub fn frame_entries(salt: Salt, frame: &[u8]) -> Option<Vec<Vec<u8>>> {
    parse_frame(salt, frame).map(|(_, entries, _)| entries)
}

/// Longest header of a segment.
pub const MAX_HEADER: usize = 8 + 8 + 4 + 2 + 8 + 64 * 32 + 4;

const SEGMENT_MAGIC: &[u8; 8] = b"PCSEG001";
const FRAME_MAGIC: &[u8; 4] = b"PCBT";
/// The header of a segment that starts after `frontier`.
pub(crate) fn header(frontier: &Frontier, salt: Salt) -> Vec<u8> {
    let frontier_bytes = frontier.to_bytes();
    let mut bytes = SEGMENT_MAGIC.to_vec();
    bytes.extend_from_slice(&frontier.size().to_be_bytes());
    bytes.extend_from_slice(&salt);
    let length = u16::try_from(frontier_bytes.len()).unwrap_or(u16::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&frontier_bytes);
    let crc = crc32fast::hash(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes
}

/// Bytes that a batch takes.
pub(crate) fn frame_size(entries: &[Vec<u8>]) -> u64 {
    let payload: usize = entries.iter().map(|entry| entry.len() + 2).sum();
    (FRAME_HEAD + payload) as u64
}

/// A batch's frame in a segment with this salt.
pub(crate) fn frame(salt: Salt, first: u64, entries: &[Vec<u8>]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(frame_size(entries)).ok()?);
    bytes.extend_from_slice(&[0; FRAME_HEAD]);
    for entry in entries {
        push_entry(&mut bytes, entry).ok()?;
    }
    let payload = u32::try_from(bytes.len() - FRAME_HEAD).ok()?;
    let count = u32::try_from(entries.len()).ok()?;
    bytes[..4].copy_from_slice(FRAME_MAGIC);
    bytes[4..8].copy_from_slice(&payload.to_be_bytes());
    bytes[8..16].copy_from_slice(&first.to_be_bytes());
    bytes[16..20].copy_from_slice(&count.to_be_bytes());
    let crc = frame_crc(salt, &bytes);
    bytes[20..24].copy_from_slice(&crc.to_be_bytes());
    Some(bytes)
}

fn frame_crc(salt: Salt, frame: &[u8]) -> u32 {
    let mut hash = crc32fast::Hasher::new();
    hash.update(&salt);
    hash.update(&frame[4..20]);
    hash.update(&frame[FRAME_HEAD..]);
    hash.finalize()
}

/// A segment, read.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The tree before its first entry.
    pub(crate) base: Frontier,
    /// Of its frames.
    pub(crate) salt: Salt,
    /// Its entries.
    pub(crate) entries: Vec<Vec<u8>>,
    /// Where its last whole frame ends.
    pub(crate) end: usize,
    /// What follows there.
    pub(crate) tail: Tail,
}

/// What follows the last whole frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// Reserved room, all zeros, or nothing.
    Clean,
    /// A batch that was cut short while it was written; it was never acknowledged.
    Torn,
}

/// What is wrong with a segment's bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SegmentFault {
    /// The header.
    #[error("its header cannot be read")]
    Header,
    /// The header, and nothing follows: a crash while the segment was made.
    #[error("it was never finished")]
    Unmade,
    /// A whole frame follows one that is not whole.
    #[error("the batch at byte {at} is damaged and others follow it")]
    Damaged {
        /// Byte offset.
        at: usize,
    },
    /// A frame whose first index is not the next.
    #[error("the batch at byte {at} starts with entry {first} where {expected} is next")]
    Order {
        /// Byte offset.
        at: usize,
        /// Stated.
        first: u64,
        /// Next.
        expected: u64,
    },
}

/// Read a segment's bytes.
pub(crate) fn parse(bytes: &[u8]) -> Result<Parsed, SegmentFault> {
    let Some((base, salt, mut at)) = parse_header(bytes) else {
        // An honest header is shorter than this; behind it a made segment has frames or nothing. Without
        // the salt anything that begins as a frame does may be one.
        let rest = bytes.get(MAX_HEADER.min(bytes.len())..).unwrap_or_default();
        let unmade = is_zero(rest) && frame_starts(bytes).next().is_none();
        return Err(if unmade {
            SegmentFault::Unmade
        } else {
            SegmentFault::Header
        });
    };
    let mut next = base.size();
    let mut entries = Vec::new();
    while let Some((first, batch, end)) = parse_frame(salt, &bytes[at..]) {
        if first != next {
            return Err(SegmentFault::Order {
                at,
                first,
                expected: next,
            });
        }
        next = next.saturating_add(batch.len() as u64);
        entries.extend(batch);
        at += end;
    }
    let rest = &bytes[at..];
    if is_zero(rest) {
        return Ok(Parsed {
            base,
            salt,
            entries,
            end: at,
            tail: Tail::Clean,
        });
    }
    // One batch is written at a time: behind one that was cut short nothing whole can stand.
    if has_frame(salt, rest) {
        return Err(SegmentFault::Damaged { at });
    }
    Ok(Parsed {
        base,
        salt,
        entries,
        end: at,
        tail: Tail::Torn,
    })
}

fn parse_header(bytes: &[u8]) -> Option<(Frontier, Salt, usize)> {
    let length = usize::from(u16::from_be_bytes(*bytes.get(20..22)?.first_chunk()?));
    let end = 22 + length;
    let crc = u32::from_be_bytes(*bytes.get(end..end + 4)?.first_chunk()?);
    if !bytes.starts_with(SEGMENT_MAGIC) || crc32fast::hash(&bytes[..end]) != crc {
        return None;
    }
    let frontier = Frontier::from_bytes(&bytes[22..end]).ok()?;
    let first = u64::from_be_bytes(*bytes[8..16].first_chunk()?);
    let salt = *bytes[16..20].first_chunk()?;
    (frontier.size() == first).then_some((frontier, salt, end + 4))
}

/// The first index, entries and length of the whole frame that the bytes start with.
fn parse_frame(salt: Salt, bytes: &[u8]) -> Option<(u64, Vec<Vec<u8>>, usize)> {
    let head = bytes.get(..FRAME_HEAD)?;
    if !head.starts_with(FRAME_MAGIC) {
        return None;
    }
    let payload = usize::try_from(u32::from_be_bytes(*head[4..8].first_chunk()?)).ok()?;
    let first = u64::from_be_bytes(*head[8..16].first_chunk()?);
    let count = u32::from_be_bytes(*head[16..20].first_chunk()?);
    let crc = u32::from_be_bytes(*head[20..24].first_chunk()?);
    let frame = bytes.get(..FRAME_HEAD.checked_add(payload)?)?;
    if frame_crc(salt, frame) != crc {
        return None;
    }
    let width = u16::try_from(count).ok()?;
    let entries = parse_bundle(&frame[FRAME_HEAD..], width).ok()?;
    Some((
        first,
        entries.into_iter().map(<[u8]>::to_vec).collect(),
        frame.len(),
    ))
}

/// Whether a whole frame stands behind the one that the bytes start with.
fn has_frame(salt: Salt, bytes: &[u8]) -> bool {
    frame_starts(bytes)
        .skip_while(|at| *at == 0)
        .any(|at| parse_frame(salt, &bytes[at..]).is_some())
}

/// Where the bytes have what every frame begins with.
fn frame_starts(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let starts = bytes.windows(FRAME_MAGIC.len()).enumerate();
    starts
        .filter(|(_, window)| window == FRAME_MAGIC)
        .map(|(at, _)| at)
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_tlog::Hash;

    const SALT: Salt = [7, 1, 8, 2];

    fn segment() -> Vec<u8> {
        let mut frontier = Frontier::new();
        frontier.append(Hash::leaf(b"before"));
        let mut bytes = header(&frontier, SALT);
        bytes.extend(frame(SALT, 1, &[b"one".to_vec(), b"two".to_vec()]).unwrap());
        bytes.extend(frame(SALT, 3, &[b"three".to_vec()]).unwrap());
        bytes.extend([0; 64]);
        bytes
    }

    #[test]
    fn what_is_written_is_read() {
        let parsed = parse(&segment()).unwrap();
        assert_eq!(
            parsed.entries,
            [b"one".to_vec(), b"two".to_vec(), b"three".to_vec()]
        );
        assert_eq!((parsed.base.size(), parsed.tail), (1, Tail::Clean));
        assert_eq!(parsed.end, segment().len() - 64);
    }

    #[test]
    fn a_write_cut_anywhere_is_torn_or_absent_and_nothing_else() {
        let whole = segment();
        let first_end =
            parse(&whole).unwrap().end - frame(SALT, 3, &[b"three".to_vec()]).unwrap().len();
        for cut in first_end..whole.len() - 64 {
            let mut torn = whole[..cut].to_vec();
            torn.resize(whole.len(), 0);
            let parsed = parse(&torn).unwrap();
            assert_eq!(parsed.entries.len(), 2, "cut at {cut}");
            let clean = cut == first_end;
            assert_eq!(
                parsed.tail,
                if clean { Tail::Clean } else { Tail::Torn },
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn a_flip_before_the_last_batch_is_damage_not_a_torn_end() {
        let whole = segment();
        let last = parse(&whole).unwrap().end - frame(SALT, 3, &[b"three".to_vec()]).unwrap().len();
        for at in 0..last {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert!(parse(&flipped).is_err(), "flip at {at}");
        }
    }

    /// A customer's bytes in the batch that the power cut short, made to look like a batch behind it.
    #[test]
    fn a_planted_frame_makes_no_damage_of_a_torn_end() {
        let planted = (0..=255).flat_map(|guess| {
            let salt = [0, 0, 0, guess];
            frame(salt, 9, &[b"planted".to_vec()]).unwrap()
        });
        let mut bytes = segment();
        bytes.truncate(parse(&bytes).unwrap().end);
        let whole = frame(SALT, 4, &[planted.collect(), b"last".to_vec()]).unwrap();
        bytes.extend_from_slice(&whole[..whole.len() - 1]);
        bytes.push(0);
        let parsed = parse(&bytes).unwrap();
        assert_eq!((parsed.entries.len(), parsed.tail), (3, Tail::Torn));
        // With the salt it would be taken for a later batch, as a real one is.
        bytes.extend(frame(SALT, 6, &[b"real".to_vec()]).unwrap());
        assert!(matches!(parse(&bytes), Err(SegmentFault::Damaged { .. })));
    }
}

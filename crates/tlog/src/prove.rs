//! Building proofs from stored tiles.

use std::ops::Range;

use crate::frontier::Frontier;
use crate::hash::Hash;

/// Tiles store every eighth level of the tree.
const LEVELS_PER_TILE: u32 = 8;

/// Where the hashes of a log are read from.
pub trait HashReader {
    /// What reading can fail with.
    type Error;

    /// The hashes `range` of tile level `level`: hash *i* is the root over the leaves
    /// `i * 256^level .. (i + 1) * 256^level`.
    ///
    /// A call never asks for hashes of two different tiles, and only for subtrees that are complete
    /// in the tree for which a proof is built. The reader returns exactly `range` or an error.
    fn read(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, Self::Error>;
}

/// Why a proof could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E> {
    /// The leaf index is not below the tree size, or the old size is above the new one.
    #[error("the index or the sizes are outside the tree")]
    OutOfRange,
    /// The reader failed.
    #[error(transparent)]
    Read(#[from] E),
    /// The reader returned another number of hashes than it was asked for.
    #[error("tile level {level} did not give the hashes {}..{}", range.start, range.end)]
    Short {
        /// Level of the tile.
        level: u8,
        /// What was asked for.
        range: Range<u64>,
    },
}

/// The inclusion proof for leaf `index` in the tree of `size` leaves.
pub fn prove_inclusion<R: HashReader>(
    reader: &R,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    if index >= size {
        return Err(ProveError::OutOfRange);
    }
    let mut proof = Vec::new();
    let mut span = 0..size;
    while span.end - span.start > 1 {
        let (left, right) = split(&span);
        let (inside, sibling) = if left.contains(&index) {
            (left, right)
        } else {
            (right, left)
        };
        proof.push(root_of(reader, sibling)?);
        span = inside;
    }
    proof.reverse();
    Ok(proof)
}

/// The consistency proof from the tree of `old` leaves to the tree of `new` leaves. It is empty
/// from the empty tree, and between equal sizes.
pub fn prove_consistency<R: HashReader>(
    reader: &R,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    if old > new {
        return Err(ProveError::OutOfRange);
    }
    if old == 0 {
        return Ok(Vec::new());
    }
    let mut proof = Vec::new();
    let mut span = 0..new;
    while span.end != old {
        let (left, right) = split(&span);
        let (inside, sibling) = if old <= left.end {
            (left, right)
        } else {
            (right, left)
        };
        proof.push(root_of(reader, sibling)?);
        span = inside;
    }
    // The verifier knows the old root: where that is the whole span, it needs no hash of it.
    if span.start != 0 {
        proof.push(root_of(reader, span)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The frontier of the tree of `size` leaves: its root, and the place to go on appending.
pub fn frontier_at<R: HashReader>(reader: &R, size: u64) -> Result<Frontier, ProveError<R::Error>> {
    Ok(Frontier::from_peaks(size, peaks_of(reader, 0..size)?))
}

/// RFC 6962: the left part is the largest power of two below the length.
fn split(span: &Range<u64>) -> (Range<u64>, Range<u64>) {
    let left = 1 << (span.end - span.start - 1).ilog2();
    let middle = span.start + left;
    (span.start..middle, middle..span.end)
}

/// The root over a span that [`split`] gave.
fn root_of<R: HashReader>(reader: &R, span: Range<u64>) -> Result<Hash, ProveError<R::Error>> {
    let size = span.end - span.start;
    Ok(Frontier::from_peaks(size, peaks_of(reader, span)?).root())
}

fn peaks_of<R: HashReader>(
    reader: &R,
    span: Range<u64>,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    let mut peaks = Vec::new();
    let mut start = span.start;
    while start < span.end {
        let level = (span.end - start).ilog2();
        peaks.push(perfect(reader, level, start >> level)?);
        start += 1 << level;
    }
    Ok(peaks)
}

/// The root of the perfect subtree `index` at tree level `level`: that level's hash in a tile, or
/// the root over a run of hashes of one tile.
fn perfect<R: HashReader>(
    reader: &R,
    level: u32,
    index: u64,
) -> Result<Hash, ProveError<R::Error>> {
    // A level is below 64, so its tile's level is its lowest byte.
    let [tile_level, ..] = (level / LEVELS_PER_TILE).to_le_bytes();
    let above = level % LEVELS_PER_TILE;
    let range = index << above..(index + 1) << above;
    let hashes = reader.read(tile_level, range.clone())?;
    if hashes.len() as u64 != range.end - range.start {
        return Err(ProveError::Short {
            level: tile_level,
            range,
        });
    }
    let mut run = Frontier::new();
    for hash in hashes {
        run.append(hash);
    }
    Ok(run.root())
}

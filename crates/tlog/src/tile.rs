//! Tile addresses, tile contents, and which tiles a growing tree adds (C2SP tlog-tiles).
//!
//! ```text
//! tile/<L>/<N>[.p/<W>]        hashes of tree level 8 * L
//! tile/entries/<N>[.p/<W>]    the entries themselves, see `parse_bundle`
//! ```
//!
//! `N` is written in groups of three digits, all but the last behind an `x`: 1234067 is
//! `x001/x234/067`. A tile is 256 wide; one at the right edge may be partial, of width `W`.

use std::fmt;
use std::str::FromStr;

use crate::hash::{Hash, MAX_TREE_SIZE};

/// Hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// 256^8 is above [`MAX_TREE_SIZE`], so no tile stands higher.
const MAX_LEVEL: u8 = 7;
/// `tile/entries/` and seven groups stay well below this.
const MAX_PATH_BYTES: usize = 64;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TileKind {
    /// Hashes of tile level 0 to 7: hash *i* spans `256^level` leaves.
    Hashes(u8),
    /// Entries.
    Entries,
}

/// The address of one tile, inside any tree of at most [`MAX_TREE_SIZE`] leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: u16,
}

/// Why an address or a tile's content is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// The path is not in the canonical form of the specification.
    #[error("not a tile path: expected tile/<L>/<N>[.p/<W>] or tile/entries/<N>[.p/<W>]")]
    NotAPath,
    /// Level, index or width lie outside every tree that can exist.
    #[error("no tree has a tile of this level, index and width")]
    OutOfRange,
    /// A tile of hashes is not exactly 32 bytes for each.
    #[error("a tile of {width} hashes has {expected} bytes, this one has {got}")]
    WrongLength {
        /// Number of hashes.
        width: u16,
        /// Bytes that so many hashes take.
        expected: usize,
        /// Bytes given.
        got: usize,
    },
}

impl TilePath {
    /// An address from its parts; `width` from 1 to 256.
    pub fn new(kind: TileKind, index: u64, width: u16) -> Result<Self, TileError> {
        let level = kind.level();
        if level > MAX_LEVEL || width == 0 || width > TILE_WIDTH {
            return Err(TileError::OutOfRange);
        }
        let most_hashes = MAX_TREE_SIZE >> (8 * level);
        let start = index
            .checked_mul(TILE_WIDTH.into())
            .ok_or(TileError::OutOfRange)?;
        if start
            .checked_add(width.into())
            .is_none_or(|end| end > most_hashes)
        {
            return Err(TileError::OutOfRange);
        }
        Ok(Self { kind, index, width })
    }

    /// What the tile holds.
    #[must_use]
    pub fn kind(&self) -> TileKind {
        self.kind
    }

    /// Which tile of its level this is, from the left.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Number of hashes or entries, 1 to 256.
    #[must_use]
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether the tile is full, and so will never change.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// Index, within its level, of the first hash or entry; the range that a
    /// [`HashReader`](crate::HashReader) reads for this tile is `first .. first + width`.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.index * u64::from(TILE_WIDTH)
    }
}

impl TileKind {
    fn level(self) -> u8 {
        match self {
            Self::Hashes(level) => level,
            Self::Entries => 0,
        }
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => write!(f, "tile/entries/")?,
        }
        write_index(f, self.index)?;
        if self.is_full() {
            Ok(())
        } else {
            write!(f, ".p/{}", self.width)
        }
    }
}

fn write_index(f: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    let (above, last) = (index / 1000, index % 1000);
    write_upper_groups(f, above)?;
    write!(f, "{last:03}")
}

fn write_upper_groups(f: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    if index == 0 {
        return Ok(());
    }
    write_upper_groups(f, index / 1000)?;
    write!(f, "x{:03}/", index % 1000)
}

impl FromStr for TilePath {
    type Err = TileError;

    fn from_str(path: &str) -> Result<Self, TileError> {
        if path.len() > MAX_PATH_BYTES {
            return Err(TileError::NotAPath);
        }
        let parsed = read_path(path).ok_or(TileError::NotAPath)??;
        // Leading zeros, a signed number, a needless x000: whatever is not written back is refused.
        if parsed.to_string() == path {
            Ok(parsed)
        } else {
            Err(TileError::NotAPath)
        }
    }
}

/// `None` for what has not the shape of a path.
fn read_path(path: &str) -> Option<Result<TilePath, TileError>> {
    let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let kind = match kind {
        "entries" => TileKind::Entries,
        level => TileKind::Hashes(level.parse().ok()?),
    };
    let (index, width) = match rest.split_once(".p/") {
        // The full width is written without a suffix, which the caller's comparison enforces.
        Some((index, width)) => (index, width.parse().ok()?),
        None => (rest, TILE_WIDTH),
    };
    Some(read_index(index)?.and_then(|index| TilePath::new(kind, index, width)))
}

fn read_index(text: &str) -> Option<Result<u64, TileError>> {
    let mut index: u64 = 0;
    for group in text.split('/') {
        let group: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        let Some(next) = index
            .checked_mul(1000)
            .and_then(|index| index.checked_add(group))
        else {
            return Some(Err(TileError::OutOfRange));
        };
        index = next;
    }
    Some(Ok(index))
}

/// The hash tiles that a tree of `new` leaves has and one of `old` leaves had not, level by level
/// from the left. A partial tile of another width is another tile.
pub fn new_tiles(old: u64, new: u64) -> impl Iterator<Item = TilePath> {
    (0..=MAX_LEVEL).flat_map(move |level| {
        let shift = 8 * u32::from(level);
        new_in_row(TileKind::Hashes(level), old >> shift, new >> shift)
    })
}

/// The entry bundles that a tree of `new` leaves has and one of `old` leaves had not.
pub fn new_bundles(old: u64, new: u64) -> impl Iterator<Item = TilePath> {
    new_in_row(TileKind::Entries, old, new)
}

fn new_in_row(kind: TileKind, old: u64, new: u64) -> impl Iterator<Item = TilePath> {
    let width = u64::from(TILE_WIDTH);
    let full = old / width..new / width;
    // The lowest byte is the size modulo 256.
    let [rest, ..] = new.to_le_bytes();
    let rest = u16::from(rest);
    let partial = (old < new && rest != 0).then_some((new / width, rest));
    full.map(|index| (index, TILE_WIDTH))
        .chain(partial)
        .map(move |(index, width)| TilePath { kind, index, width })
}

/// The content of a tile of hashes.
#[must_use]
pub fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(Hash::as_bytes).copied().collect()
}

/// Reads the content of a tile of exactly `width` hashes.
pub fn parse_hashes(bytes: &[u8], width: u16) -> Result<Vec<Hash>, TileError> {
    let expected = usize::from(width) * 32;
    if bytes.len() != expected {
        return Err(TileError::WrongLength {
            width,
            expected,
            got: bytes.len(),
        });
    }
    let (hashes, _) = bytes.as_chunks::<32>();
    Ok(hashes.iter().copied().map(Hash::from_bytes).collect())
}

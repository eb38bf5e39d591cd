//! Telling a fork from a gate that shows wrong entries.
//!
//! Entries that do not lead to a cosigned root prove nothing against the journal. Hashes from the
//! tree under that root do: a consistency proof shows what its first entries hash to, and if that is
//! not what this keeper had cosigned before, two histories are cosigned. A gate that forks on purpose
//! will not help to show it; one that was restored from a backup will.

use super::heads::Breach;
use crate::machine::Machine;
use portcullis_tlog::{
    Hash, HashReader, TILE_WIDTH, TileKind, TilePath, TreeHead, frontier_at, parse_hashes,
    prove_consistency, verify_consistency,
};
use std::ops::Range;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of a full tile.
const MAX_TILE: u64 = 256 * 32;

/// Whether the tree under `theirs` holds something else than `ours` at our size.
pub(super) fn diagnose(
    machine: &Machine,
    gate: &str,
    ours: TreeHead,
    theirs: TreeHead,
) -> Option<Breach> {
    if ours.size == 0 || theirs.size <= ours.size {
        return None;
    }
    let size = theirs.size;
    let tiles = Tiles {
        machine,
        gate,
        size,
    };
    let proof = prove_consistency(&tiles, ours.size, size).ok()?;
    let within = frontier_at(&tiles, ours.size).ok()?.head();
    verify_consistency(&within, &theirs, &proof).ok()?;
    (within != ours).then_some(Breach::Fork {
        ours,
        theirs: within,
    })
}

struct Tiles<'a> {
    machine: &'a Machine,
    gate: &'a str,
    size: u64,
}

/// No tile, or not one of this tree.
struct NoTile;

impl HashReader for Tiles<'_> {
    type Error = NoTile;

    fn read(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, NoTile> {
        let width = u64::from(TILE_WIDTH);
        let index = range.start / width;
        let in_tree = self.size.checked_shr(8 * u32::from(level)).unwrap_or(0);
        let partial = in_tree.saturating_sub(index * width).min(width);
        let partial = u16::try_from(partial).map_err(|_| NoTile)?;
        // A gate may have dropped the partial tile once the full one was there.
        let hashes = self
            .fetch(level, index, partial)
            .or_else(|_| self.fetch(level, index, TILE_WIDTH))?;
        let first = usize::try_from(range.start % width).map_err(|_| NoTile)?;
        let count = usize::try_from(range.end - range.start).map_err(|_| NoTile)?;
        let wanted = hashes.get(first..first + count).ok_or(NoTile)?;
        Ok(wanted.to_vec())
    }
}

impl Tiles<'_> {
    fn fetch(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, NoTile> {
        let path = TilePath::new(TileKind::Hashes(level), index, width).map_err(|_| NoTile)?;
        let url = format!("{}/log/{path}", self.gate);
        let reply = self.machine.http.get(&url, &[], MAX_TILE, PATIENCE);
        let reply = reply.map_err(|_| NoTile)?;
        if reply.status != 200 {
            return Err(NoTile);
        }
        parse_hashes(&reply.body, width).map_err(|_| NoTile)
    }
}

//! Projections: the tlog-tiles files that auditors' tools read (C2SP tlog-tiles).
//!
//! They are written off the acknowledgement path and may be lost: segments rebuild them. Tiles are
//! written first and the checkpoint last, so that a reader finds all that its checkpoint speaks of.

use crate::directory;
use crate::view::{ReadError, View};
use portcullis_host::{Disk, DiskError};
use portcullis_tlog::{
    Frontier, Hash, TilePath, encode_hashes, new_bundles, new_tiles, push_entry,
};
use std::sync::Arc;

/// The newest checkpoint of the files: a C2SP note, cosigned.
pub const CHECKPOINT_FILE: &str = "checkpoint";

/// Writes the files of one journal.
pub struct Projection {
    view: Arc<View>,
    /// The size that the files show.
    size: u64,
    /// Partial tiles of that size, which the next size makes stale.
    partial: Vec<TilePath>,
}

impl Projection {
    /// Go on from files of unknown size: the first call of [`Projection::publish`] writes all tiles
    /// that are still in memory.
    #[must_use]
    pub fn new(view: Arc<View>) -> Self {
        Self {
            view,
            size: 0,
            partial: Vec::new(),
        }
    }

    /// Show the journal up to a checkpoint of `size` entries.
    pub fn publish(&mut self, size: u64, note: &[u8]) -> Result<(), ReadError> {
        let mut partial = Vec::new();
        for path in new_tiles(self.size, size).chain(new_bundles(self.size, size)) {
            // At the first call full tiles of earlier runs are there already.
            let name = path.to_string();
            let disk = self.view.disk();
            if !(path.is_full() && self.size == 0 && disk.exists(&name)) {
                disk.write_projection(&name, &self.view.tile(path)?)?;
            }
            if !path.is_full() {
                partial.push(path);
            }
        }
        self.view.disk().replace(CHECKPOINT_FILE, note)?;
        for stale in core::mem::replace(&mut self.partial, partial) {
            if !self.partial.contains(&stale) {
                self.view.disk().remove(&stale.to_string())?;
            }
        }
        self.size = size;
        self.view.trim(size);
        Ok(())
    }
}

/// Write all tiles of the first `size` entries again, from the segments.
pub(crate) fn rebuild(disk: &dyn Disk, size: u64) -> Result<(), ReadError> {
    let mut rows: Vec<Vec<Hash>> = Vec::new();
    let mut entries: Vec<Vec<u8>> = Vec::new();
    let mut frontier = Frontier::new();
    for number in 0..directory::count(disk) {
        let damaged = || ReadError::Damaged(directory::name(number));
        let parsed = directory::read(disk, number)
            .map_err(|_| damaged())?
            .map_err(|_| damaged())?;
        for entry in parsed.entries {
            if frontier.size() == size {
                break;
            }
            frontier.append_each(Hash::leaf(&entry), |level, _, hash| {
                if level % 8 == 0 {
                    let row = usize::from(level / 8);
                    rows.resize_with(rows.len().max(row + 1), Vec::new);
                    rows[row].push(*hash);
                }
            });
            entries.push(entry);
        }
    }
    for path in new_tiles(0, size).chain(new_bundles(0, size)) {
        write(disk, path, &rows, &entries)?;
    }
    Ok(())
}

fn write(
    disk: &dyn Disk,
    path: TilePath,
    rows: &[Vec<Hash>],
    entries: &[Vec<u8>],
) -> Result<(), DiskError> {
    let first = usize::try_from(path.first()).unwrap_or(usize::MAX);
    let range = first..first.saturating_add(usize::from(path.width()));
    let bytes = match path.kind() {
        portcullis_tlog::TileKind::Hashes(level) => {
            let hashes = rows.get(usize::from(level)).and_then(|row| row.get(range));
            encode_hashes(hashes.unwrap_or_default())
        }
        portcullis_tlog::TileKind::Entries => {
            let mut bundle = Vec::new();
            for entry in entries.get(range).unwrap_or_default() {
                // Segments hold no entry that is too long for a bundle.
                let _ = push_entry(&mut bundle, entry);
            }
            bundle
        }
    };
    disk.write_projection(&path.to_string(), &bytes)
}

//! Projections: the tlog-tiles files that auditors' tools read (C2SP tlog-tiles).
//!
//! They are written off the acknowledgement path, and segments can rebuild them. Tiles are written
//! first and the checkpoint last, so that a reader finds all that its checkpoint speaks of. A full tile
//! is durable before what it holds leaves the memory; a partial one may be lost or torn by a power cut.

use crate::directory;
use crate::view::{ReadError, View};
use crate::whole::Whole;
use portcullis_host::{Disk, DiskError};
use portcullis_tlog::{TilePath, new_bundles, new_tiles};
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
        if self.size == 0 {
            self.view.mend()?;
        }
        let written: Vec<TilePath> = new_tiles(self.size, size)
            .chain(new_bundles(self.size, size))
            .collect();
        let disk = self.view.disk();
        for path in &written {
            // At the first call full tiles of earlier runs are there already, durable and whole.
            if !(path.is_full() && self.size == 0 && disk.exists(&path.to_string())) {
                write(disk, *path, &self.view.tile(*path)?)?;
            }
        }
        disk.replace(CHECKPOINT_FILE, note)?;
        // A row that did not grow keeps its partial tile.
        let grew = |stale: &TilePath| written.iter().any(|path| path.kind() == stale.kind());
        for stale in self.partial.iter().filter(|stale| grew(stale)) {
            if !written.contains(stale) {
                disk.remove(&stale.to_string())?;
            }
        }
        self.partial.retain(|stale| !grew(stale));
        self.partial
            .extend(written.iter().filter(|path| !path.is_full()));
        self.size = size;
        self.view.trim(size);
        Ok(())
    }
}

/// Write all tiles of the first `size` entries again, from the segments.
pub(crate) fn rebuild(disk: &dyn Disk, size: u64) -> Result<(), ReadError> {
    let mut whole = Whole::default();
    for number in 0..directory::count(disk) {
        let damaged = || ReadError::Damaged(directory::name(number));
        let parsed = directory::read(disk, number).map_err(|_| damaged())?;
        for entry in parsed.map_err(|_| damaged())?.entries {
            whole.push(entry);
        }
    }
    for path in new_tiles(0, size).chain(new_bundles(0, size)) {
        let bytes = whole.tile(path).ok_or(ReadError::Absent)?;
        write(disk, path, &bytes)?;
    }
    Ok(())
}

fn write(disk: &dyn Disk, path: TilePath, bytes: &[u8]) -> Result<(), DiskError> {
    let name = path.to_string();
    if path.is_full() {
        disk.replace(&name, bytes)
    } else {
        disk.write_projection(&name, bytes)
    }
}

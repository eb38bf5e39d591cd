//! A whole journal in memory: what rebuilding and checking derive from the segments' entries.

use portcullis_tlog::{Frontier, Hash, TileKind, TilePath, TreeHead, encode_hashes, push_entry};

/// Entries, their tree, and every hash that tiles hold.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    /// The tree so far.
    pub(crate) frontier: Frontier,
    /// The entries so far.
    pub(crate) entries: Vec<Vec<u8>>,
    /// For each tile level, its hashes.
    rows: Vec<Vec<Hash>>,
}

impl Whole {
    /// Add the next entry.
    pub(crate) fn push(&mut self, entry: Vec<u8>) {
        let rows = &mut self.rows;
        self.frontier
            .append_each(Hash::leaf(&entry), |level, _, hash| {
                // Tiles hold every eighth level of the tree.
                if level.is_multiple_of(8) {
                    let row = usize::from(level / 8);
                    rows.resize_with(rows.len().max(row + 1), Vec::new);
                    rows[row].push(*hash);
                }
            });
        self.entries.push(entry);
    }

    /// Size and root of the first `size` entries.
    pub(crate) fn head_at(&self, size: u64) -> TreeHead {
        if size == self.frontier.size() {
            return self.frontier.head();
        }
        let mut frontier = Frontier::new();
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        for entry in self.entries.iter().take(size) {
            frontier.append(Hash::leaf(entry));
        }
        frontier.head()
    }

    /// The bytes of a tile or bundle, if the journal is that long.
    pub(crate) fn tile(&self, path: TilePath) -> Option<Vec<u8>> {
        let first = usize::try_from(path.first()).ok()?;
        let range = first..first.checked_add(usize::from(path.width()))?;
        match path.kind() {
            TileKind::Hashes(level) => Some(encode_hashes(
                self.rows.get(usize::from(level))?.get(range)?,
            )),
            TileKind::Entries => {
                let mut bundle = Vec::new();
                for entry in self.entries.get(range)? {
                    push_entry(&mut bundle, entry).ok()?;
                }
                Some(bundle)
            }
        }
    }
}

//! What readers share: entries, tiles and proofs, up to the last durable batch.

use crate::journal::tiles_lead_to;
use crate::labels::LabelFiles;
use crate::projection;
use crate::store::Recovered;
use portcullis_host::{Disk, DiskError};
use portcullis_tlog::{
    Frontier, Hash, HashReader, ProveError, TILE_WIDTH, TileKind, TilePath, TreeHead,
    encode_hashes, parse_bundle, parse_hashes, prove_consistency, prove_inclusion, push_entry,
};
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

const WIDTH: u64 = TILE_WIDTH as u64;
/// A full bundle of the longest entries.
const MAX_BUNDLE: u64 = WIDTH * 65_538;
const MAX_TILE: u64 = WIDTH * 32;

/// Entries and hashes of the journal.
///
/// What is in no full tile file yet is in memory; the rest is read from the files.
pub struct View {
    disk: Arc<dyn Disk>,
    tail: RwLock<Tail>,
}

#[derive(Default)]
struct Tail {
    head: Option<TreeHead>,
    /// Entries from `entries_first` on.
    entries_first: u64,
    entries: VecDeque<Arc<[u8]>>,
    /// For each tile level the hashes from `first` on.
    rows: Vec<Row>,
}

#[derive(Default)]
struct Row {
    first: u64,
    hashes: VecDeque<Hash>,
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// Not in the journal (yet).
    #[error("the journal has no such entry or tile")]
    Absent,
    /// A file that is not what it should be.
    #[error("the file {0} is missing or damaged; it can be rebuilt from the segments")]
    Damaged(String),
}

impl View {
    /// The label sets that stand beside the journal.
    #[must_use]
    pub fn labels(&self) -> LabelFiles<'_> {
        LabelFiles(self.disk.as_ref())
    }

    /// The view of a store's content. Earlier parts come from tile files; where those do not lead
    /// to the tree that the store's last part starts from, they are rebuilt from all segments. Gives
    /// the tree at its end, too.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        recovered: &Recovered,
    ) -> Result<(Self, Frontier), ReadError> {
        let tail = RwLock::new(Tail::default());
        let view = Self { disk, tail };
        let base = &recovered.base;
        if base.size() > 0 && !view.resume(base) {
            projection::rebuild(view.disk(), base.size())?;
            if !view.resume(base) {
                return Err(ReadError::Damaged("tile/".into()));
            }
        }
        let entries = recovered.entries.iter().map(Vec::as_slice);
        let frontier = view.grow(Growth::of(base, entries));
        Ok((view, frontier))
    }

    /// Take the last, partial tiles before `base` into memory, if the files are whole: they are written
    /// without a sync, so a power cut may have left holes in any of them.
    fn resume(&self, base: &Frontier) -> bool {
        let mut tail = Tail::default();
        let mut width = base.size();
        tail.entries_first = width / WIDTH * WIDTH;
        while width > 0 {
            let level = u8::try_from(tail.rows.len()).unwrap_or(u8::MAX);
            let first = width / WIDTH * WIDTH;
            let Some(hashes) = self.partial(TileKind::Hashes(level), first, width) else {
                return false;
            };
            let Ok(hashes) = parse_hashes(&hashes, u16::try_from(width - first).unwrap_or(0))
            else {
                return false;
            };
            tail.rows.push(Row {
                first,
                hashes: hashes.into(),
            });
            width /= WIDTH;
        }
        let Some(bundle) = self.partial(TileKind::Entries, tail.entries_first, base.size()) else {
            return false;
        };
        let count = u16::try_from(base.size() - tail.entries_first).unwrap_or(0);
        let Ok(entries) = parse_bundle(&bundle, count) else {
            return false;
        };
        let leaves = tail.rows.first().map(|row| &row.hashes);
        if !leaves.is_some_and(|leaves| {
            leaves
                .iter()
                .copied()
                .eq(entries.iter().map(|e| Hash::leaf(e)))
        }) {
            return false;
        }
        tail.entries = entries.into_iter().map(Arc::from).collect();
        tail.head = Some(base.head());
        *self.write() = tail;
        tiles_lead_to(self, base)
    }

    /// Make sure that the files hold the journal: where they do not, they are made again from the
    /// segments. Whether they were. This reads and hashes every entry in them, so whoever opens the
    /// journal does not wait for it.
    pub fn mend(&self) -> Result<bool, ReadError> {
        let filed = self.locked().entries_first;
        if self.entries_fit(filed) {
            return Ok(false);
        }
        tracing::warn!(
            "tiles do not hold the journal's entries: all are made again from the segments"
        );
        projection::rebuild(self.disk(), filed)?;
        Ok(true)
    }

    /// Whether the entries below a size are those that the tiles have the hashes of.
    fn entries_fit(&self, size: u64) -> bool {
        let starts = (0..size).step_by(usize::from(TILE_WIDTH));
        let mut bundles = starts.map(|first| first..size.min(first + WIDTH));
        bundles.all(|range| {
            let entries = self.entries(range.clone(), usize::MAX);
            let hashes = HashReader::read(self, 0, range);
            entries.is_ok_and(|entries| {
                let leaves: Vec<Hash> = entries.iter().map(|entry| Hash::leaf(entry)).collect();
                hashes.is_ok_and(|hashes| hashes == leaves)
            })
        })
    }

    /// The partial tile or bundle from `first` to `width`, cut from whichever file holds it.
    fn partial(&self, kind: TileKind, first: u64, width: u64) -> Option<Vec<u8>> {
        let wanted = u16::try_from(width - first).ok()?;
        if wanted == 0 {
            return Some(Vec::new());
        }
        let index = first / WIDTH;
        (wanted..=TILE_WIDTH).find_map(|stored| {
            let path = TilePath::new(kind, index, stored).ok()?;
            let bytes = self.disk.read(&path.to_string(), MAX_BUNDLE).ok()??;
            cut(kind, &bytes, stored, wanted)
        })
    }

    /// Show entries that are durable by now; gives the tree with them.
    pub(crate) fn grow(&self, growth: Growth) -> Frontier {
        let Growth {
            entries,
            hashes,
            frontier,
            head,
        } = growth;
        let mut tail = self.write();
        for (level, index, hash) in hashes {
            add(&mut tail.rows, level, index, hash);
        }
        tail.entries.extend(entries);
        tail.head = Some(head);
        frontier
    }

    /// Size and root.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        self.locked().head.unwrap_or(TreeHead::EMPTY)
    }

    /// Entries `range`, cut short once they have more than `most` bytes together; at least one.
    pub fn entries(&self, range: Range<u64>, most: usize) -> Result<Vec<Arc<[u8]>>, ReadError> {
        let mut found = Vec::new();
        let (mut at, mut bytes) = (range.start, 0);
        while at < range.end && (bytes < most || found.is_empty()) {
            let batch = self.some_entries(at, range.end)?;
            for entry in batch {
                bytes += entry.len();
                if bytes > most && !found.is_empty() {
                    return Ok(found);
                }
                at += 1;
                found.push(entry);
            }
        }
        Ok(found)
    }

    /// One entry.
    pub fn entry(&self, index: u64) -> Result<Arc<[u8]>, ReadError> {
        self.entries(index..index + 1, 0)?
            .into_iter()
            .next()
            .ok_or(ReadError::Absent)
    }

    /// Entries from `at` on: all in memory, or those of one bundle.
    fn some_entries(&self, at: u64, end: u64) -> Result<Vec<Arc<[u8]>>, ReadError> {
        {
            let tail = self.locked();
            if at >= tail.entries_first {
                let skip = offset(at, tail.entries_first);
                let count = offset(end, at);
                let found: Vec<_> = tail
                    .entries
                    .iter()
                    .skip(skip)
                    .take(count)
                    .cloned()
                    .collect();
                return if found.is_empty() {
                    Err(ReadError::Absent)
                } else {
                    Ok(found)
                };
            }
        }
        let first = at / WIDTH * WIDTH;
        let path = full(TileKind::Entries, at / WIDTH)?;
        let bytes = self.file(&path, MAX_BUNDLE)?;
        let entries =
            parse_bundle(&bytes, TILE_WIDTH).map_err(|_| ReadError::Damaged(path.to_string()))?;
        let wanted = entries
            .into_iter()
            .skip(offset(at, first))
            .take(offset(end, at));
        Ok(wanted.map(Arc::from).collect())
    }

    /// The bytes of a tile or bundle.
    pub fn tile(&self, path: TilePath) -> Result<Vec<u8>, ReadError> {
        let (first, end) = (path.first(), path.first() + u64::from(path.width()));
        match path.kind() {
            TileKind::Entries => {
                if end > self.head().size {
                    return Err(ReadError::Absent);
                }
                let mut bundle = Vec::new();
                for entry in self.entries(first..end, usize::MAX)? {
                    push_entry(&mut bundle, &entry).map_err(|_| ReadError::Absent)?;
                }
                Ok(bundle)
            }
            TileKind::Hashes(level) => {
                Ok(encode_hashes(&HashReader::read(self, level, first..end)?))
            }
        }
    }

    /// The inclusion proof of an entry in the tree of `size` entries.
    pub fn prove_inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, ReadError> {
        self.check_size(size)?;
        prove_inclusion(self, index, size).map_err(read_error)
    }

    /// The consistency proof between two sizes.
    pub fn prove_consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, ReadError> {
        self.check_size(new)?;
        prove_consistency(self, old, new).map_err(read_error)
    }

    fn check_size(&self, size: u64) -> Result<(), ReadError> {
        if size > self.head().size {
            Err(ReadError::Absent)
        } else {
            Ok(())
        }
    }

    /// Forget what full tile files hold by now.
    pub(crate) fn trim(&self, projected: u64) {
        let mut tail = self.write();
        let keep = projected / WIDTH * WIDTH;
        let drop = offset(keep, tail.entries_first).min(tail.entries.len());
        tail.entries.drain(..drop);
        tail.entries_first += drop as u64;
        let mut width = projected;
        for row in &mut tail.rows {
            let keep = width / WIDTH * WIDTH;
            let drop = offset(keep, row.first).min(row.hashes.len());
            row.hashes.drain(..drop);
            row.first += drop as u64;
            width /= WIDTH;
        }
    }

    fn file(&self, path: &TilePath, cap: u64) -> Result<Vec<u8>, ReadError> {
        let bytes = self.disk.read(&path.to_string(), cap)?;
        bytes.ok_or_else(|| ReadError::Damaged(path.to_string()))
    }

    pub(crate) fn disk(&self) -> &dyn Disk {
        self.disk.as_ref()
    }

    // A panic while the lock is held leaves whole pushes only, so what is there can be read on.
    fn locked(&self) -> std::sync::RwLockReadGuard<'_, Tail> {
        self.tail.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Tail> {
        self.tail.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HashReader for View {
    type Error = ReadError;

    fn read(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, ReadError> {
        {
            let tail = self.locked();
            let row = tail.rows.get(usize::from(level)).ok_or(ReadError::Absent)?;
            if range.start >= row.first {
                let skip = offset(range.start, row.first);
                let count = offset(range.end, range.start);
                let found: Vec<Hash> = row.hashes.iter().skip(skip).take(count).copied().collect();
                return if found.len() == count {
                    Ok(found)
                } else {
                    Err(ReadError::Absent)
                };
            }
        }
        let path = full(TileKind::Hashes(level), range.start / WIDTH)?;
        let hashes = parse_hashes(&self.file(&path, MAX_TILE)?, TILE_WIDTH)
            .map_err(|_| ReadError::Damaged(path.to_string()))?;
        let skip = offset(range.start, path.first());
        Ok(hashes
            .into_iter()
            .skip(skip)
            .take(offset(range.end, range.start))
            .collect())
    }
}

/// What a batch adds to a view.
pub(crate) struct Growth {
    entries: Vec<Arc<[u8]>>,
    /// Level, index and hash of each node that the batch completes and tiles hold.
    hashes: Vec<(u8, u64, Hash)>,
    frontier: Frontier,
    /// Size and root with it.
    pub(crate) head: TreeHead,
}

impl Growth {
    /// What these entries add behind a tree.
    pub(crate) fn of<E>(frontier: &Frontier, entries: impl IntoIterator<Item = E>) -> Self
    where
        E: AsRef<[u8]> + Into<Arc<[u8]>>,
    {
        let (mut frontier, mut hashes) = (frontier.clone(), Vec::new());
        let entries = entries.into_iter().map(|entry| {
            frontier.append_each(Hash::leaf(entry.as_ref()), |level, index, hash| {
                // Tiles hold every eighth level of the tree.
                if level.is_multiple_of(8) {
                    hashes.push((level, index, *hash));
                }
            });
            entry.into()
        });
        Self {
            entries: entries.collect(),
            hashes,
            head: frontier.head(),
            frontier,
        }
    }
}

fn add(rows: &mut Vec<Row>, level: u8, index: u64, hash: Hash) {
    let row = usize::from(level / 8);
    while rows.len() <= row {
        rows.push(Row::default());
    }
    if let Some(row) = rows.get_mut(row) {
        debug_assert_eq!(row.first + row.hashes.len() as u64, index);
        row.hashes.push_back(hash);
    }
}

fn cut(kind: TileKind, bytes: &[u8], stored: u16, wanted: u16) -> Option<Vec<u8>> {
    match kind {
        TileKind::Hashes(_) => {
            let hashes = parse_hashes(bytes, stored).ok()?;
            Some(encode_hashes(hashes.get(..usize::from(wanted))?))
        }
        TileKind::Entries => {
            let mut bundle = Vec::new();
            for entry in parse_bundle(bytes, stored)
                .ok()?
                .into_iter()
                .take(usize::from(wanted))
            {
                push_entry(&mut bundle, entry).ok()?;
            }
            Some(bundle)
        }
    }
}

fn full(kind: TileKind, index: u64) -> Result<TilePath, ReadError> {
    TilePath::new(kind, index, TILE_WIDTH).map_err(|_| ReadError::Absent)
}

fn offset(at: u64, first: u64) -> usize {
    usize::try_from(at.saturating_sub(first)).unwrap_or(usize::MAX)
}

fn read_error(error: ProveError<ReadError>) -> ReadError {
    match error {
        ProveError::Read(error) => error,
        ProveError::OutOfRange | ProveError::Short { .. } => ReadError::Absent,
    }
}

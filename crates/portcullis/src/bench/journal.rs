//! `journal`: durable appends of 300-byte entries to the directory backend.
//!
//! Two things bound it: hashing every entry into the tree, and the disk, which takes the same bytes in
//! the same batches with the same sync and nothing else. The floor is the lower of the two.

use super::Setting;
use super::cpu::{of_thread, per_second};
use super::row::{Row, median};
use crate::failure::{Exit, Failure};
use portcullis_host::{AppendFile, Dir, Disk, DiskError, SystemRandom};
use portcullis_journal::directory::SEGMENT_BYTES;
use portcullis_journal::{Directory, Journal, View};
use portcullis_tlog::{Frontier, Hash};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const ENTRY: usize = 300;
/// Batches: what the gate takes at once, and what a busier one would.
const BATCHES: [u64; 2] = [256, 1024];
const ROUNDS: usize = 5;

pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let entries = setting.size(256 * 1024, 16 * 1024);
    BATCHES
        .iter()
        .map(|batch| row(setting, entries, *batch))
        .collect()
}

fn row(setting: &Setting, entries: u64, batch: u64) -> Result<Row, Failure> {
    let rounds: Result<Vec<[Duration; 3]>, Failure> = (0..ROUNDS)
        .map(|_| {
            Ok([
                append_all(setting, entries, batch)?,
                write_plainly(setting, entries, batch)?,
                hash(entries, batch),
            ])
        })
        .collect();
    let rounds = rounds?;
    let rate = |which: usize| {
        let rates = rounds.iter().map(|round| per_second(entries, round[which]));
        median(rates.collect())
    };
    let (ours, disk, hash) = (rate(0), rate(1), rate(2));
    let wall = rounds.iter().map(|round| round[0]).sum();
    let row = Row::new("journal", ours, "entries/s", wall).batch(batch);
    let row = row.against_rate(disk.min(hash), 0.5);
    let enough = ours >= 500_000.0;
    let note = format!(
        "disk limit {disk:.0}/s, hash limit {hash:.0}/s on one core; 500,000/s {}",
        if enough { "met" } else { "MISSED" }
    );
    Ok(Row {
        met: row.met.map(|met| met && enough),
        mark: format!("{}, >= 500000 entries/s", row.mark),
        ..row
    }
    .note(note))
}

fn batches(entries: u64, batch: u64) -> impl Iterator<Item = Vec<Vec<u8>>> {
    (0..entries / batch).map(move |number| {
        let entry = |within: u64| {
            let mut entry = vec![0x5a; ENTRY];
            entry[..8].copy_from_slice(&(number * batch + within).to_be_bytes());
            entry
        };
        (0..batch).map(entry).collect()
    })
}

fn append_all(setting: &Setting, entries: u64, batch: u64) -> Result<Duration, Failure> {
    let folder = setting.folder()?;
    let mut journal = open(Arc::new(Dir::open(folder.path())?))?;
    let mut took = Duration::ZERO;
    for entries in batches(entries, batch) {
        let (done, batch) = of_thread(|| append(&mut journal, entries));
        done?;
        took += batch.wall;
    }
    Ok(took)
}

/// Writes a journal for a benchmark that begins with one.
pub(super) struct Writer {
    journal: Journal<Directory>,
    waiting: Vec<Vec<u8>>,
}

impl Writer {
    /// Entries that are appended together.
    const TOGETHER: usize = 4096;

    /// A new journal in this folder.
    pub(super) fn new(folder: &Path) -> Result<Self, Failure> {
        let journal = open(Arc::new(Hurried(Dir::open(folder)?)))?;
        let waiting = Vec::new();
        Ok(Self { journal, waiting })
    }

    /// The next entry.
    pub(super) fn push(&mut self, entry: Vec<u8>) -> Result<(), Failure> {
        self.waiting.push(entry);
        if self.waiting.len() >= Self::TOGETHER {
            append(&mut self.journal, core::mem::take(&mut self.waiting))?;
        }
        Ok(())
    }

    /// All is durable; what readers see of it.
    pub(super) fn finish(mut self) -> Result<Arc<View>, Failure> {
        if !self.waiting.is_empty() {
            append(&mut self.journal, self.waiting)?;
        }
        Ok(self.journal.view())
    }
}

/// A folder whose whole files are not synced one by one: a benchmark's journal has tens of thousands of
/// tiles, and nobody mourns it after a power cut.
struct Hurried(Dir);

impl Disk for Hurried {
    fn append(&self, name: &str) -> Result<Box<dyn AppendFile>, DiskError> {
        self.0.append(name)
    }

    fn read(&self, name: &str, cap: u64) -> Result<Option<Vec<u8>>, DiskError> {
        self.0.read(name, cap)
    }

    fn exists(&self, name: &str) -> bool {
        self.0.exists(name)
    }

    fn remove(&self, name: &str) -> Result<(), DiskError> {
        self.0.remove(name)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.0.write_projection(name, bytes)
    }

    fn write_projection(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.0.write_projection(name, bytes)
    }
}

/// A new journal on this disk.
fn open(disk: Arc<dyn Disk>) -> Result<Journal<Directory>, Failure> {
    let failed = |error: &dyn core::fmt::Display| Failure::new(Exit::Wrong, error, "");
    let (store, recovered) =
        Directory::open(Arc::clone(&disk), SEGMENT_BYTES, Arc::new(SystemRandom))
            .map_err(|error| failed(&error))?;
    Journal::open(store, &recovered, disk, 0).map_err(|error| failed(&error))
}

/// Only the calls that the sequencer waits for: room, append, sync.
fn append(journal: &mut Journal<Directory>, entries: Vec<Vec<u8>>) -> Result<(), Failure> {
    let bytes = entries.iter().map(|entry| entry.len() as u64).sum();
    let appended = journal.make_room(bytes, entries.len() as u64);
    let appended = appended.and_then(|()| journal.append(entries));
    appended
        .map(drop)
        .map_err(|error| Failure::new(Exit::Wrong, error, ""))
}

/// The same bytes in the same batches, synced each, into a file with the room reserved.
fn write_plainly(setting: &Setting, entries: u64, batch: u64) -> Result<Duration, Failure> {
    let folder = setting.folder()?;
    let mut file = Dir::open(folder.path())?.append("plain")?;
    file.reserve((ENTRY + 2) as u64 * entries)?;
    let frame = vec![0x5a; (ENTRY + 2) * usize::try_from(batch).unwrap_or(0)];
    let (done, took) = of_thread(|| {
        (0..entries / batch).try_for_each(|_| {
            file.append(&frame)?;
            file.sync()
        })
    });
    done?;
    Ok(took.wall)
}

fn hash(entries: u64, batch: u64) -> Duration {
    let mut frontier = Frontier::new();
    let mut entry = [0x5a; ENTRY];
    let ((), took) = of_thread(|| {
        for number in 0..entries {
            entry[..8].copy_from_slice(&number.to_be_bytes());
            frontier.append(Hash::leaf(&entry));
            if frontier.size().is_multiple_of(batch) {
                std::hint::black_box(frontier.root());
            }
        }
    });
    took.cpu
}

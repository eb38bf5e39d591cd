//! Looking on as the gate writes its journal: when each release's receipt stands there.
//!
//! It reads the segment files, so that nobody who is measured serves it. What it sees is written and
//! not yet synced: the sync that follows, half a millisecond on a quiet disk, is not in its times.

use portcullis_core::Digest;
use portcullis_core::entry::{Body, Entry};
use portcullis_core::statement::Says;
use portcullis_journal::segment::{
    FRAME_HEAD, MAX_HEADER, Salt, first_frame, frame_entries, frame_length,
};
use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the file is looked at.
const LOOK: Duration = Duration::from_micros(500);

/// When receipts were first seen, by act.
#[derive(Clone, Default)]
pub(super) struct Receipts(Arc<Mutex<HashMap<Digest, Instant>>>);

impl Receipts {
    /// When this act's receipt was seen: written, not yet synced.
    pub(super) fn of(&self, act: Digest) -> Option<Instant> {
        self.locked().get(&act).copied()
    }

    /// How many were seen.
    pub(super) fn count(&self) -> usize {
        self.locked().len()
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows the segments of a journal on a thread of its own.
pub(super) struct Tail {
    pub(super) receipts: Receipts,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Tail {
    /// Follow this journal from its beginning.
    pub(super) fn start(journal: &Path) -> Self {
        let (receipts, stop) = (Receipts::default(), Arc::new(AtomicBool::new(false)));
        let mut reader = Reader::new(journal);
        let (seen, stopping) = (receipts.clone(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopping.load(Ordering::Relaxed) {
                match reader.next() {
                    Some(entries) => note(&seen, &entries),
                    None => std::thread::sleep(LOOK),
                }
            }
        });
        Self {
            receipts,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn note(receipts: &Receipts, entries: &[Vec<u8>]) {
    let now = Instant::now();
    for bytes in entries {
        let Ok(entry) = Entry::from_bytes(bytes) else {
            continue;
        };
        if let Body::Statement(signed) = entry.body
            && let Says::Signed { act, .. } = signed.statement.says
        {
            receipts.locked().entry(act).or_insert(now);
        }
    }
}

/// Reads frames one after another, across segments.
pub(super) struct Reader {
    folder: PathBuf,
    number: u64,
    open: Option<(File, Salt, u64)>,
}

impl Reader {
    /// All frames of a journal, from its first.
    pub(super) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            number: 0,
            open: None,
        }
    }

    /// The entries of the next frame, once it is whole.
    pub(super) fn next(&mut self) -> Option<Vec<Vec<u8>>> {
        if self.open.is_none() {
            self.open = self.open_segment();
        }
        let (file, salt, at) = self.open.as_mut()?;
        if let Some((entries, length)) = frame_at(file, *salt, *at) {
            *at += length;
            return Some(entries);
        }
        if self.path(self.number + 1).exists() {
            self.number += 1;
            self.open = None;
        }
        None
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("segment/{number:012}"))
    }

    fn open_segment(&self) -> Option<(File, Salt, u64)> {
        let file = File::open(self.path(self.number)).ok()?;
        let mut start = vec![0; MAX_HEADER];
        let read = file.read_at(&mut start, 0).ok()?;
        let (salt, first) = first_frame(&start[..read])?;
        Some((file, salt, first as u64))
    }
}

fn frame_at(file: &File, salt: Salt, at: u64) -> Option<(Vec<Vec<u8>>, u64)> {
    let mut head = [0; FRAME_HEAD];
    file.read_exact_at(&mut head, at).ok()?;
    let length = frame_length(&head)?;
    let mut frame = vec![0; length];
    file.read_exact_at(&mut frame, at).ok()?;
    Some((frame_entries(salt, &frame)?, length as u64))
}

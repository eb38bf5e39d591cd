//! The embedded backend: a folder of preallocated segment files, one fdatasync for each batch.

use crate::segment::{self, Parsed, Salt, SegmentFault, Tail};
use crate::store::{Recovered, Store, StoreError};
use portcullis_host::{AppendFile, Disk, DiskError, Random};
use portcullis_tlog::Frontier;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A segment's size unless told otherwise.
pub const SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// Nothing of ours makes a larger segment; a larger file is not read.
const MAX_SEGMENT: u64 = 1 << 32;

/// A folder of segments.
pub struct Directory {
    disk: Arc<dyn Disk>,
    random: Arc<dyn Random>,
    segment_bytes: u64,
    number: u64,
    file: Box<dyn AppendFile>,
    salt: Salt,
    reserved: u64,
    /// What stands behind the last whole frame, until the first write takes it away.
    rest: Option<Rest>,
}

/// The bytes of a segment behind its last whole frame.
#[derive(Clone, Copy, Debug)]
struct Rest {
    at: u64,
    tail: Tail,
}

impl Directory {
    /// Open the folder, or begin one. Nothing is cut off here: whether entries are missing that a
    /// quorum has cosigned, only whoever opens the journal can tell.
    pub fn open(
        disk: Arc<dyn Disk>,
        segment_bytes: u64,
        random: Arc<dyn Random>,
    ) -> Result<(Self, Recovered), StoreError> {
        let count = count(disk.as_ref());
        // Going on behind a gap would be another journal.
        if let Some(missing) = missing(disk.as_ref(), count).first() {
            let what = format!("{} is missing", name(*missing));
            return Err(StoreError::Damaged(what, name(*missing)));
        }
        let Some(number) = count.checked_sub(1) else {
            return Self::make(disk, random, segment_bytes, 0, Frontier::new());
        };
        match read(disk.as_ref(), number)? {
            Ok(parsed) => Self::resume(disk, random, segment_bytes, number, parsed),
            // A crash while the segment was made: nothing was ever in it.
            Err(SegmentFault::Unmade) => Self::remake(disk, random, segment_bytes, number),
            Err(fault) => Err(damaged(number, &fault)),
        }
    }

    fn resume(
        disk: Arc<dyn Disk>,
        random: Arc<dyn Random>,
        segment_bytes: u64,
        number: u64,
        parsed: Parsed,
    ) -> Result<(Self, Recovered), StoreError> {
        let mut file = disk.append(&name(number))?;
        // A process that died before its sync left a whole frame that can be read and may still be lost.
        // Whoever reads on from here acts by it, and witnesses cosign it.
        file.sync()?;
        let reserved = parsed.end as u64;
        let rest = Some(Rest {
            at: reserved,
            tail: parsed.tail,
        });
        let recovered = Recovered {
            base: parsed.base,
            entries: parsed.entries,
        };
        Ok((
            Self {
                disk,
                random,
                segment_bytes,
                number,
                file,
                salt: parsed.salt,
                reserved,
                rest,
            },
            recovered,
        ))
    }

    fn remake(
        disk: Arc<dyn Disk>,
        random: Arc<dyn Random>,
        segment_bytes: u64,
        number: u64,
    ) -> Result<(Self, Recovered), StoreError> {
        let frontier = match number.checked_sub(1) {
            None => Frontier::new(),
            Some(earlier) => end_of(disk.as_ref(), earlier)?,
        };
        disk.append(&name(number))?.truncate(0)?;
        Self::make(disk, random, segment_bytes, number, frontier)
    }

    fn make(
        disk: Arc<dyn Disk>,
        random: Arc<dyn Random>,
        segment_bytes: u64,
        number: u64,
        base: Frontier,
    ) -> Result<(Self, Recovered), StoreError> {
        let salt = random.array();
        let file = begin(disk.as_ref(), number, &base, salt, segment_bytes)?;
        let recovered = Recovered {
            base,
            entries: Vec::new(),
        };
        Ok((
            Self {
                disk,
                random,
                segment_bytes,
                number,
                file,
                salt,
                reserved: segment_bytes,
                rest: None,
            },
            recovered,
        ))
    }

    /// Take away what stands behind the last whole frame: reserved room, which the next batch
    /// reserves again, or a batch that was cut short. That one is kept aside, in case it was
    /// acknowledged after all and then damaged.
    fn cut_rest(&mut self) -> Result<(), StoreError> {
        let Some(Rest { at, tail }) = self.rest else {
            return Ok(());
        };
        if tail == Tail::Torn {
            let aside = format!("torn/{:012}-{at}", self.number);
            let bytes = self.disk.read(&name(self.number), MAX_SEGMENT)?;
            let bytes = bytes.unwrap_or_default();
            let from = usize::try_from(at).unwrap_or(usize::MAX);
            let torn = bytes.get(from..).unwrap_or_default();
            let end = torn.iter().rposition(|byte| *byte != 0);
            let torn = &torn[..end.map_or(0, |last| last + 1)];
            self.disk.replace(&aside, torn).map_err(full)?;
            tracing::warn!(segment = self.number, kept = %aside, "cut off a batch that is not whole");
        }
        // Crash before this: the next start finds the same rest, and keeps it aside again.
        self.file.truncate(at)?;
        self.rest = None;
        Ok(())
    }
}

impl Store for Directory {
    fn make_room(&mut self, frontier: &Frontier, bytes: u64) -> Result<(), StoreError> {
        self.cut_rest()?;
        let needed = self.file.len().saturating_add(bytes);
        if needed > self.segment_bytes && frontier.size() > 0 {
            let next = self.number + 1;
            let reserve = self.segment_bytes.max(bytes + 4096);
            let salt = self.random.array();
            let file = begin(self.disk.as_ref(), next, frontier, salt, reserve)?;
            // The full segment's reserved rest is given back; it takes no more batches.
            let length = self.file.len();
            self.file.truncate(length)?;
            (self.number, self.file, self.reserved) = (next, file, reserve);
            self.salt = salt;
        }
        let needed = self.file.len().saturating_add(bytes);
        if needed > self.reserved {
            let reserve = self.segment_bytes.max(needed);
            self.file.reserve(reserve).map_err(full)?;
            self.reserved = reserve;
        }
        Ok(())
    }

    fn append(&mut self, first: u64, entries: &[Vec<u8>]) -> Result<(), StoreError> {
        let frame = segment::frame(self.salt, first, entries).ok_or_else(|| {
            StoreError::Damaged(
                "an entry is longer than entries may be".into(),
                "nothing".into(),
            )
        })?;
        self.cut_rest()?;
        // Crash here: nothing of the batch is there. During the write: a torn frame, cut off at
        // the next start. After the sync: the batch stands, acknowledged or not.
        self.file.append(&frame)?;
        self.file.sync()?;
        Ok(())
    }
}

/// The name of a segment.
pub(crate) fn name(number: u64) -> String {
    format!("segment/{number:012}")
}

/// How many segments there are.
pub(crate) fn count(disk: &dyn Disk) -> u64 {
    let mut number = 0;
    while disk.exists(&name(number)) {
        number += 1;
    }
    number
}

/// How far beyond the last segment is looked for more: whoever lost some lost fewer than these.
const GAP: u64 = 4096;

/// The segments that are missing: those below one that is there beyond the `count` that begin the
/// journal.
pub(crate) fn missing(disk: &dyn Disk, count: u64) -> Vec<u64> {
    let beyond = count..count.saturating_add(GAP);
    let there: BTreeSet<u64> = beyond
        .filter(|number| disk.exists(&name(*number)))
        .collect();
    let last = there.last().copied().unwrap_or(count);
    (count..last)
        .filter(|number| !there.contains(number))
        .collect()
}

/// A segment's content, or what is wrong with it.
pub(crate) fn read(
    disk: &dyn Disk,
    number: u64,
) -> Result<Result<Parsed, SegmentFault>, StoreError> {
    let bytes = disk.read(&name(number), MAX_SEGMENT)?.unwrap_or_default();
    Ok(segment::parse(&bytes))
}

fn end_of(disk: &dyn Disk, number: u64) -> Result<Frontier, StoreError> {
    let parsed = read(disk, number)?.map_err(|fault| damaged(number, &fault))?;
    let mut frontier = parsed.base;
    for entry in &parsed.entries {
        frontier.append(portcullis_tlog::Hash::leaf(entry));
    }
    Ok(frontier)
}

fn begin(
    disk: &dyn Disk,
    number: u64,
    frontier: &Frontier,
    salt: Salt,
    reserve: u64,
) -> Result<Box<dyn AppendFile>, StoreError> {
    let file_name = name(number);
    let mut file = disk.append(&file_name)?;
    let made = file
        .reserve(reserve)
        .and_then(|()| file.append(&segment::header(frontier, salt)))
        .and_then(|()| file.sync());
    if let Err(error) = made {
        // Nothing is in it yet: take it away, so that a full disk leaves no trace.
        disk.remove(&file_name)?;
        return Err(full(error));
    }
    Ok(file)
}

fn full(error: DiskError) -> StoreError {
    if error.is_full() {
        StoreError::Full
    } else {
        StoreError::Unknown(error)
    }
}

pub(crate) fn damaged(number: u64, fault: &SegmentFault) -> StoreError {
    StoreError::Damaged(format!("{}: {fault}", name(number)), name(number))
}

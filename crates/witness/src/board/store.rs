//! Where postings survive, and their numbers.
//!
//! Two files of frames. Postings are appended to the *tail*; when it is full, the postings that are
//! still shown become the *base*, put in place whole, and the tail begins anew.
//!
//! What a crash leaves behind: between appending and syncing, a torn frame whose posting was never
//! acknowledged; between the new base and the cut of the tail, a tail that the base contains. A torn
//! frame is cut and its number is never given out again: a reader that has asked beyond it would
//! otherwise miss what took its place. Anything else is damage, and the board stops: a stop that was
//! promised may be in it.

use super::bounds::Share;
pub(super) use super::frame::Binding;
use super::frame::{HEADER, MAX_PAYLOAD, Read, read, write};
use minicbor::{Decode, Encode};
use portcullis_core::board::Posting;
use portcullis_core::codec::{self, encode};
use portcullis_core::{Digest, Time};
use portcullis_host::{AppendFile, Disk, DiskError};
use std::sync::Arc;

const BASE: &str = "board/base";
const TAIL: &str = "board/tail";
/// A full tail, in bytes.
const FULL: u64 = 16 << 20;
/// Room is reserved in steps of this, so that a full disk refuses a posting and tears none.
const STEP: u64 = 1 << 20;
/// No base is longer: as many postings as are shown at once, each as long as can be, fit in half.
const MAX_BASE: u64 = 256 << 20;

/// Why there is no store to work with, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There are no files.
    #[error(
        "there are no postings ({0} is missing). If this board has never run, make its files with --init. If it has, they are lost: give the board a new key, since its numbers would begin anew under readers that have counted further (docs/spec/board.md)"
    )]
    Missing(&'static str),
    /// There are files where new ones were asked for.
    #[error(
        "there are postings of this board already; they were not touched. To begin the other role, leave [board] out for that moment"
    )]
    Exists,
    /// A frame that cannot be read.
    #[error(
        "{file}, byte {offset}: damaged, or another board's. A posting that was promised may be in it; docs/spec/board.md says what to do"
    )]
    Damaged {
        /// The file, within the data directory.
        file: &'static str,
        /// Where the frame begins.
        offset: u64,
    },
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// A posting that is durable.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) number: u64,
    /// With its stamp.
    pub(super) posting: Posting,
    /// The digest of what was posted, without the stamp.
    pub(super) posted: Digest,
    pub(super) share: Share,
    /// Bytes on a page, nearly.
    pub(super) size: usize,
}

/// A frame's payload.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Payload {
    #[n(0)]
    posting: Posting,
    #[n(1)]
    posted: Digest,
    #[n(2)]
    share: Share,
}

/// The files.
pub(super) struct Store {
    disk: Arc<dyn Disk>,
    binding: Binding,
    tail: Box<dyn AppendFile>,
    full: u64,
    next: u64,
    reserved: u64,
}

impl Kept {
    /// When it was stamped.
    pub(super) fn time(&self) -> Time {
        let stamp = self.posting.evidence.posted.as_ref();
        stamp.map_or(Time::default(), |stamp| stamp.time)
    }

    fn new(number: u64, payload: Payload, size: usize) -> Self {
        let Payload {
            posting,
            posted,
            share,
        } = payload;
        Self {
            number,
            posting,
            posted,
            share,
            size,
        }
    }

    fn to_frame(&self, binding: Binding) -> Vec<u8> {
        let payload = Payload {
            posting: self.posting.clone(),
            posted: self.posted,
            share: self.share,
        };
        write(self.number, &encode(&payload), binding)
    }
}

impl Store {
    /// Makes the files of a board without postings. Never over older ones.
    pub(super) fn create(disk: &dyn Disk, binding: Binding) -> Result<(), StoreError> {
        if disk.read(BASE, MAX_BASE)?.is_some() || !disk.append(TAIL)?.is_empty() {
            return Err(StoreError::Exists);
        }
        Ok(disk.replace(BASE, &write(0, &[], binding))?)
    }

    /// Reads everything that was kept, in order of the numbers.
    pub(super) fn open(
        disk: Arc<dyn Disk>,
        binding: Binding,
    ) -> Result<(Self, Vec<Kept>), StoreError> {
        Self::open_with(disk, binding, FULL)
    }

    fn open_with(
        disk: Arc<dyn Disk>,
        binding: Binding,
        full: u64,
    ) -> Result<(Self, Vec<Kept>), StoreError> {
        let base = disk
            .read(BASE, MAX_BASE)?
            .ok_or(StoreError::Missing(BASE))?;
        let tail_cap = full + STEP;
        let written = disk
            .read(TAIL, tail_cap)?
            .ok_or(StoreError::Missing(TAIL))?;
        let mut replay = Replay {
            binding,
            next: 0,
            kept: Vec::new(),
        };
        if replay.run(BASE, &base)? != (End::Whole(base.len())) {
            return Err(damaged(BASE, 0));
        }
        let end = replay.run(TAIL, &written)?;
        let mut tail = disk.append(TAIL)?;
        tail.truncate(end.offset() as u64)?;
        let reserved = tail.len();
        let mut store = Self {
            disk,
            binding,
            tail,
            full,
            next: replay.next,
            reserved,
        };
        if let End::Torn(offset) = end {
            tracing::warn!(
                offset,
                number = store.next,
                "a posting that was never acknowledged is cut; its number stays unused"
            );
            store.skip_number()?;
        }
        Ok((store, replay.kept))
    }

    /// The number of the next posting.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Makes sure that one more posting fits, on the disk and into the tail. After an error nothing
    /// that was kept has changed, except that the tail may have been folded into the base.
    pub(super) fn make_room<'a>(
        &mut self,
        shown: impl Iterator<Item = &'a Kept>,
    ) -> Result<(), StoreError> {
        let most = (HEADER + MAX_PAYLOAD) as u64;
        if self.tail.len() + most > self.full {
            self.begin_anew(shown)?;
        }
        let needed = self.tail.len() + most;
        if needed > self.reserved {
            let step = needed.next_multiple_of(STEP);
            self.tail.reserve(step)?;
            self.reserved = step;
        }
        Ok(())
    }

    /// Makes a stamped posting durable. After an error nobody knows whether it is: the caller stops,
    /// and starts again from [`Store::open`].
    pub(super) fn append(
        &mut self,
        posting: Posting,
        posted: Digest,
        share: Share,
    ) -> Result<Kept, StoreError> {
        let size = encode(&posting).len();
        let payload = Payload {
            posting,
            posted,
            share,
        };
        let kept = Kept::new(self.next, payload, size);
        self.tail.append(&kept.to_frame(self.binding))?;
        self.tail.sync()?;
        self.next += 1;
        Ok(kept)
    }

    fn skip_number(&mut self) -> Result<(), StoreError> {
        let next = self.next + 1;
        self.tail.append(&write(next, &[], self.binding))?;
        self.tail.sync()?;
        self.next = next;
        self.reserved = self.reserved.max(self.tail.len());
        Ok(())
    }

    fn begin_anew<'a>(&mut self, shown: impl Iterator<Item = &'a Kept>) -> Result<(), StoreError> {
        let mut base: Vec<u8> = shown.flat_map(|kept| kept.to_frame(self.binding)).collect();
        base.extend(write(self.next, &[], self.binding));
        self.disk.replace(BASE, &base)?;
        self.tail.truncate(0)?;
        self.reserved = 0;
        Ok(())
    }
}

/// Frames read one after the other.
struct Replay {
    binding: Binding,
    next: u64,
    kept: Vec<Kept>,
}

/// Where the frames of a file end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With whole frames, and room perhaps.
    Whole(usize),
    /// Before a frame that was not written to its end.
    Torn(usize),
}

impl End {
    fn offset(self) -> usize {
        match self {
            Self::Whole(offset) | Self::Torn(offset) => offset,
        }
    }
}

impl Replay {
    fn run(&mut self, file: &'static str, bytes: &[u8]) -> Result<End, StoreError> {
        let mut offset = 0;
        loop {
            let rest = &bytes[offset..];
            if rest.iter().all(|byte| *byte == 0) {
                return Ok(End::Whole(offset));
            }
            match read(bytes, offset, self.binding) {
                Read::Frame { number, payload } => {
                    let known = self.take(number, payload);
                    known.ok_or_else(|| damaged(file, offset))?;
                    offset += HEADER + payload.len();
                }
                Read::Torn => return Ok(End::Torn(offset)),
                Read::Damaged => return Err(damaged(file, offset)),
            }
        }
    }

    /// Numbers only rise. What the base contains already is passed over.
    fn take(&mut self, number: u64, payload: &[u8]) -> Option<()> {
        if payload.is_empty() {
            self.next = self.next.max(number);
            return Some(());
        }
        let read: Payload = codec::decode(payload, MAX_PAYLOAD).ok()?;
        if number >= self.next {
            self.next = number.checked_add(1)?;
            self.kept.push(Kept::new(number, read, payload.len()));
        }
        Some(())
    }
}

fn damaged(file: &'static str, offset: usize) -> StoreError {
    StoreError::Damaged {
        file,
        offset: offset as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::disk::{Death, SimDisk};
    use crate::common::network::BOARD;
    use crate::common::postings::{by_stranger, suspend};
    use std::collections::VecDeque;

    /// Room for the largest posting and a few small ones, so that the tail is folded every few.
    const SMALL: u64 = (HEADER + MAX_PAYLOAD) as u64 + 2000;
    /// How many postings are shown at once.
    const SHOWN: usize = 5;

    fn binding() -> Binding {
        Binding::new(Digest([1; 32]), BOARD)
    }

    fn open(disk: &SimDisk) -> Result<(Store, Vec<Kept>), StoreError> {
        Store::open_with(disk.shared(), binding(), SMALL)
    }

    /// Keeps so many postings more, showing the last few; the numbers of all that were kept.
    fn run(disk: &SimDisk, count: usize) -> Vec<u64> {
        let Ok((mut store, kept)) = open(disk) else {
            return Vec::new();
        };
        let mut shown: VecDeque<Kept> = kept.into();
        let mut numbers = Vec::new();
        for _ in 0..count {
            let posting = by_stranger(suspend(Digest([1; 32]), 1, Time(1)));
            let kept = store
                .make_room(shown.iter())
                .and_then(|()| store.append(posting, Digest([2; 32]), Share::Common));
            let Ok(kept) = kept else { break };
            numbers.push(kept.number);
            shown.push_back(kept);
            while shown.len() > SHOWN {
                shown.pop_front();
            }
        }
        numbers
    }

    fn found(disk: &SimDisk) -> (u64, Vec<u64>) {
        let (store, kept) = open(disk).unwrap();
        (store.next(), kept.iter().map(|kept| kept.number).collect())
    }

    #[test]
    fn folding_keeps_numbers_and_what_is_shown() {
        let disk = SimDisk::default();
        Store::create(&disk, binding()).unwrap();
        assert_eq!(run(&disk, 40), (0..40).collect::<Vec<_>>());
        let (next, numbers) = found(&disk);
        assert_eq!(next, 40);
        assert!(numbers.ends_with(&[35, 36, 37, 38, 39]), "{numbers:?}");
        assert!(numbers.len() < 20, "nothing was folded: {numbers:?}");
        assert_eq!(run(&disk, 1), [40]);
    }

    #[test]
    fn no_crash_loses_what_is_shown_or_gives_a_number_twice() {
        for death in Death::ALL {
            for operation in 1..60 {
                let disk = SimDisk::default();
                Store::create(&disk, binding()).unwrap();
                run(&disk, 7);
                disk.die_in(operation, death);
                let kept = run(&disk, 20);
                disk.revive();
                let (next, numbers) = found(&disk);
                let last = kept.last().copied().unwrap_or(6);
                assert!(next > last, "{death:?} in {operation}");
                let mut shown = last + 1 - SHOWN as u64..=last;
                let all_shown = shown.all(|number| numbers.contains(&number));
                assert!(all_shown, "{death:?} in {operation}: {numbers:?}");
                assert_eq!(run(&disk, 1), [next]);
            }
        }
    }
}

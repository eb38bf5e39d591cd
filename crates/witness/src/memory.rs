//! Where a witness' latest record survives.
//!
//! Two files. Records are appended to the *tail*; when it is full its last record becomes the *base*,
//! put in place whole, and the tail begins anew. Recovery reads the base and then the tail, and knows
//! from the numbers that nothing in between is missing.
//!
//! What a crash leaves behind: between appending and syncing, a record that was never acknowledged,
//! whole or not at all; between the new base and the cut of the tail, a tail that the base contains.
//! Anything else is damage, and a witness does not guess: it stops.

use crate::record::{Binding, RECORD, Record, RecordFault};
use portcullis_host::{AppendFile, Disk, DiskError};
use portcullis_tlog::TreeHead;
use std::sync::Arc;

const BASE: &str = "witness/base";
const TAIL: &str = "witness/tail";
/// A full tail: 32,768 records, read in an instant, and a new base every few seconds at the most.
const FULL: u64 = 4 << 20;

/// Why there is no memory to work with, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// There are no files.
    #[error(
        "no record of what this witness has cosigned ({0} is missing). If it has never run, make one with --init. If it has, the record is lost: never make a new one for the same key, which could then cosign a fork; give the witness a new key (docs/spec/witness.md)"
    )]
    Missing(&'static str),
    /// There are files where a new record was asked for.
    #[error(
        "there is a record of what this witness has cosigned already; it was not touched. To begin the other role, leave [witness] out for that moment"
    )]
    Exists,
    /// A record that cannot be read.
    #[error(
        "{file}, byte {offset}: {why}. The witness does not guess what it has cosigned; docs/spec/witness.md says what to do"
    )]
    Unreadable {
        /// The file, within the data directory.
        file: &'static str,
        /// Where the record begins.
        offset: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The log has signed by a key that is not given any more.
    #[error(
        "the log's newest key here is {0}, and `log_keys` does not name it: whoever has an older one is not to be cosigned for; name it again"
    )]
    OtherLogKey(String),
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// The latest record, durable.
pub(crate) struct Memory {
    disk: Arc<dyn Disk>,
    binding: Binding,
    tail: Box<dyn AppendFile>,
    full: u64,
    last: Record,
}

impl Memory {
    /// Makes the first record, which says that nothing was cosigned. Never over an older one.
    pub(crate) fn create(disk: &dyn Disk, binding: Binding) -> Result<(), MemoryError> {
        if disk.read(BASE, RECORD as u64)?.is_some() || !disk.append(TAIL)?.is_empty() {
            return Err(MemoryError::Exists);
        }
        Ok(disk.replace(BASE, &Record::FIRST.to_bytes(binding))?)
    }

    /// Finds the latest record.
    pub(crate) fn open(disk: Arc<dyn Disk>, binding: Binding) -> Result<Self, MemoryError> {
        Self::open_with(disk, binding, FULL)
    }

    fn open_with(disk: Arc<dyn Disk>, binding: Binding, full: u64) -> Result<Self, MemoryError> {
        let base = read(disk.as_ref(), BASE, RECORD as u64)?;
        let records = read(disk.as_ref(), TAIL, full)?;
        let base = parse(BASE, 0, &base, binding)?;
        let (last, end) = replay(base, &records, binding)?;
        let mut tail = disk.append(TAIL)?;
        // Only zeros are cut, which were room, or records that the base contains.
        tail.truncate(end)?;
        tail.reserve(full)?;
        Ok(Self {
            disk,
            binding,
            tail,
            full,
            last,
        })
    }

    /// What was cosigned last.
    pub(crate) fn last(&self) -> Record {
        self.last
    }

    /// Makes a new record durable. After an error nobody knows what the files hold: the caller
    /// cosigns nothing more, and starts again from [`Memory::open`].
    pub(crate) fn put(&mut self, head: TreeHead, time: u64) -> Result<(), MemoryError> {
        if self.tail.len() + RECORD as u64 > self.full {
            self.begin_anew()?;
        }
        let number = self.last.number + 1;
        let record = Record { number, head, time };
        self.tail.append(&record.to_bytes(self.binding))?;
        self.tail.sync()?;
        self.last = record;
        Ok(())
    }

    fn begin_anew(&mut self) -> Result<(), MemoryError> {
        self.disk.replace(BASE, &self.last.to_bytes(self.binding))?;
        self.tail.truncate(0)?;
        Ok(self.tail.reserve(self.full)?)
    }
}

fn read(disk: &dyn Disk, file: &'static str, cap: u64) -> Result<Vec<u8>, MemoryError> {
    disk.read(file, cap)?.ok_or(MemoryError::Missing(file))
}

/// The last record of base and tail, and where the tail ends.
fn replay(base: Record, tail: &[u8], binding: Binding) -> Result<(Record, u64), MemoryError> {
    let mut last = base;
    let mut end = 0;
    for (bytes, offset) in tail.chunks(RECORD).zip((0..).step_by(RECORD)) {
        // Room that was reserved and not written reads as zeros.
        if is_zero(bytes) && is_zero(&tail[offset..]) {
            break;
        }
        let at = offset as u64;
        let record = parse(TAIL, at, bytes, binding)?;
        if record.number <= base.number {
            continue;
        }
        if record.number != last.number + 1 {
            let why = format!("a record is missing before number {}", record.number);
            return Err(unreadable(TAIL, at, why));
        }
        last = record;
        end = at + RECORD as u64;
    }
    Ok((last, end))
}

fn parse(
    file: &'static str,
    offset: u64,
    bytes: &[u8],
    binding: Binding,
) -> Result<Record, MemoryError> {
    let bytes = bytes.try_into().map_err(|_| RecordFault::Damaged);
    bytes
        .and_then(|bytes| Record::parse(bytes, binding))
        .map_err(|fault| unreadable(file, offset, fault.to_string()))
}

fn unreadable(file: &'static str, offset: u64, why: String) -> MemoryError {
    MemoryError::Unreadable { file, offset, why }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::disk::{Death, SimDisk};
    use crate::common::network::{log_signer, witness_key};
    use portcullis_tlog::{Hash, Signer as _};

    /// Room for four records, so that a base is made every fourth time.
    const SMALL: u64 = 4 * RECORD as u64;

    fn binding() -> Binding {
        Binding::new(log_signer().key(), &witness_key())
    }

    fn head(size: u64) -> TreeHead {
        let root = Hash::leaf(&size.to_be_bytes());
        TreeHead { size, root }
    }

    fn begun() -> SimDisk {
        let disk = SimDisk::default();
        Memory::create(&disk, binding()).unwrap();
        disk
    }

    fn open(disk: &SimDisk) -> Result<Memory, MemoryError> {
        Memory::open_with(disk.shared(), binding(), SMALL)
    }

    /// Puts sizes `from..` until something fails or there are enough; the last that was put.
    fn put_from(memory: &mut Memory, from: u64) -> u64 {
        let sizes = (from..from + 11).take_while(|size| memory.put(head(*size), 7).is_ok());
        sizes.last().unwrap_or(from - 1)
    }

    #[test]
    fn what_was_put_is_found_again_over_many_bases() {
        let disk = begun();
        for round in 0..10 {
            let mut memory = open(&disk).unwrap();
            assert_eq!(put_from(&mut memory, 11 * round + 1), 11 * round + 11);
            let found = open(&disk).unwrap().last();
            assert_eq!((found.head, found.time), (head(11 * round + 11), 7));
        }
    }

    /// The disk dies in each operation, opening and folding included, in each way.
    #[test]
    fn nothing_that_was_put_is_ever_forgotten() {
        for death in Death::ALL {
            for operation in 1..50 {
                let disk = begun();
                put_from(&mut open(&disk).unwrap(), 1);
                disk.die_in(operation, death);
                let put = open(&disk).map_or(11, |mut memory| put_from(&mut memory, 12));
                let died = disk.is_dead();
                disk.revive();
                match open(&disk) {
                    Ok(memory) => {
                        let found = memory.last().head;
                        let kept = [put, put + u64::from(died)].map(head);
                        assert!(kept.contains(&found), "{death:?} in {operation}: {found:?}");
                    }
                    Err(MemoryError::Unreadable { .. }) => assert_eq!(death, Death::Torn),
                    Err(error) => panic!("{death:?} in {operation}: {error}"),
                }
            }
        }
    }
}

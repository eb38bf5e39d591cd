//! A file of records that survives, and that says so when one of them did not.
//!
//! ```text
//! line  = hex(check[..16]) SP base64url(payload) LF
//! check = SHA-256(check of the line before, or 32 zeros ‖ payload)
//! ```
//!
//! One record is made durable at a time, so a crash can tear the last line only. That one was never
//! acknowledged and is cut off; a line before it that does not hold is damage, and nothing is done on
//! a damaged record.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use portcullis_host::{AppendFile, Disk, DiskError};
use sha2::{Digest as _, Sha256};

/// Read at a time.
const CHUNK: usize = 1 << 20;

/// An open file.
pub struct Lines {
    file: Box<dyn AppendFile>,
    check: [u8; 32],
}

/// Why a file of records is not used.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A record that was durable has changed.
    #[error("line {line} of {name} is damaged: restore the file; nothing is done without it")]
    Damaged {
        /// Which file.
        name: String,
        /// Which line, from 1.
        line: u64,
    },
}

impl Lines {
    /// Open a file and hand each of its payloads to `take`, in order.
    pub fn open(disk: &dyn Disk, name: &str, take: impl FnMut(&[u8])) -> Result<Self, LinesError> {
        let mut file = disk.append(name)?;
        let mut reading = Reading {
            check: [0; 32],
            lines: 0,
            good: 0,
            torn: false,
            take,
        };
        let damaged = |line| LinesError::Damaged {
            name: name.to_owned(),
            line,
        };
        let (mut read, mut rest) = (0, Vec::new());
        while read < file.len() {
            read += read_more(file.as_ref(), read, &mut rest)?;
            let whole = rest
                .iter()
                .rposition(|byte| *byte == b'\n')
                .map_or(0, |at| at + 1);
            for line in rest[..whole].split_inclusive(|byte| *byte == b'\n') {
                reading.read(line).map_err(damaged)?;
            }
            rest.drain(..whole);
        }
        if reading.torn && !rest.is_empty() {
            return Err(damaged(reading.lines));
        }
        let Reading { check, good, .. } = reading;
        if good < file.len() {
            let cut = file.len() - good;
            tracing::warn!(name, cut, "a record torn by a crash is cut off");
            file.truncate(good)?;
        }
        // A process that died before its sync left lines that can be read and may still be lost. Whoever
        // finds a record here acts by it.
        file.sync()?;
        Ok(Self { file, check })
    }

    /// Put one record in the place of all, at once: either the old ones or the new one survive.
    pub fn rewrite(
        &mut self,
        disk: &dyn Disk,
        name: &str,
        payload: &[u8],
    ) -> Result<(), LinesError> {
        let (line, _) = line(&[0; 32], payload);
        disk.replace(name, line.as_bytes())?;
        *self = Self::open(disk, name, |_| {})?;
        Ok(())
    }

    /// How long the file is.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.file.len()
    }

    /// Write a record. It survives when this returns; after an error nobody knows, and the caller
    /// stops and opens the file again.
    pub fn append(&mut self, payload: &[u8]) -> Result<(), DiskError> {
        let (line, check) = line(&self.check, payload);
        self.file.append(line.as_bytes())?;
        self.file.sync()?;
        self.check = check;
        Ok(())
    }
}

fn read_more(file: &dyn AppendFile, from: u64, rest: &mut Vec<u8>) -> Result<u64, DiskError> {
    let left = usize::try_from(file.len().saturating_sub(from)).unwrap_or(CHUNK);
    let mut chunk = vec![0; left.min(CHUNK)];
    file.read_at(from, &mut chunk)?;
    rest.extend_from_slice(&chunk);
    Ok(chunk.len() as u64)
}

/// What has been read so far.
struct Reading<F> {
    check: [u8; 32],
    lines: u64,
    /// Bytes of lines that hold.
    good: u64,
    /// The last line did not hold: it has to be the file's last.
    torn: bool,
    take: F,
}

impl<F: FnMut(&[u8])> Reading<F> {
    /// Read a line; the number of one that is damaged otherwise.
    fn read(&mut self, line: &[u8]) -> Result<(), u64> {
        if self.torn {
            return Err(self.lines);
        }
        self.lines += 1;
        match parse(line.strip_suffix(b"\n").unwrap_or(line), &self.check) {
            Some((payload, check)) => {
                (self.take)(&payload);
                self.check = check;
                self.good += line.len() as u64;
            }
            None => self.torn = true,
        }
        Ok(())
    }
}

fn line(before: &[u8; 32], payload: &[u8]) -> (String, [u8; 32]) {
    let check = next_check(before, payload);
    let (short, text) = (hex::encode(&check[..16]), BASE64.encode(payload));
    (format!("{short} {text}\n"), check)
}

fn parse(line: &[u8], before: &[u8; 32]) -> Option<(Vec<u8>, [u8; 32])> {
    let (check, payload) = str::from_utf8(line).ok()?.split_once(' ')?;
    let payload = BASE64.decode(payload).ok()?;
    let next = next_check(before, &payload);
    (check == hex::encode(&next[..16])).then_some((payload, next))
}

fn next_check(before: &[u8; 32], payload: &[u8]) -> [u8; 32] {
    let hash = Sha256::new().chain_update(before).chain_update(payload);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testkit::CrashDisk;

    fn payloads(disk: &CrashDisk) -> Result<Vec<Vec<u8>>, LinesError> {
        let mut all = Vec::new();
        Lines::open(disk, "record", |payload| all.push(payload.to_vec()))?;
        Ok(all)
    }

    fn three(disk: &CrashDisk) {
        let mut lines = Lines::open(disk, "record", |_| {}).unwrap();
        for payload in [&b"one"[..], b"", b"three"] {
            lines.append(payload).unwrap();
        }
    }

    #[test]
    fn what_was_appended_is_read_again_and_continued() {
        let disk = CrashDisk::default();
        three(&disk);
        assert_eq!(payloads(&disk).unwrap(), [&b"one"[..], b"", b"three"]);
        three(&disk);
        assert_eq!(payloads(&disk).unwrap().len(), 6);
    }

    #[test]
    fn a_torn_last_line_is_cut_off_at_every_length() {
        let whole = CrashDisk::default();
        three(&whole);
        let bytes = whole.bytes("record").unwrap();
        let last = bytes[..bytes.len() - 1]
            .iter()
            .rposition(|b| *b == b'\n')
            .unwrap()
            + 1;
        for torn in last..bytes.len() {
            let disk = CrashDisk::default();
            disk.put("record", &bytes[..torn]);
            assert_eq!(payloads(&disk).unwrap(), [&b"one"[..], b""], "{torn}");
            assert_eq!(disk.bytes("record").unwrap().len(), last);
        }
    }

    #[test]
    fn a_flipped_byte_before_the_last_line_is_damage() {
        let whole = CrashDisk::default();
        three(&whole);
        let bytes = whole.bytes("record").unwrap();
        let first = bytes.iter().position(|b| *b == b'\n').unwrap();
        for at in 0..first {
            let disk = CrashDisk::default();
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            disk.put("record", &flipped);
            let found = payloads(&disk);
            assert!(
                matches!(found, Err(LinesError::Damaged { line: 1, .. })),
                "{at}"
            );
        }
    }

    #[test]
    fn what_was_read_survives_even_if_its_writer_died_before_the_sync() {
        let disk = CrashDisk::default();
        three(&disk);
        let bytes = disk.bytes("record").unwrap();
        let written = CrashDisk::default();
        let mut file = written.append("record").unwrap();
        file.append(&bytes).unwrap();
        assert_eq!(payloads(&written).unwrap().len(), 3);
        written.crash(0);
        assert_eq!(payloads(&written).unwrap().len(), 3);
    }

    #[test]
    fn one_record_takes_the_place_of_all() {
        let disk = CrashDisk::default();
        three(&disk);
        let mut lines = Lines::open(&disk, "record", |_| {}).unwrap();
        lines.rewrite(&disk, "record", b"all").unwrap();
        lines.append(b"more").unwrap();
        disk.crash(0);
        assert_eq!(payloads(&disk).unwrap(), [&b"all"[..], b"more"]);
    }

    #[test]
    fn a_long_file_is_read_in_pieces() {
        let disk = CrashDisk::default();
        let mut lines = Lines::open(&disk, "record", |_| {}).unwrap();
        let payload = vec![7; 60_000];
        (0..40).for_each(|_| lines.append(&payload).unwrap());
        assert!(lines.bytes() > 2 * CHUNK as u64);
        assert_eq!(payloads(&disk).unwrap().len(), 40);
    }

    #[test]
    fn a_removed_line_is_damage() {
        let disk = CrashDisk::default();
        three(&disk);
        let bytes = disk.bytes("record").unwrap();
        let first = bytes.iter().position(|b| *b == b'\n').unwrap();
        disk.put("record", &bytes[first + 1..]);
        assert!(matches!(payloads(&disk), Err(LinesError::Damaged { .. })));
    }
}

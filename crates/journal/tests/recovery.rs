//! What a start takes away from a journal, and what it does not.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use portcullis_host::{Dir, Disk, SystemRandom};
use portcullis_journal::{Directory, Journal, OpenError};
use portcullis_keeper::testkit::CrashDisk;
use std::fs;
use std::path::Path;
use std::sync::Arc;

const SEGMENT: &str = "segment/000000000000";

fn disk(folder: &Path) -> Arc<dyn Disk> {
    Arc::new(Dir::open(folder).unwrap())
}

fn open(disk: &Arc<dyn Disk>, known: u64) -> Result<Journal<Directory>, OpenError> {
    let (store, recovered) = Directory::open(Arc::clone(disk), 1 << 16, Arc::new(SystemRandom))?;
    Journal::open(store, &recovered, Arc::clone(disk), known)
}

/// Three entries in two batches, and a byte of the second batch's payload flipped.
fn damaged(folder: &Path) -> Vec<u8> {
    let mut journal = open(&disk(folder), 0).unwrap();
    for batch in [
        vec![b"one".to_vec(), b"two".to_vec()],
        vec![b"three".to_vec()],
    ] {
        journal.make_room(64, 2).unwrap();
        journal.append(batch).unwrap();
    }
    drop(journal);
    let path = folder.join(SEGMENT);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(5).position(|five| five == b"three").unwrap();
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    bytes
}

/// Whoever has read one segment's salt knows no other's.
#[test]
fn each_segment_has_a_salt_of_its_own() {
    let salts: Vec<Vec<u8>> = (0..3)
        .map(|_| {
            let folder = tempfile::tempdir().unwrap();
            open(&disk(folder.path()), 0).unwrap();
            fs::read(folder.path().join(SEGMENT)).unwrap()[16..20].to_vec()
        })
        .collect();
    assert!(salts[0] != salts[1] || salts[1] != salts[2], "{salts:?}");
}

#[test]
fn a_batch_that_was_cosigned_is_never_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let before = damaged(folder.path());
    let refused = open(&disk(folder.path()), 3).err();
    assert!(
        matches!(refused, Some(OpenError::Shrunk { found: 2, known: 3 })),
        "{refused:?}"
    );
    let after = fs::read(folder.path().join(SEGMENT)).unwrap();
    assert!(after == before, "it says that nothing was changed");
}

#[test]
fn what_is_cut_off_is_kept_aside() {
    let folder = tempfile::tempdir().unwrap();
    let before = damaged(folder.path());
    let disk = disk(folder.path());
    let mut journal = open(&disk, 2).unwrap();
    journal.make_room(64, 1).unwrap();
    journal.append(vec![b"another".to_vec()]).unwrap();
    assert_eq!(journal.head().size, 3);
    let aside: Vec<_> = fs::read_dir(folder.path().join("torn"))
        .unwrap()
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect();
    assert_eq!(aside.len(), 1);
    let torn = &aside[0];
    assert!(torn.starts_with(b"PCBT"), "the frame");
    assert!(before.windows(torn.len()).any(|part| part == torn));
    drop(journal);
    assert_eq!(open(&disk, 3).unwrap().head().size, 3);
}

/// The process is killed between a batch's write and its sync; the power goes after the next start, before
/// anything else is written. What that start has shown, a quorum may have cosigned.
#[test]
fn what_a_start_shows_is_durable() {
    let files = CrashDisk::default();
    let disk: Arc<dyn Disk> = Arc::new(files.clone());
    let mut journal = open(&disk, 0).unwrap();
    journal.make_room(64, 1).unwrap();
    files.power_for(1);
    journal.append(vec![b"one".to_vec()]).unwrap_err();
    files.power_for(u64::MAX);
    let shown = open(&disk, 0).unwrap().head();
    assert_eq!(shown.size, 1);
    files.crash(0);
    assert_eq!(open(&disk, 1).unwrap().head(), shown);
}

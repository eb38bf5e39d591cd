//! `portcullis verify journal`, the command itself, on a folder in which one byte of one file is wrong.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use portcullis_core::Time;
use portcullis_host::{Dir, Disk, SystemRandom};
use portcullis_journal::{Directory, Journal, Projection};
use portcullis_keeper::testkit::{Customer, HandClock, Ledger, World};
use portcullis_tlog::Cosigned;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

/// Small, so that there are several.
const SEGMENT: u64 = 4 * 1024;

/// Each byte of each file is flipped in `client/tests/journal/flips.rs`, in the process that checks; here
/// the command reads each file once with its first byte wrong, once with its middle one, and with its last.
#[test]
fn the_command_fails_and_names_the_file_of_any_flipped_byte() {
    let ledger = ledger();
    let digest = ledger.world.digest().to_string();
    let folder = store(&ledger);
    let (passed, said) = verify(folder.path(), &digest);
    assert!(passed, "{said}");

    let files = files(folder.path());
    let of = |folder: &str| files.iter().filter(|name| name.starts_with(folder)).count();
    assert!(of("segment/") > 1 && of("tile/") > 1 && of("checkpoint") == 1);
    // The command waits a moment before it calls a fault one, so each file has a thread.
    std::thread::scope(|scope| {
        for name in &files {
            let (ledger, digest) = (&ledger, &digest);
            scope.spawn(move || {
                let folder = store(ledger);
                let path = folder.path().join(name);
                let sound = fs::read(&path).unwrap();
                for at in [0, sound.len() / 2, sound.len() - 1] {
                    let mut spoiled = sound.clone();
                    spoiled[at] ^= 0x80;
                    fs::write(&path, spoiled).unwrap();
                    let (passed, said) = verify(folder.path(), digest);
                    let names = said.lines().any(|line| {
                        line.starts_with("faults") && line.contains(&format!(" {name}: "))
                    });
                    assert!(!passed && names, "{name}, byte {at}: {said}");
                }
            });
        }
    });
}

fn ledger() -> Ledger {
    let clock = HandClock::at(Time(1_800_000_000_000));
    let mut ledger = Ledger::new(Arc::new(World::new()), clock);
    for number in 1..4 {
        let customer = Customer::number(number);
        ledger.open(&customer);
        ledger.add_address(&customer, World::address(7));
        ledger.withdraw(&customer, World::address(7), 7);
    }
    ledger.cosign();
    ledger
}

/// The ledger in a folder, as a gate leaves it.
fn store(ledger: &Ledger) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(Dir::open(folder.path()).unwrap());
    let (store, recovered) =
        Directory::open(Arc::clone(&disk), SEGMENT, Arc::new(SystemRandom)).unwrap();
    let mut journal = Journal::open(store, &recovered, disk, 0).unwrap();
    for entry in &ledger.entries {
        journal.make_room(entry.len() as u64, 1).unwrap();
        journal.append(vec![entry.clone()]).unwrap();
    }
    let network = &ledger.world.network;
    let cosigned = Cosigned::parse(&ledger.note, network.log(), network.quorum()).unwrap();
    Projection::new(journal.view())
        .publish(cosigned.head().size, &ledger.note)
        .unwrap();
    folder
}

/// All files of a folder, by their names in it.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for file in fs::read_dir(next).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap();
                found.push(name.to_str().unwrap().to_owned());
            }
        }
    }
    found
}

/// Whether the command passes, and what it prints.
fn verify(folder: &Path, digest: &str) -> (bool, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["verify", "journal"])
        .arg(folder)
        .args(["--genesis-digest", digest])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [done.stdout, done.stderr].concat();
    (
        done.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

//! A log that hands over to another key of its own, as its witness sees it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod common;

use common::clock::HandClock;
use common::disk::{Death, SimDisk};
use common::log::TestLog;
use common::network::{ORIGIN, WITNESS_SEED, key, log_signer, network};
use portcullis_core::Network;
use portcullis_tlog::{KeyName, LogKey, LogSigner, Signer as _};
use portcullis_witness::{Cosigner, MemoryError, Witness};
use std::sync::Arc;

const NOW: u64 = 1_700_000_000;

fn successor() -> LogSigner {
    LogSigner::from_seed(KeyName::new(ORIGIN).unwrap(), &[0x81; 32]).unwrap()
}

fn cosigner(network: &Network) -> Cosigner {
    Cosigner::new(network, Arc::new(key(WITNESS_SEED))).unwrap()
}

fn both() -> Vec<LogKey> {
    vec![log_signer().key().clone(), successor().key().clone()]
}

fn begun() -> SimDisk {
    let disk = SimDisk::default();
    let network = network();
    Witness::create(&network, &cosigner(&network), &disk).unwrap();
    disk
}

fn open(disk: &SimDisk, keys: Vec<LogKey>) -> Result<Witness, MemoryError> {
    let network = network();
    let clock = HandClock::at_second(NOW).shared();
    Witness::open_with(&network, keys, cosigner(&network), clock, disk.shared())
}

fn status(witness: &mut Witness, old: u64, new: u64, signer: &LogSigner) -> u16 {
    let body = TestLog::new(64).request(old, new, signer);
    witness.handle(&body).status
}

#[test]
fn once_the_successor_has_signed_the_key_of_before_gets_nothing_cosigned() {
    let disk = begun();
    let mut witness = open(&disk, both()).unwrap();
    assert_eq!(status(&mut witness, 0, 8, &log_signer()), 200);
    assert_eq!(status(&mut witness, 8, 20, &successor()), 200);
    assert_eq!(status(&mut witness, 20, 20, &log_signer()), 403);
    assert_eq!(status(&mut witness, 20, 21, &log_signer()), 403);
    let mut again = open(&disk, both()).unwrap();
    assert_eq!(status(&mut again, 20, 21, &log_signer()), 403);
    assert_eq!(status(&mut again, 20, 21, &successor()), 200);
    // The operator leaves the old one out, now or later.
    let mut alone = open(&disk, vec![successor().key().clone()]).unwrap();
    assert_eq!(status(&mut alone, 21, 22, &log_signer()), 403);
    assert_eq!(status(&mut alone, 21, 22, &successor()), 200);
}

#[test]
fn what_is_not_named_is_not_cosigned() {
    let mut witness = open(&begun(), Vec::new()).unwrap();
    assert_eq!(status(&mut witness, 0, 8, &successor()), 403);
    assert_eq!(status(&mut witness, 0, 8, &log_signer()), 200);
    let mut witness = open(&begun(), vec![successor().key().clone()]).unwrap();
    assert_eq!(status(&mut witness, 0, 8, &log_signer()), 403);
}

/// It proves nothing by which key a note claims to be signed, and turns nobody.
#[test]
fn a_signature_that_does_not_hold_retires_no_key() {
    let disk = begun();
    let mut witness = open(&disk, both()).unwrap();
    let log = TestLog::new(64);
    let good = String::from_utf8(log.request(0, 8, &successor())).unwrap();
    let other = String::from_utf8(log.request(0, 9, &successor())).unwrap();
    let last = |text: &str| text.lines().last().unwrap().to_owned();
    let bad = good.replace(&last(&good), &last(&other));
    assert_eq!(witness.handle(bad.as_bytes()).status, 403);
    // Nor does a good one of a journal that does not go on from here.
    assert_eq!(status(&mut witness, 0, 8, &log_signer()), 200);
    let forked = TestLog::forked_at(64, 3).request(8, 20, &successor());
    assert_eq!(witness.handle(&forked).status, 422);
    assert_eq!(status(&mut witness, 8, 9, &log_signer()), 200);
}

#[test]
fn a_witness_that_is_not_given_the_newest_key_any_more_does_not_start() {
    let disk = begun();
    let mut witness = open(&disk, both()).unwrap();
    assert_eq!(status(&mut witness, 0, 8, &successor()), 200);
    for keys in [Vec::new(), vec![log_signer().key().clone()]] {
        let error = open(&disk, keys).err().unwrap();
        assert!(matches!(error, MemoryError::OtherLogKey(_)), "{error}");
    }
}

/// The disk dies in each operation of the turn, in each way: whatever was cosigned for the successor, nothing is
/// for the key of before.
#[test]
fn no_crash_brings_the_key_of_before_back() {
    for death in Death::ALL {
        for operation in 1..=4 {
            let disk = begun();
            let mut witness = open(&disk, both()).unwrap();
            assert_eq!(status(&mut witness, 0, 8, &log_signer()), 200);
            disk.die_in(operation, death);
            let turned = status(&mut witness, 8, 20, &successor());
            let what = format!("{death:?} in {operation}: {turned}");
            disk.revive();
            let Ok(mut again) = open(&disk, both()) else {
                assert_eq!(death, Death::Torn, "{what}");
                continue;
            };
            let by_old = [(8, 9), (20, 21)];
            let by_old = by_old.map(|(old, new)| status(&mut again, old, new, &log_signer()));
            if turned == 200 {
                assert_eq!(by_old, [403, 403], "{what}");
            }
            let size = if by_old[0] == 200 { 9 } else { 8 };
            let on = [size, 20].map(|old| status(&mut again, old, 21, &successor()));
            assert!(on.contains(&200), "{what}: {on:?}");
        }
    }
}

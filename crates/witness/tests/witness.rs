//! The witness, by its answers.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod common;

use common::clock::HandClock;
use common::disk::{Death, SimDisk};
use common::log::TestLog;
use common::network::{WITNESS_SEED, key, log_signer, network, witness_key};
use portcullis_core::Network;
use portcullis_tlog::witness::{MAX_REQUEST_BYTES, SIZE_CONTENT_TYPE};
use portcullis_tlog::{KeyName, LogSigner, NoteSignature};
use portcullis_witness::{Cosigner, MemoryError, Response, Witness};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

const NOW: u64 = 1_700_000_000;

struct Desk {
    clock: HandClock,
    disk: SimDisk,
    log: TestLog,
    witness: Witness,
}

impl Desk {
    /// A witness that has just begun.
    fn new() -> Self {
        let (clock, disk) = (HandClock::at_second(NOW), SimDisk::default());
        let network = network();
        Witness::create(&network, &cosigner(&network), &disk).unwrap();
        let witness = open(&clock, &disk).unwrap();
        let log = TestLog::new(64);
        Self {
            clock,
            disk,
            log,
            witness,
        }
    }

    /// A witness that has cosigned a size.
    fn at(size: u64) -> Self {
        let mut desk = Self::new();
        desk.cosign(0, size);
        desk
    }

    fn ask(&mut self, old: u64, new: u64) -> Response {
        let body = self.log.request(old, new, &log_signer());
        self.witness.handle(&body)
    }

    /// Asks, and gives the time of the cosignature, which holds.
    fn cosign(&mut self, old: u64, new: u64) -> u64 {
        let response = self.ask(old, new);
        cosigned_at(&self.log, new, &response)
    }

    fn restart(&mut self) {
        self.witness = open(&self.clock, &self.disk).unwrap();
    }
}

fn cosigner(network: &Network) -> Cosigner {
    Cosigner::new(network, Arc::new(key(WITNESS_SEED))).unwrap()
}

fn open(clock: &HandClock, disk: &SimDisk) -> Result<Witness, MemoryError> {
    let network = network();
    Witness::open(&network, cosigner(&network), clock.shared(), disk.shared())
}

fn cosigned_at(log: &TestLog, size: u64, response: &Response) -> u64 {
    assert_eq!(response.status, 200, "{}", text(response));
    let lines = NoteSignature::parse_lines(&response.body).unwrap();
    assert_eq!(lines.len(), 1);
    let checkpoint = log.signed(size, &log_signer());
    let cosignature = witness_key().verify_answer(&checkpoint, &lines).unwrap();
    cosignature.time().unix()
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

#[test]
fn a_growing_log_is_cosigned_with_the_clocks_time() {
    let mut desk = Desk::new();
    for (old, new) in [(0, 1), (1, 2), (2, 7), (7, 8), (8, 64)] {
        desk.clock.pass(1500);
        let time = desk.cosign(old, new);
        assert_eq!(time, portcullis_host::Clock::now(&desk.clock).0 / 1000);
    }
}

/// Each refusal of the protocol, with what a client is told. The witness stands at size 8.
#[test]
fn every_refusal_has_its_status_and_changes_nothing() {
    let honest = TestLog::new(64);
    let fork = TestLog::forked_at(64, 5);
    let signer = log_signer();
    let impostor = LogSigner::from_seed(KeyName::new(common::network::ORIGIN).unwrap(), &[9; 32]);
    let elsewhere = LogSigner::from_seed(KeyName::new("log.example/other").unwrap(), &[1; 32]);
    let honest_text = String::from_utf8(honest.request(8, 20, &signer)).unwrap();
    let without_proof_line = honest_text.replacen('\n', "\n\u{0}", 1).replace(
        &format!("\u{0}{}\n", honest_text.lines().nth(1).unwrap()),
        "",
    );
    let signature_altered = honest_text.replace("\u{2014} log.example", "\u{2014} log.exomple");

    #[rustfmt::skip] // a table
    let table: &[(&str, Vec<u8>, u16, &str)] = &[
        ("nothing",                   b"".to_vec(),                                     400, "urn:portcullis:reason:100"),
        ("garbage",                   b"\xff\xfe\x00garbage".to_vec(),                  400, "urn:portcullis:reason:100"),
        ("no old line",               honest_text.replacen("old ", "new ", 1).into(),   400, "urn:portcullis:reason:100"),
        ("old size with a zero",      honest_text.replacen("old 8", "old 08", 1).into(),400, "urn:portcullis:reason:100"),
        ("a proof line too short",    honest_text.replacen("=\n", "\n", 1).into(),      400, "urn:portcullis:reason:100"),
        ("too long",                  vec![b'a'; MAX_REQUEST_BYTES + 1],                413, "urn:portcullis:reason:101"),
        ("another origin",            honest.request(8, 20, &elsewhere.unwrap()),       404, "urn:portcullis:reason:905"),
        ("another key, same name",    honest.request(8, 20, &impostor.unwrap()),        403, "about:blank"),
        ("no signature by the key",   signature_altered.into(),                         403, "about:blank"),
        ("old above new",             honest.request(20, 8, &signer),                   400, "urn:portcullis:reason:100"),
        ("old below the known",       honest.request(7, 20, &signer),                   409, "8\n"),
        ("old above the known",       honest.request(9, 20, &signer),                   409, "8\n"),
        ("a smaller tree",            honest.request(5, 6, &signer),                    409, "8\n"),
        ("the empty tree",            honest.request(0, 0, &signer),                    409, "8\n"),
        ("same size, other root",     fork.request(8, 8, &signer),                      409, "8\n"),
        ("a fork, longer",            fork.request(8, 20, &signer),                     422, "about:blank"),
        ("a proof line missing",      without_proof_line.into(),                        422, "about:blank"),
        ("a proof where none is due", with_proof_line(&honest.request(8, 8, &signer)),  422, "about:blank"),
    ];
    let mut desk = Desk::at(8);
    let before = desk.disk.operations();
    for (what, body, status, told) in table {
        let response = desk.witness.handle(body);
        assert_eq!(response.status, *status, "{what}: {}", text(&response));
        if *status == 409 {
            assert_eq!(response.content_type, SIZE_CONTENT_TYPE, "{what}");
            assert_eq!(text(&response), *told, "{what}");
        } else {
            assert_eq!(response.content_type, "application/problem+json", "{what}");
            let told = format!("\"type\":\"{told}\"");
            assert!(
                text(&response).contains(&told),
                "{what}: {}",
                text(&response)
            );
        }
    }
    // Only the two contradictions were written down, once each.
    assert_eq!(desk.disk.operations() - before, 4);
    assert!(desk.disk.bytes("witness/inconsistent-refused").is_some());
    desk.cosign(8, 20);
}

fn with_proof_line(request: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(request.to_vec()).unwrap();
    let line = portcullis_tlog::Hash::EMPTY_ROOT.to_base64();
    text.replacen('\n', &format!("\n{line}\n"), 1).into_bytes()
}

#[test]
fn both_sides_of_a_fork_are_kept() {
    let mut desk = Desk::at(8);
    let fork = TestLog::forked_at(64, 5).request(8, 8, &log_signer());
    assert_eq!(desk.witness.handle(&fork).status, 409);
    let ours = desk.disk.bytes("witness/fork-cosigned").unwrap();
    let cosigned = desk.log.signed(8, &log_signer());
    assert_eq!(ours, cosigned.note().to_string().into_bytes());
    assert_eq!(desk.disk.bytes("witness/fork-refused").unwrap(), fork);

    // The first one stays.
    let another = TestLog::forked_at(64, 3).request(8, 8, &log_signer());
    assert_eq!(desk.witness.handle(&another).status, 409);
    assert_eq!(desk.disk.bytes("witness/fork-refused").unwrap(), fork);
}

#[test]
fn an_equal_size_renews_the_time_with_one_write_a_second() {
    let mut desk = Desk::at(8);
    let before = desk.disk.operations();
    for _ in 0..100 {
        assert_eq!(desk.cosign(8, 8), NOW);
    }
    assert_eq!(
        desk.disk.operations(),
        before,
        "said before, so durable before"
    );
    desk.clock.pass(1000);
    for _ in 0..100 {
        assert_eq!(desk.cosign(8, 8), NOW + 1);
    }
    assert_eq!(
        desk.disk.operations(),
        before + 2,
        "one append and its sync"
    );
}

#[test]
fn the_empty_tree_is_a_tree() {
    let mut desk = Desk::new();
    assert_eq!(desk.cosign(0, 0), NOW);
    assert_eq!(desk.cosign(0, 3), NOW);
}

#[test]
fn time_never_goes_back_even_over_a_restart() {
    let mut desk = Desk::at(8);
    desk.clock.set_second(NOW + 50);
    assert_eq!(desk.cosign(8, 8), NOW + 50);
    desk.clock.set_second(NOW - 1000);
    assert_eq!(desk.cosign(8, 9), NOW + 50, "it stands still");
    desk.restart();
    assert_eq!(desk.cosign(9, 10), NOW + 50, "it was kept");
    desk.clock.set_second(NOW + 51);
    assert_eq!(desk.cosign(10, 11), NOW + 51);
}

#[test]
fn without_a_clock_there_is_no_cosignature() {
    let mut desk = Desk::new();
    desk.clock.set_second(0);
    assert_eq!(desk.ask(0, 5).status, 503);
    desk.clock.set_second(NOW);
    desk.cosign(0, 5);
}

#[test]
fn of_two_histories_racing_for_one_size_one_is_cosigned() {
    for round in 0..50 {
        let desk = Desk::at(8);
        let honest = desk.log.request(8, 20, &log_signer());
        let forked = TestLog::forked_at(64, 10).request(8, 20, &log_signer());
        let witness = Arc::new(Mutex::new(desk.witness));
        let start = Arc::new(Barrier::new(2));
        let race = [honest, forked].map(|body| {
            let (witness, start) = (Arc::clone(&witness), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                witness.lock().unwrap().handle(&body).status
            })
        });
        let mut statuses = race.map(|thread| thread.join().unwrap());
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "round {round}");
    }
}

/// The disk dies in each operation of a run, in each way. What left before is never contradicted.
#[test]
fn no_crash_makes_it_cosign_another_history() {
    let steps = [
        (0, 3),
        (3, 3),
        (3, 4),
        (4, 11),
        (11, 11),
        (11, 12),
        (12, 20),
    ];
    for death in Death::ALL {
        for operation in 1..=12 {
            let mut desk = Desk::new();
            desk.disk.die_in(operation, death);
            let mut left = (0, 0);
            for (old, new) in steps {
                desk.clock.pass(700);
                let response = desk.ask(old, new);
                if response.status != 200 {
                    assert_eq!(response.status, 503);
                    assert!(desk.witness.is_stopped());
                    assert_eq!(desk.ask(old, new).status, 503, "stopped means stopped");
                    break;
                }
                left = (new, cosigned_at(&desk.log, new, &response));
            }
            assert!(desk.disk.is_dead(), "{death:?} in {operation}");
            desk.disk.revive();
            desk.clock.set_second(NOW - 500);
            match open(&desk.clock, &desk.disk) {
                Ok(witness) => {
                    desk.witness = witness;
                    check_never_contradicts(&mut desk, left);
                }
                // A record half written: it does not guess.
                Err(error) => {
                    assert_eq!(death, Death::Torn, "{error}");
                    assert!(
                        error.to_string().contains("docs/spec/witness.md"),
                        "{error}"
                    );
                }
            }
        }
    }
}

fn check_never_contradicts(desk: &mut Desk, (size, time): (u64, u64)) {
    for fork_at in [0, size.saturating_sub(1)] {
        let fork = TestLog::forked_at(64, fork_at);
        for (old, new) in (0..=20).flat_map(|old| [(old, old), (old, old + 1), (old, 64)]) {
            let contradicts = fork_at < size && fork_at < new;
            if contradicts {
                let response = desk.witness.handle(&fork.request(old, new, &log_signer()));
                assert_ne!(response.status, 200, "{old} to {new}, parting at {fork_at}");
            }
        }
    }
    let known = known_size(desk);
    assert!(known >= size, "it forgot {size}, it knows {known}");
    assert!(desk.cosign(known, known) >= time, "its time went back");
}

fn known_size(desk: &mut Desk) -> u64 {
    let response = desk.ask(63, 64);
    assert_eq!(response.status, 409);
    text(&response).trim().parse().unwrap()
}

#[test]
fn a_witness_without_its_record_does_not_start() {
    for name in ["witness/base", "witness/tail"] {
        let desk = Desk::at(8);
        desk.disk.lose(name);
        let error = open(&desk.clock, &desk.disk).err().unwrap().to_string();
        assert!(error.contains(name) && error.contains("new key"), "{error}");
    }
    let desk = Desk::at(8);
    let network = network();
    let again = Witness::create(&network, &cosigner(&network), &desk.disk);
    assert!(again.unwrap_err().to_string().contains("not touched"));
    desk.disk.lose("witness/base");
    assert!(Witness::create(&network, &cosigner(&network), &desk.disk).is_err());
}

/// Every byte of every record matters: one flipped, and the witness does not start.
#[test]
fn a_flipped_byte_stops_it() {
    let mut desk = Desk::at(8);
    desk.cosign(8, 9);
    desk.disk
        .change("witness/tail", |bytes| bytes.truncate(256));
    let records = [("witness/base", 128), ("witness/tail", 256)];
    for (name, length) in records {
        for at in 0..length {
            desk.disk.change(name, |bytes| bytes[at] ^= 0x40);
            let error = open(&desk.clock, &desk.disk).err().expect("it started");
            assert!(error.to_string().contains(name), "{error}");
            desk.disk.change(name, |bytes| bytes[at] ^= 0x40);
        }
    }
    desk.restart();
    desk.cosign(9, 10);
}

#[test]
fn a_missing_record_in_the_middle_stops_it() {
    let mut desk = Desk::at(8);
    desk.cosign(8, 9);
    desk.cosign(9, 10);
    desk.disk.change("witness/tail", |bytes| {
        bytes.drain(128..256);
    });
    let error = open(&desk.clock, &desk.disk).err().unwrap().to_string();
    assert!(error.contains("missing"), "{error}");
}

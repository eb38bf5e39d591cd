//! Verifying a journal: one that holds, one that tells of a hostile gate, and every damaged byte.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod flips;

use flips::sixty_four;
use portcullis_client::verify::{self, Report};
use portcullis_core::entry::{Body, Submission};
use portcullis_core::{Digest, Evidence, Span, Time};
use portcullis_host::{Disk, SystemRandom};
use portcullis_journal::{Directory, Journal, Projection};
use portcullis_keeper::testkit::{CrashDisk, Customer, HandClock, Ledger, World};
use portcullis_tlog::Cosigned;
use std::sync::Arc;

/// Small, so that a journal of a few dozen entries has several.
const SEGMENT: u64 = 4 * 1024;

fn ledger() -> (Ledger, Customer) {
    let clock = HandClock::at(Time(1_800_000_000_000));
    let mut ledger = Ledger::new(Arc::new(World::new()), clock);
    let customer = Customer::number(1);
    ledger.open(&customer);
    ledger.add_address(&customer, payee());
    (ledger, customer)
}

fn payee() -> portcullis_chains::caip::Address {
    "eip155:31337:0x00000000000000000000000000000000000000aa"
        .parse()
        .unwrap()
}

/// The ledger as a gate stores it.
fn store(ledger: &Ledger) -> CrashDisk {
    let disk = CrashDisk::default();
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let (store, recovered) =
        Directory::open(Arc::clone(&shared), SEGMENT, Arc::new(SystemRandom)).unwrap();
    let mut journal = Journal::open(store, &recovered, shared, 0).unwrap();
    for batch in ledger.entries.chunks(3) {
        let bytes = batch.iter().map(Vec::len).sum::<usize>() as u64;
        journal.make_room(bytes, batch.len() as u64).unwrap();
        journal.append(batch.to_vec()).unwrap();
    }
    // Files are written for what has been cosigned.
    let network = &ledger.world.network;
    let cosigned = Cosigned::parse(&ledger.note, network.log(), network.quorum()).unwrap();
    let size = cosigned.head().size;
    Projection::new(journal.view())
        .publish(size, &ledger.note)
        .unwrap();
    reserve(&disk);
    disk
}

/// A real disk shows the room that the last segment has reserved, as zeros.
fn reserve(disk: &CrashDisk) {
    let name = |number| format!("segment/{number:012}");
    let last = (0..u64::MAX)
        .take_while(|number| disk.exists(&name(*number)))
        .last();
    let name = name(last.unwrap());
    let mut bytes = disk.bytes(&name).unwrap();
    bytes.extend([0; 100]);
    disk.put(&name, &bytes);
}

fn verified(ledger: &Ledger) -> Report {
    verify::journal(&store(ledger), ledger.world.digest())
}

#[test]
fn a_journal_that_holds_is_counted() {
    let (mut ledger, customer) = ledger();
    let act = ledger.withdraw(&customer, payee(), 7);
    ledger.cosign();
    let report = verified(&ledger);
    assert!(report.holds(), "{:?}", report.faults);
    assert_eq!(report.size, ledger.entries.len() as u64);
    assert_eq!(report.state, Some(ledger.state.digest()));
    assert_eq!(report.effects, Some(ledger.state.facts().effects));
    assert_eq!(report.entries["genesis"], 1);
    assert_eq!(report.entries["act withdraw released"], 1);
    assert_eq!(report.entries.values().sum::<u64>(), report.size);
    assert_eq!(report.without_receipt, [act]);
    assert!(report.void.is_empty() && report.late.is_empty());
    let seen = report.checkpoint.unwrap();
    assert_eq!(seen.size, report.size);
    assert!(!seen.witnesses.is_empty());
}

#[test]
fn a_release_without_evidence_is_void_and_no_fault_of_the_bytes() {
    let (mut ledger, customer) = ledger();
    let (act, evidence) = ledger.withdrawal(&customer, World::ETHER, payee(), 7);
    let honest = ledger.submission(act, evidence);
    let robbed = Submission {
        evidence: Evidence::default(),
        ..honest
    };
    ledger.enter(Body::Act(Box::new(robbed)));
    ledger.cosign();
    let index = ledger.state.size() - 1;
    let report = verified(&ledger);
    assert!(report.holds(), "{:?}", report.faults);
    assert_eq!(report.void.len(), 1);
    assert_eq!(
        (report.void[0].index, report.void[0].release),
        (index, true)
    );
    assert!(report.without_receipt.is_empty());
}

#[test]
fn a_release_cosigned_too_late_is_counted_as_late() {
    let (mut ledger, customer) = ledger();
    let act = ledger.withdraw(&customer, payee(), 7);
    let entry = ledger.state.size() - 1;
    ledger.clock.pass(Span::seconds(32));
    ledger.cosign();
    ledger.journal_checkpoint();
    ledger.cosign();
    let report = verified(&ledger);
    assert!(report.holds(), "{:?}", report.faults);
    let late: Vec<_> = report
        .late
        .iter()
        .map(|late| (late.entry, late.act))
        .collect();
    assert_eq!(late, [(entry, act)]);
}

/// First cosigned after its act had expired, it is given up; late it is all the same.
#[test]
fn a_release_that_was_never_submitted_in_time_is_counted_as_late() {
    let (mut ledger, customer) = ledger();
    let act = ledger.withdraw(&customer, payee(), 7);
    let entry = ledger.state.size() - 1;
    ledger.clock.pass(Span::hours(3));
    ledger.settle_clocks();
    let report = verified(&ledger);
    let late = report.late.iter().map(|late| (late.entry, late.act));
    assert_eq!(late.collect::<Vec<_>>(), [(entry, act)]);
}

/// A segment from the middle is gone: that is no shorter journal. It is named, and no gate goes on.
#[test]
fn a_missing_middle_segment_is_named_and_nothing_goes_on_behind_it() {
    let disk = store(&sixty_four());
    let gone = "segment/000000000001";
    assert!(disk.exists("segment/000000000002"));
    disk.remove(gone).unwrap();
    let report = verify::journal(&disk, World::new().digest());
    let named = report.faults.iter().filter(|fault| fault.file == gone);
    assert!(named.clone().any(|fault| fault.what.contains("missing")));
    assert_eq!(named.count(), 1);
    let opened = Directory::open(Arc::new(disk), SEGMENT, Arc::new(SystemRandom));
    assert!(opened.is_err_and(|error| error.to_string().contains(gone)));
}

#[test]
fn another_genesis_than_the_pinned_one_is_no_journal_of_ours() {
    let (ledger, _) = ledger();
    let report = verify::journal(&store(&ledger), Digest([7; 32]));
    assert!(!report.holds());
    assert_eq!(report.faults[0].file, "segment/000000000000");
    assert!(
        report.faults[0].what.contains("not the pinned one"),
        "{:?}",
        report.faults
    );
}

/// A file that is gone is as bad as one that is wrong.
#[test]
fn every_missing_file_is_named() {
    let ledger = sixty_four();
    let disk = store(&ledger);
    let pinned = ledger.world.digest();
    for name in disk.names() {
        let bytes = disk.bytes(&name).unwrap();
        disk.remove(&name).unwrap();
        let report = verify::journal(&disk, pinned);
        assert!(!report.holds(), "{name}");
        disk.put(&name, &bytes);
    }
}

/// Whoever holds the log key writes whatever entries it likes behind the newest cosigned checkpoint.
#[test]
fn what_no_witness_has_seen_is_counted_and_not_applied() {
    let (mut ledger, customer) = ledger();
    ledger.cosign();
    let (witnessed, state) = (ledger.state.size(), ledger.state.digest());
    ledger.withdraw(&customer, payee(), 7);
    let report = verified(&ledger);
    assert!(report.holds(), "{:?}", report.faults);
    assert_eq!((report.size, report.unwitnessed), (witnessed, 1));
    assert_eq!(report.state, Some(state));
    assert!(report.without_receipt.is_empty());
}

#[test]
fn a_checkpoint_from_elsewhere_shows_what_was_cut_or_forked() {
    let (mut ledger, customer) = ledger();
    ledger.cosign();
    let (old, mut fork) = (ledger.clone(), ledger.branch());
    ledger.withdraw(&customer, payee(), 7);
    ledger.cosign();
    fork.withdraw(&customer, payee(), 7);
    fork.cosign();
    let against = |stored: &Ledger, head: &Ledger| {
        verify::journal_up_to(&store(stored), head.world.digest(), Some(&head.note))
    };
    let held = against(&ledger, &old);
    assert!(held.holds(), "{:?}", held.faults);
    assert_eq!(held.size, ledger.state.size());
    for (stored, word) in [(&old, "was cut"), (&fork, "is another")] {
        let report = against(stored, &ledger);
        assert_eq!(report.faults.len(), 1, "{:?}", report.faults);
        assert!(report.faults[0].what.contains(word), "{:?}", report.faults);
    }
    // The stored checkpoint is older than the given one: that one counts.
    let mut unprojected = ledger.clone();
    unprojected.note.clone_from(&old.note);
    let report =
        verify::journal_up_to(&store(&unprojected), old.world.digest(), Some(&ledger.note));
    assert_eq!(report.unwitnessed, 0);
    assert_eq!(report.size, ledger.state.size());
}

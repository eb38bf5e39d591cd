//! A journal that forks, shrinks, or is not what the gate shows.

use crate::bench::Bench;
use crate::evidence::assert_latched;
use portcullis_core::Span;
use portcullis_core::act::LiftTarget;
use portcullis_core::statement::Condition;
use portcullis_keeper::testkit::World;

#[test]
fn wrong_entries_are_dropped_and_asked_for_again() {
    let mut bench = Bench::new();
    bench.run(2);
    let size = usize::try_from(bench.signer.state().size()).unwrap();
    bench.withdraw(5);
    let lie = {
        let mut other = bench.wire().ledger.branch();
        other.entries.truncate(size);
        vec![b"not the journal's".to_vec()]
    };
    bench.wire().lies = Some((size, lie));
    assert_eq!(bench.run(5), 0);
    assert_eq!(
        bench.signer.state().size(),
        size as u64,
        "nothing was applied"
    );
    bench.wire().lies = None;
    assert_eq!(bench.run(3), 1);
    assert!(
        bench.alarms().is_empty(),
        "the cosigned checkpoint was right all along"
    );
}

#[test]
fn two_roots_for_one_size_are_a_fork() {
    let mut bench = Bench::new();
    bench.run(10);
    let mut other = bench.wire().ledger.branch();
    bench.withdraw(5);
    assert_eq!(bench.tick().signed, 1);
    bench.wire().takes_statements = false;
    // The same number of entries, others.
    while other.entries.len() < bench.wire().ledger.entries.len() {
        other.journal_checkpoint();
    }
    bench.wire().ledger = other;
    bench.run(2);
    assert_fork(&mut bench);
}

#[test]
fn a_longer_history_that_leaves_ours_is_a_fork() {
    let mut bench = Bench::new();
    bench.run(10);
    let mut other = bench.wire().ledger.branch();
    bench.withdraw(5);
    bench.run(2);
    for _ in 0..20 {
        other.journal_checkpoint();
    }
    bench.wire().ledger = other;
    bench.wire().takes_statements = false;
    bench.wire().shows_tiles = false;
    bench.run(20);
    // A gate that hides its tiles proves nothing; the signer is stopped all the same.
    assert_eq!(bench.signer.keeper().latched().count(), 0);
    assert!(bench.signer.keeper().lease().is_err());
    bench.wire().shows_tiles = true;
    bench.run(20);
    assert_fork(&mut bench);
}

fn assert_fork(bench: &mut Bench) {
    assert_latched(bench, Condition::Fork);
    assert_eq!(bench.alarms(), ["fork"]);
    bench.restart();
    bench.run(2);
    assert_latched(bench, Condition::Fork);
}

#[test]
fn no_quorum_lifts_a_fork() {
    let mut bench = Bench::new();
    bench.run(10);
    let honest = bench.wire().ledger.clone();
    let mut other = bench.wire().ledger.branch();
    bench.withdraw(5);
    bench.run(2);
    while other.entries.len() < bench.wire().ledger.entries.len() {
        other.journal_checkpoint();
    }
    let ours = bench.wire().ledger.clone();
    bench.wire().takes_statements = false;
    bench.wire().ledger = other;
    bench.run(2);
    let latch = bench.signer.keeper().latched().next().unwrap().sight.id();
    bench.wire().ledger = ours;
    let keeper = World::KEEPER;
    bench
        .wire()
        .ledger
        .lift(LiftTarget::Latch { keeper, latch });
    bench.run(5);
    assert!(bench.signer.state().size() > honest.entries.len() as u64);
    assert_latched(&bench, Condition::Fork);
}

#[test]
fn a_journal_that_shrinks_latches() {
    let mut bench = Bench::new();
    bench.run(10);
    let shorter = bench.wire().ledger.clone();
    bench.withdraw(5);
    bench.run(2);
    bench.wire().takes_statements = false;
    bench.wire().ledger = shorter;
    bench.clock.pass(Span::seconds(2));
    bench.run(2);
    assert_latched(&bench, Condition::Shrunk);
    assert_eq!(bench.alarms(), ["shrunk"]);
}

#[test]
fn a_journal_that_shrank_while_the_signer_was_away_latches() {
    let mut bench = Bench::new();
    bench.run(10);
    let shorter = bench.wire().ledger.clone();
    bench.withdraw(5);
    assert_eq!(
        bench.tick().signed,
        1,
        "so the record names the longer journal"
    );
    bench.wire().takes_statements = false;
    bench.wire().ledger = shorter;
    // Nothing but the record remembers.
    portcullis_host::Disk::remove(&bench.disk, "mark").unwrap();
    bench.restart();
    bench.clock.pass(Span::seconds(5));
    bench.run(2);
    assert_latched(&bench, Condition::Shrunk);
}

#[test]
fn an_old_checkpoint_that_comes_late_is_no_alarm() {
    let mut bench = Bench::new();
    bench.run(10);
    let shorter = bench.wire().ledger.clone();
    bench.withdraw(5);
    bench.run(5);
    let longer = bench.wire().ledger.clone();
    {
        let mut wire = bench.wire();
        wire.ledger = shorter;
        wire.heartbeat = false;
    }
    bench.run(5);
    assert_eq!(bench.signer.keeper().latched().count(), 0);
    {
        let mut wire = bench.wire();
        wire.ledger = longer;
        wire.heartbeat = true;
    }
    bench.run(5);
    assert!(bench.alarms().is_empty());
    assert!(bench.signer.keeper().lease().is_ok());
}

/// A journal longer than one answer: its own checkpoints confirm it piece by piece.
#[test]
fn catching_up_in_small_answers() {
    let mut bench = Bench::new();
    for n in 0..10 {
        bench.withdraw(n + 1);
        bench.wire().ledger.settle_clocks();
    }
    bench.wire().chunk = 3;
    let mut signed = 0;
    for _ in 0..60 {
        signed += bench.tick().signed;
    }
    assert_eq!(signed, 10);
}

/// A gate may have journaled for long without a checkpoint. The journal is the journal: it is hashed
/// to its cosigned root first and then applied piece by piece.
#[test]
fn a_gap_larger_than_what_is_held_is_followed_in_two_passes() {
    let mut bench = Bench::new();
    bench.run(2);
    assert_eq!(bench.step().waits, None);
    {
        let mut wire = bench.wire();
        // 68 entries stay below the 4 MiB of an answer.
        wire.chunk = 68;
        for number in 0..2300u32 {
            let mut junk = vec![0; 60_000];
            junk[..4].copy_from_slice(&number.to_be_bytes());
            wire.ledger.entries.push(junk.clone());
            wire.ledger
                .state
                .apply(&junk, &portcullis_core::signature::Strict);
        }
        wire.ledger.cosign();
        // Every step would have it cosigned anew.
        wire.heartbeat = false;
    }
    // What the signer says of it is journaled behind.
    let (size, digest) = {
        let ledger = &bench.wire().ledger;
        (ledger.state.size(), ledger.state.digest())
    };
    for _ in 0..80 {
        bench.clock.pass(Span(100));
        let _ = bench.step();
        if bench.signer.state().size() == size {
            break;
        }
    }
    assert_eq!(bench.signer.state().size(), size);
    assert_eq!(bench.signer.state().digest(), digest);
}

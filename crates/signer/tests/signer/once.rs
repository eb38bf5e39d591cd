//! Once only, whatever breaks when.

use crate::bench::Bench;
use portcullis_chains::ethereum::{SignedTx, UnsignedTx};
use portcullis_core::act::{ActKind, Cancel};
use portcullis_core::state::release::End;
use portcullis_core::{Digest, Span};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::World;
use portcullis_signer::record::{Intent, Record};
use std::collections::{BTreeMap, BTreeSet};

/// The power goes at every write in turn, with more or less of the last one on the disk. Every time
/// the money arrives, by one and the same transaction, without a hand.
#[test]
fn a_crash_at_every_write_ends_right() {
    let mut crashes = 0;
    for torn in [0, 1, 40, 100_000] {
        for writes in 0.. {
            let mut bench = Bench::new();
            bench.run(1);
            let act = bench.withdraw(700);
            bench.disk.fill_after(writes);
            let survived = (0..4).all(|_| {
                bench.clock.pass(Span::seconds(1));
                bench.try_step().is_ok()
            });
            bench.disk.crash(torn);
            bench.restart();
            bench.run(20);
            arrives(&mut bench, act);
            if survived {
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes >= 4 * 4, "only {crashes} places to crash");
}

/// The payment leaves, the gate does not take the statement, the signer starts again, and the customer
/// cancels: a void is planned at the nonce that the payment uses up.
#[test]
fn a_payment_that_left_unstated_is_found_beside_its_void() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.wire().takes_statements = false;
    let act = bench.withdraw(5);
    assert_eq!(bench.run(2), 1);
    bench.restart();
    {
        let mut wire = bench.wire();
        let ledger = &mut wire.ledger;
        let cancel = ledger.customers_act(&bench.customer, ActKind::Cancel(Cancel { act }));
        let evidence = ledger.customers_evidence(&bench.customer, &cancel);
        ledger.submit(cancel, evidence);
        ledger.settle_clocks();
        ledger.settle(act);
        wire.takes_statements = true;
    }
    bench.node.chain().mine(true);
    for _ in 0..20 {
        bench.node.chain().height += 1;
        bench.run(5);
    }
    let end = bench.wire().ledger.state.facts().ended[&act].end;
    assert!(matches!(end, End::Confirmed(_)), "{end:?}");
    assert!(bench.alarms().is_empty(), "{:?}", bench.alarms());
}

fn arrives(bench: &mut Bench, act: Digest) {
    let got: BTreeSet<_> = bench.node.chain().got.iter().cloned().collect();
    assert_eq!(got.len(), 1, "one transaction, however often it was sent");
    let hash = SignedTx::from_bytes(got.first().unwrap()).unwrap().hash();
    bench.node.chain().mine(true);
    bench.node.chain().height += 2;
    bench.run(5);
    let ended = bench.wire().ledger.state.facts().ended[&act].end;
    assert_eq!(ended, End::Confirmed(Digest(hash)));
}

/// Restarted after each step, with nothing lost.
#[test]
fn a_restart_after_every_step_ends_right() {
    let mut bench = Bench::new();
    let act = bench.withdraw(700);
    for _ in 0..10 {
        bench.tick();
        bench.restart();
    }
    bench.run(3);
    arrives(&mut bench, act);
    assert_eq!(bench.wire().ledger.state.facts().void_entries, 0);
}

/// What is stopped between record and signature is not signed by recovery.
#[test]
fn recovery_finishes_only_what_nothing_bars() {
    let mut bench = Bench::new();
    bench.run(1);
    bench.withdraw(700);
    // One append and one sync for the intent; the signature finds the disk full.
    bench.disk.fill_after(2);
    bench.clock.pass(Span::seconds(1));
    assert!(bench.try_step().is_err());
    bench.disk.crash(0);
    {
        let mut wire = bench.wire();
        let scope = portcullis_core::act::Scope::Everything;
        let (act, evidence) = wire.ledger.suspension(scope);
        wire.ledger.submit(act, evidence);
    }
    bench.restart();
    assert_eq!(bench.run(20), 0);
    assert!(bench.node.chain().got.is_empty());
}

#[test]
fn recovery_first_catches_up() {
    let mut bench = Bench::new();
    bench.run(1);
    bench.withdraw(700);
    assert_eq!(bench.tick().signed, 1);
    bench.restart();
    // The gate shows an older journal under its old, fresh enough checkpoint: not enough.
    bench.wire().chunk = 2;
    bench.tick();
    assert!(bench.signer.keeper().lease().is_err());
}

#[test]
fn a_damaged_record_signs_nothing() {
    let mut bench = Bench::new();
    bench.withdraw(700);
    assert_eq!(bench.run(2), 1);
    let mut bytes = bench.disk.bytes("once-only").unwrap();
    bytes[50] ^= 1;
    bench.disk.put("once-only", &bytes);
    assert!(bench.try_restart().is_err());
}

#[test]
fn a_full_disk_signs_nothing_and_goes_on_when_there_is_room() {
    let mut bench = Bench::new();
    bench.run(1);
    bench.withdraw(700);
    bench.disk.fill_after(0);
    for _ in 0..3 {
        bench.clock.pass(Span::seconds(1));
        assert!(bench.try_step().is_err());
    }
    assert!(bench.node.chain().got.is_empty());
    bench.disk.make_room();
    bench.restart();
    assert_eq!(bench.run(3), 1);
}

/// The disk takes five seconds, for the record or for the signed bytes: the lease is over meanwhile.
/// What was begun is finished under the next one, and nothing is signed twice.
#[test]
fn a_disk_that_stalls_outlasts_the_lease() {
    for (stalls_at, signed, handed_out) in [(1, 0, 0), (2, 1, 0)] {
        let mut bench = Bench::new();
        bench.run(2);
        let act = bench.withdraw(700);
        for sync in 1..=stalls_at {
            let clock = bench.clock.clone();
            let stall = Span::seconds(if sync == stalls_at { 5 } else { 0 });
            bench.disk.meanwhile("once-only", move || clock.pass(stall));
        }
        let step = bench.step();
        assert_eq!((step.signed, step.handed_out), (signed, handed_out));
        assert!(bench.node.chain().got.is_empty(), "stalled at {stalls_at}");
        assert_eq!(bench.run(3) + signed, 1);
        arrives(&mut bench, act);
    }
}

/// Puts what was intended into the record, and more.
type Remember = fn(&mut Record, &Bench, Intent);

/// The journal has gone back, or says otherwise than it once did: this signer's own record alone knows
/// what the nonce was for.
#[test]
fn what_the_record_contradicts_is_not_signed() {
    let records: [(&str, Remember); 3] = [
        ("another act's", |record, bench, intent| {
            let act = Digest([7; 32]);
            intend(record, bench, Intent { act, ..intent });
        }),
        ("given up", intend),
        ("ended", |record, bench, intent| {
            let floors = BTreeMap::from([(intent.wallet, intent.nonce + 1)]);
            intend(record, bench, intent);
            record.forget(&bench.disk, floors).unwrap();
        }),
    ];
    for (name, remember) in records {
        let mut bench = Bench::new();
        bench.run(1);
        let act = bench.withdraw(700);
        let void = Intent {
            act,
            plan: Digest([8; 32]),
            wallet: World::WALLET,
            nonce: nonce_of(&bench, act),
            pays: None,
            shared: None,
        };
        let mut record = Record::open(&bench.disk).unwrap();
        remember(&mut record, &bench, void);
        bench.restart();
        assert_eq!(bench.run(5), 0, "{name}");
        assert!(bench.node.chain().got.is_empty(), "{name}");
        assert_eq!(bench.alarms(), ["nonce-conflict"], "{name}");
    }
}

/// Set out to be signed, by the newest checkpoint.
fn intend(record: &mut Record, bench: &Bench, intent: Intent) {
    let wire = bench.wire();
    let (note, next) = (&wire.ledger.note, wire.ledger.state.size());
    let now = bench.clock.now();
    record.intend(note, next, now, vec![intent]).unwrap();
}

fn nonce_of(bench: &Bench, act: Digest) -> u64 {
    let wire = bench.wire();
    let plans = &wire.ledger.state.facts().releases[&act].plans;
    let unsigned = &plans[0].unsigned;
    UnsignedTx::from_bytes(unsigned).unwrap().nonce()
}

//! The statement key is rotated: up to the entry the old one speaks, from there on its successor.

use crate::bench::{Bench, PAYEE};
use portcullis_core::act::{ActKind, Approve, Keys, Rotate};
use portcullis_core::{Digest, Span};
use portcullis_keeper::NoLease;
use portcullis_keeper::testkit::{World, id};
use portcullis_keys::StatementKey as _;
use std::sync::Arc;

pub(crate) const FRESH: u8 = 0xe1;

/// A quorum puts another key in the place of the signer's.
pub(crate) fn rotate(bench: &Bench) {
    let mut wire = bench.wire();
    let ledger = &mut wire.ledger;
    let keys = Keys::Keeper {
        keeper: World::KEEPER,
        key: World::key(&id(FRESH)).public_key().clone(),
    };
    let replaces = ledger.state.keys_in_place_of(&keys).unwrap().digest();
    let kind = ActKind::Rotate(Rotate { replaces, keys });
    let act = ledger.staff(World::administrator(0), kind);
    ledger.staff(World::administrator(1), ActKind::Approve(Approve { act }));
    ledger.settle_clocks();
    bench.clock.pass(Span::seconds(6));
    ledger.settle_clocks();
    ledger.settle(act);
    ledger.settle_clocks();
}

fn statements(bench: &Bench, act: Digest) -> usize {
    let wire = bench.wire();
    let release = wire.ledger.state.facts().releases.get(&act);
    release.map_or(0, |release| release.signed.len())
}

#[test]
fn what_it_could_not_state_it_does_not_sign() {
    let mut bench = Bench::new();
    bench.run(2);
    rotate(&bench);
    let act = bench.wire().ledger.withdraw(&bench.customer, PAYEE, 10);
    bench.wire().ledger.settle_clocks();
    let steps: Vec<_> = (0..3).map(|_| bench.tick()).collect();
    assert!(steps.iter().all(|step| step.signed == 0));
    let waits = steps.last().unwrap().waits;
    assert_eq!(waits, Some(NoLease::OtherKey));
    assert_eq!(statements(&bench, act), 0);

    let mut bench = bench.reopen_with(Arc::new(World::key(&id(FRESH))));
    assert_eq!(bench.run(3), 1);
    assert_eq!(statements(&bench, act), 1);
}

/// What was signed and not yet stated is stated by the successor.
#[test]
fn what_the_old_key_left_unsaid_its_successor_states() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.wire().takes_statements = false;
    let act = bench.withdraw(10);
    bench.step();
    assert_eq!(statements(&bench, act), 0);
    rotate(&bench);
    bench.wire().takes_statements = true;
    bench.run(3);
    assert_eq!(
        statements(&bench, act),
        0,
        "the old key says nothing any more"
    );
    let mut bench = bench.reopen_with(Arc::new(World::key(&id(FRESH))));
    bench.run(3);
    assert_eq!(statements(&bench, act), 1);
}

/// With another key the own snapshot is not read, and the journal is, from its beginning: past entries under
/// which the old key was in force.
#[test]
fn what_it_reads_again_does_not_turn_it_back() {
    let mut bench = Bench::new();
    bench.run(2);
    rotate(&bench);
    bench.run(2);
    let fresh = World::key(&id(FRESH));
    let to = bench.signer.keeper().key_to_turn_to();
    assert_eq!(to.as_ref(), Some(fresh.public_key()));
    bench.wire().chunk = 3;
    let mut bench = bench.reopen_with(Arc::new(fresh));
    let mut has_read_past_the_old = false;
    for _ in 0..100 {
        bench.step();
        has_read_past_the_old |= !bench.signer.keeper().speaks();
        assert_eq!(bench.signer.keeper().key_to_turn_to(), None);
    }
    assert!(has_read_past_the_old && bench.signer.keeper().speaks());
}

//! The journal's own key is rotated: the replica goes by the size of a checkpoint, and never by who shows it.

use crate::gate::Gate;
use crate::handover::{look, newest, reach_the_end, step};
use portcullis_core::act::Keys;
use portcullis_core::{Span, Time};
use portcullis_host::Clock as _;
use portcullis_keeper::follow::FollowFault;
use portcullis_keeper::testkit::{Ledger, World};
use portcullis_tlog::{CheckpointError, CosignedError, SignatureError, TreeHead};
use std::time::Duration;

const OLD: u8 = 0x80;
const NEW: u8 = 0x81;

/// The rotation, of which the key of before has yet to sign the journal. Gives the size.
fn rotate(gate: &Gate) -> u64 {
    let mut wire = gate.wire();
    wire.ledger.rotate_log(NEW);
    wire.ledger.state.handing_over().unwrap()
}

/// The gate shows this head, by this key and every witness, at this time, and nothing fresher.
fn show(gate: &Gate, head: TreeHead, seed: u8, time: Time) {
    let mut wire = gate.wire();
    let witnesses = &wire.ledger.world.witnesses;
    wire.ledger.note = Ledger::note_signed(head, time, &World::log(seed), witnesses);
    wire.heartbeat = false;
    wire.shows_handovers = false;
}

/// With nothing but genesis it comes past each handover, of the key and of the witnesses, in pieces of any size.
#[test]
fn whoever_begins_anew_comes_past_every_one() {
    let gate = Gate::new();
    for seed in [NEW, 0x82, 0x83] {
        {
            let ledger = &mut gate.wire().ledger;
            ledger.rotate_log(seed);
            ledger.settle_clocks();
            ledger.rotate_witnesses(World::witnesses_of(&[0x92, seed + 0x14, seed + 0x18]));
            ledger.settle_clocks();
        }
        gate.withdraw(5);
        gate.wire().ledger.settle_clocks();
    }
    let want = gate.wire().ledger.state.facts().clone();
    for chunk in [1, 2, 3, 7, 100] {
        gate.wire().chunk = chunk;
        let mut follower = gate.follower();
        for _ in 0..2 * want.log.size() {
            step(&mut follower).unwrap();
        }
        assert_eq!(follower.state().facts(), &want, "{chunk}");
    }
}

/// Both rotations take effect before either handover is in the journal.
#[test]
fn key_and_witnesses_may_be_handed_over_at_once() {
    let gate = Gate::new();
    let mut follower = gate.follower();
    reach_the_end(&gate, &mut follower);
    {
        let ledger = &mut gate.wire().ledger;
        let witnesses = World::witnesses_of(&[0x92, 0x94, 0x95]);
        ledger.rotate_at_once(&[World::log_keys(NEW), Keys::Witnesses { witnesses }]);
        let handovers = ledger.state.handovers();
        assert_eq!(handovers.len(), 2);
        assert!(handovers.iter().all(|one| one.sealed.is_none()));
        for _ in 0..3 {
            ledger.settle_clocks();
        }
        assert_eq!(ledger.state.handing_over(), None);
    }
    reach_the_end(&gate, &mut follower);
}

/// Somebody has the key of before, and every witness cosigns what it signs: the replica stays where it is.
#[test]
fn the_key_of_before_moves_nobody_who_is_past() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    look(&gate, &mut keeper);
    let last = rotate(&gate);
    gate.wire().ledger.settle_clocks();
    (0..3).for_each(|_| look(&gate, &mut keeper));
    assert!(keeper.lease().is_ok());
    let size = keeper.state().size();
    let mut other = gate.wire().ledger.branch();
    other.entries.truncate(usize::try_from(last).unwrap() - 1);
    other.entries.push(b"another entry".to_vec());
    let forked = other.head_at(other.entries.len());
    gate.withdraw(5);
    let fresh = gate.clock.now().after(Span::seconds(2));
    let past = gate.wire().ledger.head_at(usize::try_from(last).unwrap());
    let heads = [
        ("another journal", forked),
        ("the last of its own, once more", past),
        ("the newest", newest(&gate)),
    ];
    for (what, head) in heads {
        show(&gate, head, OLD, fresh);
        look(&gate, &mut keeper);
        assert_eq!(keeper.latched().count(), 0, "{what}");
        assert_eq!(keeper.state().size(), size, "{what}");
    }
}

/// A gate that goes on with the key of before is told apart from one that is silent.
#[test]
fn a_gate_that_keeps_its_old_key_shows_nothing_that_counts() {
    let gate = Gate::new();
    let mut follower = gate.follower();
    reach_the_end(&gate, &mut follower);
    rotate(&gate);
    gate.wire().ledger.settle_clocks();
    reach_the_end(&gate, &mut follower);
    gate.withdraw(5);
    show(&gate, newest(&gate), OLD, gate.clock.now());
    let fault = follower.step(Duration::ZERO).unwrap_err();
    let missing = CheckpointError::Signature(SignatureError::Missing);
    let FollowFault::Checkpoint(CosignedError::Checkpoint(found)) = &fault else {
        panic!("{fault}")
    };
    assert_eq!(*found, missing);
    // Nor does the next key, before it is in force.
    let mut follower = gate.follower();
    let early = gate.wire().ledger.head_at(3);
    show(&gate, early, NEW, gate.clock.now());
    assert!(step(&mut follower).is_err());
}

/// Its own files hold a head by a key of which the replica, from its older snapshot, has yet to read.
#[test]
fn a_keeper_that_begins_again_acts_by_nothing_before_it_is_where_it_was() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    look(&gate, &mut keeper);
    keeper.save(&[]).unwrap();
    rotate(&gate);
    gate.wire().ledger.settle_clocks();
    gate.clock.pass(Span::seconds(20));
    (0..3).for_each(|_| look(&gate, &mut keeper));
    let was = keeper.state().size();
    let mut again = gate.keeper();
    assert!(again.state().size() < was);
    gate.wire().chunk = 1;
    while again.state().size() < was {
        assert!(again.lease().is_err(), "{}", again.state().size());
        look(&gate, &mut again);
    }
    (0..30).for_each(|_| look(&gate, &mut again));
    assert!(again.lease().is_ok());
    assert_eq!(again.state().facts(), gate.wire().ledger.state.facts());
}

/// The same where the last checkpoint by the key of before is fresh: it would be enough to act by.
#[test]
fn a_head_by_a_key_of_which_it_has_not_read_is_waited_for() {
    let gate = Gate::new();
    let mut follower = gate.follower();
    reach_the_end(&gate, &mut follower);
    let last = rotate(&gate);
    let mut further = gate.wire().ledger.branch();
    further.settle_clocks();
    follower.recall(&further.note).unwrap();
    gate.wire().ledger.cosign();
    step(&mut follower).unwrap();
    assert_eq!(follower.state().size(), last);
    assert!(follower.acting_head(gate.clock.now()).is_none());
    let mut forgetful = gate.follower();
    step(&mut forgetful).unwrap();
    assert!(forgetful.acting_head(gate.clock.now()).is_some());
    gate.wire().ledger = further;
    reach_the_end(&gate, &mut follower);
}

//! Witnesses who take over: by size, and never by who shows a checkpoint.

use crate::stage::Stage;
use portcullis_core::act::{ActKind, Keys, Rotate, Scope, Suspend};
use portcullis_core::entry::Body;
use portcullis_core::genesis::Witnesses;
use portcullis_core::{Digest, Reason, Span, State, VoidReason};
use portcullis_keeper::testkit::{Ledger, World};
use portcullis_tlog::{TreeHead, WitnessSigner};
use proptest::prelude::*;
use std::sync::Arc;

const OLD: [u8; 3] = [0x91, 0x92, 0x93];
/// One of the old stays.
const NEW: [u8; 3] = [0x92, 0x94, 0x95];

fn signers(seeds: &[u8]) -> Vec<WitnessSigner> {
    seeds.iter().copied().map(World::witness).collect()
}

/// A journal that ends with the rotation.
fn rotated() -> Stage {
    let mut stage = Stage::lost();
    stage.ledger.rotate_witnesses(World::witnesses_of(&NEW));
    stage
}

fn note(ledger: &Ledger, head: TreeHead, seeds: &[u8]) -> Vec<u8> {
    ledger.note_by(head, ledger.state.facts().time, &signers(seeds))
}

/// Whether the journal would take the checkpoint of this head by these witnesses.
fn takes(stage: &Stage, head: TreeHead, seeds: &[u8]) -> bool {
    let mut ledger = stage.ledger.clone();
    let note = note(&ledger, head, seeds);
    let applied = ledger.enter(Body::Checkpoint(note));
    assert!(matches!(applied.void, None | Some(VoidReason::Checkpoint)));
    applied.void.is_none()
}

fn now(stage: &Stage) -> TreeHead {
    stage.facts().log.head()
}

#[test]
fn those_of_before_cosign_the_rotation_and_nothing_longer() {
    let mut stage = rotated();
    let last = now(&stage);
    assert_eq!(stage.state().handing_over(), Some(last.size));
    assert!(!takes(&stage, last, &NEW), "of these nobody knows yet");
    assert!(takes(&stage, last, &OLD));
    // The journal goes on meanwhile; nobody's word on that counts before it has theirs.
    let suspend = Suspend {
        scope: Scope::Everything,
    };
    let act = stage.staffs(World::OPERATOR, ActKind::Suspend(suspend));
    stage.submit(act);
    for seeds in [&OLD, &NEW] {
        assert!(!takes(&stage, now(&stage), seeds));
    }
    assert!(takes(&stage, last, &OLD));
    let handover = note(&stage.ledger, last, &OLD);
    assert_eq!(stage.ledger.enter(Body::Checkpoint(handover)).void, None);
    assert_eq!(stage.state().handing_over(), None);
    assert!(!takes(&stage, now(&stage), &OLD));
    assert!(takes(&stage, now(&stage), &NEW));
    assert!(!takes(&stage, last, &NEW), "what is past is theirs of then");
}

/// One key that was rotated out does not even help.
#[test]
fn a_retired_witness_makes_no_quorum_with_one_that_stays() {
    let mut stage = rotated();
    stage.ledger.settle_clocks();
    assert!(takes(&stage, now(&stage), &[0x92, 0x94]));
    assert!(!takes(&stage, now(&stage), &[0x92, 0x91]));
    assert!(!takes(&stage, now(&stage), &[0x91, 0x93]));
}

#[test]
fn what_was_cosigned_before_is_judged_by_those_of_then() {
    let mut stage = rotated();
    stage.ledger.settle_clocks();
    let state = stage.state();
    for size in 1..=usize::try_from(state.size()).unwrap() {
        let head = stage.ledger.head_at(size);
        let [last] = state.handovers() else {
            panic!("one rotation")
        };
        let by_old = state.cosigned(&note(&stage.ledger, head, &OLD)).is_ok();
        let by_new = state.cosigned(&note(&stage.ledger, head, &NEW)).is_ok();
        assert_eq!(
            (by_old, by_new),
            (head.size <= last.last(), head.size > last.last())
        );
    }
}

#[test]
fn a_snapshot_keeps_who_counts() {
    let mut stage = rotated();
    for _ in 0..2 {
        let network = Arc::clone(&stage.ledger.world.network);
        let restored = State::from_snapshot(&stage.state().to_snapshot(), network).unwrap();
        assert_eq!(restored.facts(), stage.facts());
        assert_eq!(restored.handing_over(), stage.state().handing_over());
        let head = now(&stage);
        assert_eq!(
            restored.quorum_at(head.size),
            stage.state().quorum_at(head.size)
        );
        stage.ledger.settle_clocks();
    }
}

#[test]
fn witnesses_who_would_make_no_quorum_are_refused() {
    let of = World::witnesses_of;
    let named = |name: &str, seed| {
        let name = portcullis_tlog::KeyName::new(name).unwrap();
        let key = WitnessSigner::from_seed(name, &[seed; 32]).unwrap();
        portcullis_tlog::Signer::key(&key).to_string()
    };
    let with = |change: fn(&mut Witnesses)| {
        let mut witnesses = of(&NEW);
        change(&mut witnesses);
        witnesses
    };
    let mut same_name = of(&NEW);
    same_name.vkeys[1] = named("witness-91.example", 0x94);
    let bad = [
        ("nobody", of(&[])),
        ("a quorum of none", with(|w| w.quorum = 0)),
        ("two quorums that share nobody", with(|w| w.quorum = 1)),
        ("two quorums that share a liar", with(|w| w.faulty = 1)),
        ("more than there are", with(|w| w.quorum = 4)),
        ("one twice", of(&[0x94, 0x94, 0x95])),
        ("no key", with(|w| w.vkeys[0] = "witness".into())),
        ("an old name with another key", same_name),
    ];
    for (what, witnesses) in bad {
        let mut stage = Stage::lost();
        let act = proposal(&mut stage, witnesses);
        assert_eq!(stage.refusal(&act), Some(Reason::KeysMalformed), "{what}");
    }
}

fn proposal(stage: &mut Stage, witnesses: Witnesses) -> portcullis_core::Act {
    let in_force = stage.state().witnesses().clone();
    let replaces = Keys::Witnesses {
        witnesses: in_force,
    };
    let rotate = Rotate {
        replaces: replaces.digest(),
        keys: Keys::Witnesses { witnesses },
    };
    stage.staffs(World::administrator(0), ActKind::Rotate(rotate))
}

/// Before the first there is no trace of all this in the state.
#[test]
fn a_network_that_never_rotates_knows_nothing_of_it() {
    let stage = Stage::lost();
    assert_eq!(stage.facts().keys.handovers, None);
    assert!(stage.state().handovers().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Any number of times, with anything between: at each size those count who were last put in force by an
    /// entry that the checkpoint contains with one more.
    #[test]
    fn who_counts_is_a_matter_of_size(steps in prop::collection::vec((0_u8..3, 0_u8..8), 1..6)) {
        let mut stage = Stage::lost();
        let mut model = vec![(0, World::witnesses_of(&OLD))];
        for (step, seed) in steps {
            if step == 0 {
                let seeds = [0x98 + seed, 0xa0 + seed, 0x92];
                let witnesses = World::witnesses_of(&seeds);
                if *stage.state().witnesses() == witnesses {
                    continue;
                }
                stage.ledger.rotate_witnesses(witnesses.clone());
                model.push((stage.state().size(), witnesses));
            }
            stage.ledger.settle_clocks();
            stage.pass(Span::seconds(u64::from(step)));
        }
        for size in 1..=stage.state().size() {
            let found = model.iter().rev().find(|(last, _)| *last < size).unwrap();
            prop_assert_eq!(&**stage.state().quorum_at(size), &found.1.quorum().unwrap());
        }
        let digest = |witnesses: Witnesses| Keys::Witnesses { witnesses }.digest();
        let newest: Digest = digest(model.last().unwrap().1.clone());
        prop_assert_eq!(digest(stage.state().witnesses().clone()), newest);
    }
}

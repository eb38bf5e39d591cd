//! The journal's own key: whose signature a checkpoint needs is a matter of its size.

use crate::stage::Stage;
use portcullis_core::act::{ActKind, EnrolFactor, Keys, Rotate, Scope, Suspend};
use portcullis_core::entry::Body;
use portcullis_core::factor::NewFactor;
use portcullis_core::{Act, Decision, Reason, Span, State, VoidReason};
use portcullis_keeper::testkit::{Ledger, World};
use portcullis_keys::StatementKey as _;
use portcullis_tlog::{KeyName, LogSigner, Signer as _, TreeHead, WitnessSigner};
use proptest::prelude::*;
use std::sync::Arc;

const OLD: u8 = 0x80;
const NEW: u8 = 0x81;
const WITNESSES: [u8; 3] = [0x91, 0x92, 0x93];

fn vkey(seed: u8) -> String {
    World::log(seed).key().to_string()
}

fn key(seed: u8) -> Keys {
    World::log_keys(seed)
}

/// A journal that ends with the rotation.
fn rotated() -> Stage {
    let mut stage = Stage::lost();
    stage.ledger.rotate_log(NEW);
    stage
}

fn signed(stage: &Stage, head: TreeHead, seed: u8, witnesses: &[u8]) -> Vec<u8> {
    let witnesses: Vec<WitnessSigner> = witnesses.iter().copied().map(World::witness).collect();
    Ledger::note_signed(head, stage.facts().time, &World::log(seed), &witnesses)
}

/// Whether the journal would take the checkpoint of this head by this key, cosigned by every witness.
fn takes(stage: &Stage, head: TreeHead, seed: u8) -> bool {
    let mut ledger = stage.ledger.clone();
    let applied = ledger.enter(Body::Checkpoint(signed(stage, head, seed, &WITNESSES)));
    assert!(matches!(applied.void, None | Some(VoidReason::Checkpoint)));
    applied.void.is_none()
}

fn now(stage: &Stage) -> TreeHead {
    stage.facts().log.head()
}

#[test]
fn the_key_of_before_signs_the_rotation_and_nothing_longer() {
    let mut stage = rotated();
    let last = now(&stage);
    assert_eq!(stage.state().handing_over(), Some(last.size));
    assert!(!takes(&stage, last, NEW), "of this one nobody knows yet");
    assert!(takes(&stage, last, OLD));
    let suspend = Suspend {
        scope: Scope::Everything,
    };
    let act = stage.staffs(World::OPERATOR, ActKind::Suspend(suspend));
    stage.submit(act);
    for seed in [OLD, NEW] {
        assert!(!takes(&stage, now(&stage), seed), "{seed:x}");
    }
    let handover = signed(&stage, last, OLD, &WITNESSES);
    assert_eq!(stage.ledger.enter(Body::Checkpoint(handover)).void, None);
    assert_eq!(stage.state().handing_over(), None);
    assert!(!takes(&stage, now(&stage), OLD));
    assert!(takes(&stage, now(&stage), NEW));
    assert!(!takes(&stage, last, NEW), "what is past is the old one's");
    assert_eq!(stage.state().log_vkey(), vkey(NEW));
    assert_eq!(stage.state().log_key().to_string(), vkey(NEW));
}

#[test]
fn a_snapshot_keeps_by_which_key_the_journal_goes() {
    let mut stage = rotated();
    for _ in 0..2 {
        let network = Arc::clone(&stage.ledger.world.network);
        let restored = State::from_snapshot(&stage.state().to_snapshot(), network).unwrap();
        assert_eq!(restored.facts(), stage.facts());
        assert_eq!(restored.handing_over(), stage.state().handing_over());
        assert_eq!(restored.log_vkey(), vkey(NEW));
        for size in 1..=now(&stage).size {
            let (ours, theirs) = (stage.state(), &restored);
            assert_eq!(ours.signatories_at(size), theirs.signatories_at(size));
        }
        stage.ledger.settle_clocks();
    }
}

fn proposal(stage: &mut Stage, keys: Keys) -> Act {
    let replaces = stage.state().keys_in_place_of(&keys).unwrap().digest();
    let kind = ActKind::Rotate(Rotate { replaces, keys });
    stage.staffs(World::administrator(0), kind)
}

#[test]
fn what_is_no_key_of_this_log_is_refused() {
    let named = |name: &str| {
        let name = KeyName::new(name).unwrap();
        let signer = LogSigner::from_seed(name, &[NEW; 32]).unwrap();
        signer.key().to_string()
    };
    let other_id = |vkey: String| vkey.replacen('+', "+0", 1);
    let bad = [
        ("nothing", String::new()),
        ("a witness' key", World::witness(0x94).key().to_string()),
        ("another log's", named("test.example/another")),
        ("another id than the key's", other_id(vkey(NEW))),
        ("a key and more", format!("{} ", vkey(NEW))),
    ];
    for (what, vkey) in bad {
        let mut stage = Stage::lost();
        let act = proposal(&mut stage, Keys::Log { vkey });
        assert_eq!(stage.refusal(&act), Some(Reason::KeysMalformed), "{what}");
    }
}

#[test]
fn a_key_that_somebody_has_or_had_is_refused() {
    let bad = [
        ("itself: a rotation of nothing", key(OLD)),
        ("a witness'", key(0x92)),
        ("a board's", key(World::BOARD.0[0])),
        ("an issuer's", key(World::LEDGER.0[0])),
        ("a root's", key(crate::stage::lost::ROOTS[0])),
        ("an operator's", key(World::OPERATOR.0[0])),
        ("a keeper's", key(World::KEEPER.0[0])),
    ];
    for (what, keys) in bad {
        let mut stage = Stage::lost();
        let act = proposal(&mut stage, keys);
        assert_eq!(stage.refusal(&act), Some(Reason::LogKeyKnown), "{what}");
    }
    let mut stage = Stage::lost();
    let act = proposal(&mut stage, key(NEW));
    assert_eq!(stage.refusal(&act), None);
    // Whoever had it once may still have it.
    let mut stage = rotated();
    stage.ledger.settle_clocks();
    let act = proposal(&mut stage, key(OLD));
    assert_eq!(stage.refusal(&act), Some(Reason::LogKeyKnown));
}

/// It stands in the journal for the whole delay; enrolling it takes no possession of it.
#[test]
fn nobody_takes_the_next_key_until_its_act_has_ended() {
    let mut stage = Stage::lost();
    let next = World::key(&[NEW; 16]).public_key().clone();
    let factor = || NewFactor::RequestKey { key: next.clone() };
    let enrolment = |stage: &mut Stage| {
        let principal = stage.customer.principal;
        let factor = factor();
        let act = stage.customers(ActKind::EnrolFactor(EnrolFactor { principal, factor }));
        stage.refusal(&act)
    };
    assert_eq!(enrolment(&mut stage), None);
    let act = proposal(&mut stage, key(NEW));
    let act = stage.submit(act);
    assert_eq!(enrolment(&mut stage), Some(Reason::FactorExists));
    stage.approve(World::administrator(1), act);
    stage.pass(Span::seconds(6));
    assert_eq!(stage.settles(act), Decision::Release);
}

#[test]
fn one_administrator_alone_rotates_nothing_and_no_one_else_proposes_it() {
    let mut stage = Stage::lost();
    let act = proposal(&mut stage, key(NEW));
    let act = stage.submit(act);
    stage.pass(Span::seconds(60));
    assert!(matches!(stage.settles(act), Decision::Hold { .. }));
    assert_eq!(stage.state().log_vkey(), vkey(OLD));
    for who in [World::OPERATOR, World::BACK_END] {
        let replaces = key(OLD).digest();
        let keys = key(NEW);
        let act = stage.staffs(who, ActKind::Rotate(Rotate { replaces, keys }));
        assert_eq!(stage.refusal(&act), Some(Reason::RoleMissing));
    }
}

/// Two on one base: the second names a key that is not in force any more.
#[test]
fn of_two_proposals_on_one_base_one_takes_effect() {
    let mut stage = Stage::lost();
    let second = proposal(&mut stage, key(0x82));
    let second = stage.submit(second);
    stage.approve(World::administrator(1), second);
    stage.ledger.rotate_log(NEW);
    stage.ledger.settle_clocks();
    stage.pass(Span::seconds(6));
    let reason = Reason::KeysChanged;
    assert_eq!(stage.settles(second), Decision::Refuse { reason });
    assert_eq!(stage.state().log_vkey(), vkey(NEW));
}

/// Before the first there is no trace of all this in the state.
#[test]
fn a_network_that_never_rotates_knows_nothing_of_it() {
    let stage = Stage::lost();
    assert_eq!(stage.facts().keys.handovers, None);
    assert_eq!(stage.state().log_vkey(), vkey(OLD));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Key and witnesses, any number of times and in any order: at each size those count who were last put in
    /// force by an entry that the checkpoint contains with one more, and no mixture of old and new does.
    #[test]
    fn who_signs_is_a_matter_of_size(steps in prop::collection::vec((0_u8..2, 0_u64..3), 1..6)) {
        let mut stage = Stage::lost();
        let mut model = vec![(0, OLD, WITNESSES)];
        for (number, (what, pause)) in (1_u8..).zip(steps) {
            let (_, mut log, mut witnesses) = *model.last().unwrap();
            if what == 0 {
                log = OLD + number;
                stage.ledger.rotate_log(log);
            } else {
                witnesses = [0x94 + number, 0x9a + number, 0xa0 + number];
                stage.ledger.rotate_witnesses(World::witnesses_of(&witnesses));
            }
            model.push((stage.state().size(), log, witnesses));
            stage.ledger.settle_clocks();
            stage.pass(Span::seconds(pause));
        }
        let state = stage.state();
        for size in 1..=usize::try_from(state.size()).unwrap() {
            let head = stage.ledger.head_at(size);
            let at = model.iter().rposition(|(last, ..)| *last < head.size).unwrap();
            for (number, (_, log, witnesses)) in model.iter().enumerate() {
                let by_them = state.cosigned(&signed(&stage, head, *log, witnesses));
                let (_, log_now, witnesses_now) = model[at];
                let counts = (*log, *witnesses) == (log_now, witnesses_now);
                prop_assert_eq!(by_them.is_ok(), counts, "{} at {}", number, size);
            }
        }
    }
}

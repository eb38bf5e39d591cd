//! Delays run by the witnesses' clocks: a settlement names no checkpoint, and its gate dates it as it likes.

use crate::stage::lost::{self, ROOTS};
use crate::stage::{Stage, request_key};
use portcullis_core::act::{
    ActKind, ChangeContact, Keys, RevokeFactor, Rotate, SetLimits, SetPolicy,
};
use portcullis_core::decide::settle;
use portcullis_core::entry::{Body, Entry, Settlement};
use portcullis_core::genesis::{Keeper, KeeperKind, SealingKey};
use portcullis_core::limits::Limits;
use portcullis_core::policy::Policy;
use portcullis_core::state::State;
use portcullis_core::state::account::Owner;
use portcullis_core::{Applied, Decision, Digest, Need, Span, Time, VoidReason};
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;
use portcullis_tlog::witness::{AddCheckpoint, decide as witness};
use portcullis_tlog::{SignedCheckpoint, Signer as _, Timestamp};

/// As long as no checkpoint of an honest gate is old, by far.
const FLOOR: Span = Span::hours(1);

/// Submits an act, and gives its digest.
type Submits = fn(&mut Stage) -> Digest;

/// Everything that waits for a delay of its own, submitted on a stage with a herald.
#[rustfmt::skip]
const DELAYED: &[(&str, Submits)] = &[
    ("a recovery",             Stage::begin),
    ("the roots' recovery",    recover_administrators),
    ("another contact",        change_contact),
    ("one by administrators",  give_contact),
    ("limits",                 set_limits),
    ("a policy",               set_policy),
    ("a rotation",             rotate),
];

fn recover_administrators(stage: &mut Stage) -> Digest {
    let new = stage.new_administration(&[0x31, 0x32, 0x33], 2);
    let act = stage.staffs(World::OPERATOR, ActKind::RecoverAdministrators(new));
    let evidence = stage.rooted(&act, &ROOTS[..2]);
    stage.submit_with(act, evidence)
}

fn change_contact(stage: &mut Stage) -> Digest {
    let contact = Digest([0x0d; 32]);
    let act = stage.customers(ActKind::ChangeContact(ChangeContact { contact }));
    stage.submit(act)
}

fn give_contact(stage: &mut Stage) -> Digest {
    let contact = Digest([0x0d; 32]);
    let kind = ActKind::ChangeContact(ChangeContact { contact });
    let act = stage.staffs_about(World::administrator(0), kind);
    let act = stage.submit(act);
    stage.approve(World::administrator(1), act);
    act
}

fn set_limits(stage: &mut Stage) -> Digest {
    let replaces = stage.facts().limits.digest();
    let limits = Limits { rules: Vec::new() };
    agreed(stage, ActKind::SetLimits(SetLimits { replaces, limits }))
}

fn set_policy(stage: &mut Stage) -> Digest {
    let replaces = stage.facts().policy().digest();
    let policy = Policy {
        cedar: r#"@id("all") permit (principal, action, resource);"#.into(),
        ..Policy::default_of_core().clone()
    };
    agreed(stage, ActKind::SetPolicy(SetPolicy { replaces, policy }))
}

fn rotate(stage: &mut Stage) -> Digest {
    let keys = Keys::Keeper {
        keeper: World::KEEPER,
        key: World::key(&[0x5d; 16]).public_key().clone(),
    };
    let replaces = stage.state().keys_in_place_of(&keys).unwrap().digest();
    agreed(stage, ActKind::Rotate(Rotate { replaces, keys }))
}

fn agreed(stage: &mut Stage, kind: ActKind) -> Digest {
    let act = stage.staffs(World::administrator(0), kind);
    let act = stage.submit(act);
    stage.approve(World::administrator(1), act);
    act
}

/// A stage where delays are long and an act waits for its own; when that has run.
fn waiting(begin: fn(&mut Stage) -> Digest) -> (Stage, Digest, Time) {
    let mut stage = Stage::told_on(World::with(|genesis| {
        lost::genesis(genesis);
        genesis.delay_floor = FLOOR;
        genesis.keepers.push(Keeper {
            id: World::HERALD,
            kind: KeeperKind::Herald,
            key: World::key(&World::HERALD.0).public_key().clone(),
            sealing: Some(SealingKey(World::SEALING)),
        });
    }));
    stage.pass(FLOOR);
    let act = begin(&mut stage);
    if stage.untold(act).is_some() {
        assert_eq!(stage.heralds(act).void, None);
    }
    stage.ledger.settle_clocks();
    let has_run = stage.facts().held[&act].available.time().unwrap();
    assert!(has_run >= stage.now().after(FLOOR));
    (stage, act, has_run)
}

fn decision(state: &State, act: Digest, time: Time) -> Decision {
    settle(state, act, time).decision().clone()
}

/// A gate says at a time of its own choosing that an act has taken effect.
fn settled_at(stage: &mut Stage, act: Digest, time: Time) -> Applied {
    let body = Body::Settle(Box::new(Settlement {
        act,
        decision: Decision::Release,
        plan: None,
        beside: portcullis_core::entry::Beside::default(),
    }));
    stage.ledger.enter_bytes(Entry::new(time, body).to_bytes())
}

fn is_void(applied: &Applied) -> bool {
    matches!(applied.void, Some(VoidReason::Decision { .. }))
}

#[test]
fn no_delay_runs_by_an_entrys_time_alone() {
    for (what, begin) in DELAYED {
        let (mut stage, act, has_run) = waiting(*begin);
        let held = Decision::Hold {
            needs: vec![Need::Delay],
            until: None,
        };
        assert_eq!(decision(stage.state(), act, has_run), held, "{what}");
        let applied = settled_at(&mut stage, act, has_run);
        assert!(is_void(&applied), "{what}");
        assert!(stage.facts().held.contains_key(&act), "{what}");
    }
}

/// An honest gate's journaled checkpoint is up to 70 s old, and the settlement is due to the millisecond.
#[test]
fn a_settlement_is_due_behind_a_checkpoint_of_the_last_ninety_seconds() {
    for (what, begin) in DELAYED {
        let (mut stage, act, has_run) = waiting(*begin);
        let just_before = Time(has_run.0 - 1);
        for (old, due) in [(91, false), (90, true)] {
            stage.ledger.clock.set(has_run.before(Span::seconds(old)));
            stage.ledger.settle_clocks();
            let held = |time| matches!(decision(stage.state(), act, time), Decision::Hold { .. });
            assert!(held(just_before), "{what}, {old}");
            assert_eq!(held(has_run), !due, "{what}, {old}");
        }
        // Replicas that begin from a snapshot see the same.
        let snapshot = stage.state().to_snapshot();
        let again = State::from_snapshot(&snapshot, stage.ledger.world.network.clone()).unwrap();
        assert_eq!(decision(&again, act, has_run), Decision::Release, "{what}");
        assert_eq!(settled_at(&mut stage, act, has_run).void, None, "{what}");
    }
}

/// One of the witnesses is the gate's: the others' time is the one that counts.
#[test]
fn a_minority_of_the_witnesses_makes_no_delay_run() {
    let (mut stage, act, has_run) = waiting(Stage::begin);
    let world = stage.ledger.world.clone();
    let head = stage.facts().log.head();
    let mut signed = SignedCheckpoint::sign(head, &world.log).unwrap();
    for (key, time) in world.witnesses.iter().zip([has_run, stage.now()]) {
        let time = Timestamp::from_unix(time.0 / 1000).unwrap();
        let request = AddCheckpoint::new(head.size, Vec::new(), &signed);
        let accepted = witness(Some(head), request, world.log.key()).unwrap();
        signed.add_cosignature(accepted.cosign(time, key).unwrap());
    }
    let note = signed.note().to_string().into_bytes();
    let entry = Entry::new(has_run, Body::Checkpoint(note));
    assert_eq!(stage.ledger.enter_bytes(entry.to_bytes()).void, None);
    assert!(is_void(&settled_at(&mut stage, act, has_run)));
}

/// A checkpoint that was journaled before may come again with older cosignatures; replicas agree on it.
#[test]
fn what_the_newest_checkpoint_is_stands_in_a_snapshot() {
    let mut stage = Stage::lost();
    stage.enrol(request_key(stage.customer.principal));
    let (head, now) = (stage.facts().log.head(), stage.now());
    for old in [0, 30, 10] {
        let note = stage.ledger.note_of(head, now.before(Span::seconds(old)));
        let entry = Entry::new(now, Body::Checkpoint(note));
        assert_eq!(stage.ledger.enter_bytes(entry.to_bytes()).void, None);
        let snapshot = stage.state().to_snapshot();
        let again = State::from_snapshot(&snapshot, stage.ledger.world.network.clone()).unwrap();
        assert_eq!(again.witnessed(), stage.state().witnessed(), "{old}");
    }
}

/// A recovery is told of twice: when it begins, and when its factor is there. Whoever keeps the first word must not
/// serve it again as the second.
#[test]
fn a_word_of_the_beginning_is_none_of_the_end() {
    let (mut stage, act, has_run) = waiting(Stage::begin);
    stage.pass(has_run.since(stage.now()));
    stage.settle(act);
    let settled = stage
        .untold(act)
        .expect("its factor waits for the second word");
    for earlier in 0..settled {
        let word = stage.branch().heralds_of(earlier, act);
        assert_eq!(word.void, Some(VoidReason::Statement), "of entry {earlier}");
    }
    assert_eq!(stage.heralds_of(settled, act).void, None);
}

/// The restarted delays of the account's addresses came with the recovered factor, by one entry.
#[test]
fn what_came_with_the_same_entry_as_what_is_taken_back_waits_on() {
    let (mut stage, act, has_run) = waiting(Stage::begin);
    stage.pass(has_run.since(stage.now()));
    stage.settle(act);
    let settled = stage.untold(act);
    let (account, principal) = (stage.customer.account, stage.customer.principal);
    let factor = stage.facts().factors(Owner::Holder { account, principal })[0].id;
    let revoke = ActKind::RevokeFactor(RevokeFactor { principal, factor });
    let revoke = stage.staffs_about(World::administrator(0), revoke);
    stage.submit(revoke);
    stage.ledger.settle_clocks();
    assert!(settled.is_some() && stage.untold(act) == settled);
}

//! Keys that are rotated: a quorum, the delay, and from the entry on the successor and nobody else.

use crate::stage::{Stage, request_key};
use portcullis_core::act::{ActKind, EnrolFactor, Keys, Roots, Rotate, Scope, Suspend};
use portcullis_core::genesis::{Issuer, IssuerKind};
use portcullis_core::id::{IssuerId, PrincipalId};
use portcullis_core::state::release::End;
use portcullis_core::statement::{Cap, Says, SignedStatement, Statement};
use portcullis_core::{Body, Decision, Digest, Need, Reason, Span};
use portcullis_keeper::testkit::{World, id};
use portcullis_keys::StatementKey as _;

/// The seed of a key that nobody has yet.
const FRESH: u8 = 0xe1;

fn fresh() -> portcullis_core::signature::PublicKey {
    World::key(&id(FRESH)).public_key().clone()
}

fn rotate(stage: &Stage, keys: Keys) -> ActKind {
    let in_force = stage.state().keys_in_place_of(&keys);
    let replaces = in_force.map_or(Digest([0; 32]), |keys| keys.digest());
    ActKind::Rotate(Rotate { replaces, keys })
}

fn issuers(change: impl FnOnce(&mut Vec<Issuer>)) -> impl FnOnce(&Stage) -> Keys {
    |stage| {
        let mut issuers = stage.state().issuers().to_vec();
        change(&mut issuers);
        Keys::Issuers { issuers }
    }
}

fn keeper() -> Keys {
    Keys::Keeper {
        keeper: World::KEEPER,
        key: fresh(),
    }
}

#[test]
fn it_takes_a_quorum_and_the_delay() {
    let mut stage = Stage::lost();
    let keys = issuers(|all| all[1].key = fresh())(&stage);
    let kind = rotate(&stage, keys);
    let act = stage.staffs(World::administrator(0), kind);
    let evidence = stage.prove(&act);
    let hold = |needs: &[Need], until| Decision::Hold {
        needs: needs.to_vec(),
        until,
    };
    let both = hold(&[Need::Quorum { missing: 1 }, Need::Delay], None);
    assert_eq!(stage.decide(&act, &evidence), both);
    let act = stage.submit(act);
    stage.approve(World::administrator(1), act);
    stage.ledger.settle_clocks();
    let until = stage.now().after(Span::seconds(5));
    assert_eq!(stage.settles(act), hold(&[Need::Delay], Some(until)));
    stage.ledger.clock.pass(Span::seconds(5));
    assert_eq!(stage.settles(act), Decision::Release);
    stage.settle(act);
    assert_eq!(stage.end(act), Some(End::Done));
}

/// The ledger has another key: debits by the new one pay from the entry on, and by the old one no more.
#[test]
fn an_issuers_successor_counts_from_the_entry_on_and_nobody_else() {
    let mut stage = Stage::lost();
    let keys = issuers(|all| {
        for issuer in all.iter_mut().filter(|i| i.kind == IssuerKind::Ledger) {
            issuer.key = fresh();
        }
    })(&stage);
    let by_old = |stage: &mut Stage| {
        let act = stage.withdrawal(10);
        stage.refusal(&act)
    };
    let by_new = |stage: &mut Stage| {
        let act = stage.withdrawal(10);
        let mut evidence = stage.prove(&act);
        let debit = &mut evidence.attestations[0];
        let key = World::key(&id(FRESH));
        debit.signature = key.sign(&debit.statement.signed_bytes()).unwrap();
        stage.decide(&act, &evidence)
    };
    let invalid = Reason::AttestationInvalid;
    assert_eq!(by_old(&mut stage), None);
    assert_eq!(by_new(&mut stage), Decision::Refuse { reason: invalid });
    let kind = rotate(&stage, keys);
    stage.propose(kind);
    assert_eq!(by_old(&mut stage), Some(invalid));
    assert_eq!(by_new(&mut stage), Decision::Release);
}

/// What the old key attested before, and what waits on it, was so when it was said.
#[test]
fn what_was_attested_before_stands() {
    let mut stage = Stage::lost();
    let act = stage.withdrawal(1_000);
    let act = stage.submit(act);
    let keys = issuers(|all| all.retain(|i| i.kind != IssuerKind::Ledger))(&stage);
    let kind = rotate(&stage, keys);
    stage.propose(kind);
    let needs = vec![Need::Approvals { missing: 2 }];
    let until = None;
    assert_eq!(stage.settles(act), Decision::Hold { needs, until });
}

#[test]
fn issuers_are_added_and_retired() {
    let mut stage = Stage::lost();
    let added = IssuerId(id(FRESH));
    let keys = issuers(|all| {
        all.push(Issuer {
            id: added,
            kind: IssuerKind::Onboarding,
            key: fresh(),
        });
        all.retain(|issuer| issuer.id != World::ONBOARDING);
    })(&stage);
    let kind = rotate(&stage, keys);
    stage.propose(kind);
    let state = stage.state();
    assert!(state.issuer(added, IssuerKind::Onboarding).is_some());
    assert!(state.issuer(added, IssuerKind::Ledger).is_none());
    let old = state.issuer(World::ONBOARDING, IssuerKind::Onboarding);
    assert!(old.is_none());
}

/// A keeper states and stops by one key, and both change at the same entry.
#[test]
fn a_keepers_successor_states_and_stops() {
    let mut stage = Stage::lost();
    let old = World::key(&World::KEEPER.0);
    let new = World::key(&id(FRESH));
    assert!(accepts(&stage, &old, 1) && !accepts(&stage, &new, 1));
    let kind = rotate(&stage, keeper());
    stage.propose(kind);
    assert!(!accepts(&stage, &old, 1) && accepts(&stage, &new, 1));
    let kept = stage.state().keeper(World::KEEPER).unwrap();
    assert_eq!(kept.key, fresh());
    stage.ledger.settle_clocks();
    let suspend = Suspend {
        scope: Scope::Everything,
    };
    let keeper = PrincipalId(World::KEEPER.0);
    let act = stage.staffs(keeper, ActKind::Suspend(suspend));
    assert_eq!(stage.refusal(&act), Some(Reason::FactorUnknown));
    let mut evidence = stage.prove(&act);
    evidence.requests = vec![signed_by_fresh(&stage, &act)];
    assert_eq!(stage.decide(&act, &evidence), Decision::Release);
}

fn signed_by_fresh(
    stage: &Stage,
    act: &portcullis_core::Act,
) -> portcullis_core::request::SignedRequest {
    World::request(PrincipalId(id(FRESH)), act, stage.now())
}

/// Whether the journal takes caps stated with this key.
fn accepts(stage: &Stage, key: &impl portcullis_keys::StatementKey, number: u64) -> bool {
    let caps: Vec<Cap> = Vec::new();
    let statement = Statement {
        genesis: stage.ledger.world.digest(),
        keeper: World::KEEPER,
        says: Says::Caps { caps, number },
    };
    let signature = key.sign(&statement.signed_bytes()).unwrap();
    let signed = SignedStatement {
        statement,
        signature,
    };
    let entry = portcullis_core::Entry::new(stage.now(), Body::Statement(Box::new(signed.clone())));
    let judged = stage.state().judge(
        &portcullis_core::ReadEntry::written(entry).0,
        &portcullis_core::signature::Strict,
    );
    let accepted = stage
        .state()
        .accepts(&signed, &portcullis_core::signature::Strict);
    assert_eq!(judged.is_ok(), accepted);
    accepted
}

#[test]
fn two_on_the_same_keys_cannot_both_pass() {
    let mut stage = Stage::lost();
    let proposals = [0xe1, 0xe2].map(|seed| {
        let keys = issuers(|all| all[0].key = World::key(&id(seed)).public_key().clone())(&stage);
        let kind = rotate(&stage, keys);
        let act = stage.staffs(World::administrator(0), kind);
        let act = stage.submit(act);
        stage.approve(World::administrator(1), act);
        act
    });
    stage.pass(Span::seconds(6));
    assert_eq!(stage.settles(proposals[0]), Decision::Release);
    assert_eq!(stage.settles(proposals[1]), Decision::Release);
    stage.settle(proposals[1]);
    let changed = Decision::Refuse {
        reason: Reason::KeysChanged,
    };
    assert_eq!(stage.settles(proposals[0]), changed);
    let keys = issuers(|all| all.truncate(2))(&stage);
    let stale = ActKind::Rotate(Rotate {
        replaces: Digest([7; 32]),
        keys,
    });
    let act = stage.staffs(World::administrator(0), stale);
    assert_eq!(stage.refusal(&act), Some(Reason::KeysChanged));
}

#[test]
fn keys_that_contradict_themselves_are_refused() {
    let stage = Stage::lost();
    let same = |all: &mut Vec<Issuer>| all[1].id = all[0].id;
    let roots = |keys: Vec<_>, quorum| Keys::Roots {
        roots: Roots { keys, quorum },
    };
    let known = request_key(World::OPERATOR).key().unwrap().clone();
    let holders = portcullis_core::id::KeeperId(id(0x5f));
    let bad = [
        ("no issuer", issuers(Vec::clear)(&stage)),
        ("an issuer twice", issuers(same)(&stage)),
        ("no root", roots(Vec::new(), 0)),
        ("a quorum of none", roots(vec![fresh()], 0)),
        ("a quorum of too many", roots(vec![fresh()], 2)),
        ("a root twice", roots(vec![fresh(), fresh()], 1)),
        (
            "a key that is in use",
            Keys::Keeper {
                keeper: World::KEEPER,
                key: known,
            },
        ),
        (
            "an unknown keeper",
            Keys::Keeper {
                keeper: holders,
                key: fresh(),
            },
        ),
    ];
    for (what, keys) in bad {
        let mut stage = Stage::lost();
        let kind = rotate(&stage, keys);
        let act = stage.staffs(World::administrator(0), kind);
        assert_eq!(stage.refusal(&act), Some(Reason::KeysMalformed), "{what}");
    }
}

#[test]
fn administrators_alone_propose_it() {
    let mut stage = Stage::lost();
    for who in [World::OPERATOR, World::BACK_END, crate::stage::SUPPORT] {
        let kind = rotate(&stage, keeper());
        let act = stage.staffs(who, kind);
        assert_eq!(stage.refusal(&act), Some(Reason::RoleMissing), "{who}");
    }
}

/// A keeper's key is rotated by a quorum, and in no other way.
#[test]
fn a_keeper_does_not_enrol_a_key_of_its_own() {
    let mut stage = Stage::lost();
    let principal = PrincipalId(World::KEEPER.0);
    let factor = request_key(PrincipalId(id(FRESH)));
    let kind = ActKind::EnrolFactor(EnrolFactor { principal, factor });
    let act = stage.staffs(principal, kind);
    assert_eq!(stage.refusal(&act), Some(Reason::RoleMissing));
}

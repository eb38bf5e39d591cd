//! Administrators who are lost: the roots name others, in the open, and nobody else does.

use crate::stage::lost::{DELAY, ROOTS};
use crate::stage::{SUPPORT, Stage, request_key};
use portcullis_core::act::{
    ActKind, Approve, Cancel, GrantRole, Keys, LiftTarget, NewAdministrator, RaiseEpoch,
    RecoverAdministrators, RevokeFactor, RevokeRole, Roots, Rotate, Scope, Suspend, Veto,
};
use portcullis_core::factor::NewFactor;
use portcullis_core::id::PrincipalId;
use portcullis_core::realm::{Realm, Role};
use portcullis_core::state::release::End;
use portcullis_core::{Decision, Digest, Need, Reason, Span};
use portcullis_keeper::testkit::{World, id};
use portcullis_keys::StatementKey as _;

/// Seeds of administrators to come.
const NEW: [u8; 3] = [0x31, 0x32, 0x33];

fn who(seed: u8) -> PrincipalId {
    PrincipalId(id(seed))
}

fn new(stage: &Stage) -> RecoverAdministrators {
    stage.new_administration(&NEW, 2)
}

/// What becomes of a recovery by these roots.
fn by_roots(stage: &mut Stage, roots: &[u8]) -> Decision {
    let kind = ActKind::RecoverAdministrators(new(stage));
    let act = stage.staffs(SUPPORT, kind);
    let evidence = stage.rooted(&act, roots);
    stage.decide(&act, &evidence)
}

const fn refused(reason: Reason) -> Decision {
    Decision::Refuse { reason }
}

#[test]
fn a_quorum_of_the_roots_and_no_fewer() {
    let hold = Decision::Hold {
        needs: vec![Need::Delay],
        until: None,
    };
    let [a, b, c] = ROOTS;
    for (roots, expected) in [
        (&[][..], refused(Reason::RootsMissing)),
        (&[a], refused(Reason::RootsMissing)),
        // Members are counted, never signatures.
        (&[a, a], refused(Reason::RootsMissing)),
        (&[a, b], hold.clone()),
        (&[c, a], hold.clone()),
        (&[a, b, c], hold.clone()),
        // Somebody else's word is worse than none.
        (&[a, b, 0xd4], refused(Reason::AttestationInvalid)),
    ] {
        let mut stage = Stage::lost();
        assert_eq!(by_roots(&mut stage, roots), expected, "{roots:x?}");
    }
}

/// A network without roots has no such way, and none at all is a quorum of none.
#[test]
fn without_roots_there_is_no_way_back() {
    let mut stage = Stage::new();
    assert_eq!(by_roots(&mut stage, &[]), refused(Reason::RootsMissing));
}

#[test]
fn whoever_is_left_of_staff_brings_it() {
    let mut stage = Stage::lost();
    for messenger in [
        SUPPORT,
        World::OPERATOR,
        World::BACK_END,
        crate::stage::AUDITOR,
        World::administrator(0),
    ] {
        let kind = ActKind::RecoverAdministrators(new(&stage));
        let act = stage.staffs(messenger, kind);
        let evidence = stage.rooted(&act, &ROOTS[..2]);
        let decision = stage.decide(&act, &evidence);
        assert!(matches!(decision, Decision::Hold { .. }), "{messenger}");
    }
    let kind = ActKind::RecoverAdministrators(new(&stage));
    let act = stage.staffs(PrincipalId(World::KEEPER.0), kind);
    let evidence = stage.rooted(&act, &ROOTS[..2]);
    assert_eq!(stage.decide(&act, &evidence), refused(Reason::RoleMissing));
}

/// The last administrator is lost, and the gate is shut on top of that: only a quorum would lift it.
#[test]
fn the_last_administrator_lost() {
    let mut stage = Stage::lost();
    let suspend = Suspend {
        scope: Scope::Everything,
    };
    let suspend = stage.staffs(World::OPERATOR, ActKind::Suspend(suspend));
    let by = stage.submit(suspend);
    let administration = new(&stage);
    let act = stage.begin_administrators(administration);
    stage.ledger.settle_clocks();
    stage.ledger.clock.pass(Span(DELAY.0 - 1));
    assert!(matches!(stage.settles(act), Decision::Hold { .. }));
    stage.ledger.clock.pass(Span(1));
    assert_eq!(stage.settles(act), Decision::Release);
    stage.settle(act);
    assert_eq!(stage.end(act), Some(End::Done));
    stage.ledger.settle_clocks();

    // Those of before are nothing any more, and have nothing.
    for number in 0..3 {
        let old = stage.facts().member(World::administrator(number)).unwrap();
        assert!(old.roles.is_empty() && old.factors.is_empty());
        let key = request_key(World::administrator(number)).id();
        assert!(!stage.facts().staff_factors.contains_key(&key));
    }
    assert_eq!(stage.state().quorum(), 2);
    // The new ones lift what was shut.
    let kind = ActKind::Lift(portcullis_core::act::Lift {
        target: LiftTarget::Suspension { by },
    });
    let lift = stage.staffs(who(NEW[0]), kind);
    let lift = stage.submit(lift);
    stage.approve(who(NEW[1]), lift);
    stage.settle(lift);
    assert!(stage.facts().suspensions.is_empty());
}

/// From then on the new quorum counts, for proposals as for what must not lock everybody out.
#[test]
fn the_new_quorum_is_the_one_that_counts() {
    let mut stage = Stage::lost();
    let administration = stage.new_administration(&NEW, 3);
    let act = stage.begin_administrators(administration);
    stage.pass(DELAY);
    stage.settle(act);
    stage.pass(Span::seconds(1));
    assert_eq!(stage.state().quorum(), 3);
    let grant = ActKind::GrantRole(GrantRole {
        principal: World::OPERATOR,
        role: Role::Support,
        factor: None,
    });
    let proposal = stage.staffs(who(NEW[0]), grant);
    let evidence = stage.prove(&proposal);
    let needs = vec![Need::Quorum { missing: 2 }];
    let hold = Decision::Hold { needs, until: None };
    assert_eq!(stage.decide(&proposal, &evidence), hold);
    let grant = stage.submit(proposal);
    stage.approve(who(NEW[1]), grant);
    let needs = vec![Need::Quorum { missing: 1 }];
    stage.ledger.settle_clocks();
    let until = None;
    assert_eq!(stage.settles(grant), Decision::Hold { needs, until });
    let leave = ActKind::RevokeRole(RevokeRole {
        principal: who(NEW[2]),
        role: Role::Administrator,
    });
    let leave = stage.staffs(who(NEW[0]), leave);
    assert_eq!(stage.refusal(&leave), Some(Reason::WouldLockOut));
}

/// One administrator of before stays one, with a key that is new; a member of staff becomes one.
#[test]
fn some_are_there_already() {
    let mut stage = Stage::lost();
    let fresh = |seed: u8| vec![request_key(who(seed))];
    let administrators = vec![
        NewAdministrator {
            principal: World::administrator(2),
            factors: fresh(NEW[0]),
        },
        NewAdministrator {
            principal: World::OPERATOR,
            factors: fresh(NEW[1]),
        },
    ];
    let new = RecoverAdministrators {
        administrators,
        ..stage.new_administration(&NEW, 2)
    };
    let act = stage.begin_administrators(new);
    stage.pass(DELAY);
    stage.settle(act);
    let stayed = stage.facts().member(World::administrator(2)).unwrap();
    assert_eq!(stayed.roles, [Role::Administrator]);
    assert_eq!(stayed.factors.len(), 1);
    assert_eq!(stayed.factors[0].id, request_key(who(NEW[0])).id());
    let operator = stage.facts().member(World::OPERATOR).unwrap();
    assert_eq!(operator.roles, [Role::Administrator, Role::Operator]);
    assert_eq!(operator.factors.len(), 2);
}

// Vetoes.

fn veto(stage: &mut Stage, number: usize, act: Digest) -> portcullis_core::Act {
    stage.staffs(World::administrator(number), ActKind::Veto(Veto { act }))
}

#[test]
fn a_quorum_of_the_present_administrators_stops_it() {
    let mut stage = Stage::lost();
    let administration = new(&stage);
    let act = stage.begin_administrators(administration);
    stage.pass(DELAY);
    let first = veto(&mut stage, 0, act);
    stage.submit(first);
    assert_eq!(stage.settles(act), Decision::Release, "one is no quorum");
    let again = veto(&mut stage, 0, act);
    assert_eq!(stage.refusal(&again), Some(Reason::AlreadyVetoed));
    let second = veto(&mut stage, 1, act);
    stage.submit(second);
    assert_eq!(stage.end(act), Some(End::Returned));
    assert!(stage.facts().vetoes.is_empty());
    let third = veto(&mut stage, 2, act);
    assert_eq!(stage.refusal(&third), Some(Reason::ActGone));
    assert_eq!(stage.state().quorum(), 2);
    assert!(stage.facts().member(who(NEW[0])).is_none());
}

/// An administrator who lost the role or the factor after the veto does not object any more.
#[test]
fn a_veto_counts_while_its_administrator_does() {
    for by_role in [true, false] {
        let mut stage = Stage::lost();
        let administration = new(&stage);
        let act = stage.begin_administrators(administration);
        let first = veto(&mut stage, 2, act);
        stage.submit(first);
        if by_role {
            stage.propose(ActKind::RevokeRole(RevokeRole {
                principal: World::administrator(2),
                role: Role::Administrator,
            }));
        } else {
            let (principal, factor) = (
                World::administrator(2),
                request_key(World::administrator(2)).id(),
            );
            let kind = ActKind::RevokeFactor(RevokeFactor { principal, factor });
            let own = stage.staffs(principal, kind);
            stage.submit(own);
        }
        let second = veto(&mut stage, 0, act);
        stage.submit(second);
        assert_eq!(stage.end(act), None, "{by_role}");
        let third = veto(&mut stage, 1, act);
        stage.submit(third);
        assert_eq!(stage.end(act), Some(End::Returned), "{by_role}");
    }
}

#[test]
fn its_messenger_takes_it_back_and_nobody_else_vetoes_alone() {
    let mut stage = Stage::lost();
    let administration = new(&stage);
    let act = stage.begin_administrators(administration);
    for member in [World::OPERATOR, SUPPORT, World::BACK_END] {
        let veto = stage.staffs(member, ActKind::Veto(Veto { act }));
        assert_eq!(stage.refusal(&veto), Some(Reason::RoleMissing));
    }
    let other = stage.staffs(World::OPERATOR, ActKind::Cancel(Cancel { act }));
    assert_eq!(stage.refusal(&other), Some(Reason::ActUnknown));
    let approval = stage.staffs(World::administrator(0), ActKind::Approve(Approve { act }));
    stage.submit(approval);
    let until = None;
    let needs = vec![Need::Delay];
    assert_eq!(stage.settles(act), Decision::Hold { needs, until });
}

// What it names.

#[test]
fn two_on_one_administration_cannot_both_pass() {
    let mut stage = Stage::lost();
    let (one, other) = (new(&stage), stage.new_administration(&[0x34, 0x35], 2));
    let first = stage.begin_administrators(one);
    let second = stage.begin_administrators(other.clone());
    stage.pass(DELAY);
    stage.settle(first);
    assert_eq!(
        stage.settles(second),
        refused(Reason::AdministrationChanged)
    );
    let act = stage.staffs(SUPPORT, ActKind::RecoverAdministrators(other));
    let evidence = stage.rooted(&act, &ROOTS[..2]);
    assert_eq!(
        stage.decide(&act, &evidence),
        refused(Reason::AdministrationChanged)
    );
}

/// Roots that were rotated away do not come back by what they signed before.
#[test]
fn roots_that_were_rotated_recover_nobody_that_waits() {
    let mut stage = Stage::lost();
    let administration = new(&stage);
    let act = stage.begin_administrators(administration);
    let replaces = Keys::Roots {
        roots: stage.state().roots(),
    };
    let roots = Roots {
        keys: vec![World::key(&id(0xd4)).public_key().clone()],
        quorum: 1,
    };
    stage.propose(ActKind::Rotate(Rotate {
        replaces: replaces.digest(),
        keys: Keys::Roots { roots },
    }));
    stage.pass(DELAY);
    assert_eq!(stage.settles(act), refused(Reason::AdministrationChanged));
    // The old ones are no roots any more, the new one is.
    assert_eq!(
        by_roots(&mut stage, &ROOTS[..2]),
        refused(Reason::AttestationInvalid)
    );
    let decision = by_roots(&mut stage, &[0xd4]);
    assert!(matches!(decision, Decision::Hold { .. }));
}

/// What is wrong with a new administration, and nothing else.
#[test]
fn what_contradicts_itself_is_refused() {
    type Fault = fn(&mut RecoverAdministrators);
    let malformed: &[(&str, Fault)] = &[
        ("nobody", |new| {
            new.administrators.clear();
            new.quorum = 0;
        }),
        ("a quorum of half", |new| {
            new.administrators.truncate(2);
            new.quorum = 1;
        }),
        ("a quorum of more than all", |new| new.quorum = 4),
        ("somebody twice", |new| {
            new.administrators[1].principal = new.administrators[0].principal;
        }),
        ("a factor twice", |new| {
            new.administrators[1].factors = new.administrators[0].factors.clone();
        }),
        ("no factor", |new| new.administrators[2].factors.clear()),
    ];
    for (what, fault) in malformed {
        assert_eq!(
            of_fault(*fault),
            refused(Reason::AdministrationMalformed),
            "{what}"
        );
    }
    let others: &[(Reason, Fault)] = &[
        (Reason::RoleMissing, |new| {
            new.administrators[0].principal = PrincipalId(World::KEEPER.0);
        }),
        (Reason::RoleMissing, |new| {
            new.administrators[0].principal = World::BACK_END;
        }),
        (Reason::AccountExists, |new| {
            new.administrators[0].principal =
                portcullis_keeper::testkit::Customer::number(1).principal;
        }),
        // Also a key that a present administrator has: it may be in other hands.
        (Reason::FactorExists, |new| {
            new.administrators[0].factors = vec![request_key(World::administrator(1))];
        }),
        (Reason::FactorExists, |new| {
            new.administrators[0].factors = vec![request_key(
                portcullis_keeper::testkit::Customer::number(1).principal,
            )];
        }),
    ];
    for (reason, fault) in others {
        assert_eq!(of_fault(*fault), refused(*reason));
    }
}

fn of_fault(fault: fn(&mut RecoverAdministrators)) -> Decision {
    let mut stage = Stage::lost();
    stage.enrol_request_key();
    let mut administration = new(&stage);
    fault(&mut administration);
    let kind = ActKind::RecoverAdministrators(administration);
    let act = stage.staffs(SUPPORT, kind);
    let evidence = stage.rooted(&act, &ROOTS[..2]);
    stage.decide(&act, &evidence)
}

/// An epoch of staff does not reach the roots, and what they name is under the present one.
#[test]
fn new_administrators_are_of_the_present_epoch() {
    let mut stage = Stage::lost();
    let administration = new(&stage);
    let act = stage.begin_administrators(administration);
    let kind = ActKind::RaiseEpoch(RaiseEpoch {
        realm: Realm::Staff,
        factors: Some(portcullis_core::factor::FactorKind::Passkey),
    });
    stage.propose(kind);
    stage.pass(DELAY);
    stage.settle(act);
    stage.ledger.settle_clocks();
    let factor: NewFactor = request_key(who(NEW[0]));
    let owner = portcullis_core::state::account::Owner::Member {
        principal: who(NEW[0]),
    };
    let enrolled = stage.facts().factor(owner, factor.id()).unwrap();
    assert!(
        stage
            .facts()
            .is_current(owner, enrolled.kind, enrolled.epochs)
    );
}

//! Whose word counts when an act that waited is settled: those who may still give it, by factors that
//! still count, and nobody's while a suspension takes the act in.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod stage;

use portcullis_core::act::{
    ActKind, EnrolFactor, GrantRole, Lift, LiftTarget, RevokeFactor, RevokeRole, Scope, SetLimits,
    Suspend,
};
use portcullis_core::decision::Need;
use portcullis_core::id::PrincipalId;
use portcullis_core::limits::Limits;
use portcullis_core::realm::{Realm, Role};
use portcullis_core::{Act, Decision, Digest, Span};
use portcullis_keeper::testkit::World;
use stage::{APPROVERS, SUPPORT, Stage, UNAPPROVED, request_key, unbounded};

/// Takes something from a member of staff.
type Take = fn(&mut Stage, PrincipalId);

fn revoke_factor(stage: &mut Stage, principal: PrincipalId) {
    let factor = request_key(principal).id();
    let kind = ActKind::RevokeFactor(RevokeFactor { principal, factor });
    let act = stage.staffs(principal, kind);
    stage.submit(act);
}

/// The factor is taken back, and enrolled again by the time that its owner's word is counted.
fn renew_factor(stage: &mut Stage, principal: PrincipalId) {
    let second = PrincipalId([0x5e; 16]);
    let enrol = |factor| ActKind::EnrolFactor(EnrolFactor { principal, factor });
    let act = stage.staffs(principal, enrol(request_key(second)));
    stage.submit(act);
    revoke_factor(stage, principal);
    stage.pass(Span::seconds(6));
    let act = stage.staffs(principal, enrol(request_key(principal)));
    let mut evidence = stage.prove(&act);
    evidence.requests = vec![World::request(second, &act, stage.now())];
    stage.submit_with(act, evidence);
}

fn held(need: Need) -> Decision {
    let needs = vec![need];
    Decision::Hold { needs, until: None }
}

// Withdrawals.

/// A withdrawal that two approvers have approved.
fn approved(stage: &mut Stage) -> Digest {
    let act = stage.withdrawal(UNAPPROVED + 1);
    let act = stage.submit(act);
    stage.ledger.settle_clocks();
    for who in &APPROVERS[..2] {
        stage.approve(*who, act);
    }
    assert_eq!(stage.settles(act), Decision::Release);
    act
}

#[test]
fn who_approved_and_may_no_more_approves_nothing() {
    let take_role: Take = |stage, principal| {
        let role = Role::Approver;
        let take = ActKind::RevokeRole(RevokeRole { principal, role });
        let take = stage.staffs(World::administrator(0), take);
        stage.submit(take);
    };
    for take in [revoke_factor as Take, take_role] {
        let mut stage = Stage::new();
        let act = approved(&mut stage);
        take(&mut stage, APPROVERS[1]);
        assert_eq!(stage.settles(act), held(Need::Approvals { missing: 1 }));
        stage.approve(APPROVERS[2], act);
        assert_eq!(stage.settles(act), Decision::Release);
    }
}

// Proposals.

/// Proposes something.
type Propose = fn(&mut Stage) -> Act;

/// What a quorum decides on: a lift, a role, limits, an account's thaw.
const PROPOSALS: [Propose; 4] = [lifting, granting, limiting, thawing];

fn lifting(stage: &mut Stage) -> Act {
    let by = suspend(stage, Scope::Asset(World::TOKEN));
    let target = LiftTarget::Suspension { by };
    stage.staffs(World::administrator(0), ActKind::Lift(Lift { target }))
}

fn granting(stage: &mut Stage) -> Act {
    let grant = GrantRole {
        principal: SUPPORT,
        role: Role::Auditor,
        factor: None,
    };
    stage.staffs(World::administrator(0), ActKind::GrantRole(grant))
}

fn limiting(stage: &mut Stage) -> Act {
    let replaces = stage.facts().limits.digest();
    let rules = vec![unbounded(World::ETHER)];
    let limits = Limits { rules };
    let kind = ActKind::SetLimits(SetLimits { replaces, limits });
    stage.staffs(World::administrator(0), kind)
}

fn thawing(stage: &mut Stage) -> Act {
    let freeze = stage.customers(ActKind::Freeze);
    stage.submit(freeze);
    stage.staffs_about(World::administrator(0), ActKind::Unfreeze)
}

fn suspend(stage: &mut Stage, scope: Scope) -> Digest {
    let act = stage.staffs(World::OPERATOR, ActKind::Suspend(Suspend { scope }));
    stage.submit(act)
}

/// A proposal that its quorum stands behind and whose delay has run.
fn agreed(stage: &mut Stage, propose: Propose) -> Digest {
    let act = propose(stage);
    let act = stage.submit(act);
    stage.approve(World::administrator(2), act);
    stage.pass(Span::seconds(6));
    assert_eq!(stage.settles(act), Decision::Release);
    act
}

#[test]
fn who_is_no_administrator_any_more_is_of_no_quorum() {
    let take_role: Take = |stage, principal| {
        let role = Role::Administrator;
        let take = ActKind::RevokeRole(RevokeRole { principal, role });
        let take = stage.staffs(World::administrator(1), take);
        let take = stage.submit(take);
        let other = [2, 0].map(World::administrator);
        let other = other.into_iter().find(|other| *other != principal);
        stage.approve(other.unwrap(), take);
        stage.settle(take);
    };
    for propose in PROPOSALS {
        // Who approved, and who proposed.
        for member in [World::administrator(2), World::administrator(0)] {
            for take in [revoke_factor as Take, renew_factor, take_role] {
                let mut stage = Stage::new();
                let act = agreed(&mut stage, propose);
                take(&mut stage, member);
                assert_eq!(stage.settles(act), held(Need::Quorum { missing: 1 }));
                stage.approve(World::administrator(1), act);
                assert_eq!(stage.settles(act), Decision::Release);
            }
        }
    }
}

#[test]
fn a_suspension_holds_the_proposals_that_it_takes_in() {
    #[rustfmt::skip] // a table
    let table: [(Propose, [bool; 4]); 4] = [
        // Everything, staff, the account, withdrawals.
        (lifting,  [false, false, false, false]),
        (granting, [true,  true,  false, false]),
        (limiting, [true,  true,  false, false]),
        (thawing,  [true,  true,  true,  false]),
    ];
    for (propose, holds) in table {
        for (number, holds) in holds.into_iter().enumerate() {
            let mut stage = Stage::new();
            let act = agreed(&mut stage, propose);
            let scopes = [
                Scope::Everything,
                Scope::Realm(Realm::Staff),
                Scope::Account(stage.customer.account),
                Scope::Withdrawals,
            ];
            let scope = scopes[number];
            let by = suspend(&mut stage, scope);
            let want = if holds {
                held(Need::Lift)
            } else {
                Decision::Release
            };
            assert_eq!(stage.settles(act), want, "{scope:?}");
            stage.ledger.lift(LiftTarget::Suspension { by });
            assert_eq!(stage.settles(act), Decision::Release, "{scope:?}");
        }
    }
}

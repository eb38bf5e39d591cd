//! 340 to 342: may they? (`tests/roles.rs` has every role against every act.)

use super::{Fault, Row, row};
use crate::stage::{APPROVERS, Stage, ether, request_key};
use portcullis_core::act::{
    ActKind, Approve, EnrolFactor, GrantRole, RaiseEpoch, RevokeFactor, RevokeRole, Scope,
};
use portcullis_core::id::PrincipalId;
use portcullis_core::realm::{Realm, Role};
use portcullis_core::{Act, Evidence, Reason};
use portcullis_keeper::testkit::World;

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    use Fault::{Act as Asks, Later};
    use Reason as R;
    vec![
        row(R::RoleMissing, "an auditor suspends", suspension, Asks(|_, act| act.principal = crate::stage::AUDITOR)),
        row(R::RoleMissing, "a holder raises an epoch", freezing, Asks(|_, act| act.kind = raise())),
        row(R::RoleMissing, "staff withdraws", staff_freezing, Asks(|_, act| act.kind = ether(crate::stage::PAYEE, 1))),
        row(R::RoleMissing, "an approver behind a proposal", approval_of_proposal, Asks(|_, act| act.principal = APPROVERS[0])),
        row(R::RoleMissing, "somebody is made a keeper", grant, Asks(into_keeper)),
        row(R::RoleMissing, "the role was taken away meanwhile", suspension, Later(taken_away)),
        row(R::RoleMissing, "an administrator takes another's key", own_key, Asks(|_, act| act.principal = World::administrator(1))),
        row(R::RoleMissing, "an administrator takes a keeper's role", taking, Asks(a_keepers_role)),
        row(R::RoleMissing, "an administrator takes a keeper's key", own_key, Asks(a_keepers_key)),
        row(R::RoleMissing, "a keeper gives up its key", own_key, Asks(|stage, act| { act.principal = KEEPER; a_keepers_key(stage, act); })),
        row(R::RoleMissing, "a keeper takes another key", own_key, Asks(another_key_of_a_keeper)),
        row(R::SelfApproval, "the proposer approves", approval_of_proposal, Asks(|_, act| act.principal = World::administrator(0))),
        row(R::AlreadyApproved, "by another act of the same member", approval, Later(approved)),
    ]
}

const KEEPER: PrincipalId = PrincipalId(World::KEEPER.0);

fn suspension(stage: &mut Stage) -> Act {
    stage.ledger.suspension(Scope::Withdrawals).0
}

fn freezing(stage: &mut Stage) -> Act {
    stage.customers(ActKind::Freeze)
}

fn staff_freezing(stage: &mut Stage) -> Act {
    stage.staffs_about(World::OPERATOR, ActKind::Freeze)
}

fn raise() -> ActKind {
    ActKind::RaiseEpoch(RaiseEpoch {
        realm: Realm::Customers,
        factors: None,
    })
}

fn grant(stage: &mut Stage) -> Act {
    let grant = GrantRole {
        principal: World::OPERATOR,
        role: Role::Support,
        factor: None,
    };
    stage.staffs(World::administrator(0), ActKind::GrantRole(grant))
}

fn into_keeper(_: &mut Stage, act: &mut Act) {
    let ActKind::GrantRole(grant) = &mut act.kind else {
        unreachable!()
    };
    grant.role = Role::Keeper;
}

fn approval_of_proposal(stage: &mut Stage) -> Act {
    let proposal = grant(stage);
    let act = stage.submit(proposal);
    let second = World::administrator(1);
    stage.staffs(second, ActKind::Approve(Approve { act }))
}

/// An approver behind a withdrawal that takes two.
fn approval(stage: &mut Stage) -> Act {
    let withdrawal = stage.withdrawal(1_000);
    let act = stage.submit(withdrawal);
    stage.staffs(APPROVERS[0], ActKind::Approve(Approve { act }))
}

fn approved(stage: &mut Stage, act: &Act, _: &mut Evidence) {
    let ActKind::Approve(Approve { act: of }) = act.kind else {
        unreachable!()
    };
    stage.approve(APPROVERS[0], of);
}

fn taken_away(stage: &mut Stage, _: &Act, _: &mut Evidence) {
    let revoke = RevokeRole {
        principal: World::OPERATOR,
        role: Role::Operator,
    };
    let act = stage.staffs(World::administrator(0), ActKind::RevokeRole(revoke));
    stage.submit(act);
}

fn own_key(stage: &mut Stage) -> Act {
    let principal = World::administrator(0);
    let factor = request_key(principal).id();
    let kind = ActKind::RevokeFactor(RevokeFactor { principal, factor });
    stage.staffs(principal, kind)
}

fn taking(stage: &mut Stage) -> Act {
    let (principal, role) = (World::OPERATOR, Role::Operator);
    let kind = ActKind::RevokeRole(RevokeRole { principal, role });
    stage.staffs(World::administrator(0), kind)
}

fn a_keepers_role(_: &mut Stage, act: &mut Act) {
    let (principal, role) = (KEEPER, Role::Keeper);
    act.kind = ActKind::RevokeRole(RevokeRole { principal, role });
}

fn a_keepers_key(_: &mut Stage, act: &mut Act) {
    let (principal, factor) = (KEEPER, request_key(KEEPER).id());
    act.kind = ActKind::RevokeFactor(RevokeFactor { principal, factor });
}

fn another_key_of_a_keeper(_: &mut Stage, act: &mut Act) {
    let (principal, factor) = (KEEPER, request_key(PrincipalId([0x2f; 16])));
    act.principal = principal;
    act.kind = ActKind::EnrolFactor(EnrolFactor { principal, factor });
}

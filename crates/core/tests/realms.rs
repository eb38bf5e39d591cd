//! No principal and no key is of two realms.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod stage;

use portcullis_core::Reason;
use portcullis_core::act::{ActKind, EnrolFactor, GrantRole, OpenAccount};
use portcullis_core::factor::NewFactor;
use portcullis_core::id::PrincipalId;
use portcullis_core::realm::Role;
use portcullis_core::state::release::End;
use portcullis_keeper::testkit::{Customer, World};
use stage::{Stage, request_key};

const NEWCOMER: PrincipalId = PrincipalId([0x31; 16]);

fn grant(principal: PrincipalId, factor: NewFactor) -> ActKind {
    ActKind::GrantRole(GrantRole {
        principal,
        role: Role::Support,
        factor: Some(factor),
    })
}

fn refusal(stage: &mut Stage, who: PrincipalId, kind: ActKind) -> Option<Reason> {
    let act = stage.staffs(who, kind);
    stage.refusal(&act)
}

#[test]
fn a_customer_is_given_no_role() {
    let mut stage = Stage::new();
    let customer = stage.customer.principal;
    let kind = grant(customer, request_key(NEWCOMER));
    let refused = refusal(&mut stage, World::administrator(0), kind);
    assert_eq!(refused, Some(Reason::AccountExists));
}

#[test]
fn staff_get_no_holders_key() {
    let mut stage = Stage::new();
    stage.enrol_request_key();
    let theirs = request_key(stage.customer.principal);
    let kind = grant(NEWCOMER, theirs.clone());
    let refused = refusal(&mut stage, World::administrator(0), kind);
    assert_eq!(refused, Some(Reason::FactorExists));
    let principal = World::OPERATOR;
    let kind = ActKind::EnrolFactor(EnrolFactor {
        principal,
        factor: theirs,
    });
    let refused = refusal(&mut stage, principal, kind);
    assert_eq!(refused, Some(Reason::FactorExists));
}

/// Proposed first, and then an account is opened for the same principal.
#[test]
fn whoever_became_a_customer_meanwhile_does_not_become_staff() {
    let mut stage = Stage::new();
    let customer = Customer::number(2);
    let kind = grant(customer.principal, request_key(NEWCOMER));
    let proposal = stage.staffs(World::administrator(0), kind);
    let proposal = stage.submit(proposal);
    let open = OpenAccount {
        subject: customer.subject,
        principal: customer.principal,
        factor: customer.factor(),
        delay: None,
        contact: None,
        imported: None,
    };
    let mut open = stage.staffs(World::BACK_END, ActKind::OpenAccount(open));
    open.account = Some(customer.account);
    stage.submit(open);
    stage.approve(World::administrator(1), proposal);
    stage.settle(proposal);
    assert_eq!(stage.end(proposal), Some(End::Returned));
    assert!(stage.facts().member(customer.principal).is_none());
}

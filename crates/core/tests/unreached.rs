//! An account of which nobody reaches the contact, and the one that a quorum of administrators gives it.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod stage;

use portcullis_core::act::{
    ActKind, Approve, Cancel, ChangeContact, EnrolFactor, GrantRole, Lift, LiftTarget, OpenAccount,
    RevokeFactor, Scope, Suspend,
};
use portcullis_core::decision::Need;
use portcullis_core::id::PrincipalId;
use portcullis_core::policy::Policy;
use portcullis_core::realm::Role;
use portcullis_core::state::release::End;
use portcullis_core::{Act, Decision, Digest, Reason, Span};
use portcullis_keeper::testkit::{Customer, HandClock, Ledger, World};
use stage::{PAYEE, Stage, add};
use std::sync::Arc;

const OTHER: Digest = Digest([0x0c; 32]);
const THIRD: Digest = Digest([0x0d; 32]);

fn change(contact: Digest) -> ActKind {
    ActKind::ChangeContact(ChangeContact { contact })
}

/// A member of staff proposes a contact for the customer's account.
fn proposal(stage: &mut Stage, who: PrincipalId, contact: Digest) -> Act {
    stage.staffs_about(who, change(contact))
}

fn proposed(stage: &mut Stage) -> Digest {
    let act = proposal(stage, World::administrator(0), OTHER);
    stage.submit(act)
}

fn agreed(stage: &mut Stage) -> Digest {
    let act = proposed(stage);
    stage.approve(World::administrator(1), act);
    act
}

fn contact(stage: &Stage) -> Option<Digest> {
    let account = stage.facts().account(stage.customer.account).unwrap();
    account.contact.as_deref().copied()
}

fn waits_for(stage: &Stage, act: Digest) -> Vec<Need> {
    match stage.settles(act) {
        Decision::Hold { needs, .. } => needs,
        other => panic!("{other:?}"),
    }
}

/// The account was opened with a mistyped contact: nobody has been told, and nobody will be.
fn unreached() -> Stage {
    let world = Arc::new(World::with_a_herald());
    let mut stage = Stage {
        ledger: Ledger::new(world, HandClock::at(World::START)),
        customer: Customer::number(1),
    };
    stage.ledger.open(&stage.customer);
    stage.pass(Span::hours(48));
    stage
}

#[test]
fn an_opening_that_nobody_could_be_told_of_is_brought_back() {
    let mut stage = unreached();
    let own = stage.customers(change(OTHER));
    assert_eq!(stage.refusal(&own), Some(Reason::FactorNotYet));
    let act = agreed(&mut stage);
    assert_eq!(stage.untold(act), None, "it waits for nobody's word");
    stage.pass(Span::seconds(16));
    stage.settle(act);
    assert_eq!(stage.untold(act), None);
    assert_eq!(contact(&stage), Some(OTHER));
    assert_eq!(stage.end(act), Some(End::Done));
    // The factor that has waited in vain gives way to itself, of which the new contact is told.
    let principal = stage.customer.principal;
    let factor = stage.customer.factor();
    let revoke = RevokeFactor {
        principal,
        factor: factor.id(),
    };
    let revoke = stage.staffs_about(World::administrator(0), ActKind::RevokeFactor(revoke));
    stage.submit(revoke);
    let enrol = ActKind::EnrolFactor(EnrolFactor { principal, factor });
    let enrol = stage.staffs_about(World::BACK_END, enrol);
    let enrol = {
        let mut evidence = stage.ledger.staffs_evidence(&enrol);
        evidence.attestations.push(stage.ledger.onboarding(&enrol));
        stage.submit_with(enrol, evidence)
    };
    stage.heralds(enrol);
    stage.pass(Span::seconds(6));
    let address = stage.customers(add(PAYEE));
    assert_eq!(stage.refusal(&address), None);
}

#[test]
fn one_administrator_gives_nobody_a_contact() {
    let mut stage = Stage::with_a_herald();
    let act = proposed(&mut stage);
    let own = stage.staffs(World::administrator(0), ActKind::Approve(Approve { act }));
    assert_eq!(stage.refusal(&own), Some(Reason::SelfApproval));
    let operators = stage.staffs(World::OPERATOR, ActKind::Approve(Approve { act }));
    assert_eq!(stage.refusal(&operators), Some(Reason::RoleMissing));
    stage.pass(Span::hours(1));
    assert_eq!(waits_for(&stage, act), [Need::Quorum { missing: 1 }]);
    stage.approve(World::administrator(1), act);
    stage.settle(act);
    assert_eq!(contact(&stage), Some(OTHER));
}

/// That is a change of the account's, as policies are told (docs/design/067); its first contact was none.
#[test]
fn another_contact_is_a_change_shortly_before() {
    let mut stage = Stage::with_a_herald();
    let since = |stage: &Stage| {
        let known = stage.facts().behaviour.as_deref();
        known.and_then(|known| known.contact_since(&stage.customer.account.0, stage.now()))
    };
    let act = agreed(&mut stage);
    assert_eq!(since(&stage), None);
    stage.pass(Span::hours(1));
    stage.settle(act);
    assert_eq!(contact(&stage), Some(OTHER));
    assert_eq!(since(&stage), Some(Span(0)));
    stage.pass(Span::hours(5));
    assert_eq!(since(&stage), Some(Span::hours(5)));
}

#[test]
fn it_waits_for_three_floors() {
    let mut stage = Stage::with_a_herald();
    let act = agreed(&mut stage);
    stage.pass(Span::seconds(14));
    assert_eq!(waits_for(&stage, act), [Need::Delay]);
    stage.pass(Span::seconds(2));
    assert_eq!(stage.settles(act), Decision::Release);
}

#[test]
fn it_waits_for_the_accounts_own_delay_where_that_is_longer() {
    let mut stage = Stage::with_a_herald();
    let customer = Customer::number(2);
    let open = OpenAccount {
        subject: customer.subject,
        principal: customer.principal,
        factor: customer.factor(),
        delay: Some(Span::seconds(60)),
        contact: Some(THIRD),
        imported: None,
    };
    let mut open = stage.staffs(World::BACK_END, ActKind::OpenAccount(open));
    open.account = Some(customer.account);
    stage.submit(open);
    let mut act = stage.staffs(World::administrator(0), change(OTHER));
    act.account = Some(customer.account);
    let act = stage.submit(act);
    stage.approve(World::administrator(1), act);
    stage.pass(Span::seconds(59));
    assert_eq!(waits_for(&stage, act), [Need::Delay]);
    stage.pass(Span::seconds(2));
    assert_eq!(stage.settles(act), Decision::Release);
}

/// Even by a factor that waits in vain for its own delay.
#[test]
fn the_holder_cancels_it_alone() {
    for mut stage in [Stage::with_a_herald(), unreached()] {
        let act = agreed(&mut stage);
        let cancel = stage.customers(ActKind::Cancel(Cancel { act }));
        stage.submit(cancel);
        assert_eq!(stage.end(act), Some(End::Returned));
    }
}

#[test]
fn nobody_elses_customer_and_no_other_member_of_staff_cancels_it() {
    let mut stage = Stage::with_a_herald();
    let stranger = Customer::number(2);
    stage.ledger.open(&stranger);
    let act = agreed(&mut stage);
    let cancel = ActKind::Cancel(Cancel { act });
    let strangers = stage.ledger.customers_act(&stranger, cancel.clone());
    let evidence = stage.ledger.customers_evidence(&stranger, &strangers);
    let reason = Reason::ActUnknown;
    assert_eq!(
        stage.decide(&strangers, &evidence),
        Decision::Refuse { reason }
    );
    for who in [World::administrator(1), World::OPERATOR, World::BACK_END] {
        let cancel = stage.staffs_about(who, cancel.clone());
        assert_eq!(stage.refusal(&cancel), Some(reason), "{who}");
    }
    let proposers = stage.staffs_about(World::administrator(0), cancel);
    stage.submit(proposers);
    assert_eq!(stage.end(act), Some(End::Returned));
}

/// It would keep the others from proposing one for a month.
#[test]
fn what_one_administrator_proposed_and_nobody_joined_any_of_staff_takes_back() {
    let mut stage = Stage::with_a_herald();
    let act = proposed(&mut stage);
    let cancel = stage.staffs_about(World::administrator(2), ActKind::Cancel(Cancel { act }));
    stage.submit(cancel);
    assert_eq!(stage.end(act), Some(End::Returned));
    let next = proposal(&mut stage, World::administrator(1), THIRD);
    assert_eq!(stage.refusal(&next), None);
}

#[test]
fn a_freeze_since_then_ends_it() {
    let mut stage = Stage::with_a_herald();
    let act = agreed(&mut stage);
    let freeze = stage.customers(ActKind::Freeze);
    stage.submit(freeze);
    let frozen = Reason::AccountFrozen;
    assert_eq!(stage.settles(act), Decision::Refuse { reason: frozen });
    let another = proposal(&mut stage, World::administrator(1), THIRD);
    assert_eq!(stage.refusal(&another), Some(frozen));
    let unfreeze = stage.customers(ActKind::Unfreeze);
    stage.submit(unfreeze);
    assert_eq!(stage.settles(act), Decision::Refuse { reason: frozen });
    stage.settle(act);
    assert_eq!(stage.end(act), Some(End::Returned));
    let another = proposal(&mut stage, World::administrator(1), THIRD);
    assert_eq!(stage.refusal(&another), None);
}

#[test]
fn a_suspension_holds_it() {
    let mut stage = Stage::with_a_herald();
    let act = agreed(&mut stage);
    let scope = Scope::Account(stage.customer.account);
    let suspend = stage.staffs(World::OPERATOR, ActKind::Suspend(Suspend { scope }));
    let by = stage.submit(suspend);
    let next = proposal(&mut stage, World::administrator(1), THIRD);
    assert_eq!(stage.refusal(&next), Some(Reason::Suspended));
    stage.pass(Span::seconds(16));
    assert_eq!(waits_for(&stage, act), [Need::Lift]);
    let target = LiftTarget::Suspension { by };
    stage.propose(ActKind::Lift(Lift { target }));
    assert_eq!(stage.settles(act), Decision::Release);
}

/// One of the administrators' and one of the customer's own: neither bars the other.
#[test]
fn one_at_a_time_beside_the_customers_own() {
    let mut stage = Stage::with_a_herald();
    let known = contact(&stage).unwrap();
    let same = proposal(&mut stage, World::administrator(0), known);
    assert_eq!(stage.refusal(&same), Some(Reason::ContactKnown));
    let given = agreed(&mut stage);
    let second = proposal(&mut stage, World::administrator(1), THIRD);
    assert_eq!(stage.refusal(&second), Some(Reason::ContactKnown));
    let own = stage.customers(change(THIRD));
    let own = stage.submit(own);
    let again = stage.customers(change(OTHER));
    assert_eq!(stage.refusal(&again), Some(Reason::ContactKnown));
    let cancel = stage.customers(ActKind::Cancel(Cancel { act: given }));
    stage.submit(cancel);
    let next = proposal(&mut stage, World::administrator(1), OTHER);
    assert_eq!(stage.refusal(&next), None);
    stage.heralds(own);
    stage.pass(Span::seconds(6));
    stage.settle(own);
    assert_eq!(contact(&stage), Some(THIRD));
}

#[test]
fn nobody_else_of_staff_proposes_one() {
    let mut stage = Stage::with_a_herald();
    stage.propose(ActKind::GrantRole(GrantRole {
        principal: World::OPERATOR,
        role: Role::Support,
        factor: None,
    }));
    for who in [World::BACK_END, World::OPERATOR] {
        let act = proposal(&mut stage, who, OTHER);
        assert_eq!(stage.refusal(&act), Some(Reason::RoleMissing), "{who}");
    }
    let mut nobodys = proposal(&mut stage, World::administrator(0), OTHER);
    nobodys.account = None;
    assert_eq!(stage.refusal(&nobodys), Some(Reason::UnknownAccount));
    let mut bare = Stage::new();
    let act = proposal(&mut bare, World::administrator(0), OTHER);
    assert_eq!(bare.refusal(&act), Some(Reason::NoHerald));
}

/// It loosens, so the policy has a say; and the policy is the same quorum's to replace.
#[test]
fn the_policy_has_a_say() {
    let forbids = r#"
        @id("all") permit (principal, action, resource);
        @id("none") forbid (principal == Realm::"staff", action == Action::"change-contact", resource);
    "#;
    let world = World::with(|genesis| {
        genesis.keepers = World::with_a_herald().network.genesis().keepers.clone();
        genesis.policy = Some(Policy {
            cedar: forbids.into(),
            ..Policy::default_of_core().clone()
        });
    });
    let mut stage = Stage::told_on(world);
    let act = proposal(&mut stage, World::administrator(0), OTHER);
    assert_eq!(stage.refusal(&act), Some(Reason::Forbidden));
    let own = stage.customers(change(OTHER));
    assert_eq!(stage.refusal(&own), None);
}

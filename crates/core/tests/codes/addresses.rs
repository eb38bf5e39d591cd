//! What a customer with nothing but an authenticator app adds to the book.

use crate::stage::{STRANGER, Stage, add, ether, request_key};
use portcullis_core::act::{ActKind, EnrolFactor, RaiseEpoch, RevokeFactor, Scope, Suspend};
use portcullis_core::decision::Need;
use portcullis_core::factor::FactorKind;
use portcullis_core::policy::Policy;
use portcullis_core::realm::Realm;
use portcullis_core::state::release::End;
use portcullis_core::{Decision, Digest, Reason, Span};
use portcullis_keeper::testkit::World;

/// The customer's passkey is gone, the app is left.
fn app_only() -> Stage {
    without_the_passkey(Stage::with_codes())
}

fn without_the_passkey(mut stage: Stage) -> Stage {
    let (principal, factor) = (stage.customer.principal, stage.customer.factor().id());
    let revoke = stage.customers(ActKind::RevokeFactor(RevokeFactor { principal, factor }));
    stage.submit(revoke);
    stage
}

/// An address is asked for by code and waits.
fn asked(stage: &mut Stage) -> Digest {
    let act = stage.customers(add(STRANGER));
    let evidence = stage.with_code(&act);
    stage.submit_with(act, evidence)
}

fn waits_for(needs: &[Need]) -> Decision {
    Decision::Hold {
        needs: needs.to_vec(),
        until: None,
    }
}

fn is_in_the_book(stage: &Stage) -> bool {
    let account = stage.facts().account(stage.customer.account);
    account.unwrap().address(STRANGER).is_some()
}

/// Told like every other, delayed like every other, and for a code only seven floors old.
#[test]
fn an_address_by_code_is_told_and_ages() {
    let mut stage = app_only();
    let act = asked(&mut stage);
    assert_eq!(stage.settles(act), waits_for(&[Need::Totp]));
    let step = stage.step();
    stage.right(act, step);
    assert!(!is_in_the_book(&stage), "a settlement of its own adds it");
    stage.settle(act);
    assert!(is_in_the_book(&stage));
    assert_eq!(stage.end(act), Some(End::Done));
    let book = |stage: &Stage| {
        let account = stage.facts().account(stage.customer.account).unwrap();
        account.address(STRANGER).unwrap().available
    };
    stage.pass(Span::seconds(30));
    assert_eq!(book(&stage).time(), None, "its delay waits for the herald");
    stage.heralds(act);
    stage.pass(Span::seconds(6));
    assert!(book(&stage).is_at(stage.now()));
    let refused = |stage: &mut Stage| {
        let payment = stage.customers(ether(STRANGER, 1));
        let evidence = stage.with_code(&payment);
        match stage.decide(&payment, &evidence) {
            Decision::Refuse { reason } => Some(reason),
            _ => None,
        }
    };
    assert_eq!(refused(&mut stage), Some(Reason::AddressTooYoung));
    stage.pass(Span::seconds(30));
    assert_eq!(refused(&mut stage), None);
}

/// Whoever has a passkey is asked for it, also while it waits for its delay.
#[test]
fn a_code_adds_no_address_beside_a_passkey() {
    let mut stage = Stage::with_codes();
    let act = stage.customers(add(STRANGER));
    let evidence = stage.with_code(&act);
    let reason = Reason::CodeTooWeak;
    assert_eq!(stage.decide(&act, &evidence), Decision::Refuse { reason });
    // An epoch of passkeys leaves the app alone.
    let epoch = ActKind::RaiseEpoch(RaiseEpoch {
        realm: Realm::Customers,
        factors: Some(FactorKind::Passkey),
    });
    let epoch = stage.staffs(World::OPERATOR, epoch);
    stage.submit(epoch);
    let act = stage.customers(add(STRANGER));
    let evidence = stage.with_code(&act);
    assert_eq!(stage.decide(&act, &evidence), waits_for(&[Need::Totp]));
}

#[test]
fn a_wrong_code_adds_nothing() {
    let mut stage = app_only();
    let act = asked(&mut stage);
    stage.wrong(act);
    stage.settle(act);
    assert!(!is_in_the_book(&stage));
    assert_eq!(stage.end(act), Some(End::Returned));
}

/// It loosens, so whatever shuts or freezes the account between the code and its word counts.
#[test]
fn what_shuts_the_account_meanwhile_counts() {
    let mut stage = app_only();
    let act = asked(&mut stage);
    let step = stage.step();
    stage.right(act, step);
    let mut suspended = stage.branch();
    let scope = Scope::Realm(Realm::Customers);
    let suspend = suspended.staffs(World::OPERATOR, ActKind::Suspend(Suspend { scope }));
    suspended.submit(suspend);
    assert_eq!(suspended.settles(act), waits_for(&[Need::Lift]));
    let mut frozen = stage.branch();
    let freeze = frozen.staffs_about(World::OPERATOR, ActKind::Freeze);
    frozen.submit(freeze);
    let reason = Reason::AccountFrozen;
    assert_eq!(frozen.settles(act), Decision::Refuse { reason });
    // An app that was revoked since asks for nothing any more.
    let epoch = ActKind::RaiseEpoch(RaiseEpoch {
        realm: Realm::Customers,
        factors: Some(FactorKind::Totp),
    });
    let epoch = stage.staffs(World::OPERATOR, epoch);
    stage.submit(epoch);
    assert_eq!(stage.settles(act), waits_for(&[Need::Assertion]));
}

/// A policy that wants a passkey for addresses has its way.
#[test]
fn a_policy_may_want_more() {
    let policy = Policy {
        cedar: r#"
            @id("most") permit (principal, action, resource);
            @id("apps-add-nothing")
            forbid (principal, action == Action::"add-address", resource)
            when { context.factor == "totp" };"#
            .into(),
        ..Policy::default_of_core().clone()
    };
    let mut stage = without_the_passkey(Stage::with_policy(policy));
    let act = stage.customers(add(STRANGER));
    let evidence = stage.with_code(&act);
    let reason = Reason::Forbidden;
    assert_eq!(stage.decide(&act, &evidence), Decision::Refuse { reason });
}

/// Found by seed 584 of the simulator: the back end renews the passkey while the code waits.
#[test]
fn whoever_gets_something_better_meanwhile_is_asked_for_it() {
    let mut stage = app_only();
    let act = asked(&mut stage);
    let principal = stage.customer.principal;
    let factor = request_key(principal);
    let enrol = ActKind::EnrolFactor(EnrolFactor { principal, factor });
    let enrol = stage.staffs_about(World::BACK_END, enrol);
    let mut evidence = stage.prove(&enrol);
    evidence.attestations = vec![stage.ledger.onboarding(&enrol)];
    stage.submit_with(enrol, evidence);
    let step = stage.step();
    stage.right(act, step);
    assert_eq!(stage.settles(act), waits_for(&[Need::Assertion]));
    assert!(!is_in_the_book(&stage));
}

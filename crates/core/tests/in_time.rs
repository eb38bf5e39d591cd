//! What was never submitted before it expired comes to nothing, whenever a gate says that it was; and what
//! was taken back does not come back with the key.
//!
//! Whoever keeps the journal writes the entries' times, and can go on idling while the witnesses cosign
//! the same size again and again. So the first cosignature on an entry is the word that counts.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod stage;

use portcullis_chains::caip::AssetId;
use portcullis_core::act::{
    Act, ActKind, EnrolFactor, GrantRole, Lift, LiftTarget, RaiseEpoch, Resume, RevokeFactor,
    Scope, Suspend, Void,
};
use portcullis_core::decision::Need;
use portcullis_core::id::AccountId;
use portcullis_core::realm::{Realm, Role};
use portcullis_core::state::account::Owner;
use portcullis_core::state::release::{End, Stage as Standing, Withheld};
use portcullis_core::{Decision, Evidence, Reason, Span};
use portcullis_keeper::testkit::World;
use stage::{APPROVERS, STRANGER, SUPPORT, Stage, add, request_key};

/// Ten minutes to be submitted in.
const LIFE: Span = Span::seconds(600);

/// An act that is made now, and then journaled as if in time, an hour after the witnesses saw the journal
/// without it. `journal` says how.
fn backdated(stage: &mut Stage, mut act: Act, journal: impl FnOnce(&mut Stage, Act, Evidence)) {
    let start = stage.now();
    act.expires = start.after(LIFE);
    let evidence = stage.prove(&act);
    stage.ledger.clock.pass(Span::hours(1));
    stage.ledger.cosign();
    let now = stage.now();
    stage.ledger.clock.set(start.after(Span::seconds(5)));
    journal(stage, act, evidence);
    stage.ledger.clock.set(now);
}

#[test]
fn a_backdated_hold_is_not_revived() {
    let mut stage = Stage::new();
    let act = stage.withdrawal(5);
    let digest = {
        let mut act = act.clone();
        act.expires = stage.now().after(LIFE);
        act.digest()
    };
    backdated(&mut stage, act, |stage, act, evidence| {
        // Held for its debit, which follows at once.
        let (mut without, mut debit) = (evidence.clone(), evidence);
        without.attestations.clear();
        debit.assertions.clear();
        stage.submit_with(act, without);
        assert_eq!(stage.supplement(digest, debit).void, None);
    });
    // Complete, and still nobody knows that it was submitted in time.
    let needs = vec![Need::Delay];
    assert_eq!(stage.settles(digest), Decision::Hold { needs, until: None });
    stage.ledger.settle_clocks();
    assert_eq!(stage.end(digest), Some(End::Returned));
    assert!(!stage.facts().held.contains_key(&digest));
}

#[test]
fn a_hold_that_was_cosigned_in_time_goes_on_after_its_expiry() {
    let mut stage = Stage::new();
    let mut act = stage.withdrawal(5);
    act.expires = stage.now().after(LIFE);
    let (digest, evidence) = (act.digest(), stage.prove(&act));
    let (mut without, mut debit) = (evidence.clone(), evidence);
    without.attestations.clear();
    debit.assertions.clear();
    stage.submit_with(act.clone(), without);
    stage.pass(Span::hours(1));
    debit.requests = vec![World::request(World::BACK_END, &act, stage.now())];
    debit.attestations = vec![stage.ledger.debit(&act)];
    assert_eq!(stage.supplement(digest, debit).void, None);
    assert_eq!(stage.settles(digest), Decision::Release);
}

/// A proof that came later does not make the release look as if somebody had resumed it.
#[test]
fn a_backdated_release_is_given_up_whatever_proves_it_anew() {
    for proven_again in [false, true] {
        let mut stage = Stage::new();
        let act = stage.withdrawal(5);
        let mut digest = None;
        backdated(&mut stage, act, |stage, act, evidence| {
            let again = stage.prove_without_debit(&act);
            digest = Some(stage.submit_with(act, evidence));
            if proven_again {
                assert_eq!(stage.supplement(digest.unwrap(), again).void, None);
            }
        });
        stage.ledger.settle_clocks();
        let release = stage.release(digest.unwrap());
        assert_eq!(release.stage, Standing::Withheld(Withheld::Cancelled));
    }
}

#[test]
fn a_backdated_address_or_factor_is_out_again() {
    let mut stage = Stage::new();
    let address = stage.customers(add(STRANGER));
    backdated(&mut stage, address, |stage, act, evidence| {
        stage.submit_with(act, evidence);
    });
    let known = |stage: &Stage| {
        let account = stage.facts().account(stage.customer.account).unwrap();
        account.address(STRANGER).is_some()
    };
    assert!(known(&stage));
    stage.ledger.settle_clocks();
    assert!(!known(&stage));

    let principal = stage.customer.principal;
    let factor = request_key(principal);
    let id = factor.id();
    let enrol = stage.customers(ActKind::EnrolFactor(EnrolFactor { principal, factor }));
    backdated(&mut stage, enrol, |stage, act, evidence| {
        stage.submit_with(act, evidence);
    });
    let account = stage.customer.account;
    let owner = Owner::Holder { account, principal };
    assert!(stage.facts().factor(owner, id).is_some());
    stage.ledger.settle_clocks();
    assert!(stage.facts().factor(owner, id).is_none());
}

#[test]
fn a_backdated_resume_leaves_what_was_suspended_where_it_is() {
    let mut stage = Stage::new();
    let act = stage.withdrawal(5);
    let release = stage.submit(act);
    stage.pass(Span::seconds(1));
    let scope = Scope::Everything;
    let suspend = stage.staffs(World::OPERATOR, ActKind::Suspend(Suspend { scope }));
    let by = stage.submit(suspend);
    let target = LiftTarget::Suspension { by };
    stage.propose(ActKind::Lift(Lift { target }));
    let resume = stage.staffs(World::OPERATOR, ActKind::Resume(Resume { release }));
    backdated(&mut stage, resume, |stage, act, evidence| {
        stage.submit_with(act, evidence);
    });
    stage.ledger.settle_clocks();
    let stage = &stage.release(release).stage;
    assert_eq!(*stage, Standing::Withheld(Withheld::Suspended));
}

/// Cosigned late by a gate that foresees the suspension, it would go out by itself after the lift.
#[test]
fn a_suspension_takes_in_what_was_late() {
    let mut stage = Stage::new();
    let act = stage.withdrawal(5);
    let late = stage.submit(act);
    stage.ledger.clock.pass(Span::seconds(31));
    stage.ledger.settle_clocks();
    assert_eq!(
        stage.release(late).stage,
        Standing::Withheld(Withheld::Late)
    );
    let suspend = |scope| ActKind::Suspend(Suspend { scope });
    // Another scope leaves it alone.
    let other = stage.staffs(World::OPERATOR, suspend(Scope::Asset(World::TOKEN)));
    stage.submit(other);
    assert_eq!(stage.settles(late), Decision::Release);
    let all = stage.staffs(World::OPERATOR, suspend(Scope::Withdrawals));
    let by = stage.submit(all);
    stage.propose(ActKind::Lift(Lift {
        target: LiftTarget::Suspension { by },
    }));
    assert!(matches!(stage.settles(late), Decision::Hold { .. }));
}

/// The way out of what is stuck stays open while everything is shut, since a void pays nobody.
#[test]
fn a_void_passes_under_any_suspension() {
    for scope in [Scope::Everything, Scope::Realm(Realm::Staff)] {
        let mut stage = Stage::new();
        let act = stage.withdrawal(5);
        let release = stage.submit(act);
        let suspend = stage.staffs(World::OPERATOR, ActKind::Suspend(Suspend { scope }));
        stage.submit(suspend);
        let void = stage.staffs(World::OPERATOR, ActKind::Void(Void { release }));
        assert_eq!(stage.refusal(&void), None, "{scope:?}");
        let resume = stage.staffs(World::OPERATOR, ActKind::Resume(Resume { release }));
        assert_eq!(stage.refusal(&resume), Some(Reason::Suspended), "{scope:?}");
    }
}

/// A thief has a withdrawal held by a stolen key; its owner takes the key back and enrols it again later.
#[test]
fn a_key_that_was_taken_back_and_enrolled_again_proves_nothing_from_before() {
    let mut stage = Stage::new();
    stage.enrol_request_key();
    let act = stage.withdrawal(5);
    let mut evidence = stage.prove_by_request_key(&act);
    evidence.attestations.clear();
    let held = stage.submit_with(act.clone(), evidence);
    let principal = stage.customer.principal;
    let key = request_key(principal);
    let revoke = RevokeFactor {
        principal,
        factor: key.id(),
    };
    let revoke = stage.customers(ActKind::RevokeFactor(revoke));
    stage.submit(revoke);
    stage.enrol(key);
    stage.pass(Span::seconds(6));
    let debit = Evidence {
        requests: vec![World::request(World::BACK_END, &act, stage.now())],
        attestations: vec![stage.ledger.debit(&act)],
        ..Evidence::default()
    };
    assert_eq!(stage.supplement(held, debit).void, None);
    let needs = vec![Need::Assertion];
    assert_eq!(stage.settles(held), Decision::Hold { needs, until: None });
}

/// The same passkey, after an epoch: enrolled anew on onboarding's word, with the full delay.
#[test]
fn after_an_epoch_the_same_passkey_is_enrolled_again() {
    let mut stage = Stage::new();
    stage.enrol_request_key();
    let raise = stage.staffs(
        World::OPERATOR,
        ActKind::RaiseEpoch(RaiseEpoch {
            realm: Realm::Customers,
            factors: None,
        }),
    );
    stage.submit(raise);
    let principal = stage.customer.principal;
    let enrol = ActKind::EnrolFactor(EnrolFactor {
        principal,
        factor: stage.customer.factor(),
    });
    let mut act = stage.staffs(World::BACK_END, enrol);
    act.account = Some(stage.customer.account);
    let mut evidence = stage.ledger.staffs_evidence(&act);
    evidence.attestations.push(stage.ledger.onboarding(&act));
    assert_eq!(stage.decide(&act, &evidence), Decision::Release);
    stage.submit_with(act, evidence);
    let account = stage.facts().account(stage.customer.account).unwrap();
    let factors = &account.holder(principal).unwrap().factors;
    // What counts no more has made room.
    let ids: Vec<_> = factors.iter().map(|factor| factor.id).collect();
    assert_eq!(ids, [stage.customer.factor().id()]);
    assert!(!factors[0].available.is_at(stage.now()));
    stage.pass(Span::seconds(6));
    let withdrawal = stage.withdrawal(5);
    assert_eq!(stage.refusal(&withdrawal), None);
}

/// Support froze, an administrator proposes to unfreeze, the customer freezes for a reason of its own.
#[test]
fn an_unfreezing_undoes_no_freeze_that_came_after_it() {
    let mut stage = Stage::new();
    let account = stage.customer.account;
    let frozen = |stage: &Stage| stage.facts().account(account).unwrap().frozen.is_some();
    let freeze = stage.staffs_about(SUPPORT, ActKind::Freeze);
    stage.submit(freeze);
    let unfreeze = stage.staffs_about(World::administrator(0), ActKind::Unfreeze);
    let unfreeze = stage.submit(unfreeze);
    let again = stage.customers(ActKind::Freeze);
    stage.submit(again);
    stage.approve(World::administrator(1), unfreeze);
    stage.pass(Span::seconds(1));
    let reason = Reason::AccountFrozen;
    assert_eq!(stage.settles(unfreeze), Decision::Refuse { reason });
    stage.settle(unfreeze);
    assert!(frozen(&stage));
    // Proposed anew it has seen both.
    let unfreeze = stage.staffs_about(World::administrator(0), ActKind::Unfreeze);
    stage.propose_act(unfreeze);
    assert!(!frozen(&stage));
}

#[test]
fn what_does_not_exist_is_neither_shut_nor_lifted() {
    let mut stage = Stage::new();
    let mut refusal = |who, kind| {
        let act = stage.staffs(who, kind);
        stage.refusal(&act)
    };
    let suspend = |scope| ActKind::Suspend(Suspend { scope });
    let asset = AssetId::EvmNative { chain: 1 };
    let refused = refusal(World::OPERATOR, suspend(Scope::Asset(asset)));
    assert_eq!(refused, Some(Reason::AssetUnknown));
    let nobody = AccountId([9; 16]);
    let refused = refusal(World::OPERATOR, suspend(Scope::Account(nobody)));
    assert_eq!(refused, Some(Reason::UnknownAccount));
    let scope = Scope::Asset(World::TOKEN);
    let shut = stage.staffs(World::OPERATOR, suspend(scope));
    stage.submit(shut);
    // Whoever lifts up to an entry has seen it.
    let size = stage.state().size();
    let mut lift = |entry| {
        let target = LiftTarget::SuspensionsUpTo { entry };
        let act = stage.staffs(World::administrator(0), ActKind::Lift(Lift { target }));
        stage.refusal(&act)
    };
    assert_eq!(lift(size), Some(Reason::SuspensionUnknown));
    assert_eq!(lift(size - 1), None);
}

/// It relays what customers ask for; with another role it could approve what it relayed.
#[test]
fn a_back_end_has_no_other_role() {
    let mut stage = Stage::new();
    let mut refused = |principal, role| {
        let grant = GrantRole {
            principal,
            role,
            factor: None,
        };
        let act = stage.staffs(World::administrator(0), ActKind::GrantRole(grant));
        stage.refusal(&act)
    };
    let held = Some(Reason::RoleHeld);
    assert_eq!(refused(World::BACK_END, Role::Approver), held);
    assert_eq!(refused(APPROVERS[0], Role::BackEnd), held);
    assert_eq!(refused(APPROVERS[0], Role::Support), None);
}

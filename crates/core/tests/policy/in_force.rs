//! A policy in force: how it comes there, what it holds and refuses, and the ways out of it.

use super::{PERMIT, but, policy, set};
use crate::stage::{APPROVERS, PAYEE, STRANGER, Stage, add, ether};
use portcullis_core::act::{ActKind, Cancel, Lift, LiftTarget, Scope, Suspend};
use portcullis_core::policy::Policy;
use portcullis_core::state::release::End;
use portcullis_core::{Decision, Evidence, Need, Reason, Span, State};
use portcullis_keeper::testkit::World;
use std::sync::Arc;

const LARGE: &str = r#"@id("large") @needs("approvals") @count("2")
forbid (principal, action == Action::"withdraw", resource)
when { context.tier >= 2 && context.approvals < 2 };"#;
const NOTHING: &str = r#"@id("shut") forbid (principal, action, resource);"#;

fn held(needs: &[Need]) -> Decision {
    let needs = needs.to_vec();
    Decision::Hold { needs, until: None }
}

fn refused(reason: Reason) -> Decision {
    Decision::Refuse { reason }
}

#[test]
fn until_somebody_sets_one_core_decides() {
    let stage = Stage::new();
    assert_eq!(stage.facts().policy(), Policy::default_of_core());
    assert_eq!(stage.facts().policy, None);
    Policy::default_of_core().check().unwrap();
}

#[test]
fn it_takes_a_quorum_and_the_delay() {
    let mut stage = Stage::new();
    let kind = set(&stage, but(LARGE));
    let act = stage.staffs(World::administrator(0), kind);
    assert_eq!(
        stage.decide(&act, &stage.prove(&act)),
        held(&[Need::Quorum { missing: 1 }, Need::Delay])
    );
    let digest = stage.submit(act);
    stage.approve(World::administrator(1), digest);
    stage.pass(Span::seconds(4));
    assert!(matches!(stage.settles(digest), Decision::Hold { .. }));
    stage.pass(Span::seconds(2));
    stage.settle(digest);
    assert_eq!(*stage.facts().policy(), but(LARGE));
}

#[test]
fn of_two_proposals_on_one_base_the_second_fails() {
    let mut stage = Stage::new();
    let [first, second] = [LARGE, NOTHING].map(|text| {
        let kind = set(&stage, but(text));
        let act = stage.staffs(World::administrator(0), kind);
        let digest = stage.submit(act);
        stage.approve(World::administrator(1), digest);
        digest
    });
    stage.pass(Span::seconds(6));
    stage.settle(first);
    assert_eq!(stage.settles(second), refused(Reason::PolicyChanged));
    stage.settle(second);
    assert_eq!(stage.end(second), Some(End::Returned));
    assert_eq!(*stage.facts().policy(), but(LARGE));
}

#[test]
fn a_forbid_that_names_its_need_holds_until_it_is_met() {
    let mut stage = Stage::new();
    stage.put_in_force(&but(LARGE));
    let small = stage.withdrawal(500);
    assert_eq!(
        stage.decide(&small, &stage.prove(&small)),
        Decision::Release
    );
    let act = stage.withdrawal(501);
    let decided = stage.decided(&act, &stage.prove(&act));
    assert_eq!(*decided.decision(), held(&[Need::Approvals { missing: 2 }]));
    assert_eq!(decided.asked().unwrap().answer.statements[0].0, "large");

    let act = stage.submit(act);
    stage.pass(Span::seconds(1));
    for (approver, missing) in [(APPROVERS[0], 2), (APPROVERS[1], 1)] {
        assert_eq!(stage.settles(act), held(&[Need::Approvals { missing }]));
        stage.approve(approver, act);
    }
    stage.settle(act);
    assert!(stage.facts().releases.contains_key(&act));
}

/// The limits want two above 800; the policy, too, above 500, or three.
#[test]
fn of_limits_and_policy_the_stricter_counts() {
    let mut stage = Stage::new();
    stage.put_in_force(&but(&LARGE.replace('2', "3").replace(">= 3", ">= 2")));
    for (amount, missing) in [(800, 3), (801, 3)] {
        let act = stage.withdrawal(amount);
        let said = stage.decide(&act, &stage.prove(&act));
        assert_eq!(said, held(&[Need::Approvals { missing }]), "{amount}");
    }
}

#[test]
fn a_need_that_is_met_already_refuses_instead_of_waiting_for_ever() {
    let always = |needs: &str| {
        but(&format!(
            "@id(\"x\") @needs(\"{needs}\") forbid (principal, action == Action::\"withdraw\", resource);"
        ))
    };
    for needs in ["debit", "passkey"] {
        let mut stage = Stage::new();
        stage.put_in_force(&always(needs));
        let act = stage.withdrawal(10);
        assert_eq!(stage.refusal(&act), Some(Reason::Forbidden), "{needs}");
    }
}

#[test]
fn a_need_holds_only_what_can_wait() {
    let mut stage = Stage::new();
    stage.put_in_force(&but(
        r#"@id("x") @needs("delay") forbid (principal, action, resource);"#,
    ));
    let act = stage.customers(add(STRANGER));
    assert_eq!(stage.refusal(&act), Some(Reason::Forbidden));
    let act = stage.withdrawal(10);
    assert_eq!(stage.decide(&act, &stage.prove(&act)), held(&[Need::Delay]));
}

#[test]
fn what_waits_is_decided_by_the_policy_of_the_time_that_it_would_go() {
    let mut stage = Stage::new();
    let act = stage.withdrawal(10);
    let evidence = stage.prove_without_debit(&act);
    let digest = stage.submit_with(act.clone(), evidence);
    stage.put_in_force(&but(NOTHING));
    // What is against it now may have passed by then: it waits on.
    assert_eq!(stage.settles(digest), held(&[Need::Debit]));
    let evidence = Evidence {
        assertions: Vec::new(),
        ..stage.prove(&act)
    };
    assert_eq!(stage.supplement(digest, evidence).void, None);
    assert_eq!(stage.settles(digest), refused(Reason::Forbidden));
    stage.settle(digest);
    assert_eq!(stage.end(digest), Some(End::Returned));
}

#[test]
fn ages_and_shares_are_those_of_the_time() {
    let young = but(r#"@id("young") @needs("delay")
        forbid (principal, action == Action::"withdraw", resource)
        when { context.address_hours < 2 || context.factor_hours < 2 };"#);
    let mut stage = Stage::new();
    stage.put_in_force(&young);
    let act = stage.withdrawal(10);
    assert_eq!(stage.decide(&act, &stage.prove(&act)), held(&[Need::Delay]));
    let digest = stage.submit(act);
    stage.pass(Span::hours(2));
    assert_eq!(stage.settles(digest), Decision::Release);

    // The account's day is 3,000: 800 and 1,000 are 60 percent, 801 and 1,000 round up to 70.
    let share = but(
        r#"@id("share") forbid (principal, action == Action::"withdraw", resource)
        when { context.account_day > 60 };"#,
    );
    for (second, want) in [(1_000, None), (1_001, Some(Reason::Forbidden))] {
        let mut stage = Stage::new();
        stage.put_in_force(&share);
        let first = stage.withdrawal(800);
        stage.submit(first);
        let act = stage.customers(ether(PAYEE, second.min(1_000)));
        if second == 1_000 {
            assert_eq!(stage.refusal(&act), want);
        } else {
            let one = stage.withdrawal(1);
            stage.submit(one);
            assert_eq!(stage.refusal(&act), want);
        }
    }
}

#[test]
fn lists_name_addresses_and_accounts() {
    let blocked = but(r#"@id("blocked") forbid (principal, action, resource)
        when { context.lists.contains("blocked") };"#);
    let mut stage = Stage::new();
    stage.put_in_force(&blocked);
    let act = stage.customers(add(STRANGER));
    assert_eq!(stage.refusal(&act), Some(Reason::Forbidden));
    let act = stage.withdrawal(10);
    assert_eq!(stage.refusal(&act), None);

    let mut of_account = blocked;
    of_account.lists[0].accounts.push(stage.customer.account);
    stage.put_in_force(&of_account);
    let act = stage.withdrawal(10);
    assert_eq!(stage.refusal(&act), Some(Reason::Forbidden));
}

/// Whatever a policy says: it can be replaced, a suspension lifted, and everything taken back.
#[test]
fn no_policy_shuts_the_ways_out() {
    let mut stage = Stage::new();
    let withdrawal = stage.withdrawal(1_000);
    let held = stage.submit(withdrawal);
    stage.put_in_force(&but(NOTHING));
    let act = stage.withdrawal(10);
    assert_eq!(stage.refusal(&act), Some(Reason::Forbidden));

    let act = stage.customers(ActKind::Cancel(Cancel { act: held }));
    assert_eq!(stage.refusal(&act), None);
    let act = stage.customers(ActKind::Freeze);
    assert_eq!(stage.refusal(&act), None);
    let scope = Scope::Everything;
    let act = stage.staffs(World::OPERATOR, ActKind::Suspend(Suspend { scope }));
    let by = stage.submit(act);
    stage.propose(ActKind::Lift(Lift {
        target: LiftTarget::Suspension { by },
    }));
    stage.put_in_force(&policy(PERMIT));
    let act = stage.withdrawal(10);
    assert_eq!(stage.refusal(&act), None);
}

#[test]
fn a_snapshot_holds_the_policy() {
    let mut stage = Stage::new();
    stage.put_in_force(&but(NOTHING));
    let network = Arc::clone(&stage.ledger.world.network);
    let bytes = stage.state().to_snapshot();
    let read = State::from_snapshot(&bytes, network).unwrap();
    let act = stage.withdrawal(10);
    let evidence = stage.prove(&act);
    let said = portcullis_core::decide(
        &read,
        &act,
        &evidence,
        stage.now(),
        &portcullis_core::signature::Strict,
    );
    assert_eq!(*said.decision(), refused(Reason::Forbidden));
    assert_eq!(read.digest(), stage.state().digest());
}

/// An entry that says otherwise than the policy is void, like any other.
#[test]
fn whoever_ignores_the_policy_writes_a_void_entry() {
    let mut stage = Stage::new();
    stage.put_in_force(&but(NOTHING));
    let act = stage.withdrawal(10);
    let evidence = stage.prove(&act);
    assert!(
        stage
            .enter_as(act, evidence, Decision::Release)
            .void
            .is_some()
    );
    assert_eq!(stage.facts().void_entries, 1);
}

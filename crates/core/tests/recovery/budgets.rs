//! Most recoveries that may begin in a day, by one agent and by all.

use crate::stage::lost::{BOUNDS, SUPPORT_2, SUPPORT_3};
use crate::stage::{SUPPORT, Stage};
use portcullis_core::act::{ActKind, Recover};
use portcullis_core::id::PrincipalId;
use portcullis_core::state::recovery::Begun;
use portcullis_core::{Act, Reason, Span};
use portcullis_keeper::testkit::Customer;

/// A recovery of some customer's account.
fn of(stage: &mut Stage, who: PrincipalId, number: u8) -> Act {
    let customer = Customer::number(number);
    let kind = ActKind::Recover(Recover {
        principal: customer.principal,
        factor: customer.with_new_passkey(number + 100).factor(),
    });
    let mut act = stage.staffs(who, kind);
    act.account = Some(customer.account);
    act
}

fn crowd() -> Stage {
    let mut stage = Stage::lost();
    for number in 2..=5 {
        stage.open_another(number);
    }
    stage
}

#[test]
fn an_agent_begins_no_more_than_its_own_and_all_together_no_more_than_theirs() {
    let mut stage = crowd();
    for (who, number, refusal) in [
        (SUPPORT, 2, None),
        (SUPPORT, 3, None),
        (SUPPORT, 4, Some(Reason::RecoveryBudget)),
        (SUPPORT_2, 4, None),
        (SUPPORT_3, 5, Some(Reason::RecoveryBudget)),
    ] {
        let act = of(&mut stage, who, number);
        assert_eq!(stage.refusal(&act), refusal, "{who} {number}");
        if refusal.is_none() {
            stage.submit(act);
        }
    }
    assert_eq!(stage.facts().begun.platform, BOUNDS.per_platform);
}

/// What was stopped has been begun all the same: otherwise a thief tries until nobody looks.
#[test]
fn a_veto_gives_nothing_back() {
    let mut stage = Stage::lost();
    for _ in 0..BOUNDS.per_agent {
        let act = stage.recovery_by(SUPPORT);
        let act = stage.submit(act);
        let veto = stage.veto(act);
        stage.submit(veto);
    }
    let third = stage.recovery_by(SUPPORT);
    assert_eq!(stage.refusal(&third), Some(Reason::RecoveryBudget));
}

#[test]
fn a_refused_one_counts_for_nothing() {
    let mut stage = Stage::lost();
    let act = stage.recovery_by(portcullis_keeper::testkit::World::BACK_END);
    let mut evidence = stage.prove(&act);
    evidence.attestations.clear();
    stage.journal_refusal(act, evidence);
    assert_eq!(stage.facts().begun, Begun::default());
}

#[test]
fn the_next_day_has_its_own() {
    let mut stage = crowd();
    for number in 2..=3 {
        let act = of(&mut stage, SUPPORT, number);
        stage.submit(act);
    }
    let day = Span::hours(24).0;
    let left = day - stage.now().0 % day;
    stage.pass(Span(left - 1_000));
    let act = of(&mut stage, SUPPORT, 4);
    assert_eq!(stage.refusal(&act), Some(Reason::RecoveryBudget));
    stage.pass(Span(1_000));
    let act = of(&mut stage, SUPPORT, 4);
    assert_eq!(stage.refusal(&act), None);
    stage.submit(act);
    let begun = &stage.facts().begun;
    assert_eq!((begun.platform, begun.vouched), (1, 0));
    assert_eq!(begun.agents.len(), 1);
}

/// Holders who vouch for themselves use up nobody else's, and have a figure of their own.
#[test]
fn holders_have_their_own() {
    let mut stage = Stage::lost();
    stage.enrol_request_key();
    stage.raise(Some(portcullis_core::factor::FactorKind::Passkey));
    for _ in 0..BOUNDS.vouched {
        let (act, evidence) = stage.vouch();
        let act = stage.submit_with(act, evidence);
        let veto = stage.veto(act);
        let evidence = stage.prove_by_request_key(&veto);
        stage.submit_with(veto, evidence);
    }
    let (act, evidence) = stage.vouch();
    let refused = portcullis_core::Decision::Refuse {
        reason: Reason::RecoveryBudget,
    };
    assert_eq!(stage.decide(&act, &evidence), refused);
    assert_eq!(stage.facts().begun.platform, 0);
    let by_support = stage.recovery_by(SUPPORT);
    assert_eq!(stage.refusal(&by_support), None);
}

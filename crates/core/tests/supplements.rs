//! More evidence for an act that waits: who may bring it, and what it must not carry.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod stage;

use portcullis_core::act::{ActKind, GrantRole};
use portcullis_core::decision::Need;
use portcullis_core::id::PrincipalId;
use portcullis_core::realm::Role;
use portcullis_core::{Act, Decision, Digest, Evidence, Reason, Span};
use portcullis_keeper::testkit::World;
use stage::{SUPPORT, Stage};

/// A withdrawal that waits for the ledger's debit.
fn waiting(stage: &mut Stage) -> Act {
    let act = stage.withdrawal(5);
    let evidence = stage.prove_without_debit(&act);
    stage.submit_with(act.clone(), evidence);
    act
}

fn brought_by(stage: &Stage, who: &[PrincipalId], act: &Act) -> Evidence {
    let requests = who.iter().map(|who| World::request(*who, act, stage.now()));
    Evidence {
        requests: requests.collect(),
        ..Evidence::default()
    }
}

fn refusal(stage: &Stage, act: Digest, evidence: Evidence) -> Option<String> {
    let said = stage.would_supplement(act, evidence).err()?;
    Some(said.strip_prefix("its evidence: ").unwrap().to_owned())
}

fn assert_refused(stage: &Stage, act: &Act, evidence: Evidence, reason: Reason) {
    assert_eq!(
        refusal(stage, act.digest(), evidence),
        Some(reason.to_string())
    );
}

#[test]
fn the_back_end_brings_the_debit_and_nobody_else_does() {
    let mut stage = Stage::new();
    let act = waiting(&mut stage);
    let debit = |mut evidence: Evidence| {
        evidence.attestations.push(stage.ledger.debit(&act));
        evidence
    };
    let by = |who: &[PrincipalId]| debit(brought_by(&stage, who, &act));
    assert_refused(&stage, &act, by(&[]), Reason::RequestMissing);
    for who in [SUPPORT, World::OPERATOR, World::administrator(0)] {
        assert_refused(&stage, &act, by(&[who]), Reason::RoleMissing);
    }
    let other = stage.branch().withdrawal(6);
    let other = debit(brought_by(&stage, &[World::BACK_END], &other));
    assert_refused(&stage, &act, other, Reason::RequestForAnotherAct);

    let evidence = by(&[World::BACK_END]);
    assert_eq!(stage.supplement(act.digest(), evidence).void, None);
    stage.settle(act.digest());
    assert!(stage.facts().releases.contains_key(&act.digest()));
}

#[test]
fn a_request_is_fresh_when_it_brings_evidence() {
    let mut stage = Stage::new();
    let act = waiting(&mut stage);
    let mut evidence = brought_by(&stage, &[World::BACK_END], &act);
    evidence.attestations.push(stage.ledger.debit(&act));
    stage.pass(Span::seconds(301));
    assert_refused(&stage, &act, evidence, Reason::RequestStale);
}

#[test]
fn a_boards_stamp_and_nothing_new_are_refused() {
    let mut stage = Stage::new();
    let act = waiting(&mut stage);
    let mut stamped = brought_by(&stage, &[World::BACK_END], &act);
    stamped.attestations.push(stage.ledger.debit(&act));
    stamped.posted = Some(Stage::stamp(&act, stage.now()));
    assert_refused(&stage, &act, stamped, Reason::StampInvalid);
    let nothing = brought_by(&stage, &[World::BACK_END], &act);
    assert_refused(&stage, &act, nothing, Reason::NothingNew);
}

/// Which of several requests relays an act does not hang on their order.
#[test]
fn one_back_end_among_those_who_relay_is_enough() {
    let mut stage = Stage::new();
    let act = waiting(&mut stage);
    for order in [[World::BACK_END, SUPPORT], [SUPPORT, World::BACK_END]] {
        let mut evidence = brought_by(&stage, &order, &act);
        evidence.attestations.push(stage.ledger.debit(&act));
        assert_eq!(refusal(&stage, act.digest(), evidence), None);

        let mut another = stage.branch();
        let act = another.withdrawal(6);
        let mut evidence = another.prove(&act);
        evidence.requests = brought_by(&another, &order, &act).requests;
        assert_eq!(another.decide(&act, &evidence), Decision::Release);
    }
}

/// A raised epoch takes a proposal's proof; its proposer proves it again.
#[test]
fn staff_prove_their_own_proposals_again() {
    let mut stage = Stage::new();
    let kind = ActKind::GrantRole(GrantRole {
        principal: SUPPORT,
        role: Role::Auditor,
        factor: None,
    });
    let act = stage.staffs(World::administrator(0), kind);
    stage.submit(act.clone());
    for who in [World::administrator(1), World::BACK_END, World::OPERATOR] {
        let evidence = brought_by(&stage, &[who], &act);
        assert_refused(&stage, &act, evidence, Reason::RoleMissing);
    }
    let same = brought_by(&stage, &[World::administrator(0)], &act);
    assert_refused(&stage, &act, same, Reason::Replayed);
    stage.pass(Span::seconds(2));
    let evidence = brought_by(&stage, &[World::administrator(0)], &act);
    let applied = stage.supplement(act.digest(), evidence);
    assert_eq!(applied.void, None);
    let needs = vec![Need::Quorum { missing: 1 }];
    let held = Decision::Hold { needs, until: None };
    assert_eq!(stage.settles(act.digest()), held);
}

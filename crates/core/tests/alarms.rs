//! Which void entries would have let money out.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod stage;

use portcullis_core::act::{Act, ActKind, Resume, Scope, Suspend};
use portcullis_core::{Decision, Digest, Evidence};
use portcullis_keeper::testkit::World;
use stage::{STRANGER, Stage, add};

/// Written as released, with nobody's word for it.
fn faked(stage: &mut Stage, act: Act) -> bool {
    let applied = stage.enter_as(act, Evidence::default(), Decision::Release);
    assert!(applied.void.is_some());
    applied.would_pay
}

#[test]
fn only_what_lets_money_out_is_a_release_without_evidence() {
    let mut stage = Stage::new();
    let scope = Scope::Everything;
    let act = stage.staffs(World::OPERATOR, ActKind::Suspend(Suspend { scope }));
    assert!(!faked(&mut stage, act));

    let mut stage = Stage::new();
    let act = stage.customers(add(STRANGER));
    assert!(!faked(&mut stage, act));

    let mut stage = Stage::new();
    let act = stage.withdrawal(5);
    assert!(faked(&mut stage, act));

    let mut stage = Stage::new();
    let release = Digest([7; 32]);
    let act = stage.staffs(World::OPERATOR, ActKind::Resume(Resume { release }));
    assert!(faked(&mut stage, act));
}

#[test]
fn a_settlement_lets_money_out_where_a_withdrawal_waits() {
    let mut stage = Stage::new();
    let act = stage.withdrawal(5);
    let evidence = stage.prove_without_debit(&act);
    let held = stage.submit_with(act, evidence);
    let applied = stage.settle_as(held, Decision::Release);
    assert!(applied.void.is_some() && applied.would_pay);

    let mut stage = Stage::new();
    let lift = ActKind::Unfreeze;
    let freeze = stage.customers(ActKind::Freeze);
    stage.submit(freeze);
    let proposal = stage.staffs_about(World::administrator(0), lift);
    let proposal = stage.submit(proposal);
    let applied = stage.settle_as(proposal, Decision::Release);
    assert!(applied.void.is_some() && !applied.would_pay);
}

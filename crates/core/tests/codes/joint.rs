//! Codes in accounts of several principals: they stand for nothing that takes more than one.

use crate::stage::{PAYEE, STRANGER, Stage, add, ether};
use portcullis_core::act::{ActKind, AddPrincipal, RevokeFactor, SetAccountQuorum};
use portcullis_core::decide::trial;
use portcullis_core::signature::Strict;
use portcullis_core::{Act, Decision, Digest, Reason, Span};
use portcullis_keeper::testkit::Customer;

fn other(stage: &Stage, number: u8) -> Customer {
    let mut other = Customer::number(number);
    other.account = stage.customer.account;
    other
}

/// One of them asks by its passkey.
fn by_passkey(stage: &mut Stage, who: &Customer, kind: ActKind) -> Digest {
    let act = stage.ledger.customers_act(who, kind);
    let mut evidence = stage.prove(&act);
    evidence.assertions = vec![who.assertion(&act)];
    stage.submit_with(act, evidence)
}

/// One takes another in, who counts by now.
fn join(stage: &mut Stage, who: &Customer, new: &Customer) {
    let (principal, factor) = (new.principal, new.factor());
    let kind = ActKind::AddPrincipal(AddPrincipal { principal, factor });
    let act = by_passkey(stage, who, kind);
    stage.heralds(act);
    stage.pass(Span::seconds(6));
}

/// One has two needed from now on.
fn both_needed(stage: &mut Stage, who: &Customer) {
    let (replaces, quorum) = (1, 2);
    let kind = ActKind::SetAccountQuorum(SetAccountQuorum { replaces, quorum });
    let act = by_passkey(stage, who, kind);
    stage.heralds(act);
    stage.pass(Span::seconds(6));
    stage.settle(act);
}

fn revoke_passkey(stage: &mut Stage) {
    let who = Customer::number(1);
    let (principal, factor) = (who.principal, who.factor().id());
    by_passkey(
        stage,
        &who,
        ActKind::RevokeFactor(RevokeFactor { principal, factor }),
    );
}

fn by_code(stage: &Stage, act: &Act) -> Decision {
    stage.decide(act, &stage.with_code(act))
}

#[test]
fn a_code_asks_for_nothing_that_takes_two() {
    let mut stage = Stage::with_codes();
    let (first, second) = (Customer::number(1), other(&stage, 2));
    join(&mut stage, &first, &second);
    both_needed(&mut stage, &first);
    let reason = Reason::CodeTooWeak;
    let act = stage.customers(ether(PAYEE, 1));
    assert_eq!(by_code(&stage, &act), Decision::Refuse { reason });
    // Also where the code is all that is left of a principal.
    revoke_passkey(&mut stage);
    let act = stage.customers(add(STRANGER));
    assert_eq!(by_code(&stage, &act), Decision::Refuse { reason });
    // And nobody is told to try it with one.
    let mut evidence = stage.with_code(&act);
    evidence.code = None;
    let (state, now) = (stage.state(), stage.now());
    let tried = trial::try_out(state, &act, &evidence, now, &Strict);
    let reason = Reason::FactorMissing;
    assert_eq!(tried.decision, Decision::Refuse { reason });
    // It still stops.
    let act = stage.customers(ActKind::Freeze);
    assert!(matches!(by_code(&stage, &act), Decision::Hold { .. }));
}

/// What was asked for by a code when one sufficed, and is found right when two are needed.
#[test]
fn a_right_code_counts_for_nobody_once_two_are_needed() {
    for kind in [add(STRANGER), ether(PAYEE, 1)] {
        let mut stage = Stage::with_codes();
        let (first, second, third) = (Customer::number(1), other(&stage, 2), other(&stage, 3));
        join(&mut stage, &first, &second);
        join(&mut stage, &second, &third);
        revoke_passkey(&mut stage);
        let act = stage.customers(kind.clone());
        let evidence = stage.with_code(&act);
        let digest = stage.submit_with(act, evidence);
        let step = stage.step();
        both_needed(&mut stage, &second);
        stage.right(digest, step);
        stage.ledger.settle_clocks();
        match stage.settles(digest) {
            Decision::Refuse { reason } => assert_eq!(reason, Reason::CodeTooWeak),
            // A withdrawal waits for a passkey, and for the other.
            Decision::Hold { needs, .. } => {
                assert!(matches!(kind, ActKind::Withdraw(_)));
                assert_eq!(needs.len(), 2, "{needs:?}");
            }
            Decision::Release => panic!("{kind:?} by a code alone"),
        }
    }
}

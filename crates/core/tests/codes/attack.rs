//! What should not be so.

use crate::stage::{PAYEE, Stage, ether};
use portcullis_core::{ActKind, Decision, Reason};

/// Whoever has another factor of the customer's lets 64 withdrawals wait: the customer's own code stops nothing
/// any more.
#[test]
fn attack_waiting_acts_bar_a_stop_by_code() {
    let mut stage = Stage::with_codes();
    for _ in 0..64 {
        let act = stage.customers(ether(PAYEE, 1));
        let evidence = stage.prove_without_debit(&act);
        stage.submit_with(act, evidence);
    }
    let act = stage.customers(ActKind::Freeze);
    let decision = stage.decide(&act, &stage.with_code(&act));
    println!("the freeze by code: {decision:?}");
    assert_eq!(
        decision,
        Decision::Refuse {
            reason: Reason::TooMany
        }
    );
}

/// A gate that keeps the herald's word back tries as many as it likes: what expires unjudged counts for nothing.
#[test]
fn attack_a_gate_that_keeps_words_back_guesses_without_end() {
    use portcullis_core::Span;
    let mut stage = Stage::with_codes();
    for _ in 0..200 {
        let mut act = stage.customers(ActKind::Freeze);
        act.expires = stage.now().after(Span::seconds(1));
        let evidence = stage.with_code(&act);
        let act = stage.submit_with(act, evidence);
        // Here the herald says "wrong", to the gate alone.
        stage.ledger.clock.pass(Span::seconds(1));
        stage.settle(act);
    }
    let mut act = stage.customers(ActKind::Freeze);
    act.expires = stage.now().after(Span::seconds(1));
    assert!(matches!(stage.decide(&act, &stage.with_code(&act)), Decision::Hold { .. }));
}

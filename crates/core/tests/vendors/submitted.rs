//! Words that come with the act itself.

use super::said;
use crate::stage::vendors::{LARGE, VERY_LARGE, Word};
use crate::stage::{PAYEE, STRANGER, Stage, add, ether};
use portcullis_core::act::ActKind;
use portcullis_core::{Act, Evidence, Span};

const WITHDRAWS: fn(u128) -> ActKind = |amount| ether(PAYEE, amount);

fn decided(kind: ActKind, words: &[Word]) -> String {
    let mut stage = Stage::with_vendors();
    let act = stage.customers(kind);
    let mut evidence = stage.prove(&act);
    evidence
        .attestations
        .extend(stage.words(&act, words).attestations);
    said(&stage.decide(&act, &evidence))
}

#[rustfmt::skip]
fn rows() -> Vec<(&'static str, ActKind, Vec<Word>, &'static str)> {
    let (pass, refer, block) = (Word::pass(1), Word::refer(2), Word::block(3));
    let [message, same, another] = [Word::Message(4, 1), Word::Message(5, 1), Word::Message(6, 2)];
    vec![
        ("small, nothing said",                WITHDRAWS(10),         vec![],                      "goes"),
        ("small, blocked all the same",        WITHDRAWS(10),         vec![block],                 "560"),
        ("small, referred",                    WITHDRAWS(10),         vec![refer],                 "approvals"),
        ("large, nothing said",                WITHDRAWS(LARGE),      vec![],                      "screening"),
        ("large, passed",                      WITHDRAWS(LARGE),      vec![pass],                  "goes"),
        ("large, the same pass twice",         WITHDRAWS(LARGE),      vec![pass, pass],            "goes"),
        ("large, passed and referred",         WITHDRAWS(LARGE),      vec![pass, refer],           "approvals"),
        ("large, referred and passed",         WITHDRAWS(LARGE),      vec![refer, pass],           "approvals"),
        ("large, passed and blocked",          WITHDRAWS(LARGE),      vec![pass, block],           "560"),
        ("large, blocked and passed",          WITHDRAWS(LARGE),      vec![block, pass],           "560"),
        ("very large, passed",                 WITHDRAWS(VERY_LARGE), vec![pass],                  "travel-rule"),
        ("very large, both",                   WITHDRAWS(VERY_LARGE), vec![pass, message],         "goes"),
        ("very large, a message by two words", WITHDRAWS(VERY_LARGE), vec![pass, message, same],   "goes"),
        ("very large, two messages",           WITHDRAWS(VERY_LARGE), vec![pass, message, another], "562"),
        ("an address, passed",                 add(STRANGER),         vec![pass],                  "goes"),
        ("an address, blocked",                add(STRANGER),         vec![block],                 "560"),
        ("what names no address",              ActKind::Unfreeze,     vec![pass],                  "400"),
        ("what only takes away, blocked",      ActKind::Freeze,       vec![block],                 "goes"),
    ]
}

#[test]
fn what_comes_with_the_act_is_judged_with_it() {
    for (what, kind, words, comes_to) in rows() {
        assert_eq!(decided(kind, &words), comes_to, "{what}");
    }
}

fn with(stage: &Stage, act: &Act, attestation: portcullis_core::evidence::Attestation) -> String {
    let mut evidence: Evidence = stage.prove(act);
    evidence.attestations.push(attestation);
    said(&stage.decide(act, &evidence))
}

/// A screening of another act, one that has expired, one by whoever is named for something else.
#[test]
fn a_word_that_does_not_hold_has_its_number() {
    let mut stage = Stage::with_vendors();
    let act = stage.withdrawal(LARGE);
    let other = stage.withdrawal(LARGE);
    let of_another = stage.word(&other, Word::pass(1));
    assert_eq!(with(&stage, &act, of_another), "401");
    let expired = stage.word_for(&act, Word::pass(1), Span(0));
    assert_eq!(with(&stage, &act, expired), "402");
    let last = stage.word_for(&act, Word::pass(1), Span(1));
    assert_eq!(with(&stage, &act, last), "goes");
    let (_, screening) = Word::pass(1).claim();
    let by_another = stage.attest(crate::stage::vendors::TRAVEL_RULE, &act, screening);
    assert_eq!(with(&stage, &act, by_another), "400");
}

/// An id is used up with the act that it came with, whatever becomes of that, and not by one that was refused.
#[test]
fn an_id_serves_once_for_ever() {
    let mut stage = Stage::with_vendors();
    let again = |stage: &mut Stage| {
        let act = stage.withdrawal(LARGE);
        let word = stage.word(&act, Word::pass(7));
        with(stage, &act, word)
    };
    let refused = stage.customers(ether(PAYEE, 5_000));
    let evidence = stage.prove_with(&refused, &[Word::pass(7)]);
    stage.journal_refusal(refused, evidence);
    assert_eq!(again(&mut stage), "goes");
    let act = stage.withdrawal(LARGE);
    let evidence = stage.prove_with(&act, &[Word::pass(7)]);
    stage.submit_with(act, evidence);
    assert_eq!(again(&mut stage), "561");
    stage.pass(Span::hours(31 * 24));
    assert_eq!(again(&mut stage), "561");
}

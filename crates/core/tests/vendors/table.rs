//! A withdrawal that waits, word by word: read by somebody who knows screening.

use super::{bring, said};
use crate::stage::vendors::{LARGE, SCREENING_2, VERY_LARGE, Word};
use crate::stage::{APPROVERS, Stage};
use Step::{Approves, For, Passes, Says};
use portcullis_core::evidence::{Evidence, Finding};
use portcullis_core::{Reason, Span};

/// What happens.
enum Step {
    /// A vendor says it, for an hour.
    Says(Word),
    /// For so many minutes.
    For(Word, u64),
    /// Minutes pass.
    Passes(u64),
    /// An approver does.
    Approves,
}

const PASS: fn(u8) -> Word = Word::pass;
const REFER: fn(u8) -> Word = Word::refer;
const BLOCK: fn(u8) -> Word = Word::block;
const MESSAGE: fn(u8, u8) -> Word = Word::Message;

/// What, how much, what is said, the numbers of what is not taken, and what it comes to.
type Row = (&'static str, u128, Vec<Step>, &'static [u16], &'static str);

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let other = |finding| Says(Word::Found(SCREENING_2, 1, finding));
    vec![
        // what                                   amount      what is said                                                     not taken   what it comes to
        ("nothing is said",                       LARGE,      vec![],                                                           &[],        "screening"),
        ("passed",                                LARGE,      vec![Says(PASS(1))],                                              &[],        "goes"),
        ("referred",                              LARGE,      vec![Says(REFER(1))],                                             &[],        "approvals"),
        ("referred, approved",                    LARGE,      vec![Says(REFER(1)), Approves],                                   &[],        "goes"),
        ("blocked",                               LARGE,      vec![Says(BLOCK(1))],                                             &[],        "560"),
        ("blocked, approved",                     LARGE,      vec![Says(BLOCK(1)), Approves],                                   &[],        "560"),
        ("passed, then blocked",                  LARGE,      vec![Says(PASS(1)), Says(BLOCK(2))],                              &[],        "560"),
        ("blocked, then passed",                  LARGE,      vec![Says(BLOCK(1)), Says(PASS(2))],                              &[523],     "560"),
        ("blocked, and long expired",             LARGE,      vec![For(BLOCK(1), 1), Passes(90), Says(PASS(2))],                &[523],     "560"),
        ("passed by one, blocked by another",     LARGE,      vec![Says(PASS(1)), other(Finding::Block)],                       &[],        "560"),
        ("passed, then referred",                 LARGE,      vec![Says(PASS(1)), Says(REFER(2))],                              &[],        "approvals"),
        ("referred, then passed",                 LARGE,      vec![Says(REFER(1)), Says(PASS(2))],                              &[523],     "approvals"),
        ("referred, passed by another",           LARGE,      vec![Says(REFER(1)), other(Finding::Pass)],                       &[523],     "approvals"),
        ("passed once a referral has expired",    LARGE,      vec![For(REFER(1), 10), Passes(10), Says(PASS(2))],               &[],        "goes"),
        ("a pass that has expired",               LARGE,      vec![For(PASS(1), 10), Passes(10)],                               &[],        "screening"),
        ("passed anew",                           LARGE,      vec![For(PASS(1), 10), Passes(10), Says(PASS(2))],                &[],        "goes"),
        ("the same word twice",                   LARGE,      vec![Says(PASS(1)), Says(PASS(1))],                               &[561],     "goes"),
        ("passed, and blocked under one id",      LARGE,      vec![Says(PASS(1)), Says(BLOCK(1))],                              &[],        "560"),
        ("passed, and referred under one id",     LARGE,      vec![Says(PASS(1)), Says(REFER(1))],                              &[561],     "goes"),
        ("the same block twice",                  LARGE,      vec![Says(BLOCK(1)), Says(BLOCK(1))],                             &[523],     "560"),
        ("passed twice",                          LARGE,      vec![Says(PASS(1)), Says(PASS(2))],                               &[523],     "goes"),
        ("an id of another vendor's, too",        LARGE,      vec![Says(REFER(1)), other(Finding::Block)],                      &[],        "560"),
        ("very large, nothing is said",           VERY_LARGE, vec![],                                                           &[],        "screening travel-rule"),
        ("very large, passed",                    VERY_LARGE, vec![Says(PASS(1))],                                              &[],        "travel-rule"),
        ("very large, message exchanged",         VERY_LARGE, vec![Says(MESSAGE(2, 1))],                                        &[],        "screening"),
        ("very large, both",                      VERY_LARGE, vec![Says(PASS(1)), Says(MESSAGE(2, 1))],                         &[],        "goes"),
        ("both, and the pass has expired",        VERY_LARGE, vec![For(PASS(1), 10), Says(MESSAGE(2, 1)), Passes(10)],          &[],        "screening"),
        ("both, and the message has expired",     VERY_LARGE, vec![Says(PASS(1)), For(MESSAGE(2, 1), 10), Passes(10)],          &[],        "travel-rule"),
        ("the same message twice",                VERY_LARGE, vec![Says(PASS(1)), Says(MESSAGE(2, 1)), Says(MESSAGE(3, 1))],    &[523],     "goes"),
        ("two messages",                          VERY_LARGE, vec![Says(PASS(1)), Says(MESSAGE(2, 1)), Says(MESSAGE(3, 2))],    &[],        "562"),
        ("two messages, then one again",          VERY_LARGE, vec![Says(MESSAGE(2, 1)), Says(MESSAGE(3, 2)), Says(MESSAGE(4, 1))], &[523],  "562"),
        ("another message after the first's end", VERY_LARGE, vec![Says(PASS(1)), For(MESSAGE(2, 1), 10), Passes(10), Says(MESSAGE(3, 2))], &[], "goes"),
        ("two messages, and blocked",             VERY_LARGE, vec![Says(MESSAGE(2, 1)), Says(MESSAGE(3, 2)), Says(BLOCK(1))],   &[],        "560"),
        ("two messages that nobody wants",        LARGE,      vec![Says(PASS(1)), Says(MESSAGE(2, 1)), Says(MESSAGE(3, 2))],    &[],        "562"),
    ]
}

#[test]
fn a_withdrawal_that_waits_word_by_word() {
    let mut wrong = Vec::new();
    for (what, amount, steps, not_taken, comes_to) in rows() {
        let mut stage = Stage::with_vendors();
        let act = stage.waiting(amount, &[]);
        stage.pass(Span::seconds(1));
        let mut refused = Vec::new();
        for step in steps {
            let (word, minutes) = match step {
                Says(word) => (word, 60),
                For(word, minutes) => (word, minutes),
                Passes(minutes) => {
                    stage.pass(Span::seconds(60 * minutes));
                    continue;
                }
                Approves => {
                    stage.approve(APPROVERS[0], act.digest());
                    continue;
                }
            };
            let evidence = Evidence {
                attestations: vec![stage.word_for(&act, word, Span::seconds(60 * minutes))],
                ..Evidence::default()
            };
            refused.extend(bring(&mut stage, &act, evidence).map(Reason::number));
        }
        let came_to = said(&stage.settles(act.digest()));
        if (&*refused, &*came_to) != (not_taken, comes_to) {
            wrong.push(format!("{what}: {came_to}, not taken {refused:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What it comes to stands in the journal: released, or ended for good.
#[test]
fn a_word_settles_what_waits() {
    let mut stage = Stage::with_vendors();
    let [good, bad] = [Word::pass(1), Word::block(2)].map(|word| {
        let act = stage.waiting(LARGE, &[]);
        stage.pass(Span::seconds(1));
        let evidence = stage.words(&act, &[word]);
        assert_eq!(bring(&mut stage, &act, evidence), None);
        stage.settle(act.digest());
        act.digest()
    });
    assert!(stage.facts().releases.contains_key(&good));
    let end = portcullis_core::state::release::End::Returned;
    assert_eq!(stage.end(bad), Some(end));
    assert_eq!(stage.facts().void_entries, 0);
}

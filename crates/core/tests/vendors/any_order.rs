//! Words in any order, doubled, late, contradicting each other: against a block nothing goes out.

use super::{bring, said};
use crate::stage::vendors::{SCREENING, SCREENING_2, VERY_LARGE, Word};
use crate::stage::{APPROVERS, Stage};
use portcullis_core::evidence::{Evidence, Finding};
use portcullis_core::{Decision, Reason, Span};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Says(Word, u64),
    Passes(u64),
    Approves,
}

fn a_word() -> impl Strategy<Value = Word> {
    let finding = prop_oneof![
        4 => Just(Finding::Pass),
        2 => Just(Finding::Refer),
        1 => Just(Finding::Block),
    ];
    let issuer = prop_oneof![Just(SCREENING), Just(SCREENING_2)];
    prop_oneof![
        3 => (issuer, 0..6_u8, finding).prop_map(|(issuer, id, finding)| Word::Found(issuer, id, finding)),
        1 => (0..6_u8, 0..2_u8).prop_map(|(id, message)| Word::Message(id, message)),
    ]
}

fn a_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (a_word(), 1..40_u64).prop_map(|(word, minutes)| Step::Says(word, minutes)),
        2 => (1..30_u64).prop_map(Step::Passes),
        1 => Just(Step::Approves),
    ]
}

fn minutes(count: u64) -> Span {
    Span::seconds(60 * count)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_goes_out_against_a_block(steps in prop::collection::vec(a_step(), 1..12)) {
        let mut stage = Stage::with_vendors();
        let act = stage.waiting(VERY_LARGE, &[]);
        let digest = act.digest();
        stage.pass(Span::seconds(1));
        let (mut blocked, mut differ) = (false, false);
        let mut counts: Option<(u8, portcullis_core::Time)> = None;
        let mut approved = false;
        for step in steps {
            match step {
                Step::Passes(count) => stage.pass(minutes(count)),
                Step::Approves if !approved => {
                    stage.approve(APPROVERS[0], digest);
                    approved = true;
                }
                Step::Approves => {}
                Step::Says(word, count) => {
                    let evidence = Evidence {
                        attestations: vec![stage.word_for(&act, word, minutes(count))],
                        ..Evidence::default()
                    };
                    let refused = bring(&mut stage, &act, evidence);
                    match word {
                        Word::Found(_, _, Finding::Block) => {
                            let known = blocked && refused == Some(Reason::NothingNew);
                            prop_assert!(refused.is_none() || known, "{refused:?}");
                            blocked = true;
                        }
                        Word::Message(_, message) if refused.is_none() => {
                            let now = stage.now();
                            let other = counts.is_some_and(|(m, until)| now < until && m != message);
                            differ |= other;
                            counts = Some((message, now.after(minutes(count))));
                        }
                        _ => {}
                    }
                }
            }
            let comes_to = stage.settles(digest);
            if blocked {
                prop_assert_eq!(said(&comes_to), "560");
            } else if differ {
                prop_assert_eq!(said(&comes_to), "562");
            } else {
                prop_assert!(!matches!(comes_to, Decision::Refuse { .. }), "{comes_to:?}");
            }
        }
        if blocked || differ {
            // Whoever says otherwise writes a void entry.
            let applied = stage.settle_as(digest, Decision::Release);
            prop_assert!(applied.void.is_some());
            prop_assert!(!stage.facts().releases.contains_key(&digest));
        }
    }
}

/// The shorter of two referrals came first; the longer one must not be lost with it.
#[test]
fn of_two_that_found_the_same_the_longer_word_counts() {
    for spans in [[1, 60], [60, 1]] {
        let mut stage = Stage::with_vendors();
        let act = stage.waiting(VERY_LARGE, &[]);
        for (number, (issuer, count)) in (1..).zip([SCREENING, SCREENING_2].into_iter().zip(spans))
        {
            let word = Word::Found(issuer, number, Finding::Refer);
            let evidence = Evidence {
                attestations: vec![stage.word_for(&act, word, minutes(count))],
                ..Evidence::default()
            };
            let shorter = (count == 1 && number == 2).then_some(Reason::NothingNew);
            assert_eq!(bring(&mut stage, &act, evidence), shorter);
        }
        stage.pass(minutes(2));
        let found = stage.said(&act).screened(stage.now()).unwrap().finding;
        assert_eq!(found, Finding::Refer);
    }
}

//! A step serves once, whoever says it, in whatever order; and how far a clock may be off.

use crate::bench::{SEED, seed};
use crate::stage::Stage;
use portcullis_core::act::{ActKind, EnrolFactor, RevokeFactor};
use portcullis_core::code::step_at;
use portcullis_core::factor::NewFactor;
use portcullis_core::state::release::End;
use portcullis_core::statement::Says;
use portcullis_core::{Digest, Span, State, VoidReason};
use portcullis_keeper::testkit::World;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeSet;
use std::sync::Arc;

const VOID: Option<VoidReason> = Some(VoidReason::Statement);

/// One after the other: (how far the code's clock is off, whether it serves).
fn drifts(table: &[(i64, bool)]) {
    let mut stage = Stage::with_codes();
    for (off, serves) in table {
        stage.pass(Span::seconds(30 * 30));
        let act = stage.freeze_by_code();
        let step = i64::from(stage.step()) + off;
        let said = stage.branch().right(act, u32::try_from(step).unwrap()).void;
        assert_eq!(said.is_none(), *serves, "{off} of {table:?}");
        if *serves {
            stage.right(act, u32::try_from(step).unwrap());
        } else {
            // Not a guess: the table counts drifts, and wrong ones are few in a day.
            stage.pass(Span::hours(25));
        }
        stage.settle(act);
    }
}

#[test]
fn a_clock_may_be_off_by_one_step_and_drift_on_from_there() {
    drifts(&[
        (0, true),
        (1, true),
        (-1, false),
        (2, true),
        (3, true),
        (0, false),
    ]);
    drifts(&[(-1, true), (-2, true), (0, false), (-3, true)]);
    drifts(&[(2, false), (-2, false), (1, true), (0, true), (-1, true)]);
}

#[test]
fn no_clock_is_ever_off_by_more_than_five_minutes() {
    let ahead: Vec<(i64, bool)> = (1..=10)
        .map(|off| (off, true))
        .chain([(11, false)])
        .collect();
    drifts(&ahead);
    let behind: Vec<(i64, bool)> = ahead.iter().map(|(off, serves)| (-off, *serves)).collect();
    drifts(&behind);
}

#[test]
fn a_step_serves_once() {
    let mut stage = Stage::with_codes();
    let (one, two, three) = (
        stage.freeze_by_code(),
        stage.freeze_by_code(),
        stage.freeze_by_code(),
    );
    let step = stage.step();
    assert_eq!(stage.right(one, step).void, None);
    // Not the same, and none before it.
    assert_eq!(stage.branch().right(two, step).void, VOID);
    assert_eq!(stage.branch().right(two, step - 1).void, VOID);
    assert_eq!(stage.right(two, step + 1).void, None);
    assert_eq!(stage.branch().right(three, step).void, VOID);
    // Said again about what is judged, it changes nothing: it does not even fit.
    assert_eq!(stage.branch().right(one, step).void, VOID);
}

/// Two heralds with the same keys judge the same code at once, or two acts with the same digits.
#[test]
fn of_two_heralds_the_journal_takes_one_word() {
    let mut stage = Stage::with_codes();
    let (one, two) = (stage.freeze_by_code(), stage.freeze_by_code());
    let (factor, step) = (stage.app(), stage.step());
    let says = |act| Says::CodeRight { act, factor, step };
    let (first, second) = (
        stage.signed_by(World::HERALD, says(one)),
        stage.signed_by(World::HERALD, says(two)),
    );
    let accepts = |stage: &Stage, signed| {
        let strict = portcullis_core::signature::Strict;
        stage.state().accepts(signed, &strict)
    };
    // Each fits a journal that has neither.
    assert!(accepts(&stage, &first) && accepts(&stage, &second));
    stage.right(one, step);
    assert!(!accepts(&stage, &first) && !stage.state().is_news(&first));
    assert!(!accepts(&stage, &second));
    // Whoever said so decides again, and says what fits.
    assert_eq!(stage.wrong(two).void, None);
    stage.settle(two);
    assert_eq!(stage.end(two), Some(End::Returned));
}

#[test]
fn what_has_served_stands_in_snapshots() {
    let mut stage = Stage::with_codes();
    let (one, two) = (stage.freeze_by_code(), stage.freeze_by_code());
    let step = stage.step();
    stage.right(one, step);
    let network = Arc::clone(&stage.ledger.world.network);
    let restored = State::from_snapshot(&stage.state().to_snapshot(), network).unwrap();
    assert_eq!(restored.facts(), stage.facts());
    stage.ledger.state = restored;
    assert_eq!(stage.right(two, step).void, VOID);
    assert_eq!(stage.right(two, step + 1).void, None);
}

/// The digits of an app whose clock is right are of the step that core computes.
#[test]
fn core_and_the_app_count_steps_alike() {
    let time = portcullis_core::Time(1_111_111_109_000);
    assert_eq!(step_at(time), 37_037_036);
    // RFC 6238, appendix B: 07081804, of which six digits.
    assert_eq!(*seed().digits(step_at(time)).text(), "081804");
}

#[derive(Clone, Debug)]
enum Do {
    Ask,
    Right(usize, i64),
    Wrong(usize),
    Pass(u64),
    EnrolAnew,
    Restart,
}

fn anything() -> impl Strategy<Value = Do> {
    prop_oneof![
        4 => Just(Do::Ask),
        8 => (any::<usize>(), -3_i64..=3).prop_map(|(which, off)| Do::Right(which, off)),
        1 => any::<usize>().prop_map(Do::Wrong),
        3 => (1_u64..45).prop_map(Do::Pass),
        1 => Just(Do::EnrolAnew),
        1 => Just(Do::Restart),
    ]
}

/// Taken back and enrolled again: the same seed, so the same codes.
fn enrol_anew(stage: &mut Stage) {
    let (principal, factor) = (stage.customer.principal, stage.app());
    let revoke = ActKind::RevokeFactor(RevokeFactor { principal, factor });
    let revoke = stage.customers(revoke);
    stage.submit(revoke);
    let factor = NewFactor::Totp { seed: SEED };
    let enrol = stage.customers(ActKind::EnrolFactor(EnrolFactor { principal, factor }));
    let enrol = stage.submit(enrol);
    stage.heralds(enrol);
}

fn play(stage: &mut Stage, steps: Vec<Do>) {
    let (mut asked, mut served): (Vec<Digest>, BTreeSet<u32>) = (Vec::new(), BTreeSet::new());
    for step in steps {
        match step {
            Do::Ask => {
                let act = stage.customers(ActKind::Freeze);
                let evidence = stage.with_code(&act);
                let submission = stage.ledger.submission(act, evidence);
                if matches!(submission.decision, portcullis_core::Decision::Hold { .. }) {
                    asked.push(submission.act.digest());
                    let body = portcullis_core::Body::Act(Box::new(submission));
                    assert_eq!(stage.ledger.enter(body).void, None);
                }
            }
            Do::Right(which, off) if !asked.is_empty() => {
                let act = asked[which % asked.len()];
                let step = u32::try_from(i64::from(stage.step()) + off).unwrap();
                let factor = stage.app();
                let says = Says::CodeRight { act, factor, step };
                let signed = stage.signed_by(World::HERALD, says);
                let strict = portcullis_core::signature::Strict;
                if stage.state().accepts(&signed, &strict) {
                    assert!(served.insert(step), "step {step} served twice");
                    let newest = *served.last().unwrap();
                    assert_eq!(newest, step, "an older step served after a newer one");
                    let body = portcullis_core::Body::Statement(Box::new(signed));
                    assert_eq!(stage.ledger.enter(body).void, None);
                    stage.settle(act);
                }
            }
            Do::Wrong(which) if !asked.is_empty() => {
                let act = asked[which % asked.len()];
                if stage.facts().codes.open(act).is_some() {
                    assert_eq!(stage.wrong(act).void, None);
                }
            }
            Do::Right(..) | Do::Wrong(_) => {}
            Do::Pass(seconds) => stage.pass(Span::seconds(seconds)),
            Do::EnrolAnew => {
                // Thawed first, where a code has frozen.
                let thaw = stage.customers(ActKind::Unfreeze);
                if stage.refusal(&thaw).is_none() {
                    stage.submit(thaw);
                }
                enrol_anew(stage);
            }
            Do::Restart => {
                let network = Arc::clone(&stage.ledger.world.network);
                let bytes = stage.state().to_snapshot();
                stage.ledger.state = State::from_snapshot(&bytes, network).unwrap();
            }
        }
    }
}

#[test]
fn a_step_never_serves_twice_in_any_order() {
    let config = Config {
        cases: 48,
        failure_persistence: None,
        ..Config::default()
    };
    let steps = proptest::collection::vec(anything(), 1..60);
    let played = TestRunner::new(config).run(&steps, |steps| {
        play(&mut Stage::with_codes(), steps);
        Ok(())
    });
    played.unwrap();
}

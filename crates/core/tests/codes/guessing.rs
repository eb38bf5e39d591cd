//! Six digits can be guessed by whoever may try for long; nobody may.

use crate::stage::Stage;
use portcullis_core::state::codes::{WRONG_IN_A_DAY, WRONG_IN_A_ROW};
use portcullis_core::{ActKind, Decision, Digest, Reason, Span};

/// Whether one more code may be tried.
fn may_try(stage: &mut Stage) -> bool {
    let act = stage.customers(ActKind::Freeze);
    match stage.decide(&act, &stage.with_code(&act)) {
        Decision::Hold { .. } => true,
        Decision::Refuse { reason } => {
            assert_eq!(reason, Reason::TooManyCodes);
            false
        }
        Decision::Release => unreachable!("nobody has judged it"),
    }
}

fn guess(stage: &mut Stage) -> Digest {
    let act = stage.freeze_by_code();
    assert_eq!(stage.wrong(act).void, None);
    stage.settle(act);
    act
}

/// Begin a new UTC day.
fn next_day(stage: &mut Stage) {
    let day = Span::hours(24).0;
    stage.pass(Span(day - stage.now().0 % day));
}

#[test]
fn five_wrong_ones_end_the_day() {
    let mut stage = Stage::with_codes();
    next_day(&mut stage);
    for _ in 0..WRONG_IN_A_DAY {
        guess(&mut stage);
    }
    assert!(!may_try(&mut stage));
    stage.pass(Span::hours(23));
    assert!(!may_try(&mut stage));
    next_day(&mut stage);
    assert!(may_try(&mut stage));
}

/// What waits may be wrong, so it counts as if it were: nobody tries a thousand at once.
#[test]
fn those_that_wait_count_as_wrong_until_they_are_judged() {
    let mut stage = Stage::with_codes();
    next_day(&mut stage);
    let waiting: Vec<Digest> = (0..WRONG_IN_A_DAY)
        .map(|_| stage.freeze_by_code())
        .collect();
    assert!(!may_try(&mut stage));
    let step = stage.step();
    stage.right(waiting[0], step);
    assert!(may_try(&mut stage));
    stage.wrong(waiting[1]);
    // One is free, by the right one: the wrong one counts on.
    stage.freeze_by_code();
    assert!(!may_try(&mut stage));
    // Those that nobody judges expire, and count for their day: whoever keeps the herald's word back has seen it.
    stage.pass(Span::hours(3));
    for act in &waiting[2..] {
        stage.settle(*act);
    }
    assert!(!may_try(&mut stage));
    next_day(&mut stage);
    assert!(may_try(&mut stage));
}

#[test]
fn a_right_one_begins_the_row_anew_and_not_the_day() {
    let mut stage = Stage::with_codes();
    next_day(&mut stage);
    for _ in 0..WRONG_IN_A_DAY - 1 {
        guess(&mut stage);
    }
    let act = stage.freeze_by_code();
    let step = stage.step();
    stage.right(act, step);
    guess(&mut stage);
    assert!(!may_try(&mut stage));
}

#[test]
fn fifty_in_a_row_end_the_factor() {
    let mut stage = Stage::with_codes();
    for _ in 0..WRONG_IN_A_ROW / WRONG_IN_A_DAY {
        next_day(&mut stage);
        for _ in 0..WRONG_IN_A_DAY {
            assert!(may_try(&mut stage));
            guess(&mut stage);
        }
    }
    next_day(&mut stage);
    assert!(!may_try(&mut stage));
    stage.pass(Span::hours(24 * 30));
    assert!(!may_try(&mut stage));
}

/// Those of yesterday evening that nobody judges expire today, one after the other, and clear nothing of today.
#[test]
fn what_expires_from_yesterday_frees_no_more_of_today() {
    let mut stage = Stage::with_codes();
    next_day(&mut stage);
    // Before midnight, four codes that live on for two hours each.
    stage.pass(Span(Span::hours(24).0 - 90 * 60 * 1000));
    let mut old = Vec::new();
    for _ in 0..WRONG_IN_A_DAY - 1 {
        old.push(stage.freeze_by_code());
        stage.pass(Span(20 * 60 * 1000));
    }
    next_day(&mut stage);
    let mut tried_today = 0;
    for _ in 0..12 {
        while may_try(&mut stage) {
            // The gate keeps the herald's word back, and the act has a short life of its own.
            let mut act = stage.customers(ActKind::Freeze);
            act.expires = stage.now().after(Span::seconds(2));
            let evidence = stage.with_code(&act);
            let digest = stage.submit_with(act, evidence);
            tried_today += 1;
            stage.pass(Span::seconds(3));
            stage.settle(digest);
        }
        stage.pass(Span(10 * 60 * 1000));
        for act in core::mem::take(&mut old) {
            match stage.settles(act) {
                Decision::Refuse { .. } => {
                    stage.settle(act);
                }
                _ => old.push(act),
            }
        }
    }
    assert!(tried_today <= WRONG_IN_A_DAY, "{tried_today} tried");
}

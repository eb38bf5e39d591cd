//! Two faults at once: the earlier step's reason is given, and within a step the lower number.

use super::{Fault, Row, rows};
use crate::stage::Stage;
use portcullis_core::passkey::Assertion;
use portcullis_core::{Decision, Reason};

/// The steps of a decision, in their order.
fn step(reason: Reason) -> u8 {
    match reason.number() {
        // The stamp says at which time all else is asked.
        100..=200 | 206 => 0,
        202..300 => 1,
        // Whether somebody may relay is asked together with what roles may do.
        302 | 340..400 => 3,
        201 | 300..340 => 2,
        _ => 4,
    }
}

#[test]
fn of_two_faults_the_first_in_order_is_told() {
    let rows = combinable();
    let (mut pairs, mut wrong) = (0, Vec::new());
    for first in &rows {
        for second in &rows {
            let in_order =
                (step(first.reason), first.reason) < (step(second.reason), second.reason);
            if in_order && is_apart(first, second) {
                wrong.extend(check(first, second));
                pairs += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(pairs > 400, "only {pairs} pairs");
}

/// Faults of a withdrawal that stand by themselves: none needs the act to have been taken before, and
/// none makes so much time pass that it mends another.
fn combinable() -> Vec<Row> {
    let mut rows = rows();
    let good = Stage::new().withdrawal(10);
    rows.retain(|row| {
        let same = (row.good)(&mut Stage::new()).kind == good.kind;
        let takes_time = [
            "no rule bounds it",
            "nothing permits",
            "one forbids",
            "one overflows",
            "one unit over",
            "an authority lists the payee",
        ];
        same && row.what != "the same act again" && !takes_time.contains(&row.what)
    });
    rows
}

/// What a fault changes: the act, each kind of evidence, the state of things.
fn touches(row: &Row) -> [bool; 6] {
    let mut stage = Stage::new();
    let act = (row.good)(&mut stage);
    match row.fault {
        Fault::Act(_) => [true, false, false, false, false, false],
        Fault::Later(fault) => {
            let before = stage.prove(&act);
            let mut after = before.clone();
            let size = stage.state().size();
            fault(&mut stage, &act, &mut after);
            [
                false,
                before.requests != after.requests,
                before.assertions.first().map(signed) != after.assertions.first().map(signed),
                before.attestations != after.attestations,
                before.posted != after.posted,
                size != stage.state().size(),
            ]
        }
    }
}

/// An assertion but for its signature, which is another every time.
fn signed(assertion: &Assertion) -> (&[u8], &[u8], &[u8]) {
    let Assertion {
        credential,
        authenticator_data,
        client_data,
        ..
    } = assertion;
    (&credential.0, authenticator_data, client_data)
}

/// Faults that do not undo each other.
fn is_apart(first: &Row, second: &Row) -> bool {
    let both = touches(first).into_iter().zip(touches(second));
    !both.into_iter().any(|(first, second)| first && second)
}

/// What is told otherwise.
fn check(first: &Row, second: &Row) -> Option<String> {
    let mut stage = Stage::new();
    let mut act = (first.good)(&mut stage);
    for row in [first, second] {
        if let Fault::Act(fault) = row.fault {
            fault(&mut stage, &mut act);
        }
    }
    let mut evidence = stage.prove(&act);
    for row in [first, second] {
        if let Fault::Later(fault) = row.fault {
            fault(&mut stage, &act, &mut evidence);
        }
    }
    let reason = first.reason;
    let told = stage.decide(&act, &evidence);
    let wrong = told != Decision::Refuse { reason };
    wrong.then(|| format!("{} / {}: {told:?}", first.what, second.what))
}

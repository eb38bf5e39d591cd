//! 6xx: how much may leave.

use super::{Fault, Row, row};
use crate::stage::{MOST, Stage};
use portcullis_core::{Act, Reason, Span};

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    use Fault::{Act as Asks, Later};
    use Reason as R;
    vec![
        row(R::OverTransactionLimit, "one unit over", the_most, Asks(|stage, act| act.kind = stage.withdrawal(MOST[0] + 1).kind)),
        row(R::OverHourLimit, "a third in one hour", the_rest, Later(|stage, _, _| spend(stage, &[800, 800]))),
        row(R::OverDayLimit, "a fourth in one day", the_rest, Asks(|stage, act| spend_and_ask(stage, act, Span::hours(1), 3))),
        row(R::OverWeekLimit, "a fifth in one week", the_rest, Asks(|stage, act| spend_and_ask(stage, act, Span::hours(25), 5))),
    ]
}

fn the_most(stage: &mut Stage) -> Act {
    stage.withdrawal(MOST[0])
}

fn the_rest(stage: &mut Stage) -> Act {
    stage.withdrawal(700)
}

fn spend(stage: &mut Stage, amounts: &[u128]) {
    for amount in amounts {
        let act = stage.withdrawal(*amount);
        let digest = stage.submit(act);
        assert!(stage.facts().releases.contains_key(&digest));
    }
}

/// Eight hundred each time, and then the act.
fn spend_and_ask(stage: &mut Stage, act: &mut Act, every: Span, times: u32) {
    for _ in 0..times {
        spend(stage, &[800]);
        stage.pass(every);
    }
    *act = the_rest(stage);
}

//! 56x: what vendors say of an act.

use super::{Fault, Row, row};
use crate::stage::Stage;
use crate::stage::vendors::{LARGE, VERY_LARGE, Word};
use portcullis_core::{Act, Evidence, Reason};

#[rustfmt::skip]
pub(crate) fn rows() -> Vec<Row> {
    use Fault::Later;
    use Reason as R;
    vec![
        row(R::ScreeningBlocks, "a screening blocks", large, Later(|stage, act, evidence| says(stage, act, evidence, &[Word::block(1)]))),
        row(R::ScreeningBlocks, "one passes, one blocks", large, Later(|stage, act, evidence| says(stage, act, evidence, &[Word::pass(1), Word::block(2)]))),
        row(R::AttestationUsed, "an id that has served", large, Later(used)),
        row(R::TravelRuleContradicts, "two messages", very_large, Later(|stage, act, evidence| says(stage, act, evidence, &[Word::Message(1, 1), Word::Message(2, 2)]))),
    ]
}

fn large(stage: &mut Stage) -> Act {
    *stage = Stage::with_vendors();
    stage.withdrawal(LARGE)
}

fn very_large(stage: &mut Stage) -> Act {
    *stage = Stage::with_vendors();
    stage.withdrawal(VERY_LARGE)
}

fn says(stage: &mut Stage, act: &Act, evidence: &mut Evidence, words: &[Word]) {
    let said = stage.words(act, words);
    evidence.attestations.extend(said.attestations);
}

fn used(stage: &mut Stage, act: &Act, evidence: &mut Evidence) {
    stage.waiting(LARGE, &[Word::refer(1)]);
    says(stage, act, evidence, &[Word::pass(1)]);
}

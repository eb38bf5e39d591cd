//! Screening and the travel rule: what vendors say of an act, when it counts, and that a block always wins.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

#[path = "../stage/mod.rs"]
mod stage;

mod any_order;
mod late;
mod submitted;
mod table;
mod who;

use portcullis_core::decision::Need;
use portcullis_core::{Act, Decision, Evidence, Reason};
use stage::Stage;

/// A decision in a few words: `goes`, a refusal's number, or what it waits for.
fn said(decision: &Decision) -> String {
    let need = |need: &Need| match need {
        Need::Approvals { .. } => "approvals",
        Need::Screening => "screening",
        Need::TravelRule => "travel-rule",
        Need::Debit => "debit",
        _ => "other",
    };
    match decision {
        Decision::Release => "goes".into(),
        Decision::Refuse { reason } => reason.number().to_string(),
        Decision::Hold { needs, .. } => needs.iter().map(need).collect::<Vec<_>>().join(" "),
    }
}

/// Bring more evidence; why it is not taken.
fn bring(stage: &mut Stage, act: &Act, evidence: Evidence) -> Option<Reason> {
    let Err(why) = stage.would_supplement(act.digest(), evidence.clone()) else {
        assert_eq!(stage.supplement(act.digest(), evidence).void, None);
        return None;
    };
    let why = why.strip_prefix("its evidence: ").unwrap();
    let mut all = Reason::ALL.iter();
    all.find(|reason| reason.to_string() == why).copied()
}

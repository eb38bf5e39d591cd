//! One negative row for every reason: an act that would pass, and the one thing that breaks it.
//!
//! A refusal leaves state as it was, also once it stands in the journal; but one that somebody proved
//! to ask for, of an act that does not only take away, is the end of that act.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

#[path = "../stage/mod.rs"]
mod stage;

mod attestations;
mod binding;
mod labels;
mod limits;
mod lost;
mod may;
mod on_the_way;
mod passkeys;
mod policy;
mod precedence;
mod things;
mod vendors;
mod who;

use portcullis_core::effect::Effect;
use portcullis_core::entry::{Body, Entry, Submission};
use portcullis_core::signature::Strict;
use portcullis_core::state::release::End;
use portcullis_core::{Act, Decision, Evidence, ReadEntry, Reason, VoidReason};
use stage::{Stage, standing};
use std::collections::BTreeSet;

/// A good act and what breaks it.
struct Row {
    reason: Reason,
    /// What is wrong, in a few words.
    what: &'static str,
    /// What would pass.
    good: fn(&mut Stage) -> Act,
    fault: Fault,
}

/// The one thing that is wrong.
enum Fault {
    /// The act asks for something else, and its evidence is made for it as it then stands.
    Act(fn(&mut Stage, &mut Act)),
    /// The act is as it was; its evidence, or what has happened meanwhile, is not.
    Later(fn(&mut Stage, &Act, &mut Evidence)),
}

const fn row(reason: Reason, what: &'static str, good: fn(&mut Stage) -> Act, fault: Fault) -> Row {
    Row {
        reason,
        what,
        good,
        fault,
    }
}

/// Reasons that no decision on this stage gives, and where they come from.
const NOT_OF_DECISIONS: &[(Reason, &str)] = &[
    (
        Reason::Malformed,
        "the gate, of a body that cannot be parsed; a parsed act has its form",
    ),
    (
        Reason::DigestMismatch,
        "the gate, of its Portcullis-Act header",
    ),
    (
        Reason::NothingNew,
        "of more evidence for an act; tests/supplements.rs has it",
    ),
    (
        Reason::ContactMissing,
        "only with a herald in genesis; tests/told.rs has it",
    ),
    (
        Reason::ContactKnown,
        "only with a herald in genesis; tests/told.rs has it",
    ),
    (
        Reason::PrincipalExists,
        "of accounts with several principals; tests/joint has it",
    ),
    (
        Reason::QuorumOutOfReach,
        "of accounts with several principals; tests/joint has it",
    ),
    (
        Reason::AccountQuorumChanged,
        "of accounts with several principals; tests/joint has it",
    ),
    (
        Reason::AccountQuorumMalformed,
        "of accounts with several principals; tests/joint has it",
    ),
    (Reason::CodeTooWeak, "of codes; tests/codes has it"),
    (Reason::OverCodeLimit, "of codes; tests/codes has it"),
    (Reason::AddressTooYoung, "of codes; tests/codes has it"),
    (Reason::CodeOutOfPlace, "of codes; tests/codes has it"),
    (Reason::TooManyCodes, "of codes; tests/codes has it"),
    (
        Reason::CodeWrong,
        "of codes that the herald has judged; tests/codes has it",
    ),
    (Reason::CodeUsed, "of codes; tests/codes has it"),
    (
        Reason::FactorMalformed,
        "of factors that are no keys; tests/codes has it",
    ),
    (Reason::ImportMalformed, "of imports; tests/codes has it"),
    (
        Reason::AmountUnpayable,
        "of wallets of coins; tests/coins has it",
    ),
    (Reason::LinkOutOfPlace, "of links; tests/links.rs has it"),
    (Reason::LinkInvalid, "of links; tests/links.rs has it"),
];

fn rows() -> Vec<Row> {
    [
        binding::rows(),
        who::rows(),
        passkeys::rows(),
        may::rows(),
        attestations::rows(),
        things::rows(),
        limits::rows(),
        policy::rows(),
        labels::rows(),
        lost::rows(),
        vendors::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn each_fault_has_its_reason_and_changes_nothing() {
    let mut wrong = Vec::new();
    for row in rows() {
        let (mut stage, act, evidence) = broken(&row);
        let name = format!("{} ({})", row.reason.slug(), row.what);
        let decision = stage.decide(&act, &evidence);
        if decision == (Decision::Refuse { reason: row.reason }) {
            check_nothing_changes(&mut stage, &act, &evidence, &name);
        } else {
            wrong.push(format!("{name}: {decision:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn without_its_fault_each_act_passes() {
    for row in rows() {
        let mut stage = Stage::new();
        let act = (row.good)(&mut stage);
        let decision = stage.decide(&act, &stage.prove(&act));
        let refused = matches!(decision, Decision::Refuse { .. });
        assert!(!refused, "{}: {decision:?}", row.what);
    }
}

#[test]
fn every_reason_that_a_journal_can_hold_has_its_row() {
    let tested: BTreeSet<Reason> = rows().iter().map(|row| row.reason).collect();
    let excepted: BTreeSet<Reason> = NOT_OF_DECISIONS.iter().map(|(r, _)| *r).collect();
    let of_the_gate = |reason: &Reason| reason.number() >= 900;
    for reason in Reason::ALL.iter().filter(|reason| !of_the_gate(reason)) {
        let times = u8::from(tested.contains(reason)) + u8::from(excepted.contains(reason));
        assert_eq!(times, 1, "{}", reason.slug());
    }
}

/// The stage, the act and its evidence with the row's fault.
fn broken(row: &Row) -> (Stage, Act, Evidence) {
    let mut stage = Stage::new();
    let mut act = (row.good)(&mut stage);
    if let Fault::Act(fault) = row.fault {
        fault(&mut stage, &mut act);
    }
    let mut evidence = stage.prove(&act);
    if let Fault::Later(fault) = row.fault {
        fault(&mut stage, &act, &mut evidence);
    }
    (stage, act, evidence)
}

/// Deciding changes nothing, and the entry that says so nothing but that the act has ended.
fn check_nothing_changes(stage: &mut Stage, act: &Act, evidence: &Evidence, name: &str) {
    let before = stage.state().digest();
    let decided = stage.decided(act, evidence);
    let ends = if decided.is_authenticated() && !act.kind.is_restricting() {
        let (digest, account) = (act.digest(), act.account);
        vec![
            Effect::Consume(digest, act.expires),
            Effect::End(digest, End::Returned, account),
        ]
    } else {
        Vec::new()
    };
    let entry = Submission {
        decision: decided.decision().clone(),
        act: act.clone(),
        evidence: evidence.clone(),
        plan: None,
    };
    let entry = Entry::new(stage.now(), Body::Act(Box::new(entry)));
    let judged = stage.state().judge(&ReadEntry::written(entry).0, &Strict);
    if !decided.is_authenticated() {
        // Nobody journals what anybody could have sent: it would look like the end of the act.
        assert_eq!(judged, Err(VoidReason::Unproven), "{name}");
        assert_eq!(stage.state().digest(), before, "{name}");
        return;
    }
    assert_eq!(judged.as_ref(), Ok(&ends), "{name}");
    assert_eq!(stage.state().digest(), before, "{name}");

    forget_what_has_expired(stage);
    let before = standing(stage.facts());
    let applied = stage.journal_refusal(act.clone(), evidence.clone());
    assert_eq!((applied.void, &applied.changes), (None, &ends), "{name}");
    let mut after = standing(stage.facts());
    if !ends.is_empty() {
        assert_eq!(stage.end(act.digest()), Some(End::Returned), "{name}");
        let again = stage.decide(act, evidence);
        let replayed = Decision::Refuse {
            reason: Reason::Replayed,
        };
        assert_eq!(again, replayed, "{name}");
        after.consumed.remove(&act.digest());
        after.consumed_until.remove(&(act.expires, act.digest()));
        let ended = after.ended.remove(&act.digest()).unwrap();
        let until = ended.time.after(portcullis_core::Span::hours(24));
        after.ended_until.remove(&(until, act.digest()));
    }
    assert_eq!(after, before, "{name}");
}

/// Every entry forgets what expired before it, so another one goes first.
fn forget_what_has_expired(stage: &mut Stage) {
    let mut act = stage.withdrawal(1);
    act.genesis = portcullis_core::Digest([0; 32]);
    let evidence = stage.prove(&act);
    stage.journal_refusal(act, evidence);
}

//! The last days of a journal decided again under another policy, or other limits.
//!
//! Each decision is made on the state of its time, which is that of the journal as it went: what would
//! have come of a different decision later on is not played through.

use portcullis_core::act::Act;
use portcullis_core::decide::{Decided, decide, settle};
use portcullis_core::policy::Candidate;
use portcullis_core::signature::Strict;
use portcullis_core::{
    Body, Decision, Digest, Entry, Network, ReadEntry, Reason, Span, State, Time,
};
use portcullis_journal::{LabelFiles, LabelsError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What would have been otherwise.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Backtest {
    /// From this time on.
    pub since: Time,
    /// Decisions that were made again.
    pub decided: u64,
    /// Of those, the ones that come out the same.
    pub same: u64,
    /// Those that do not, in the journal's order.
    pub differs: Vec<Difference>,
    /// How often each statement made or stood behind a decision of the candidate's.
    pub statements: BTreeMap<String, u64>,
}

/// One decision that would have been another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The entry that decided.
    pub entry: u64,
    /// The act.
    pub act: Digest,
    /// What it asks for.
    pub kind: &'static str,
    /// What was decided.
    pub was: Decision,
    /// What would have been.
    pub would: Decision,
    /// The candidate's statements that make it so.
    pub statements: Vec<String>,
}

/// Decide the journal's last `days` again. A witness has seen its entries; that was checked before.
pub fn backtest(
    network: &Arc<Network>,
    labels: LabelFiles<'_>,
    entries: &[Vec<u8>],
    mut candidate: Candidate,
    days: u32,
) -> Result<Backtest, LabelsError> {
    let mut state = State::new(Arc::clone(network));
    let newest = entries.iter().rev().find_map(|bytes| time_of(bytes));
    let span = Span::hours(24 * u64::from(days));
    let since = newest.unwrap_or_default().before(span);
    let mut report = Backtest {
        since,
        ..Backtest::default()
    };
    for bytes in entries {
        if let Ok(entry) = Entry::from_bytes(bytes)
            && entry.time >= since
        {
            report.note(&mut state, &mut candidate, &entry);
        }
        let read = ReadEntry::from_bytes(bytes);
        labels.provide(&mut state, &read)?;
        state.apply_read(&read, &Strict);
    }
    Ok(report)
}

fn time_of(bytes: &[u8]) -> Option<Time> {
    Entry::from_bytes(bytes).ok().map(|entry| entry.time)
}

impl Backtest {
    fn note(&mut self, state: &mut State, candidate: &mut Candidate, entry: &Entry) {
        match &entry.body {
            Body::Act(said) => {
                let again =
                    |state: &State| decide(state, &said.act, &said.evidence, entry.time, &Strict);
                let would = candidate.under(state, again);
                self.compare(state, &said.act, &said.decision, &would);
            }
            Body::Settle(said) => {
                let held = state.facts().held.get(&said.act);
                let Some(act) = held.map(|held| held.act.clone()) else {
                    return;
                };
                let again = |state: &State| settle(state, said.act, entry.time);
                let would = candidate.under(state, again);
                self.compare(state, &act, &said.decision, &would);
            }
            _ => {}
        }
    }

    fn compare(&mut self, state: &State, act: &Act, was: &Decision, would: &Decided) {
        // Refused before the policy is asked: on a ground that no policy moves, or by the candidate's limit in fiat.
        if would.asked().is_none() && was == would.decision() {
            return;
        }
        self.decided += 1;
        let names = would.asked().into_iter();
        let names = names.flat_map(|asked| &asked.answer.statements);
        let statements: Vec<String> = names.map(|name| name.0.clone()).collect();
        for name in &statements {
            *self.statements.entry(name.clone()).or_default() += 1;
        }
        if was == would.decision() {
            self.same += 1;
            return;
        }
        self.differs.push(Difference {
            entry: state.size(),
            act: act.digest(),
            kind: act.kind.name(),
            was: was.clone(),
            would: would.decision().clone(),
            statements,
        });
    }

    /// How many acts would have been refused, would have waited, and would have gone out, that did not.
    #[must_use]
    pub fn sums(&self) -> [u64; 3] {
        let count = |of: fn(&Decision) -> bool| {
            let hit = self.differs.iter().filter(|row| of(&row.would));
            hit.count() as u64
        };
        [
            count(|would| matches!(would, Decision::Refuse { .. })),
            count(|would| matches!(would, Decision::Hold { .. })),
            count(|would| matches!(would, Decision::Release)),
        ]
    }
}

/// A decision in a few words.
#[must_use]
pub fn in_short(decision: &Decision) -> String {
    match decision {
        Decision::Release => "goes out".into(),
        Decision::Hold { needs, .. } => format!("waits for {needs:?}").to_lowercase(),
        Decision::Refuse { reason } => short_of(*reason),
    }
}

fn short_of(reason: Reason) -> String {
    format!("refused: {} {}", reason.number(), reason.slug())
}

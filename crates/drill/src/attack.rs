//! What attackers tried and what became of it.

use crate::answer::Answer;
use crate::error::DrillError;
use crate::money::Money;
use crate::outcome::{Check, Flow, Tally};
use crate::people::{Customer, Slice, Town};
use crate::platform::Platform;
use portcullis_chains::caip::Address;
use portcullis_core::Evidence;
use portcullis_core::act::Act;
use std::collections::BTreeMap;

/// A way to attack: what the attackers do, and which numbered refusal has to meet it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Way {
    /// In a few words, for people.
    pub(crate) name: &'static str,
    /// The answer that has to meet it; none for a way that may have another, within its bound.
    pub(crate) met_by: Option<Answer>,
}

/// An act with what proves it, as it passed.
#[derive(Clone)]
pub(crate) struct Seen {
    pub(crate) act: Act,
    pub(crate) evidence: Evidence,
    /// Where the withdrawal goes.
    pub(crate) to: Address,
    pub(crate) money: Money,
}

/// What a customer itself would send, proven in full.
pub(crate) fn genuine(
    platform: &Platform,
    customer: &Customer,
    to: Address,
    money: Money,
) -> Result<Seen, DrillError> {
    let act = platform.act_of(customer, platform.withdraw(to, money))?;
    let evidence = platform.full_evidence(&customer.passkey, &act)?;
    Ok(Seen {
        act,
        evidence,
        to,
        money,
    })
}

/// One withdrawal to be taken.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) way: Way,
    pub(crate) victim: usize,
    pub(crate) slice: Slice,
}

/// Which way each withdrawal is taken: all ways in turn, beginning with one of them.
pub(crate) fn jobs(town: &Town, ways: &[Way], first: usize) -> Vec<Job> {
    let slices = town.victims.iter().enumerate();
    let slices = slices.flat_map(|(at, victim)| victim.slices.iter().map(move |s| (at, *s)));
    let jobs = slices.zip(ways.iter().cycle().skip(first));
    jobs.map(|((victim, slice), way)| Job {
        way: way.clone(),
        victim,
        slice,
    })
    .collect()
}

/// One withdrawal that was tried.
#[derive(Clone, Debug)]
pub(crate) struct Tried {
    pub(crate) way: Way,
    pub(crate) money: Money,
    pub(crate) answer: Answer,
}

/// Everything that was tried, by way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    pub(crate) tried: Vec<Tried>,
}

/// A way's row in the table.
#[derive(Clone, Debug)]
pub struct Row {
    /// The way.
    pub name: &'static str,
    /// The withdrawals that were tried so.
    pub tried: Tally,
    /// What met them, with how many.
    pub answers: Vec<(String, u64)>,
    /// Whether that is what has to meet them.
    pub as_it_must: bool,
}

impl Book {
    /// The flow's sums, by the gate's answers.
    pub(crate) fn flow(&self) -> Flow {
        let mut flow = Flow::none();
        for tried in &self.tried {
            flow.attempted.add(tried.money);
            let tally: Option<&mut Tally> = match tried.answer {
                Answer::Released => Some(&mut flow.released),
                Answer::Refused(_) | Answer::Void(_) | Answer::Again => Some(&mut flow.refused),
                Answer::Held => Some(&mut flow.held),
                // Neither: the conservation check fails, as it must.
                Answer::Lost(_) => None,
            };
            if let Some(tally) = tally {
                tally.add(tried.money);
            }
        }
        flow
    }

    /// The table of ways, in the order in which they stand in `ways`.
    pub(crate) fn rows(&self, ways: &[Way]) -> Vec<Row> {
        ways.iter().map(|way| self.row(way)).collect()
    }

    fn row(&self, way: &Way) -> Row {
        let tried: Vec<&Tried> = self
            .tried
            .iter()
            .filter(|tried| tried.way == *way)
            .collect();
        let mut answers: BTreeMap<String, u64> = BTreeMap::new();
        for tried in &tried {
            *answers.entry(tried.answer.text()).or_default() += 1;
        }
        let is_met = |tried: &&Tried| way.met_by.as_ref().is_none_or(|must| tried.answer == *must);
        Row {
            name: way.name,
            tried: tried.iter().map(|tried| tried.money).collect(),
            answers: answers.into_iter().collect(),
            as_it_must: !tried.is_empty() && tried.iter().all(is_met),
        }
    }
}

impl Row {
    /// The row as a check.
    pub(crate) fn check(&self) -> Check {
        let answers = self
            .answers
            .iter()
            .map(|(text, count)| format!("{count} × {text}"));
        let answers: Vec<String> = answers.collect();
        Check {
            name: format!("met as it must be: {}", self.name),
            pass: self.as_it_must,
            detail: format!("{} tried: {}", self.tried.count, answers.join(", ")),
        }
    }
}

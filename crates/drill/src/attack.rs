//! What attackers tried and what became of it.

use crate::answer::Answer;
use crate::error::DrillError;
use crate::money::Money;
use crate::outcome::{Check, Flow, Tally};
use crate::people::{Customer, Slice, Town, Victim};
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
    /// Whose withdrawals are tried so.
    pub(crate) on: On,
    /// The answer that has to meet it; none for a way that may have another, within its bound.
    pub(crate) met_by: Option<Answer>,
}

/// On whose account a way is taken, and for how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum On {
    /// Whatever the customer has.
    Everybody,
    /// A customer with a passkey.
    Passkey,
    /// One with an app, for more than a code lets out.
    Large,
    /// One with an app, for no more than that.
    Little,
    /// A customer with a passkey, of an asset that is paid from coins: every second such withdrawal.
    Coins,
}

impl On {
    /// Whose account it is, for people.
    const fn whose(self) -> &'static str {
        match self {
            Self::Everybody => "On any account",
            Self::Passkey => "On accounts with a passkey",
            Self::Coins => "On accounts with a passkey, and what is paid from coins",
            Self::Large | Self::Little => "On accounts with an authenticator app and no passkey",
        }
    }

    /// What a withdrawal of a victim's is.
    fn of(victim: &Victim, slice: &Slice) -> Self {
        match &victim.customer.app {
            None => Self::Passkey,
            Some(_) if slice.money.is_little() => Self::Little,
            Some(_) => Self::Large,
        }
    }

    /// The ways of such a withdrawal: first its own, then everybody's.
    fn ways(self, ways: &[Way]) -> Vec<&Way> {
        let own = ways.iter().filter(|way| way.on == self);
        // A little of an app owner's is for the ways of codes: there are as many as such withdrawals.
        let is_common = |way: &&Way| way.on == Self::Everybody && self != Self::Little;
        own.chain(ways.iter().filter(is_common)).collect()
    }
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
    let act = platform.act_of(customer, money.paid_to(to))?;
    let evidence = platform.debited(&act, platform.proof(customer, &act)?)?;
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

/// Which way each withdrawal is taken: all that fit it in turn, those of passkeys beginning with one of them.
pub(crate) fn jobs(town: &Town, ways: &[Way], first: usize) -> Vec<Job> {
    let turn = |on: On, first: usize| on.ways(ways).into_iter().cycle().skip(first);
    let mut passkey = turn(On::Passkey, first);
    let (mut large, mut little) = (turn(On::Large, 0), turn(On::Little, 0));
    let mut coins = ways.iter().filter(|way| way.on == On::Coins).cycle();
    let mut is_odd = false;
    let slices = town.victims.iter().enumerate();
    let slices =
        slices.flat_map(|(at, victim)| victim.slices.iter().map(move |s| (at, victim, *s)));
    let jobs = slices.filter_map(|(at, victim, slice)| {
        let on = On::of(victim, &slice);
        is_odd ^= slice.money.asset.is_of_coins();
        let own = is_odd && slice.money.asset.is_of_coins() && on == On::Passkey;
        let own = own.then(|| coins.next()).flatten();
        let way = own.or_else(|| match on {
            On::Large => large.next(),
            On::Little => little.next(),
            On::Passkey | On::Everybody | On::Coins => passkey.next(),
        });
        Some(Job {
            way: way?.clone(),
            victim: at,
            slice,
        })
    });
    jobs.collect()
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
    /// On whose accounts: a heading for this row and those that follow with the same.
    pub whose: &'static str,
    /// The way.
    pub name: &'static str,
    /// The withdrawals that were tried so.
    pub tried: Tally,
    /// What met them, with how many.
    pub answers: Vec<(String, u64)>,
    /// Whether that is what has to meet them.
    pub as_it_must: bool,
}

impl Tried {
    /// A job, done.
    pub(crate) fn of(job: &Job, answer: Answer) -> Self {
        Self {
            way: job.way.clone(),
            money: job.slice.money,
            answer,
        }
    }
}

impl Book {
    /// The flow's sums, by the gate's answers.
    pub(crate) fn flow(&self) -> Flow {
        let mut flow = Flow::none();
        for tried in &self.tried {
            flow.attempted.add(tried.money);
            let tally: Option<&mut Tally> = match tried.answer {
                Answer::Released | Answer::Batched => Some(&mut flow.released),
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

    /// The table of ways, by whose accounts they are tried on, and then in the order in which they stand in `ways`.
    pub(crate) fn rows(&self, ways: &[Way]) -> Vec<Row> {
        let mut ways: Vec<&Way> = ways.iter().collect();
        ways.sort_by_key(|way| match way.on {
            On::Everybody => 0,
            On::Passkey => 1,
            On::Coins => 2,
            On::Large | On::Little => 3,
        });
        ways.into_iter().map(|way| self.row(way)).collect()
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
            whose: way.on.whose(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Scale;
    use crate::{api, gate_owned};

    /// Small as it is, nothing is left out; and what needs a passkey is asked of nobody who has none.
    #[test]
    fn the_smallest_town_meets_every_way() {
        for seed in 1..10 {
            let town = Town::settle(seed, "0.02".parse::<Scale>().unwrap()).unwrap();
            for ways in [api::WAYS, gate_owned::WAYS] {
                let jobs = jobs(&town, ways, 3);
                let slices = town.victims.iter().map(|victim| victim.slices.len());
                assert_eq!(jobs.len(), slices.sum::<usize>());
                for way in ways {
                    let is_tried = jobs.iter().any(|job| job.way == *way);
                    assert!(is_tried, "seed {seed}: {}", way.name);
                }
                for job in jobs {
                    let has_app = town.victims[job.victim].customer.app.is_some();
                    let fits = match job.way.on {
                        On::Everybody => true,
                        On::Passkey => !has_app,
                        On::Coins => !has_app && job.slice.money.asset.is_of_coins(),
                        On::Large => has_app && !job.slice.money.is_little(),
                        On::Little => has_app && job.slice.money.is_little(),
                    };
                    assert!(fits, "seed {seed}: {}", job.way.name);
                }
            }
        }
    }
}

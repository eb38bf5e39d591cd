//! Honest customers' withdrawals: what they asked for, and what arrived.

use crate::answer::Answer;
use crate::chain::Paid;
use crate::crowd::{HANDS, crowd};
use crate::error::DrillError;
use crate::outcome::{Delay, Honest};
use crate::people::Customer;
use crate::platform::Platform;
use crate::stage::Stage;
use portcullis_chains::Amount;
use portcullis_chains::caip::Address;
use portcullis_core::{Digest, Evidence, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One withdrawal that a customer asked for.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) customer: Arc<Customer>,
    pub(crate) act: Digest,
    /// The customer's own wallet, or another of its addresses.
    pub(crate) to: Address,
    pub(crate) amount: Amount,
    pub(crate) at: Time,
    pub(crate) answer: Answer,
    /// Whether a suspension held it, before it was released or after.
    pub(crate) waited: bool,
}

/// A customer withdraws to its own wallet, with the passkey that counts at the time.
pub(crate) fn withdraw(
    platform: &Platform,
    customer: &Arc<Customer>,
    is_renewed: bool,
) -> Result<Asked, DrillError> {
    let passkey = if is_renewed {
        &customer.renewed
    } else {
        &customer.passkey
    };
    let at = platform.now();
    let amount = customer.amount;
    let act = platform.act_of(customer, platform.withdraw(customer.address, amount))?;
    let evidence = platform.full_evidence(passkey, &act)?;
    let answer = platform.relay(&act, &evidence);
    Ok(Asked {
        customer: Arc::clone(customer),
        act: act.digest(),
        to: customer.address,
        amount,
        at,
        waited: answer == Answer::Held,
        answer,
    })
}

/// A new assertion over the same digest, for a withdrawal that waits.
pub(crate) fn assert_again(platform: &Platform, asked: &Asked) -> Result<Answer, DrillError> {
    let assertion = platform.assert(&asked.customer.renewed, asked.act)?;
    let evidence = Evidence {
        assertions: vec![assertion],
        ..Evidence::default()
    };
    Ok(platform.supplement(asked.act, &evidence))
}

/// Honest customers by when they withdraw.
pub(crate) struct Groups<'a> {
    /// While the attack runs, before anybody suspends.
    pub(crate) before: &'a [Arc<Customer>],
    /// While the gate is suspended.
    pub(crate) during: &'a [Arc<Customer>],
    /// After it has reopened.
    pub(crate) after: &'a [Arc<Customer>],
}

impl<'a> Groups<'a> {
    pub(crate) fn of(honest: &'a [Arc<Customer>]) -> Self {
        let (before, rest) = honest.split_at(honest.len() * 7 / 10);
        let (during, after) = rest.split_at(rest.len() * 2 / 3);
        Self {
            before,
            during,
            after,
        }
    }
}

/// Many customers withdraw at once.
pub(crate) fn all_withdraw(
    stage: &Stage,
    customers: &[Arc<Customer>],
    is_renewed: bool,
) -> Result<Vec<Asked>, DrillError> {
    let withdraw =
        |platform: &Platform, customer: &Arc<Customer>| withdraw(platform, customer, is_renewed);
    let asked = crowd(customers, HANDS, || stage.platform.anew(), withdraw);
    asked.into_iter().collect()
}

/// What was asked for, matched with what stands on the chain.
pub(crate) struct Matched {
    pub(crate) honest: Honest,
    /// How long each withdrawal took that no suspension held, in milliseconds.
    pub(crate) delays: Vec<u64>,
    /// The same of those that one held.
    pub(crate) waits: Vec<u64>,
    /// Withdrawals that stand on the chain twice, or that nobody asked for.
    pub(crate) too_many: u64,
}

/// Match: each payment on the chain answers one withdrawal, the oldest of its payee and amount.
pub(crate) fn match_up(asked: &[Asked], paid: &[Paid], wallet: Address) -> Matched {
    let mut open: BTreeMap<(Address, Amount), Vec<&Paid>> = BTreeMap::new();
    for paid in paid.iter().filter(|paid| paid.from == wallet).rev() {
        open.entry((paid.to, paid.amount)).or_default().push(paid);
    }
    let (mut delays, mut waits, mut honest) = (Vec::new(), Vec::new(), Honest::default());
    for asked in asked {
        honest.attempted += 1;
        let place = (asked.to, asked.amount);
        let arrived = open.get_mut(&place).and_then(Vec::pop);
        match arrived {
            Some(arrived) => {
                honest.released += 1;
                let took = arrived.seen.since(asked.at).0;
                if asked.waited {
                    &mut waits
                } else {
                    &mut delays
                }
                .push(took);
            }
            None => honest.wrongly_refused += 1,
        }
    }
    honest.delay_ms = Delay::of(delays.clone());
    let too_many = open.values().map(Vec::len).sum::<usize>();
    Matched {
        honest,
        delays,
        waits,
        too_many: too_many.try_into().unwrap_or(u64::MAX),
    }
}

/// The payees and what each should have: for comparing with balances.
pub(crate) fn owed(asked: &[Asked]) -> BTreeMap<Address, u128> {
    let mut owed = BTreeMap::new();
    for asked in asked {
        *owed.entry(asked.to).or_default() += asked.amount.0;
    }
    owed
}

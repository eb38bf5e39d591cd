//! Honest customers' withdrawals: what they asked for, and what arrived.

use crate::answer::Answer;
use crate::chain::Paid;
use crate::crowd::{HANDS, crowd};
use crate::error::DrillError;
use crate::money::Money;
use crate::outcome::{Delay, Honest, Tally};
use crate::people::Customer;
use crate::platform::Platform;
use crate::stage::Stage;
use portcullis_chains::caip::Address;
use portcullis_chains::{Amount, AssetId};
use portcullis_core::{Digest, Evidence, Reason, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One withdrawal that a customer asked for.
#[derive(Clone)]
pub(crate) struct Asked {
    pub(crate) customer: Arc<Customer>,
    pub(crate) act: Digest,
    /// The customer's own wallet, or another of its addresses.
    pub(crate) to: Address,
    pub(crate) money: Money,
    pub(crate) at: Time,
    pub(crate) answer: Answer,
    /// Whether a suspension held it, before it was released or after.
    pub(crate) waited: bool,
}

/// A customer withdraws to its own wallet, with what counts at the time: what it began with, or its new passkey.
pub(crate) fn withdraw(
    platform: &Platform,
    customer: &Arc<Customer>,
    is_renewed: bool,
) -> Result<Asked, DrillError> {
    let at = platform.now();
    let money = customer.money;
    let to = customer.address(money.asset);
    let act = platform.act_of(customer, money.paid_to(to))?;
    let evidence = if is_renewed {
        platform.full_evidence(&customer.renewed, &act)?
    } else {
        platform.debited(&act, platform.proof(customer, &act)?)?
    };
    let answer = platform.ask(&act, &evidence)?;
    Ok(Asked {
        customer: Arc::clone(customer),
        act: act.digest(),
        to,
        money,
        at,
        waited: answer == Answer::Held,
        answer,
    })
}

/// A new assertion over the same digest, for a withdrawal that waits. One that a later one of the same
/// authenticator has overtaken is made anew.
pub(crate) fn assert_again(platform: &Platform, asked: &Asked) -> Result<Answer, DrillError> {
    let mut answer = assert_once(platform, asked)?;
    for _ in 0..TRIES {
        if answer != Answer::Refused(Reason::PasskeyCounter) {
            break;
        }
        answer = assert_once(platform, asked)?;
    }
    Ok(answer)
}

/// How often an assertion is made anew.
const TRIES: u32 = 5;

fn assert_once(platform: &Platform, asked: &Asked) -> Result<Answer, DrillError> {
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
}

/// Match: each payment out of the wallets answers one withdrawal, the oldest of its payee, asset and amount.
pub(crate) fn match_up(asked: &[Asked], paid: &[Paid]) -> Matched {
    let mut open = Open::new(paid);
    let (mut delays, mut waits, mut honest) = (Vec::new(), Vec::new(), Honest::default());
    for asked in asked {
        honest.attempted += 1;
        let Some(arrived) = open.take(asked) else {
            honest.wrongly_refused += 1;
            continue;
        };
        honest.released += 1;
        let took = arrived.since(asked.at).0;
        if asked.waited {
            &mut waits
        } else {
            &mut delays
        }
        .push(took);
    }
    honest.delay_ms = Delay::of(delays.clone());
    Matched {
        honest,
        delays,
        waits,
    }
}

/// Mark what is not on the chain as waiting.
pub(crate) fn mark_missing(asked: &mut [Asked], paid: &[Paid]) {
    let mut open = Open::new(paid);
    for asked in asked {
        asked.waited |= open.take(asked).is_none();
    }
}

/// Payments that answer no withdrawal yet, the oldest last.
struct Open(BTreeMap<(Address, AssetId, Amount), Vec<Time>>);

impl Open {
    fn new(paid: &[Paid]) -> Self {
        let mut open: BTreeMap<_, Vec<Time>> = BTreeMap::new();
        for paid in paid.iter().rev() {
            let (asset, amount) = (paid.money.asset.id, paid.money.amount);
            open.entry((paid.to, asset, amount))
                .or_default()
                .push(paid.seen);
        }
        Self(open)
    }

    fn take(&mut self, asked: &Asked) -> Option<Time> {
        let (asset, amount) = (asked.money.asset.id, asked.money.amount);
        self.0.get_mut(&(asked.to, asset, amount))?.pop()
    }
}

/// The payees and what each should have: for comparing with balances.
pub(crate) fn owed(asked: &[Asked]) -> BTreeMap<Address, Tally> {
    let mut owed = BTreeMap::<Address, Tally>::new();
    for asked in asked {
        owed.entry(asked.to).or_default().add(asked.money);
    }
    owed
}

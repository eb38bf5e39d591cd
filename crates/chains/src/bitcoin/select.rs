//! Which coins a plan spends: the largest first.
//!
//! With the largest first a plan has the fewest inputs, so it pays the least fee, reveals the least,
//! and what strangers sent to the wallet as dust is never reached while there is anything else. The
//! price is that change grows small over time. The order is by amount, then by outpoint, so it does
//! not depend on the order in which a node lists them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bitcoin::OutPoint;

use super::fee::{self, FeeRate, Standing};
use super::size::Size;
use super::{Coin, Lock, PlanError, Sats};

/// What has to be paid, and on what terms.
pub(super) struct Bill<'a> {
    /// The payments' outputs.
    pub(super) size: Size,
    /// The sum of the payments in satoshis; zero for a void.
    pub(super) due: u64,
    pub(super) rate: FeeRate,
    pub(super) ceiling: Sats,
    pub(super) change: Lock,
    pub(super) replaced: Option<&'a Standing>,
}

/// Coins, in the order of the inputs, and how their sum is spent.
pub(super) struct Selection {
    pub(super) coins: Vec<Coin>,
    pub(super) settled: Settled,
}

/// A fee, and what returns to the wallet.
#[derive(Clone, Copy)]
pub(super) struct Settled {
    pub(super) fee: Sats,
    pub(super) change: Option<Sats>,
}

/// Chooses coins until they suffice. What stands is replaced by spending its shared input first.
pub(super) fn select(
    coins: impl IntoIterator<Item = Coin>,
    bill: &Bill<'_>,
) -> Result<Selection, PlanError> {
    let (mut size, mut sum) = (bill.size, 0_u64);
    let mut chosen = Vec::new();
    for coin in in_order(coins, bill.replaced)? {
        size = size.with_input(&coin);
        if size.with_output(&bill.change).is_too_heavy() {
            return Err(PlanError::TooHeavy);
        }
        // At most 200 amounts below 2^51 fit.
        sum = sum.saturating_add(coin.amount().get());
        chosen.push(coin);
        if let Some(settled) = settle(&size, sum, bill)? {
            return Ok(Selection {
                coins: chosen,
                settled,
            });
        }
    }
    Err(PlanError::Insufficient)
}

/// Every coin once, the shared one first, then from the largest down.
fn in_order(
    coins: impl IntoIterator<Item = Coin>,
    replaced: Option<&Standing>,
) -> Result<Vec<Coin>, PlanError> {
    let mut once = once(coins)?;
    let mut order = Vec::new();
    if let Some(standing) = replaced {
        // Outputs of the transaction that is to go will never exist.
        once.retain(|outpoint, _| outpoint.txid != standing.txid);
        order.push(
            once.remove(&standing.shared)
                .ok_or(PlanError::SharedMissing)?,
        );
    }
    let mut others: Vec<Coin> = once.into_values().collect();
    // Stable, so equal amounts stay in the order of their outpoints.
    others.sort_by_key(|coin| core::cmp::Reverse(coin.amount()));
    order.append(&mut others);
    Ok(order)
}

/// One coin per outpoint. What its transaction proves stands against what is only said; two
/// different things only said cannot be told apart.
fn once(coins: impl IntoIterator<Item = Coin>) -> Result<BTreeMap<OutPoint, Coin>, PlanError> {
    let (proven, said): (Vec<_>, Vec<_>) = coins
        .into_iter()
        .partition(|coin| coin.previous().is_some());
    // Two proofs of one outpoint are the same: its id covers them.
    let mut once: BTreeMap<_, _> = proven.into_iter().map(|c| (c.outpoint(), c)).collect();
    for coin in said {
        match once.entry(coin.outpoint()) {
            Entry::Vacant(free) => {
                free.insert(coin);
            }
            Entry::Occupied(known) if known.get().previous().is_some() => {}
            Entry::Occupied(known) if *known.get() == coin => {}
            Entry::Occupied(_) => return Err(PlanError::Contradiction(coin.outpoint())),
        }
    }
    Ok(once)
}

/// How inputs of this sum pay the bill, or `None` while another coin is needed.
fn settle(size: &Size, sum: u64, bill: &Bill<'_>) -> Result<Option<Settled>, PlanError> {
    let bare = fee::least(bill.rate, bill.replaced, size);
    within(bare, bill.ceiling)?;
    let Some(rest) = sum.checked_sub(bill.due) else {
        return Ok(None);
    };
    let with_change = fee::least(bill.rate, bill.replaced, &size.with_output(&bill.change));
    let change = rest
        .checked_sub(with_change)
        .filter(|change| *change >= bill.change.dust().get());
    if let Some(change) = change {
        let (fee, change) = (within(with_change, bill.ceiling)?, Sats::new(change)?);
        let change = Some(change);
        return Ok(Some(Settled { fee, change }));
    }
    // What is too little to be change goes to the fee, unless that would be above the ceiling; then
    // another coin makes it enough. A void pays nobody, so it cannot do without change.
    let is_void = bill.due == 0;
    let fee = Some(rest).filter(|rest| !is_void && *rest >= bare && *rest <= bill.ceiling.get());
    fee.map(|fee| {
        Ok(Settled {
            fee: Sats::new(fee)?,
            change: None,
        })
    })
    .transpose()
}

fn within(fee: u64, ceiling: Sats) -> Result<Sats, PlanError> {
    match Sats::new(fee) {
        Ok(fee) if fee <= ceiling => Ok(fee),
        _ => Err(PlanError::FeeAboveCeiling { fee, ceiling }),
    }
}

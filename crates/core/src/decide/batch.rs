//! Withdrawals that are paid together, from one wallet's coins, by one plan.
//!
//! Each is judged by itself, exactly as alone, but for what is paid before it: that counts already.

use super::payment::PlanFault;
use super::{Decided, settle_behind};
use crate::act::{ActKind, Withdraw};
use crate::digest::Digest;
use crate::id::AccountId;
use crate::limits::Bounds;
use crate::state::State;
use crate::state::batch::MAX_BATCH_PAYMENTS;
use crate::state::release::Held;
use crate::time::Time;
use portcullis_chains::Amount;
use portcullis_chains::caip::AssetId;

/// What is paid before a withdrawal by the same plan, and counts already.
#[derive(Clone, Debug, Default)]
pub(super) struct Ahead(Vec<Counted>);

/// Nothing is ahead.
pub(super) static NOBODY: Ahead = Ahead(Vec::new());

#[derive(Clone, Copy, Debug)]
struct Counted {
    account: AccountId,
    asset: AssetId,
    amount: Amount,
    worth: Option<Amount>,
}

impl Ahead {
    /// Whether somebody leads.
    pub(super) fn leads(&self) -> bool {
        !self.0.is_empty()
    }

    /// What a withdrawal comes to in a limit's window, with what is ahead of it there. All of it counts from now, so
    /// this is as if the rest had been charged.
    pub(super) fn with(&self, withdraw: &Withdraw, account: AccountId, bounds: Bounds) -> Amount {
        let counts = |counted: &&Counted| {
            let of_account = matches!(bounds, Bounds::Account | Bounds::Code);
            counted.asset == withdraw.asset && (!of_account || counted.account == account)
        };
        let ahead = self.0.iter().filter(counts).map(|counted| counted.amount);
        ahead.fold(withdraw.amount, plus)
    }

    /// What it is worth, with what is ahead of it.
    pub(super) fn with_worth(&self, worth: Amount) -> Amount {
        let ahead = self.0.iter().filter_map(|counted| counted.worth);
        ahead.fold(worth, plus)
    }

    fn count(&mut self, state: &State, held: &Held, time: Time) {
        if let (ActKind::Withdraw(asked), Some(account)) = (&held.act.kind, held.act.account) {
            self.0.push(Counted {
                account,
                asset: asked.asset,
                amount: asked.amount,
                worth: state.facts.worth(asked.asset, asked.amount, time),
            });
        }
    }
}

/// An amount above all amounts is above every limit.
fn plus(sum: Amount, more: Amount) -> Amount {
    Amount(sum.0.saturating_add(more.0))
}

/// Decide held withdrawals again that one plan is to pay, the leader first. Where one of them does not go out, neither
/// do the others, and nothing may be journaled.
pub fn settle_together(
    state: &State,
    leader: Digest,
    beside: &[Digest],
    time: Time,
) -> Result<Decided, PlanFault> {
    let first = settle_behind(state, leader, time, &NOBODY);
    if beside.is_empty() {
        return Ok(first);
    }
    if beside.len() >= MAX_BATCH_PAYMENTS {
        return Err(PlanFault::Batch);
    }
    let mut ahead = Ahead::default();
    let mut together = first;
    let mut payments = Vec::new();
    follow(state, leader, time, &mut ahead);
    let mut seen = vec![leader];
    for digest in beside {
        let next = settle_behind(state, *digest, time, &ahead);
        let pays = next.payment.filter(|payment| payment.spend().is_some());
        if seen.contains(digest) || !state.facts.held.contains_key(digest) {
            return Err(PlanFault::Batch);
        }
        payments.push(pays.ok_or(PlanFault::Batch)?);
        together.effects.extend(next.effects);
        seen.push(*digest);
        follow(state, *digest, time, &mut ahead);
    }
    let payment = together.payment.take().ok_or(PlanFault::Batch)?;
    together.payment = Some(payment.and(payments)?);
    Ok(together)
}

fn follow(state: &State, digest: Digest, time: Time, ahead: &mut Ahead) {
    if let Some(held) = state.facts.held.get(&digest) {
        ahead.count(state, held, time);
    }
}

/// Who can be paid by the same plan as this held withdrawal, which is due: whoever waits for nothing else, in the
/// order of their entries, as far as limits have room. Nobody, where its wallet does not spend coins.
#[must_use]
pub fn gather(state: &State, leader: Digest, time: Time) -> Vec<Digest> {
    let Some(wallet) = coins_for(state, leader) else {
        return Vec::new();
    };
    let mut ahead = Ahead::default();
    follow(state, leader, time, &mut ahead);
    let others = state.facts.held.iter();
    let others = others
        .filter(|(digest, _)| **digest != leader && coins_for(state, **digest) == Some(wallet));
    let mut others: Vec<(u64, Digest)> =
        others.map(|(digest, held)| (held.entry, *digest)).collect();
    others.sort_unstable();
    let mut beside = Vec::new();
    for (_, digest) in others {
        if beside.len() + 1 == MAX_BATCH_PAYMENTS {
            break;
        }
        let decided = settle_behind(state, digest, time, &ahead);
        if decided.payment.is_some() {
            follow(state, digest, time, &mut ahead);
            beside.push(digest);
        }
    }
    beside
}

/// The wallet of coins that would pay a held withdrawal.
fn coins_for(state: &State, digest: Digest) -> Option<crate::id::WalletId> {
    let held = state.facts.held.get(&digest)?;
    let ActKind::Withdraw(asked) = &held.act.kind else {
        return None;
    };
    let wallet = state.wallet_for(asked.asset)?;
    wallet.bitcoin.as_ref().map(|_| wallet.id)
}

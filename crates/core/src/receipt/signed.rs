//! What the wallet's signer says that it signed, against the plan that was released.

use super::ReceiptFault;
use super::proven::{Case, Proven};
use crate::act::Withdraw;
use crate::decide::payment;
use crate::digest::Digest;
use crate::entry::Body;
use crate::genesis::Wallet;
use crate::id::KeeperId;
use crate::mandate;
use crate::plan::Plan;
use crate::state::batch::transaction_id;
use crate::statement::{Says, Statement};
use crate::time::Time;
use portcullis_chains::Amount;
use portcullis_chains::ethereum::SignedTx;
use portcullis_mandate::{Payment, Permits};

/// A statement that was checked against its plan.
pub(super) struct Signed {
    pub(super) transaction: Digest,
    pub(super) signer: KeeperId,
    pub(super) released_by: u64,
    pub(super) released_at: Time,
    pub(super) block: Option<u64>,
}

/// The first statement whose transaction is a released plan of exactly this withdrawal. Where none
/// passes, the fault of the last.
pub(super) fn find(
    case: &Case<'_>,
    act: Digest,
    withdraw: &Withdraw,
    first: u64,
) -> Result<Signed, ReceiptFault> {
    let mut fault = ReceiptFault::Statement;
    for (index, statement) in statements(case) {
        match check(case, act, withdraw, first, index, statement) {
            None => {}
            Some(Ok(signed)) => return Ok(signed),
            Some(Err(other)) => fault = other,
        }
    }
    Err(fault)
}

/// Statements of this network's keepers, with their entries.
pub(super) fn statements<'a>(case: &'a Case<'_>) -> impl Iterator<Item = (u64, &'a Statement)> {
    let (network, verify) = (case.network, case.verify);
    case.entries.iter().filter_map(move |proven| {
        let Body::Statement(said) = &proven.entry.body else {
            return None;
        };
        let key = case.in_force.keeper(said.statement.keeper, proven.index)?;
        let holds = said.statement.genesis == network.digest() && said.is_by(key, verify);
        holds.then_some((proven.index, &said.statement))
    })
}

fn check(
    case: &Case<'_>,
    act: Digest,
    withdraw: &Withdraw,
    first: u64,
    index: u64,
    statement: &Statement,
) -> Option<Result<Signed, ReceiptFault>> {
    let Says::Signed {
        act: of,
        entry,
        plan,
        transaction,
        ..
    } = &statement.says
    else {
        return None;
    };
    let together = case.together(act, first);
    if Some(of) != together.first() {
        return None;
    }
    let checked = || {
        let planned = planned(case, (act, &together), *plan, first);
        let (carrier, plan) = planned.ok_or(ReceiptFault::Plan)?;
        let release = case.release_entry(act, &together, (*entry, first.max(carrier)));
        let release = release.filter(|release| release.index < index);
        let release = release.ok_or(ReceiptFault::Plan)?;
        let wallet = check_plan(case, (act, &together), plan, withdraw)?;
        if wallet.keeper != statement.keeper {
            return Err(ReceiptFault::Statement);
        }
        let hash = match wallet.mandate {
            None if wallet.bitcoin.is_some() => check_spend(wallet, plan, transaction)?,
            None => check_transaction(wallet, plan, transaction)?,
            Some(_) => check_mandate(case, statement.keeper, index, (plan, transaction))?,
        };
        Ok(Signed {
            transaction: hash,
            signer: statement.keeper,
            released_by: release.index,
            released_at: release.entry.time,
            block: block(case, *of, statement.keeper, hash, index),
        })
    };
    Some(checked())
}

/// The plan with this digest, and the entry that brought it: a release, or a fee bump of one. Once one of several
/// has been given up, plans go on without it.
fn planned<'a>(
    case: &Case<'a>,
    (act, together): (Digest, &[Digest]),
    plan: Digest,
    first: u64,
) -> Option<(u64, &'a Plan)> {
    let given_up = case.given_up(act, first).filter(|_| together.len() > 1);
    let brings = |proven: &'a Proven| {
        case.release_entry(act, together, (proven.index, first))?;
        let plan = match &proven.entry.body {
            Body::Act(submission) => submission.plan.as_ref(),
            Body::Settle(settlement) => settlement.plan.as_ref(),
            Body::Replace(replacement) => Some(&replacement.plan),
            _ => None,
        };
        Some((proven.index, plan?))
    };
    let mut plans = case.entries.iter().filter_map(brings);
    let found = plans.find(|(_, candidate)| candidate.digest() == plan)?;
    given_up.is_none_or(|at| found.0 < at).then_some(found)
}

/// The plan pays exactly what the act asks, within what genesis allows its wallet.
fn check_plan<'a>(
    case: &Case<'a>,
    (act, together): (Digest, &[Digest]),
    plan: &Plan,
    withdraw: &Withdraw,
) -> Result<&'a Wallet, ReceiptFault> {
    let wallet = case.network.wallet(plan.wallet).ok_or(ReceiptFault::Plan)?;
    let exact = match wallet.mandate {
        None if wallet.bitcoin.is_some() => {
            let place = together.iter().position(|one| *one == act);
            is_spend(wallet, plan, withdraw, place.ok_or(ReceiptFault::Plan)?)?
        }
        None => is_transfer(wallet, plan, withdraw)?,
        Some(_) => is_mandate(case, act, (wallet, plan), withdraw)?,
    };
    if exact && case.network.genesis().assets.contains(&withdraw.asset) {
        Ok(wallet)
    } else {
        Err(ReceiptFault::Plan)
    }
}

/// A plain transfer of exactly the act's.
fn is_transfer(wallet: &Wallet, plan: &Plan, withdraw: &Withdraw) -> Result<bool, ReceiptFault> {
    let transfer = payment::decode(plan).map_err(|_| ReceiptFault::Plan)?;
    let pays = (transfer.asset(), transfer.to(), transfer.amount());
    Ok(pays == (withdraw.asset, withdraw.to, withdraw.amount)
        && transfer.chain() == wallet.address.chain()
        && transfer.nonce() >= wallet.first_nonce
        && transfer.fee_ceiling() <= wallet.fee_ceiling)
}

/// A plan from the wallet's coins of which an output is exactly the act's, in its place or, where others before it
/// were given up, an earlier one.
fn is_spend(
    wallet: &Wallet,
    plan: &Plan,
    withdraw: &Withdraw,
    place: usize,
) -> Result<bool, ReceiptFault> {
    let claimed = payment::spend::decode(wallet, plan).map_err(|_| ReceiptFault::Plan)?;
    let asked = payment::spend::payment(withdraw).ok_or(ReceiptFault::Plan)?;
    let pays = claimed.paying(&asked).any(|at| at <= place);
    let chain = wallet.address.chain();
    Ok(pays
        && (withdraw.asset.chain(), withdraw.to.chain()) == (chain, chain)
        && Amount::from(claimed.fee()) <= wallet.fee_ceiling)
}

/// A mandate for exactly the act.
fn is_mandate(
    case: &Case<'_>,
    act: Digest,
    (wallet, plan): (&Wallet, &Plan),
    withdraw: &Withdraw,
) -> Result<bool, ReceiptFault> {
    let mandate = payment::mandate::decode(plan).map_err(|_| ReceiptFault::Plan)?;
    let Permits::Pay { payment, .. } = &mandate.permits else {
        return Ok(false);
    };
    let asked = Payment {
        asset: withdraw.asset.to_string(),
        to: withdraw.to.to_string(),
        amount: withdraw.amount.0,
    };
    Ok(*payment == asked
        && mandate.network == case.network.digest().0
        && mandate.wallet == wallet.id.0
        && mandate.number >= wallet.first_nonce
        && mandate.act == act.0)
}

/// The mandate is the plan, signed with the keeper's key at the statement's entry. Its digest.
fn check_mandate(
    case: &Case<'_>,
    keeper: KeeperId,
    index: u64,
    (plan, bytes): (&Plan, &[u8]),
) -> Result<Digest, ReceiptFault> {
    let key = case.in_force.keeper(keeper, index);
    let signed = key.and_then(|key| mandate::signed(plan, bytes, key, case.verify));
    signed.ok_or(ReceiptFault::Statement)
}

/// The transaction is the plan, signed by the wallet. Its hash.
fn check_transaction(
    wallet: &Wallet,
    plan: &Plan,
    transaction: &[u8],
) -> Result<Digest, ReceiptFault> {
    let signed = SignedTx::from_bytes(transaction).map_err(|_| ReceiptFault::Statement)?;
    let address = wallet.address.evm();
    let by_wallet = address.is_some_and(|address| signed.recover() == Ok(address));
    if signed.unsigned().to_bytes() == plan.unsigned && by_wallet {
        Ok(Digest(signed.hash()))
    } else {
        Err(ReceiptFault::Statement)
    }
}

/// The transaction is the plan, signed by the wallet's keys. Its id, as people read it.
fn check_spend(wallet: &Wallet, plan: &Plan, transaction: &[u8]) -> Result<Digest, ReceiptFault> {
    let claimed = payment::spend::decode(wallet, plan).map_err(|_| ReceiptFault::Plan)?;
    let signed = claimed.signed(transaction);
    let signed = signed.map_err(|_| ReceiptFault::Statement)?;
    Ok(transaction_id(signed.txid()))
}

/// The block in which the same signer saw it, if it has said so since.
fn block(
    case: &Case<'_>,
    act: Digest,
    signer: KeeperId,
    transaction: Digest,
    signed: u64,
) -> Option<u64> {
    statements(case).find_map(|(index, statement)| match statement.says {
        Says::Confirmed {
            act: of,
            transaction: seen,
            block,
            ..
        } if index > signed => {
            let fits = (of, seen, statement.keeper) == (act, transaction, signer);
            fits.then_some(block)
        }
        _ => None,
    })
}

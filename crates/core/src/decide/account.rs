//! Accounts: opening, the address book, freezing.

use super::{Case, Verdict, account_of, contact, labels, withhold_where};
use crate::act::{ActKind, AddAddress, CancelAddress, OpenAccount};
use crate::effect::Effect;
use crate::factor::{FactorKind, NewFactor};
use crate::id::FactorId;
use crate::reason::Reason;
use crate::state::account::{Account, FrozenBy, MAX_ADDRESSES, Owner};
use crate::state::release::Withheld;
use std::collections::BTreeSet;

use super::authenticate::Actor;
use super::claims::Claims;
use super::factor::{check_new, check_not_announced};

pub(super) fn judge_open(case: &Case<'_>, open: &OpenAccount) -> Result<Verdict, Reason> {
    let id = account_of(case.act)?;
    let facts = &case.state.facts;
    if facts.account(id).is_some() || facts.member(open.principal).is_some() {
        return Err(Reason::AccountExists);
    }
    let owner = Owner::Holder {
        account: id,
        principal: open.principal,
    };
    let factors = factors(case, owner, open)?;
    let floor = case.state.network.delay_floor();
    let delay = open.delay.unwrap_or(floor).max(floor);
    let (subject, principal) = (open.subject, open.principal);
    let contact = contact::of_new_account(case.state, open)?;
    let contact = contact.map(|contact| Effect::Contact(id, contact));
    let opened = Effect::Open {
        account: id,
        subject,
        principal,
        delay,
    };
    let mut effects = vec![opened];
    effects.extend(factors.iter().map(|factor| Effect::Enrol {
        owner,
        factor: (*factor).clone(),
        delay,
    }));
    if open.imported.is_some() {
        let marked = factors.iter();
        effects.extend(marked.map(|factor| Effect::Imported(owner, factor.id())));
    }
    effects.extend(contact);
    Ok(Verdict::Accept(effects))
}

/// The first factor, and those that are imported with it.
fn factors<'a>(
    case: &Case<'_>,
    owner: Owner,
    open: &'a OpenAccount,
) -> Result<Vec<&'a NewFactor>, Reason> {
    let also = open.imported.iter().flat_map(|import| &import.also);
    let factors: Vec<&NewFactor> = core::iter::once(&open.factor).chain(also).collect();
    for factor in &factors {
        check_new(case.state, owner, factor)?;
        check_not_announced(case.state, factor)?;
    }
    let ids: BTreeSet<FactorId> = factors.iter().map(|factor| factor.id()).collect();
    if ids.len() != factors.len() {
        return Err(Reason::FactorExists);
    }
    let import = open.imported.as_ref();
    if import.is_some_and(|import| !import.is_sound(case.time)) {
        return Err(Reason::ImportMalformed);
    }
    Ok(factors)
}

pub(super) fn judge_add_address(
    case: &Case<'_>,
    claims: &Claims,
    add: &AddAddress,
) -> Result<Verdict, Reason> {
    let id = account_of(case.act)?;
    let account = thawed(case)?;
    if account.book.len() >= MAX_ADDRESSES {
        return Err(Reason::TooMany);
    }
    if account.address(add.address).is_some() {
        return Err(Reason::AddressKnown);
    }
    if case.state.takes_no_address(id, case.time) {
        return Err(Reason::RecoveredLately);
    }
    labels::check(case.state, case.act)?;
    if let Some(reason) = claims.said.bars() {
        return Err(reason);
    }
    Ok(Verdict::Accept(vec![Effect::AddAddress(
        id,
        add.address,
        account.delay,
    )]))
}

pub(super) fn judge_cancel_address(
    case: &Case<'_>,
    cancel: &CancelAddress,
) -> Result<Verdict, Reason> {
    let id = account_of(case.act)?;
    account(case)?
        .address(cancel.address)
        .ok_or(Reason::AddressUnknown)?;
    let goes_there =
        |kind: &ActKind| matches!(kind, ActKind::Withdraw(w) if w.to == cancel.address);
    let withheld = withhold_where(case.state, Withheld::Revoked, |release| {
        release.account == id && goes_there(&release.act.kind)
    });
    let mut effects = vec![Effect::RemoveAddress(id, cancel.address)];
    effects.extend(withheld);
    Ok(Verdict::Accept(effects))
}

pub(super) fn judge_freeze(case: &Case<'_>, actor: &Actor) -> Result<Verdict, Reason> {
    let id = account_of(case.act)?;
    let known = account(case)?;
    let by = match actor.owner {
        Owner::Holder { .. } => FrozenBy::Holder(actor.strength()),
        // Whoever reads the mailbox takes no more than what the holder's passkey gives back.
        Owner::Member { .. } if actor.by_link => FrozenBy::Holder(FactorKind::Passkey),
        Owner::Member { .. } => FrozenBy::Staff,
    };
    // Freezing what is frozen may only make it stronger.
    let by = match (known.frozen, by) {
        (Some(FrozenBy::Staff), _) | (_, FrozenBy::Staff) => FrozenBy::Staff,
        (Some(FrozenBy::Holder(old)), FrozenBy::Holder(new)) => FrozenBy::Holder(old.max(new)),
        (None, by) => by,
    };
    let withheld = withhold_where(case.state, Withheld::Revoked, |release| {
        release.account == id
    });
    let mut effects = vec![Effect::Freeze(id, by)];
    effects.extend(withheld);
    Ok(Verdict::Accept(effects))
}

/// A holder undoes only what a factor no stronger did. (A quorum of administrators undoes any.)
pub(super) fn judge_unfreeze(case: &Case<'_>, actor: &Actor) -> Result<Verdict, Reason> {
    let id = account_of(case.act)?;
    match account(case)?.frozen {
        None => Err(Reason::NotFrozen),
        Some(FrozenBy::Holder(kind)) if kind <= actor.strength() => {
            Ok(Verdict::Accept(vec![Effect::Unfreeze(id)]))
        }
        Some(_) => Err(Reason::FactorTooWeak),
    }
}

fn account<'a>(case: &Case<'a>) -> Result<&'a Account, Reason> {
    case.state
        .facts
        .account(account_of(case.act)?)
        .ok_or(Reason::UnknownAccount)
}

/// The account, which is not frozen.
pub(super) fn thawed<'a>(case: &Case<'a>) -> Result<&'a Account, Reason> {
    let account = account(case)?;
    if account.frozen.is_some() {
        Err(Reason::AccountFrozen)
    } else {
        Ok(account)
    }
}

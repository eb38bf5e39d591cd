//! Factors: enrolling and revoking, only at one's own strength or below.

use super::approval::keep_quorum;
use super::authenticate::Actor;
use super::claims::Claims;
use super::{Case, Verdict, withhold_where};
use crate::act::{EnrolFactor, RevokeFactor};
use crate::effect::Effect;
use crate::factor::{Factor, NewFactor, RECOVERY_CODES};
use crate::id::PrincipalId;
use crate::realm::Role;
use crate::reason::Reason;
use crate::state::State;
use crate::state::account::{MAX_FACTORS, Owner};
use crate::state::release::Withheld;
use crate::time::Span;

pub(super) fn judge_enrol(
    case: &Case<'_>,
    actor: &Actor,
    claims: &Claims,
    enrol: &EnrolFactor,
) -> Result<Verdict, Reason> {
    let owner = target(case, actor, enrol.principal)?;
    let delay = delay(case, owner)?;
    if owner == actor.owner {
        if enrol.factor.kind() > actor.strength() {
            return Err(Reason::FactorTooWeak);
        }
    } else {
        // Onboarding speaks of holders of accounts: staff is the quorum's to renew, which always has
        // its factors.
        if matches!(owner, Owner::Member { .. }) {
            return Err(Reason::RoleMissing);
        }
        // And only where nothing of theirs counts any more.
        if !claims.onboarding {
            return Err(Reason::OnboardingMissing);
        }
        if case.state.facts.has_factor_left(owner) {
            return Err(Reason::FactorsRemain);
        }
    }
    check_new(case.state, owner, &enrol.factor)?;
    check_not_announced(case.state, &enrol.factor)?;
    if matches!(owner, Owner::Member { .. }) {
        check_no_holders(case.state, &enrol.factor)?;
    }
    let mut effects: Vec<Effect> = outdated(case.state, owner).collect();
    effects.push(Effect::Enrol {
        owner,
        factor: enrol.factor.clone(),
        delay,
    });
    Ok(Verdict::Accept(effects))
}

/// Factors of older epochs make room: the same passkey is enrolled again, as a new one.
pub(super) fn outdated(state: &State, owner: Owner) -> impl Iterator<Item = Effect> {
    let facts = &state.facts;
    let factors = facts.factors(owner).iter();
    factors
        .filter(move |factor| !facts.is_current(owner, factor.kind, factor.epochs))
        .map(move |factor| Effect::Unenrol(owner, factor.id))
}

pub(super) fn judge_revoke(
    case: &Case<'_>,
    actor: &Actor,
    revoke: &RevokeFactor,
) -> Result<Verdict, Reason> {
    let owner = target(case, actor, revoke.principal)?;
    let facts = &case.state.facts;
    let factor = facts
        .factor(owner, revoke.factor)
        .ok_or(Reason::FactorUnknown)?;
    if owner == actor.owner && factor.kind > actor.strength() {
        return Err(Reason::FactorTooWeak);
    }
    // Alone, one administrator could make itself indispensable: the others' way out is the quorum's
    // revoke-role.
    if is_administrator(case, owner) && owner != actor.owner {
        return Err(Reason::RoleMissing);
    }
    if is_administrator(case, owner) {
        let gone = (revoke.principal, revoke.factor);
        keep_quorum(case.state, |who, factor| (who, factor.id) != gone)?;
    }
    let withheld = withhold_where(case.state, Withheld::Revoked, |release| {
        release
            .proofs()
            .any(|proof| proof.owner == owner && proof.factor == revoke.factor)
    });
    let mut effects = vec![Effect::Unenrol(owner, revoke.factor)];
    effects.extend(withheld);
    Ok(Verdict::Accept(effects))
}

/// Whose factors the act is about: a holder of the account that it names, or a member of staff.
fn target(case: &Case<'_>, actor: &Actor, principal: PrincipalId) -> Result<Owner, Reason> {
    let facts = &case.state.facts;
    let owner = match case.act.account {
        Some(account) => {
            let known = facts.account(account).ok_or(Reason::UnknownAccount)?;
            known.holder(principal).ok_or(Reason::UnknownPrincipal)?;
            Owner::Holder { account, principal }
        }
        None => {
            let member = facts.member(principal).ok_or(Reason::UnknownPrincipal)?;
            // A keeper's key is genesis' own: taken away, nobody could give back its right to stop.
            if member.has(Role::Keeper) {
                return Err(Reason::RoleMissing);
            }
            Owner::Member { principal }
        }
    };
    // Holders of one account do not manage each other's factors.
    let foreign = matches!(actor.owner, Owner::Holder { .. }) && owner != actor.owner;
    if foreign {
        Err(Reason::RoleMissing)
    } else {
        Ok(owner)
    }
}

fn delay(case: &Case<'_>, owner: Owner) -> Result<Span, Reason> {
    match owner {
        Owner::Holder { account, .. } => {
            let account = case
                .state
                .facts
                .account(account)
                .ok_or(Reason::UnknownAccount)?;
            let thaw_first = account.frozen.is_some();
            if thaw_first {
                Err(Reason::AccountFrozen)
            } else {
                Ok(account.delay)
            }
        }
        Owner::Member { .. } => Ok(case.state.network.delay_floor()),
    }
}

/// A new factor fits: of a form that its owner may have, not there yet, room for it, and made for a relying
/// party of the realm.
pub(super) fn check_new(state: &State, owner: Owner, new: &NewFactor) -> Result<(), Reason> {
    check_form(state, owner, new)?;
    let facts = &state.facts;
    let current = |factor: &&Factor| facts.is_current(owner, factor.kind, factor.epochs);
    let old = facts.factor(owner, new.id());
    let is_old_own = old.is_some_and(|old| !current(&old));
    let is_known = old.is_some() || facts.staff_factors.contains_key(&new.id());
    if (is_known && !is_old_own) || is_beside(state, owner, new) {
        return Err(Reason::FactorExists);
    }
    if facts.factors(owner).iter().filter(current).count() >= MAX_FACTORS {
        return Err(Reason::TooMany);
    }
    let NewFactor::Passkey {
        credential, rp_id, ..
    } = new
    else {
        return Ok(());
    };
    if credential.is_empty() || credential.len() > crate::passkey::MAX_CREDENTIAL_ID {
        return Err(Reason::TooLarge);
    }
    let party = state.network.relying_party(owner.realm());
    if party.is_some_and(|party| party.rp_ids.contains(rp_id)) {
        Ok(())
    } else {
        Err(Reason::WrongFactorParty)
    }
}

/// Another principal of the same account has it, or its key: one authenticator must not count as two.
fn is_beside(state: &State, owner: Owner, new: &NewFactor) -> bool {
    let Owner::Holder { account, principal } = owner else {
        return false;
    };
    let holders = state.facts.account(account).map(|known| &known.holders);
    let others = holders.into_iter().flatten();
    let others = others.filter(|holder| holder.principal != principal);
    others.flat_map(|holder| &holder.factors).any(|factor| {
        let same_key = factor.key().is_some_and(|key| new.key() == Some(key));
        factor.id == new.id() || same_key
    })
}

/// Staff proves itself by keys alone; a seed needs somebody to be sealed to; and recovery codes are ten.
fn check_form(state: &State, owner: Owner, new: &NewFactor) -> Result<(), Reason> {
    let is_holders = matches!(owner, Owner::Holder { .. });
    let fits = match new {
        NewFactor::RequestKey { .. } | NewFactor::Passkey { .. } => true,
        NewFactor::Totp { .. } => is_holders && state.network.herald().is_some(),
        NewFactor::RecoveryCodes { codes } => {
            let rise = codes.windows(2).all(|pair| pair[0] < pair[1]);
            is_holders && codes.len() == RECOVERY_CODES && rise
        }
    };
    fits.then_some(()).ok_or(Reason::FactorMalformed)
}

/// What somebody else's act names, which waits, is that one's (docs/design/035).
pub(super) fn check_not_announced(state: &State, new: &NewFactor) -> Result<(), Reason> {
    if state.facts.announced.has(new.id()) {
        Err(Reason::FactorExists)
    } else {
        Ok(())
    }
}

/// A factor of staff is no holder's too: one signature would speak for both.
pub(super) fn check_no_holders(state: &State, new: &NewFactor) -> Result<(), Reason> {
    if state.facts.is_holders_factor(new.id()) {
        Err(Reason::FactorExists)
    } else {
        Ok(())
    }
}

fn is_administrator(case: &Case<'_>, owner: Owner) -> bool {
    let member = case.state.facts.member(owner.principal());
    matches!(owner, Owner::Member { .. }) && member.is_some_and(|m| m.has(Role::Administrator))
}

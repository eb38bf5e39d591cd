//! Replacing all administrators: on the word of a quorum of the roots, after an announced delay in which
//! a quorum of the present ones can object. No suspension stands in its way: whoever is to lift one
//! may be lost.

use super::claims::Claims;
use super::clock::Clock;
use super::factor::{check_new, check_no_holders};
use super::{Case, Verdict};
use crate::act::{NewAdministrator, RecoverAdministrators};
use crate::decision::Need;
use crate::effect::Effect;
use crate::factor::NewFactor;
use crate::id::{FactorId, PrincipalId};
use crate::realm::Role;
use crate::reason::Reason;
use crate::state::State;
use crate::state::account::{MAX_FACTORS, Owner};
use crate::state::release::Held;
use crate::time::Span;
use std::collections::BTreeSet;

pub(super) fn judge(
    case: &Case<'_>,
    claims: &Claims,
    recover: &RecoverAdministrators,
) -> Result<Verdict, Reason> {
    let signed = u32::try_from(claims.roots.len()).unwrap_or(u32::MAX);
    let roots = case.state.roots();
    if !roots.is_sound() || signed < roots.quorum {
        return Err(Reason::RootsMissing);
    }
    replaced(case.state, recover)?;
    Ok(Verdict::Wait(vec![Need::Delay], None))
}

/// Decide it again. The administration that it names covers the roots: those that signed are still in
/// force.
pub(super) fn settle(
    state: &State,
    held: &Held,
    recover: &RecoverAdministrators,
    clock: Clock,
) -> Result<Verdict, Reason> {
    check_replaces(state, recover)?;
    if !clock.has_run(held) {
        return Ok(Verdict::Wait(vec![Need::Delay], clock.runs_until(held)));
    }
    // Last, since it looks at all accounts.
    Ok(Verdict::Accept(replaced(state, recover)?))
}

/// What it changes, if it fits the administration in force.
fn replaced(state: &State, recover: &RecoverAdministrators) -> Result<Vec<Effect>, Reason> {
    check_replaces(state, recover)?;
    check_form(recover)?;
    for new in &recover.administrators {
        check_member(state, new)?;
    }
    let mut effects = dismissed(state);
    for new in &recover.administrators {
        effects.push(Effect::Grant(new.principal, Role::Administrator));
        effects.extend(new.factors.iter().map(|factor| Effect::Enrol {
            owner: owner(new.principal),
            factor: factor.clone(),
            delay: Span::default(),
        }));
    }
    effects.push(Effect::SetQuorum(recover.quorum));
    Ok(effects)
}

fn check_replaces(state: &State, recover: &RecoverAdministrators) -> Result<(), Reason> {
    if state.administration().digest() == recover.replaces {
        Ok(())
    } else {
        Err(Reason::AdministrationChanged)
    }
}

fn check_form(recover: &RecoverAdministrators) -> Result<(), Reason> {
    let new = &recover.administrators;
    let principals: BTreeSet<PrincipalId> = new.iter().map(|new| new.principal).collect();
    let factors = new.iter().flat_map(|new| &new.factors);
    let factors: BTreeSet<FactorId> = factors.map(NewFactor::id).collect();
    let stated: usize = new.iter().map(|new| new.factors.len()).sum();
    let each_has_some = new
        .iter()
        .all(|new| (1..=MAX_FACTORS).contains(&new.factors.len()));
    let count = u32::try_from(principals.len()).unwrap_or(u32::MAX);
    let is_quorum = recover.quorum > count / 2 && recover.quorum <= count;
    let all_differ = principals.len() == new.len() && factors.len() == stated;
    if all_differ && each_has_some && is_quorum {
        Ok(())
    } else {
        Err(Reason::AdministrationMalformed)
    }
}

/// Staff or nobody yet, with factors that are nobody's.
fn check_member(state: &State, new: &NewAdministrator) -> Result<(), Reason> {
    let member = state.facts.member(new.principal);
    if member.is_some_and(|m| m.has(Role::Keeper) || m.has(Role::BackEnd)) {
        return Err(Reason::RoleMissing);
    }
    if member.is_none() && state.facts.is_holder(new.principal) {
        return Err(Reason::AccountExists);
    }
    for factor in &new.factors {
        check_new(state, owner(new.principal), factor)?;
        check_no_holders(state, factor)?;
    }
    Ok(())
}

/// The present administrators have the role no more, and whatever they had may be in other hands.
fn dismissed(state: &State) -> Vec<Effect> {
    let administrators = state.administration().administrators.into_iter();
    let dismiss = administrators.flat_map(|who| {
        let factors = state.facts.factors(owner(who)).iter();
        let lost = factors.map(move |factor| Effect::Unenrol(owner(who), factor.id));
        core::iter::once(Effect::Ungrant(who, Role::Administrator)).chain(lost)
    });
    dismiss.collect()
}

fn owner(principal: PrincipalId) -> Owner {
    Owner::Member { principal }
}

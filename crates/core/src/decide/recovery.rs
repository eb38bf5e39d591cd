//! Recovering a holder who has lost factors: who may bring the new one, how long it waits, and who may
//! stop it. `docs/guide/recovery.md` has the table.

use super::approval::is_shut;
use super::authenticate::{Actor, has_role};
use super::claims::Claims;
use super::clock::Clock;
use super::factor::{check_new, check_not_announced, outdated};
use super::{Case, Verdict, account_of, code, held};
use crate::act::{Act, ActKind, Recover, Veto};
use crate::codec::encode;
use crate::decision::Need;
use crate::digest::{Digest, Domain};
use crate::effect::Effect;
use crate::factor::FactorKind;
use crate::genesis::{Issuer, IssuerKind};
use crate::id::PrincipalId;
use crate::realm::Role;
use crate::reason::Reason;
use crate::state::State;
use crate::state::account::{Account, Owner};
use crate::state::recovery::Voucher;
use crate::state::release::{End, Held};
use crate::time::Span;
use std::collections::BTreeSet;

/// Members with role support that recover a holder together.
const SUPPORTERS: u32 = 2;

pub(super) fn judge(
    case: &Case<'_>,
    actor: &Actor,
    claims: &Claims,
    recover: &Recover,
) -> Result<Verdict, Reason> {
    let (owner, account) = holder(case.state, case.act, recover)?;
    if account.frozen.is_some() {
        return Err(Reason::AccountFrozen);
    }
    check_new(case.state, owner, &recover.factor)?;
    check_not_announced(case.state, &recover.factor)?;
    let voucher = voucher(case, actor, claims, owner, recover)?;
    if case.state.facts.recovering.contains_key(&owner) {
        return Err(Reason::RecoveryWaits);
    }
    let agent = match actor.owner {
        Owner::Holder { .. } => None,
        Owner::Member { principal } => Some(principal),
    };
    let bounds = case.state.recovery_bounds();
    if !case.state.facts.begun.has_room(bounds, agent, case.time) {
        return Err(Reason::RecoveryBudget);
    }
    let missing = match voucher {
        Voucher::Support => SUPPORTERS.saturating_sub(1),
        Voucher::Factor | Voucher::Identity(_) | Voucher::Code => 0,
    };
    let begin = Effect::BeginRecovery {
        digest: case.digest,
        owner,
        voucher,
        agent,
    };
    let begin = code::use_up(case, actor.owner).into_iter().chain([begin]);
    Ok(Verdict::Begin(begin.collect(), needs(missing, true, false)))
}

/// The holder of the act's account whom the recovery is for.
fn holder<'a>(
    state: &'a State,
    act: &Act,
    recover: &Recover,
) -> Result<(Owner, &'a Account), Reason> {
    let id = account_of(act)?;
    let account = state.facts.account(id).ok_or(Reason::UnknownAccount)?;
    let principal = recover.principal;
    account.holder(principal).ok_or(Reason::UnknownPrincipal)?;
    let owner = Owner::Holder {
        account: id,
        principal,
    };
    Ok((owner, account))
}

/// Who says that the new factor is the holder's: a recovery code, or a factor of another kind that still
/// stands, else an identity vendor, else two members with role support.
fn voucher(
    case: &Case<'_>,
    actor: &Actor,
    claims: &Claims,
    owner: Owner,
    recover: &Recover,
) -> Result<Voucher, Reason> {
    match actor.owner {
        // Holders of one account do not manage each other's factors.
        Owner::Holder { .. } if actor.owner != owner => Err(Reason::RoleMissing),
        // Made for the day on which everything else is lost, whatever still counts.
        Owner::Holder { .. } if actor.strength() == FactorKind::RecoveryCodes => Ok(Voucher::Code),
        Owner::Holder { .. } => {
            check_outgrown(case.state, owner, recover)?;
            Ok(Voucher::Factor)
        }
        Owner::Member { principal } => match claims.identity {
            Some(issuer) => Ok(Voucher::Identity(issuer)),
            None if has_role(case, principal, Role::Support) => Ok(Voucher::Support),
            None => Err(Reason::IdentityMissing),
        },
    }
}

/// A factor vouches for one that is stronger only where its holder has none so strong that counts: that
/// one would enrol its successor itself, and whoever stole the weaker must not reach round it.
fn check_outgrown(state: &State, owner: Owner, recover: &Recover) -> Result<(), Reason> {
    if state.facts.has_factor(owner, recover.factor.kind()) {
        Err(Reason::FactorsRemain)
    } else {
        Ok(())
    }
}

/// The issuer as it is in force: one that is retired, or has another key, vouches for nobody.
pub(super) fn issuer_digest(issuer: &Issuer) -> Digest {
    Digest::of(Domain::Keys, &encode(issuer))
}

/// Decide a waiting recovery again.
pub(super) fn settle(
    state: &State,
    held: &Held,
    recover: &Recover,
    clock: Clock,
) -> Result<Verdict, Reason> {
    let (owner, account) = holder(state, &held.act, recover)?;
    // Whoever froze it meanwhile has not agreed to this.
    if account.frozen.is_some() || account.proofs_after > held.entry {
        return Err(Reason::AccountFrozen);
    }
    check_new(state, owner, &recover.factor)?;
    let missing = missing(state, held, owner, recover)?;
    let delayed = !clock.has_run(held);
    let shut = is_shut(state, &held.act);
    if missing > 0 || delayed || shut {
        let needs = needs(missing, delayed, shut);
        return Ok(Verdict::Wait(needs, clock.runs_until(held)));
    }
    Ok(Verdict::Accept(recovered(state, owner, held, recover)?))
}

fn needs(missing: u32, delayed: bool, shut: bool) -> Vec<Need> {
    let open = [
        delayed.then_some(Need::Delay),
        shut.then_some(Need::Lift),
        (missing > 0).then_some(Need::Support { missing }),
    ];
    open.into_iter().flatten().collect()
}

/// How many members with role support are missing; an error where what vouched stands no more.
fn missing(state: &State, held: &Held, owner: Owner, recover: &Recover) -> Result<u32, Reason> {
    let pending = state.facts.recovering.get(&owner).ok_or(Reason::ActGone)?;
    match pending.voucher {
        Voucher::Factor => {
            if !state.facts.stands(&held.proof) {
                return Err(Reason::FactorRevoked);
            }
            check_outgrown(state, owner, recover)?;
            Ok(0)
        }
        Voucher::Code if !state.facts.stands(&held.proof) => Err(Reason::FactorRevoked),
        Voucher::Code => Ok(0),
        Voucher::Identity(issuer) => {
            let mut issuers = state.issuers().iter();
            let stands =
                issuers.any(|i| i.kind == IssuerKind::Identity && issuer_digest(i) == issuer);
            stands.then_some(0).ok_or(Reason::AttestationInvalid)
        }
        Voucher::Support => Ok(SUPPORTERS.saturating_sub(supporters(state, held))),
    }
}

/// Different members with role support behind it, each by a factor that still stands.
fn supporters(state: &State, held: &Held) -> u32 {
    let own = (held.act.principal, &held.proof);
    let approvals = held.approvals.iter().map(|(who, proof)| (*who, proof));
    let members: BTreeSet<PrincipalId> = approvals
        .chain([own])
        .filter(|(who, proof)| is_support(state, *who) && state.facts.stands(proof))
        .map(|(who, _)| who)
        .collect();
    u32::try_from(members.len()).unwrap_or(u32::MAX)
}

fn is_support(state: &State, who: PrincipalId) -> bool {
    let member = state.facts.member(who);
    member.is_some_and(|member| member.has(Role::Support))
}

/// The new factor counts from the cosignature: its delay has run, in the open.
fn recovered(
    state: &State,
    owner: Owner,
    held: &Held,
    recover: &Recover,
) -> Result<Vec<Effect>, Reason> {
    let mut effects: Vec<Effect> = outdated(state, owner).collect();
    effects.push(Effect::Enrol {
        owner,
        factor: recover.factor.clone(),
        delay: Span::default(),
    });
    effects.push(Effect::Recovered {
        account: account_of(&held.act)?,
        lowered: state.lowered_for(),
    });
    Ok(effects)
}

/// Any factor of the holder's own stops its recovery alone, and so does the link in the notice of it;
/// administrators stop theirs by a quorum.
pub(super) fn judge_veto(case: &Case<'_>, actor: &Actor, veto: &Veto) -> Result<Verdict, Reason> {
    let held = held(case.state, veto.act)?;
    match (&held.act.kind, actor.owner) {
        // Also by those who share the account: they would have to live with a false one.
        (ActKind::Recover(_), Owner::Holder { account, .. })
            if held.act.account == Some(account) =>
        {
            Ok(Verdict::Accept(stopped(veto.act, held)))
        }
        (ActKind::Recover(_), _) if actor.by_link && held.act.account == case.act.account => {
            Ok(Verdict::Accept(stopped(veto.act, held)))
        }
        (ActKind::RecoverAdministrators(_), Owner::Member { principal }) if !actor.by_link => {
            veto_administrators(case, actor, veto.act, principal)
        }
        _ => Err(Reason::ActUnknown),
    }
}

fn veto_administrators(
    case: &Case<'_>,
    actor: &Actor,
    act: Digest,
    who: PrincipalId,
) -> Result<Verdict, Reason> {
    let facts = &case.state.facts;
    let vetoes = facts.vetoes.get(&act).into_iter().flatten();
    let mut objecting: BTreeSet<PrincipalId> = vetoes
        .filter(|(who, proof)| facts.stands(proof) && is_administrator(case.state, **who))
        .map(|(who, _)| *who)
        .collect();
    if !objecting.insert(who) {
        return Err(Reason::AlreadyVetoed);
    }
    let count = u32::try_from(objecting.len()).unwrap_or(u32::MAX);
    if count < case.state.quorum() {
        return Ok(Verdict::Accept(vec![Effect::Veto(act, who, actor.proof)]));
    }
    Ok(Verdict::Accept(stopped(act, held(case.state, act)?)))
}

fn is_administrator(state: &State, who: PrincipalId) -> bool {
    let member = state.facts.member(who);
    member.is_some_and(|member| member.has(Role::Administrator))
}

fn stopped(act: Digest, held: &Held) -> Vec<Effect> {
    let end = Effect::End(act, End::Returned, held.act.account);
    vec![Effect::Unhold(act), end]
}

//! Acts that wait for others: proposals to a quorum, approvals, and taking an act back.

use super::authenticate::{Actor, has_role};
use super::clock::Clock;
use super::factor::{check_new, check_no_holders};
use super::{Case, Verdict, contact, held, joint, labels, rotate, suspend, withhold_where};
use crate::act::{Act, ActKind, Approve, Cancel, GrantRole, LiftTarget, RaiseEpoch, Scope};
use crate::decision::Need;
use crate::effect::Effect;
use crate::factor::Factor;
use crate::id::PrincipalId;
use crate::limits::Limits;
use crate::realm::{Realm, Role};
use crate::reason::Reason;
use crate::state::account::Owner;
use crate::state::recovery::Voucher;
use crate::state::release::{End, Held, Stage, Withheld};
use crate::state::{Reach, State};
use crate::statement::Condition;
use crate::time::Span;

/// A proposal is held until a quorum of administrators stands behind it; it must make sense already.
pub(super) fn judge_proposal(case: &Case<'_>) -> Result<Verdict, Reason> {
    let changes = carry_out(case.state, case.act)?;
    check_stranger(case.state, case.act)?;
    let missing = case.state.quorum().saturating_sub(1);
    let delayed = own_delay(case.state, case.act).is_some();
    if missing == 0 && !delayed {
        return Ok(Verdict::Accept(changes));
    }
    Ok(Verdict::Wait(needs(missing, delayed), None))
}

fn needs(missing: u32, delayed: bool) -> Vec<Need> {
    let quorum = (missing > 0).then_some(Need::Quorum { missing });
    quorum
        .into_iter()
        .chain(delayed.then_some(Need::Delay))
        .collect()
}

/// The delay that an act itself has, as new limits, contacts, rotations and recoveries do. (New addresses and factors take effect at
/// once and carry their delay with them.)
pub(super) fn own_delay(state: &State, act: &Act) -> Option<Span> {
    let of_account = || act.account.and_then(|id| state.facts.account(id));
    match &act.kind {
        // It waits for nobody's word, so it is announced for longer.
        ActKind::Rotate(rotate) if contact::is_heralds(state, rotate) => {
            Some(state.recovery_delay())
        }
        ActKind::SetLimits(_) | ActKind::SetPolicy(_) | ActKind::Rotate(_) => {
            Some(state.network.delay_floor())
        }
        ActKind::SetLabels(set) => labels::delay(state, set),
        ActKind::Recover(_) => {
            let delay = of_account().map(|account| state.recovery_delay_of(account));
            Some(delay.unwrap_or_else(|| state.recovery_delay()))
        }
        ActKind::RecoverAdministrators(_) => Some(state.recovery_delay()),
        // As this is.
        ActKind::ChangeContact(_) if contact::is_administrators(act) => {
            of_account().map(|account| state.recovery_delay_of(account))
        }
        ActKind::ChangeContact(_) => of_account().map(|account| account.delay),
        ActKind::RemovePrincipal(_) if joint::is_joint(act) => {
            of_account().map(|account| account.delay)
        }
        // A higher one too: it takes from each of the others what it could undo by itself.
        ActKind::SetAccountQuorum(_) => of_account().map(|account| account.delay),
        _ => None,
    }
}

/// Decide a proposal again: unique administrators of now, the proposer among them.
pub(super) fn settle(state: &State, held: &Held, clock: Clock) -> Result<Verdict, Reason> {
    let changes = carry_out(state, &held.act)?;
    check_not_frozen_since(state, held)?;
    let stands = state.facts.stands(&held.proof) && is_able(state, held.act.principal);
    let count = supporters(state, held).saturating_add(stands.into());
    let missing = state.quorum().saturating_sub(count);
    let delayed = !clock.has_run(held);
    let shut = is_shut(state, &held.act);
    if missing == 0 && !delayed && !shut {
        // Again, since an account may have been opened meanwhile; and last, since it looks at all.
        check_stranger(state, &held.act)?;
        return Ok(Verdict::Accept(changes));
    }
    let open = needs(missing, delayed)
        .into_iter()
        .chain(shut.then_some(Need::Lift));
    Ok(Verdict::Wait(open.collect(), clock.runs_until(held)))
}

/// Administrators of now besides the proposer who stand behind a proposal.
pub(super) fn supporters(state: &State, held: &Held) -> u32 {
    let approvals = held.approvals.iter();
    let able = approvals.filter(|(who, proof)| {
        **who != held.act.principal && state.facts.stands(proof) && is_able(state, **who)
    });
    u32::try_from(able.count()).unwrap_or(u32::MAX)
}

/// Who proposed to unfreeze has not seen a freeze that came later; and by one a holder objects to another contact.
fn check_not_frozen_since(state: &State, held: &Held) -> Result<(), Reason> {
    let account = held.act.account.and_then(|id| state.facts.account(id));
    let frozen_since = account.is_some_and(|account| account.proofs_after > held.entry);
    let is_of_account = matches!(held.act.kind, ActKind::Unfreeze | ActKind::ChangeContact(_));
    if frozen_since && is_of_account {
        return Err(Reason::AccountFrozen);
    }
    Ok(())
}

fn is_able(state: &State, who: PrincipalId) -> bool {
    state
        .facts
        .member(who)
        .is_some_and(|member| member.has(Role::Administrator))
}

/// A suspension holds proposals too, but for the one that ends it.
pub(super) fn is_shut(state: &State, act: &Act) -> bool {
    let reach = Reach {
        realm: act.realm,
        account: act.account,
        withdraws: None,
    };
    let exempt = matches!(act.kind, ActKind::Lift(_)) || act.kind.is_restricting();
    !exempt && state.facts.is_suspended(reach)
}

/// What a proposal changes, if it can be carried out on the state as it is.
fn carry_out(state: &State, act: &Act) -> Result<Vec<Effect>, Reason> {
    match &act.kind {
        ActKind::GrantRole(grant) => grant_role(state, grant),
        ActKind::RevokeRole(revoke) => revoke_role(state, revoke.principal, revoke.role),
        ActKind::RaiseEpoch(raise) => raise_epoch(state, raise),
        ActKind::Lift(lift) => lift_target(state, lift.target),
        ActKind::Unfreeze => unfreeze(state, act),
        ActKind::SetLimits(set) => {
            if state.facts.limits.digest() != set.replaces {
                return Err(Reason::LimitsChanged);
            }
            check_limits(state, &set.limits)?;
            Ok(vec![Effect::SetLimits(set.limits.clone())])
        }
        ActKind::SetPolicy(set) => {
            if state.facts.policy().digest() != set.replaces {
                return Err(Reason::PolicyChanged);
            }
            set.policy.check().map_err(|_| Reason::PolicyMalformed)?;
            Ok(vec![Effect::SetPolicy(Box::new(set.policy.clone()))])
        }
        ActKind::SetLabels(set) => labels::carry_out(state, set),
        ActKind::Rotate(rotate) => rotate::carry_out(state, rotate),
        ActKind::ChangeContact(change) => contact::carry_out(state, act, change),
        _ => Err(Reason::RoleMissing),
    }
}

fn check_limits(state: &State, limits: &Limits) -> Result<(), Reason> {
    let known = &state.network.genesis().assets;
    let all_known = limits.rules.iter().all(|rule| known.contains(&rule.asset));
    if limits.is_well_formed() && all_known {
        Ok(())
    } else {
        Err(Reason::LimitsMalformed)
    }
}

fn grant_role(state: &State, grant: &GrantRole) -> Result<Vec<Effect>, Reason> {
    let owner = Owner::Member {
        principal: grant.principal,
    };
    let member = state.facts.member(grant.principal);
    // A keeper is one by genesis only, and is nothing else.
    let is_keeper = member.is_some_and(|member| member.has(Role::Keeper));
    if grant.role == Role::Keeper || is_keeper {
        return Err(Reason::RoleMissing);
    }
    if member
        .is_some_and(|member| member.has(grant.role) || !go_together(&member.roles, grant.role))
    {
        return Err(Reason::RoleHeld);
    }
    let mut effects = vec![Effect::Grant(grant.principal, grant.role)];
    match (&grant.factor, member) {
        (Some(factor), None) => {
            check_new(state, owner, factor)?;
            let delay = state.network.delay_floor();
            effects.push(Effect::Enrol {
                owner,
                factor: factor.clone(),
                delay,
            });
        }
        (None, Some(_)) => {}
        (None, None) => return Err(Reason::UnknownPrincipal),
        (Some(_), Some(_)) => return Err(Reason::FactorsRemain),
    }
    Ok(effects)
}

/// A back end relays what customers ask for; with another role it could approve what it relayed.
fn go_together(held: &[Role], new: Role) -> bool {
    held.is_empty() || (new != Role::BackEnd && !held.contains(&Role::BackEnd))
}

/// Whoever comes to staff by a role is no holder of an account, and brings no holder's factor: the
/// realms would have a principal in common.
fn check_stranger(state: &State, act: &Act) -> Result<(), Reason> {
    if let ActKind::Rotate(rotate) = &act.kind {
        return rotate::check_no_holders(state, &rotate.keys);
    }
    let ActKind::GrantRole(grant) = &act.kind else {
        return Ok(());
    };
    let Some(factor) = &grant.factor else {
        return Ok(());
    };
    if state.facts.is_holder(grant.principal) {
        return Err(Reason::AccountExists);
    }
    check_no_holders(state, factor)
}

pub(super) fn revoke_role(
    state: &State,
    principal: PrincipalId,
    role: Role,
) -> Result<Vec<Effect>, Reason> {
    let member = state
        .facts
        .member(principal)
        .ok_or(Reason::UnknownPrincipal)?;
    if !member.has(role) {
        return Err(Reason::RoleNotHeld);
    }
    if role == Role::Administrator {
        keep_quorum(state, |who, _| who != principal)?;
    }
    Ok(vec![Effect::Ungrant(principal, role)])
}

pub(super) fn raise_epoch(state: &State, raise: &RaiseEpoch) -> Result<Vec<Effect>, Reason> {
    let hit = |factor: &Factor| raise.factors.is_none_or(|kind| kind == factor.kind);
    if raise.realm == Realm::Staff {
        keep_quorum(state, |_, factor| !hit(factor))?;
    }
    let withheld = withhold_where(state, Withheld::Revoked, |release| {
        release.proofs().any(|proof| {
            let kind_hit = raise.factors.is_none_or(|only| only == proof.kind);
            proof.owner.realm() == raise.realm && kind_hit
        })
    });
    let mut effects = vec![Effect::RaiseEpoch(raise.realm, raise.factors)];
    effects.extend(withheld);
    Ok(effects)
}

/// Enough administrators are left who have a factor that counts.
pub(super) fn keep_quorum(
    state: &State,
    counts: impl Fn(PrincipalId, &Factor) -> bool,
) -> Result<(), Reason> {
    let left = state.facts.administrators_left(counts);
    let left = u32::try_from(left).unwrap_or(u32::MAX);
    if left < state.quorum() {
        Err(Reason::WouldLockOut)
    } else {
        Ok(())
    }
}

fn lift_target(state: &State, target: LiftTarget) -> Result<Vec<Effect>, Reason> {
    match target {
        LiftTarget::Suspension { by } => {
            state
                .facts
                .suspensions
                .get(&by)
                .ok_or(Reason::SuspensionUnknown)?;
        }
        LiftTarget::Latch { keeper, latch } => {
            // A keeper that latched may be cut off from a hostile gate, and its statement unheard:
            // the quorum read the id off the keeper's own alarm.
            state
                .network
                .keeper(keeper)
                .ok_or(Reason::SuspensionUnknown)?;
            if state.facts.latches.get(&(keeper, latch)) == Some(&Condition::Fork) {
                return Err(Reason::ForkLatch);
            }
        }
        LiftTarget::SuspensionsUpTo { entry } => return lift_up_to(state, entry),
    }
    Ok(vec![Effect::Lift(target)])
}

fn lift_up_to(state: &State, entry: u64) -> Result<Vec<Effect>, Reason> {
    // Whoever proposes a lift has seen what it ends.
    if entry >= state.size() {
        return Err(Reason::SuspensionUnknown);
    }
    let suspensions = state.facts.suspensions.iter();
    let old = suspensions.filter(|(_, suspension)| suspension.entry <= entry);
    let lifts = old.map(|(by, _)| Effect::Lift(LiftTarget::Suspension { by: *by }));
    let lifts: Vec<Effect> = lifts.collect();
    if lifts.is_empty() {
        Err(Reason::SuspensionUnknown)
    } else {
        Ok(lifts)
    }
}

fn unfreeze(state: &State, act: &Act) -> Result<Vec<Effect>, Reason> {
    let id = super::account_of(act)?;
    let account = state.facts.account(id).ok_or(Reason::UnknownAccount)?;
    if account.frozen.is_none() {
        return Err(Reason::NotFrozen);
    }
    Ok(vec![Effect::Unfreeze(id)])
}

/// One more member behind a held act. Members are counted, never signatures.
pub(super) fn judge_approve(
    case: &Case<'_>,
    actor: &Actor,
    approve: &Approve,
) -> Result<Verdict, Reason> {
    let who = actor.owner.principal();
    let held = held(case.state, approve.act)?;
    // Only administrators make a quorum; large withdrawals take approvers too, recoveries support.
    let may: &[Role] = match held.act.kind {
        ActKind::Withdraw(_) => &[Role::Approver, Role::Administrator],
        ActKind::Recover(_) => &[Role::Support],
        _ => &[Role::Administrator],
    };
    if !may.iter().any(|role| has_role(case, who, *role)) {
        return Err(Reason::RoleMissing);
    }
    if who == held.act.principal {
        return Err(Reason::SelfApproval);
    }
    if held
        .approvals
        .get(&who)
        .is_some_and(|proof| case.state.facts.stands(proof))
    {
        return Err(Reason::AlreadyApproved);
    }
    Ok(Verdict::Accept(vec![Effect::Approve(
        approve.act,
        who,
        actor.proof,
    )]))
}

/// Take back an act that waits, or withhold a release: signed bytes that no chain has stay where they
/// are, and those that one has may still confirm. The account's holder takes back its own, and what staff
/// proposed as its contact; staff anybody's; a proposal its proposer's.
pub(super) fn judge_cancel(
    case: &Case<'_>,
    actor: &Actor,
    cancel: &Cancel,
) -> Result<Verdict, Reason> {
    let facts = &case.state.facts;
    if let Some(release) = facts.releases.get(&cancel.act) {
        check_may_cancel(case, actor, &release.act)?;
        let again = release.stage == Stage::Withheld(Withheld::Cancelled);
        if again || release.voided_by.is_some() {
            return Err(Reason::ActGone);
        }
        return Ok(Verdict::Accept(vec![Effect::Withhold(
            cancel.act,
            Withheld::Cancelled,
        )]));
    }
    let held = held(case.state, cancel.act)?;
    if actor.by_link || !is_left_alone(case.state, actor, held) {
        check_may_cancel(case, actor, &held.act)?;
    }
    let end = Effect::End(cancel.act, End::Returned, held.act.account);
    Ok(Verdict::Accept(vec![Effect::Unhold(cancel.act), end]))
}

/// A customer's recovery that one supporter began, or a contact that one administrator proposed, and nobody joined:
/// left so, it would keep that customer from every other for a month. Any of staff takes it back.
fn is_left_alone(state: &State, actor: &Actor, held: &Held) -> bool {
    let takes_others = match (&held.act.kind, held.act.account) {
        (ActKind::Recover(recover), Some(account)) => {
            let principal = recover.principal;
            let holder = Owner::Holder { account, principal };
            let pending = state.facts.recovering.get(&holder);
            pending.is_some_and(|pending| pending.voucher == Voucher::Support)
        }
        _ => contact::is_administrators(&held.act) && state.quorum() > 1,
    };
    matches!(actor.owner, Owner::Member { .. }) && held.approvals.is_empty() && takes_others
}

fn check_may_cancel(case: &Case<'_>, actor: &Actor, act: &Act) -> Result<(), Reason> {
    // Who hears of an account is its holders' affair, whoever proposed it.
    let is_holders = act.realm == Realm::Customers || contact::is_administrators(act);
    let may = match actor.owner {
        // A link is for one account, and stops nothing else of staff's.
        Owner::Member { .. } if actor.by_link => act.account == case.act.account && is_holders,
        Owner::Holder { account, .. } => act.account == Some(account) && is_holders,
        // A proposal only by whoever made it: one administrator must not be able to cancel what
        // the others agree on.
        Owner::Member { principal } => act.realm == Realm::Customers || act.principal == principal,
    };
    if may { Ok(()) } else { Err(Reason::ActUnknown) }
}

/// Shut a scope. A second suspension of the same scope stands beside the first: each is lifted alone.
pub(super) fn judge_suspend(case: &Case<'_>) -> Result<Verdict, Reason> {
    let ActKind::Suspend(what) = &case.act.kind else {
        return Err(Reason::Malformed);
    };
    check_scope(case.state, what.scope)?;
    Ok(Verdict::Accept(suspend(
        case.state,
        case.digest,
        what.scope,
    )))
}

/// A suspension of what does not exist would shut nothing, and whoever mistyped it would rely on it.
fn check_scope(state: &State, scope: Scope) -> Result<(), Reason> {
    match scope {
        Scope::Asset(asset) if !state.network.genesis().assets.contains(&asset) => {
            Err(Reason::AssetUnknown)
        }
        Scope::Account(id) if state.facts.account(id).is_none() => Err(Reason::UnknownAccount),
        _ => Ok(()),
    }
}

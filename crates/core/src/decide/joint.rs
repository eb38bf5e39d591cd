//! Accounts of several principals: what some of them do together, and who they are.
//!
//! What loosens for such an account takes the assertions of as many different principals as its quorum says,
//! over one digest: that of the act. They come with the act or later; until they are there it waits, and
//! state keeps them where it keeps all approvals (docs/design/051). What only takes away each does alone.

use super::anew::judge_anew;
use super::authenticate::Actor;
use super::clock::Clock;
use super::factor::{check_new, check_not_announced};
use super::{Case, Verdict, account_of, approval, withhold_where};
use crate::act::{Act, ActKind, AddPrincipal, RemovePrincipal, SetAccountQuorum};
use crate::decision::Need;
use crate::digest::Digest;
use crate::effect::Effect;
use crate::factor::FactorKind;
use crate::id::PrincipalId;
use crate::reason::Reason;
use crate::state::State;
use crate::state::account::{Account, Owner, Proof};
use crate::state::announced::is_announced;
use crate::state::joint::{MAX_PRINCIPALS, Quorum, Together};
use crate::state::release::{Held, Release, Withheld};

/// Whether the account's principals do this together, where it has a quorum of its own. Each manages its own
/// factors, and leaves by itself.
#[must_use]
pub fn is_joint(act: &Act) -> bool {
    match &act.kind {
        ActKind::Withdraw(_)
        | ActKind::AddAddress(_)
        | ActKind::Unfreeze
        | ActKind::ChangeContact(_)
        | ActKind::AddPrincipal(_)
        | ActKind::SetAccountQuorum(_) => true,
        ActKind::RemovePrincipal(remove) => remove.principal != act.principal,
        _ => false,
    }
}

/// The weakest factor that counts for it. A request key sits on a server: whoever has that must not choose
/// who acts for the account, or who hears of it.
fn floor(kind: &ActKind) -> FactorKind {
    match kind {
        ActKind::AddPrincipal(_)
        | ActKind::RemovePrincipal(_)
        | ActKind::SetAccountQuorum(_)
        | ActKind::ChangeContact(_) => FactorKind::Passkey,
        _ => FactorKind::RequestKey,
    }
}

/// The quorum of the account of a holder's act that takes it.
fn quorum(state: &State, owner: Owner, act: &Act) -> Quorum {
    let account = match owner {
        Owner::Holder { account, .. } if is_joint(act) => state.facts.account(account),
        _ => None,
    };
    account.map_or(Quorum::ONE, |account| account.quorum)
}

/// Whether a held act takes several principals, as things are now.
pub(super) fn takes_several(state: &State, owner: Owner, act: &Act) -> bool {
    quorum(state, owner, act) > Quorum::ONE
}

/// The other principals of the account, where their assertions over the act count.
pub(super) fn others<'a>(
    state: &'a State,
    owner: Owner,
    act: &Act,
) -> impl Iterator<Item = Owner> + use<'a> {
    let counts = takes_several(state, owner, act);
    let account = act.account.filter(|_| counts);
    let known = account.and_then(|id| Some((id, state.facts.account(id)?)));
    let holders = known.into_iter().flat_map(|(account, known)| {
        let holders = known.holders.iter().map(|holder| holder.principal);
        holders.map(move |principal| Owner::Holder { account, principal })
    });
    holders.filter(move |other| *other != owner)
}

/// Those who stand behind a held act besides the one who asked: different principals of the account, each
/// by a factor that still stands and suffices.
pub(super) fn beside(state: &State, held: &Held) -> Together {
    let suffices = |proof: &&Proof| proof.kind >= floor(&held.act.kind);
    let others = others(state, held.proof.owner, &held.act);
    let proofs = others.filter_map(|other| {
        let proof = held.approvals.get(&other.principal())?;
        (proof.owner == other).then_some(proof)
    });
    let standing = proofs.filter(suffices).filter(|p| state.facts.stands(p));
    standing.copied().collect()
}

/// How many more have to assert the act.
pub(super) fn missing(state: &State, owner: Owner, act: &Act, beside: &Together) -> u32 {
    let needed = quorum(state, owner, act).beside();
    needed.saturating_sub(beside.count())
}

/// The need for them, where some are missing.
pub(super) fn need(missing: u32) -> Option<Need> {
    (missing > 0).then_some(Need::Principals { missing })
}

/// A holder's act as it leaves the account's quorum: taken where enough stand behind it, and waiting
/// otherwise. Withdrawals look for themselves.
pub(super) fn hold(case: &Case<'_>, actor: &Actor, verdict: Verdict) -> Verdict {
    let (state, act) = (case.state, case.act);
    let is_holders = matches!(actor.owner, Owner::Holder { .. });
    if !is_holders || !is_joint(act) || matches!(act.kind, ActKind::Withdraw(_)) {
        return verdict;
    }
    let sufficing = actor.beside.proofs().copied();
    let sufficing = sufficing.filter(|proof| proof.kind >= floor(&act.kind));
    let beside: Together = sufficing.collect();
    let missing = missing(state, actor.owner, act, &beside);
    let delayed = approval::own_delay(state, act).is_some();
    match verdict {
        Verdict::Accept(changes) if missing == 0 && !delayed => {
            let taken = beside.first(quorum(state, actor.owner, act).beside());
            let behind = (!taken.is_empty()).then(|| taken.with(actor.proof));
            Verdict::Accept(jointly(case.digest, changes, behind))
        }
        Verdict::Accept(_) => {
            let delay = delayed.then_some(Need::Delay);
            Verdict::Wait(delay.into_iter().chain(need(missing)).collect(), None)
        }
        Verdict::Wait(mut needs, until) => {
            needs.extend(need(missing));
            Verdict::Wait(needs, until)
        }
        other => other,
    }
}

/// The changes, with those who made them together.
fn jointly(digest: Digest, mut changes: Vec<Effect>, behind: Option<Together>) -> Vec<Effect> {
    changes.extend(behind.map(|behind| Effect::Jointly(digest, behind)));
    changes
}

/// Whether somebody is missing from behind a release: whoever made it possible was removed, or has lost
/// the factor, and has not asserted it anew.
pub(super) fn check_release(state: &State, release: &Release) -> Result<(), Reason> {
    let mut beside = release.beside.proofs();
    if beside.all(|proof| state.facts.stands(proof)) {
        Ok(())
    } else {
        Err(Reason::FactorRevoked)
    }
}

/// Decide an act again that waited for other principals: as if it came now, from state alone.
pub(super) fn settle(
    state: &State,
    digest: Digest,
    held: &Held,
    clock: Clock,
) -> Result<Verdict, Reason> {
    let account = account_of(&held.act)?;
    let account = state.facts.account(account);
    let account = account.ok_or(Reason::UnknownAccount)?;
    // Whoever froze it meanwhile has not agreed to this.
    if account.proofs_after > held.entry {
        return Err(Reason::AccountFrozen);
    }
    if !state.facts.stands(&held.proof) {
        return Err(Reason::FactorRevoked);
    }
    // A code was enough when one sufficed.
    if held.proof.kind < floor(&held.act.kind) {
        return Err(Reason::CodeTooWeak);
    }
    let Verdict::Accept(changes) = judge_anew(state, digest, held, clock.time)? else {
        return Err(Reason::RoleMissing);
    };
    let (owner, beside) = (held.proof.owner, beside(state, held));
    let missing = missing(state, owner, &held.act, &beside);
    let delayed = !clock.has_run(held);
    let shut = approval::is_shut(state, &held.act);
    if missing > 0 || delayed || shut {
        let needs = [
            delayed.then_some(Need::Delay),
            shut.then_some(Need::Lift),
            need(missing),
        ];
        let needs = needs.into_iter().flatten().collect();
        return Ok(Verdict::Wait(needs, clock.runs_until(held)));
    }
    // Also where one suffices by now: whoever made what waited has to be seen.
    let taken = beside.first(quorum(state, owner, &held.act).beside());
    let behind = Some(taken.with(held.proof));
    Ok(Verdict::Accept(jointly(digest, changes, behind)))
}

/// A new principal is nobody of staff, and brings a key that nobody else of the account has: one person with
/// one authenticator must not count as two.
pub(super) fn judge_add(
    case: &Case<'_>,
    actor: &Actor,
    add: &AddPrincipal,
) -> Result<Verdict, Reason> {
    let (id, account) = (account_of(case.act)?, governed(case, actor)?);
    if account.holders.len() >= usize::from(MAX_PRINCIPALS) {
        return Err(Reason::TooMany);
    }
    let facts = &case.state.facts;
    let is_staff = facts.member(add.principal).is_some() || is_announced(facts, add.principal);
    if is_staff || account.holder(add.principal).is_some() {
        return Err(Reason::PrincipalExists);
    }
    let owner = Owner::Holder {
        account: id,
        principal: add.principal,
    };
    if add.factor.key().is_none() {
        return Err(Reason::FactorMalformed);
    }
    check_new(case.state, owner, &add.factor)?;
    check_not_announced(case.state, &add.factor)?;
    if case.state.takes_no_address(id, case.time) {
        return Err(Reason::RecoveredLately);
    }
    let factor = Effect::Enrol {
        owner,
        factor: add.factor.clone(),
        delay: account.delay,
    };
    Ok(Verdict::Accept(vec![Effect::AddPrincipal(owner), factor]))
}

/// Whoever leaves takes its factors along, and what it stood behind does not go out. As many as the
/// quorum takes stay.
pub(super) fn judge_remove(
    case: &Case<'_>,
    actor: &Actor,
    remove: &RemovePrincipal,
) -> Result<Verdict, Reason> {
    let (account, known) = (account_of(case.act)?, governed(case, actor)?);
    let gone = remove.principal;
    let leaving = known.holder(gone).ok_or(Reason::UnknownPrincipal)?;
    let left = able(case, known, |who| who != gone);
    if left < known.quorum.count() {
        return Err(Reason::QuorumOutOfReach);
    }
    let owner = Owner::Holder {
        account,
        principal: gone,
    };
    let factors = leaving.factors.iter();
    let factors = factors.map(|factor| Effect::Unenrol(owner, factor.id));
    let withheld = withhold_where(case.state, Withheld::Revoked, |release| {
        release.proofs().any(|proof| proof.owner == owner)
    });
    let last = core::iter::once(Effect::RemovePrincipal(owner));
    Ok(Verdict::Accept(
        factors.chain(last).chain(withheld).collect(),
    ))
}

/// More than there are principals who can set another would lock them all out.
pub(super) fn judge_set_quorum(
    case: &Case<'_>,
    actor: &Actor,
    set: &SetAccountQuorum,
) -> Result<Verdict, Reason> {
    let (id, account) = (account_of(case.act)?, governed(case, actor)?);
    if account.quorum.count() != set.replaces {
        return Err(Reason::AccountQuorumChanged);
    }
    let quorum = Quorum::new(set.quorum).filter(|quorum| *quorum != account.quorum);
    let quorum = quorum.ok_or(Reason::AccountQuorumMalformed)?;
    let raises = quorum > account.quorum;
    if raises && able(case, account, |_| true) < quorum.count() {
        return Err(Reason::QuorumOutOfReach);
    }
    Ok(Verdict::Accept(vec![Effect::SetAccountQuorum(
        id,
        quorum.count(),
    )]))
}

/// The account, which is not frozen, asked for by a factor that may say who acts for it.
fn governed<'a>(case: &Case<'a>, actor: &Actor) -> Result<&'a Account, Reason> {
    let account = super::account::thawed(case)?;
    if actor.strength() < floor(&case.act.kind) {
        return Err(Reason::FactorTooWeak);
    }
    Ok(account)
}

/// Principals who could say now who acts for the account: others could not undo what is set.
fn able(case: &Case<'_>, account: &Account, counts: impl Fn(PrincipalId) -> bool) -> u32 {
    let Some(id) = case.act.account else { return 0 };
    let facts = &case.state.facts;
    let able = account.holders.iter().filter(|holder| {
        let owner = Owner::Holder {
            account: id,
            principal: holder.principal,
        };
        let least = floor(&case.act.kind);
        let mut keys = holder.factors.iter().filter(|f| f.kind >= least);
        counts(holder.principal)
            && keys.any(|key| {
                let is_current = facts.is_current(owner, key.kind, key.epochs);
                is_current && key.available.is_at(case.time)
            })
    });
    u32::try_from(able.count()).unwrap_or(u32::MAX)
}

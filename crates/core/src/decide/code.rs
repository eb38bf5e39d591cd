//! One-time codes: for what they stand, and what becomes of an act that waits for the herald's word on one.
//!
//! A TOTP code proves nothing to whoever does not have the seed. So the act is held, and takes effect, by
//! a decision made anew, once the herald has said that the code is right (docs/design/044).

use super::anew::judge_anew;
use super::authenticate::{Actor, check_counts, has_role};
use super::{Case, Verdict, approval, joint};
use crate::act::ActKind;
use crate::code::{Code, is_recovery_proof, recovery_digest};
use crate::decision::Need;
use crate::digest::Digest;
use crate::effect::Effect;
use crate::factor::{Factor, FactorKind};
use crate::id::{FactorId, KeeperId, PrincipalId};
use crate::realm::Role;
use crate::reason::Reason;
use crate::signature::{PublicKey, Signature};
use crate::state::State;
use crate::state::account::Owner;
use crate::state::codes::Waiting;
use crate::state::release::Held;
use crate::time::Time;

/// For what a TOTP code stands: what only takes away, withdrawals, which have bounds of their own, and new
/// addresses, which are told and age.
#[must_use]
pub fn totp_serves(kind: &ActKind) -> bool {
    is_stop(kind) || matches!(kind, ActKind::Withdraw(_) | ActKind::AddAddress(_))
}

/// What a code takes back or stops.
fn is_stop(kind: &ActKind) -> bool {
    matches!(
        kind,
        ActKind::Freeze | ActKind::Cancel(_) | ActKind::CancelAddress(_) | ActKind::Veto(_)
    )
}

/// Whether a factor of this kind can stand for such an act at all.
pub(super) fn serves(factor: FactorKind, kind: &ActKind) -> bool {
    match factor {
        FactorKind::Totp => totp_serves(kind),
        FactorKind::RecoveryCodes => matches!(kind, ActKind::Recover(_)),
        FactorKind::RequestKey | FactorKind::Passkey => true,
    }
}

/// The factor whose code came with the act. A recovery code proves the act here; a TOTP code only claims
/// to, until the herald has judged it.
pub(super) fn check<'a>(
    case: &Case<'a>,
    owner: Owner,
    code: &Code,
    relays: &[PrincipalId],
) -> Result<&'a Factor, Reason> {
    let id = code.factor();
    let kind = match code {
        Code::Totp { .. } => FactorKind::Totp,
        Code::Recovery { .. } => FactorKind::RecoveryCodes,
    };
    let factor = case.state.facts.factor(owner, id);
    let factor = factor.filter(|factor| factor.kind == kind);
    let factor = factor.ok_or(Reason::FactorUnknown)?;
    // What nobody has proved yet is journaled on the word of a back end alone: anybody could use up the
    // few codes that may be wrong.
    if !relays.iter().any(|who| has_role(case, *who, Role::BackEnd)) {
        return Err(Reason::RequestMissing);
    }
    check_counts(case, owner, factor)?;
    if case.evidence.posted.is_some() {
        return Err(Reason::CodeOutOfPlace);
    }
    if !serves(kind, &case.act.kind) {
        return Err(Reason::CodeTooWeak);
    }
    match code {
        Code::Totp { .. } => {
            check_nothing_stronger(case, owner)?;
            check_alone(case, owner)?;
            check_room(case, owner, id)?;
        }
        Code::Recovery { key, signature, .. } => {
            check_recovery(case, (owner, id), key, signature)?;
        }
    }
    Ok(factor)
}

/// A code adds an address only for whoever has nothing better: whoever has will be asked for it.
fn check_nothing_stronger(case: &Case<'_>, owner: Owner) -> Result<(), Reason> {
    let adds = matches!(case.act.kind, ActKind::AddAddress(_));
    if adds && has_stronger(case.state, owner) {
        return Err(Reason::CodeTooWeak);
    }
    Ok(())
}

fn has_stronger(state: &State, owner: Owner) -> bool {
    state.facts.has_factor(owner, FactorKind::RequestKey)
}

/// What takes several principals no code stands for: it would count as one of them on the herald's word.
fn check_alone(case: &Case<'_>, owner: Owner) -> Result<(), Reason> {
    if joint::takes_several(case.state, owner, case.act) {
        Err(Reason::CodeTooWeak)
    } else {
        Ok(())
    }
}

fn check_room(case: &Case<'_>, owner: Owner, factor: FactorId) -> Result<(), Reason> {
    if case.state.network.herald().is_none() {
        return Err(Reason::FactorMalformed);
    }
    if case.state.facts.codes.has_room(owner, factor, case.time) {
        Ok(())
    } else {
        Err(Reason::TooManyCodes)
    }
}

fn check_recovery(
    case: &Case<'_>,
    (owner, factor): (Owner, FactorId),
    key: &PublicKey,
    signature: &Signature,
) -> Result<(), Reason> {
    let is_left = case
        .state
        .facts
        .codes
        .has(owner, factor, recovery_digest(key));
    if is_left && is_recovery_proof(case.digest, key, signature, case.verify) {
        Ok(())
    } else {
        Err(Reason::CodeUsed)
    }
}

/// The recovery code that came with the act is used up.
pub(super) fn use_up(case: &Case<'_>, owner: Owner) -> Option<Effect> {
    match &case.evidence.code {
        Some(Code::Recovery { factor, key, .. }) => {
            Some(Effect::UseCode(owner, *factor, recovery_digest(key)))
        }
        _ => None,
    }
}

/// An act that a TOTP code is to prove waits for the herald, whatever else it waits for.
pub(super) fn hold(actor: &Actor, verdict: Verdict) -> Verdict {
    if !actor.awaits_code {
        return verdict;
    }
    let (mut needs, until) = match verdict {
        Verdict::Wait(needs, until) => (needs, until),
        Verdict::Begin(_, needs) => (needs, None),
        Verdict::Accept(_) | Verdict::Pay(_) => (Vec::new(), None),
    };
    if !needs.contains(&Need::Totp) {
        needs.push(Need::Totp);
    }
    Verdict::Wait(needs, until)
}

/// The code that the herald is to judge.
pub(super) fn await_word(case: &Case<'_>, actor: &Actor) -> Option<Effect> {
    match &case.evidence.code {
        Some(Code::Totp { factor, sealed }) if actor.awaits_code => Some(Effect::AwaitCode {
            act: case.digest,
            owner: actor.owner,
            factor: *factor,
            sealed: *sealed,
        }),
        _ => None,
    }
}

/// Why a held act waits in vain for the herald's word: the code is wrong, or the act has expired. A word
/// that comes later than that would be about what nobody wants any more.
pub(super) fn check_fate(
    state: &State,
    digest: Digest,
    held: &Held,
    time: Time,
) -> Result<(), Reason> {
    let codes = &state.facts.codes;
    if codes.is_wrong(digest) {
        return Err(Reason::CodeWrong);
    }
    if codes.open(digest).is_some() && time >= held.act.expires {
        return Err(Reason::Expired);
    }
    Ok(())
}

/// Decide again what only takes away and waited for the herald's word: as if it came now. Whatever has
/// happened to the factor since, a right code at its own entry stops.
pub(super) fn settle_stop(
    state: &State,
    digest: Digest,
    held: &Held,
    time: Time,
) -> Result<Verdict, Reason> {
    if state.facts.codes.open(digest).is_some() {
        return Ok(Verdict::Wait(vec![Need::Totp], None));
    }
    judge_anew(state, digest, held, time)
}

/// Decide a new address again that waited for the herald's word. It loosens, so the factor has to stand yet,
/// and nothing to be shut; a freeze ends it, whoever is right about the code.
pub(super) fn settle_address(
    state: &State,
    digest: Digest,
    held: &Held,
    time: Time,
) -> Result<Verdict, Reason> {
    let facts = &state.facts;
    let account = held.act.account.and_then(|id| facts.account(id));
    if account.is_some_and(|account| account.frozen.is_some()) {
        return Err(Reason::AccountFrozen);
    }
    let proof = &held.proof;
    // Whoever has enrolled something better since then is asked for that.
    let is_too_weak = proof.kind == FactorKind::Totp && has_stronger(state, proof.owner);
    let is_unproven = is_too_weak || !facts.stands(proof);
    let open = [
        facts.codes.open(digest).map(|_| Need::Totp),
        is_unproven.then_some(Need::Assertion),
        approval::is_shut(state, &held.act).then_some(Need::Lift),
    ];
    let needs: Vec<Need> = open.into_iter().flatten().collect();
    if needs.is_empty() {
        judge_anew(state, digest, held, time)
    } else {
        Ok(Verdict::Wait(needs, None))
    }
}

/// The herald says that a code is right: of a step near the act's time, newer than all that have served.
pub(super) fn judge_right(
    state: &State,
    keeper: KeeperId,
    (act, factor): (Digest, FactorId),
    step: u32,
) -> Option<Vec<Effect>> {
    let waiting = waiting(state, keeper, act, factor)?;
    let known = state.facts.factor(waiting.owner, factor)?;
    let counts = state
        .facts
        .is_current(waiting.owner, known.kind, known.epochs);
    let fits = step > known.counter && state.facts.codes.is_near(waiting, step);
    (counts && fits).then(|| vec![Effect::CodeRight(act, step)])
}

/// The herald says that a code is wrong.
pub(super) fn judge_wrong(
    state: &State,
    keeper: KeeperId,
    (act, factor): (Digest, FactorId),
) -> Option<Vec<Effect>> {
    waiting(state, keeper, act, factor)?;
    Some(vec![Effect::CodeWrong(act)])
}

fn waiting(state: &State, keeper: KeeperId, act: Digest, factor: FactorId) -> Option<&Waiting> {
    let herald = state.network.herald()?;
    let waiting = state.facts.codes.open(act)?;
    (herald.id == keeper && waiting.factor == factor).then_some(waiting)
}

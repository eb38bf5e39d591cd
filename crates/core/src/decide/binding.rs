//! Is the act for this network, for now, and new?

use super::{Case, link};
use crate::act::Act;
use crate::effect::REMEMBER_CHECKPOINTS;
use crate::evidence::{Evidence, MAX_PIECES};
use crate::link::LONGEST_LINK;
use crate::reason::Reason;
use crate::time::{Span, Time};

/// How old the checkpoint that an act names may be when the act is submitted.
const CHECKPOINT_AGE: Span = Span::hours(1);
/// How far ahead an act may expire.
const LONGEST_LIFE: Span = Span::hours(24);
/// How far clocks may disagree.
pub(crate) const SKEW: Span = Span::seconds(30);

/// Check, and give the moment at which the act counts as submitted: the entry's time, or, for a
/// restricting act, the time at which a stop board stamped it.
pub(super) fn check(case: &Case<'_>) -> Result<Time, Reason> {
    if case.is_too_large {
        return Err(Reason::TooLarge);
    }
    check_sizes(case.evidence)?;
    let facts = &case.state.facts;
    if case.act.genesis != case.state.network.digest() {
        return Err(Reason::WrongGenesis);
    }
    let at = submitted_at(case)?;
    let longest = if case.evidence.link.is_some() {
        link::check_in_time(case, at)?;
        LONGEST_LINK
    } else {
        check_checkpoint(case, at)?;
        LONGEST_LIFE
    };
    if at >= case.act.expires {
        return Err(Reason::Expired);
    }
    if case.act.expires > at.after(longest) {
        return Err(Reason::ExpiryTooFar);
    }
    let known = facts.consumed.contains_key(&case.digest)
        || facts.held.contains_key(&case.digest)
        || facts.releases.contains_key(&case.digest)
        || facts.ended.contains_key(&case.digest);
    if known { Err(Reason::Replayed) } else { Ok(at) }
}

/// The act is not older than a checkpoint of the last hour.
fn check_checkpoint(case: &Case<'_>, at: Time) -> Result<(), Reason> {
    let facts = &case.state.facts;
    let named = case.act.checkpoint;
    let next = case.next.filter(|next| next.body == named);
    let checkpoint = facts
        .checkpoints
        .get(&named)
        .copied()
        .or(next.map(|next| next.oldest))
        .ok_or(Reason::UnknownCheckpoint)?;
    if at.since(checkpoint) > CHECKPOINT_AGE {
        return Err(Reason::UnknownCheckpoint);
    }
    Ok(())
}

/// How long the act has to be remembered, so that the act counts once.
///
/// A restricting act with a board's stamp is judged at the stamp's time, for as long as state knows
/// the checkpoint that it names: that outlives its expiry. Forgotten earlier, anybody who has the
/// board's page could suspend again after the lift.
pub(super) fn consumed_until(act: &Act) -> Time {
    if act.kind.is_restricting() {
        act.expires
            .after(REMEMBER_CHECKPOINTS)
            .after(CHECKPOINT_AGE)
    } else {
        act.expires
    }
}

pub(crate) fn check_sizes(evidence: &Evidence) -> Result<(), Reason> {
    let counts = [
        evidence.requests.len(),
        evidence.assertions.len(),
        evidence.attestations.len(),
    ];
    if counts.into_iter().any(|count| count > MAX_PIECES) {
        return Err(Reason::TooLarge);
    }
    Ok(())
}

/// Only a restricting act may count from a board's stamp: a board that lies could otherwise revive
/// an expired withdrawal.
fn submitted_at(case: &Case<'_>) -> Result<Time, Reason> {
    let Some(stamp) = &case.evidence.posted else {
        return Ok(case.time);
    };
    let key = case
        .state
        .network
        .board(stamp.board)
        .ok_or(Reason::StampInvalid)?;
    if !case.act.kind.is_restricting() || !stamp.is_of(case.digest, key, case.verify) {
        return Err(Reason::StampInvalid);
    }
    if stamp.time > case.time.after(SKEW) {
        return Err(Reason::Expired);
    }
    Ok(stamp.time.min(case.time))
}

//! A link in a notice asks: the herald's signature over this very act, brought by a stop board.

use super::Case;
use crate::board::COUNTS_FOR;
use crate::factor::Factor;
use crate::id::PrincipalId;
use crate::link::{link_may, signed_bytes};
use crate::reason::Reason;
use crate::signature::Signature;
use crate::state::account::Owner;
use crate::time::Time;

/// How long a board's stamp on it serves. Other acts end with the checkpoint that they name; this one names none,
/// and state forgets at last that it has counted.
pub(super) fn check_in_time(case: &Case<'_>, stamped: Time) -> Result<(), Reason> {
    if case.time.since(stamped) > COUNTS_FOR {
        return Err(Reason::Expired);
    }
    Ok(())
}

/// The herald's key, if it signed the act and the act is one that a link may ask for.
pub(super) fn check<'a>(
    case: &Case<'a>,
    owner: Owner,
    signature: &Signature,
) -> Result<&'a Factor, Reason> {
    let herald = case.state.network.herald().ok_or(Reason::NoHerald)?;
    let principal = PrincipalId(herald.id.0);
    let (act, evidence) = (case.act, case.evidence);
    // By a board only, and alone: so it is journaled once, if it counts, and never for being refused.
    let is_alone = evidence.requests.is_empty()
        && evidence.assertions.is_empty()
        && evidence.attestations.is_empty()
        && evidence.code.is_none();
    let is_in_place = is_alone
        && evidence.posted.is_some()
        && owner == Owner::Member { principal }
        && act.account.is_some()
        && act.checkpoint == act.genesis
        && link_may(&act.kind);
    if !is_in_place {
        return Err(Reason::LinkOutOfPlace);
    }
    let mut keys = case.state.facts.factors(owner).iter();
    let factor = keys.find(|factor| {
        let signed = signed_bytes(case.digest);
        let holds = |key| case.verify.verify(key, &signed, signature);
        factor.key().is_some_and(holds)
    });
    factor.ok_or(Reason::LinkInvalid)
}

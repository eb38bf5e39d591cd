//! Trying an act out: what would become of it, before anybody is asked to sign it.

use super::authenticate::check_evidence;
use super::{Case, binding, decide_asked};
use crate::act::Act;
use crate::decision::Decision;
use crate::evidence::Evidence;
use crate::factor::FactorKind;
use crate::read::ReadAct;
use crate::reason::Reason;
use crate::signature::Verify;
use crate::state::State;
use crate::time::Time;

/// What an act would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The decision that it would get now, with the evidence that there is and what is supposed.
    pub decision: Decision,
    /// The kind of factor that was supposed to have signed, where none has: what to ask the acting
    /// principal for.
    pub supposes: Option<FactorKind>,
}

/// Decide an act on trial: nothing is used up and nothing is journaled.
///
/// A request that only tries an act out counts as relayed here, and nowhere else
/// ([`Parts::tries_out`](crate::request::Parts::tries_out)). Where the acting principal has signed nothing
/// yet, the strongest of its factors that count is supposed to have.
#[must_use]
pub fn try_out(
    state: &State,
    act: &Act,
    evidence: &Evidence,
    time: Time,
    verify: &dyn Verify,
) -> Tried {
    let (read, requests) = (ReadAct::of(act), evidence.read());
    let evidence = (evidence, requests.as_slice());
    let case = Case {
        on_trial: true,
        ..Case::of(state, (act, read), evidence, time, verify)
    };
    let mut supposes = None;
    let decision = decide(&case, &mut supposes);
    let decision = decision.unwrap_or_else(|reason| Decision::Refuse { reason });
    Tried { decision, supposes }
}

fn decide(case: &Case<'_>, supposes: &mut Option<FactorKind>) -> Result<Decision, Reason> {
    let at = binding::check(case)?;
    let asking = check_evidence(case, at)?;
    let actor = if asking.has_asked() {
        asking.proven().ok_or(Reason::FactorMissing)?
    } else {
        let supposed = asking.supposed(case)?;
        *supposes = Some(supposed.strength());
        supposed
    };
    Ok(decide_asked(case, &actor)?.decision)
}

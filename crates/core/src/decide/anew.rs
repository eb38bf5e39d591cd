//! Deciding an act again that has waited, from state alone.

use super::authenticate::Actor;
use super::claims::Claims;
use super::permit::Permission;
use super::{Case, Verdict, judge};
use crate::digest::Digest;
use crate::evidence::Evidence;
use crate::read::ReadAct;
use crate::reason::Reason;
use crate::signature::{PublicKey, Signature, Verify};
use crate::state::State;
use crate::state::release::Held;
use crate::time::Time;
use portcullis_chains::bitcoin::Claimed;
use portcullis_chains::ethereum::SignedTx;

/// As if it came now, and what vendors said of it with it.
pub(super) fn judge_anew(
    state: &State,
    digest: Digest,
    held: &Held,
    time: Time,
) -> Result<Verdict, Reason> {
    let accepted = ReadAct {
        digest,
        is_too_large: false,
    };
    let evidence = Evidence::default();
    let case = Case::of(
        state,
        (&held.act, accepted),
        (&evidence, &[]),
        time,
        &Nothing,
    );
    let actor = Actor::of_held(held);
    let claims = Claims::heard(held.said.unwrap_or_default());
    judge(&case, &actor, &claims, Permission::Alone)
}

/// Holds no signature: what is decided again has none to be checked.
struct Nothing;

impl Verify for Nothing {
    fn verify(&self, _: &PublicKey, _: &[u8], _: &Signature) -> bool {
        false
    }

    fn is_signed_by(&self, _: &SignedTx, _: [u8; 20]) -> bool {
        false
    }

    fn is_spend_of(&self, _: &Claimed, _: &[u8]) -> bool {
        false
    }
}

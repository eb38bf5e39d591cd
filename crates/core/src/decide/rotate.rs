//! Rotating keys: a quorum, the delay floor, and the digest of what is replaced.

use super::factor::check_new;
use super::log_key::{self, check_successor};
use crate::act::{Keys, Rotate};
use crate::effect::Effect;
use crate::factor::NewFactor;
use crate::genesis::{Issuer, Witnesses};
use crate::id::{IssuerId, KeeperId, PrincipalId};
use crate::reason::Reason;
use crate::signature::PublicKey;
use crate::state::State;
use crate::state::account::Owner;
use crate::time::Span;
use portcullis_tlog::WitnessKey;
use std::collections::BTreeSet;

/// Most issuers in force.
const MAX_ISSUERS: usize = 64;
/// Most roots.
const MAX_ROOTS: usize = 32;

pub(super) fn carry_out(state: &State, rotate: &Rotate) -> Result<Vec<Effect>, Reason> {
    let in_force = state.keys_in_place_of(&rotate.keys);
    let in_force = in_force.ok_or(Reason::KeysMalformed)?;
    if in_force.digest() != rotate.replaces {
        return Err(Reason::KeysChanged);
    }
    let mut effects = match &rotate.keys {
        Keys::Issuers { issuers } => {
            check(are_sound(issuers))?;
            Vec::new()
        }
        Keys::Roots { roots } => {
            check(roots.is_sound() && roots.keys.len() <= MAX_ROOTS)?;
            Vec::new()
        }
        Keys::Keeper { keeper, key } => {
            let old = state.keeper(*keeper).ok_or(Reason::KeysMalformed)?;
            replace_keeper(state, *keeper, old.key, key)?
        }
        Keys::Witnesses { witnesses } => {
            check(may_take_over(state, witnesses))?;
            Vec::new()
        }
        Keys::Log { vkey } => {
            check_successor(state, vkey)?;
            Vec::new()
        }
    };
    effects.push(Effect::Rotate(rotate.keys.clone()));
    Ok(effects)
}

/// A key of the network's is no customer's. (It looks at all accounts, so whoever asks does so last.)
pub(super) fn check_no_holders(state: &State, keys: &Keys) -> Result<(), Reason> {
    let is_holders = |key: PublicKey| {
        let factor = NewFactor::RequestKey { key };
        state.facts().is_holders_factor(factor.id())
    };
    match keys {
        Keys::Keeper { key, .. } => check(!is_holders(key.clone())),
        Keys::Log { vkey } if log_key::public(vkey).is_none_or(is_holders) => {
            Err(Reason::LogKeyKnown)
        }
        Keys::Log { .. } | Keys::Issuers { .. } | Keys::Roots { .. } | Keys::Witnesses { .. } => {
            Ok(())
        }
    }
}

fn check(sound: bool) -> Result<(), Reason> {
    if sound {
        Ok(())
    } else {
        Err(Reason::KeysMalformed)
    }
}

fn are_sound(issuers: &[Issuer]) -> bool {
    let ids: BTreeSet<IssuerId> = issuers.iter().map(|issuer| issuer.id).collect();
    ids.len() == issuers.len() && (1..=MAX_ISSUERS).contains(&ids.len())
}

/// They make a quorum, and no name of an earlier witness stands for another key: by their names they are
/// reached, and for a moment both are.
fn may_take_over(state: &State, new: &Witnesses) -> bool {
    let Ok(quorum) = new.quorum() else {
        return false;
    };
    let all = state.cosigners.all();
    let known: Vec<_> = all
        .flat_map(|signatories| signatories.quorum().witnesses())
        .collect();
    let is_sound = |key: &WitnessKey| {
        let mut namesakes = known.iter().filter(|known| known.name() == key.name());
        namesakes.all(|known| known.public() == key.public())
    };
    quorum.witnesses().iter().all(is_sound)
}

/// A keeper stops and speaks by one key: both change at the same entry.
fn replace_keeper(
    state: &State,
    keeper: KeeperId,
    old: PublicKey,
    new: &PublicKey,
) -> Result<Vec<Effect>, Reason> {
    let owner = Owner::Member {
        principal: PrincipalId(keeper.0),
    };
    let factor = NewFactor::RequestKey { key: new.clone() };
    check(check_new(state, owner, &factor).is_ok())?;
    Ok(vec![
        Effect::Unenrol(owner, NewFactor::RequestKey { key: old }.id()),
        Effect::Enrol {
            owner,
            factor,
            delay: Span::default(),
        },
    ])
}

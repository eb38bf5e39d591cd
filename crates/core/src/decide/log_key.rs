//! The key that the journal is to sign with: of the same log, and nobody's before.

use crate::factor::NewFactor;
use crate::reason::Reason;
use crate::signature::PublicKey;
use crate::state::State;
use portcullis_tlog::{LogKey, WitnessKey};

pub(super) fn check_successor(state: &State, vkey: &str) -> Result<(), Reason> {
    let successor = read(state, vkey).ok_or(Reason::KeysMalformed)?;
    if is_somebodys(state, &successor) {
        Err(Reason::LogKeyKnown)
    } else {
        Ok(())
    }
}

/// A key under the log's origin: by that name witnesses and readers of any make know the log.
fn read(state: &State, vkey: &str) -> Option<LogKey> {
    let key: LogKey = vkey.parse().ok()?;
    let is_canonical = key.to_string() == vkey;
    (is_canonical && key.name() == state.network().log().name()).then_some(key)
}

/// One that has ever spoken for the journal may be with whoever it was taken from; one that is somebody
/// else's makes of two holders one.
///
/// Holders of accounts are asked for at the end ([`super::rotate::check_no_holders`]).
fn is_somebodys(state: &State, key: &LogKey) -> bool {
    let Ok(public) = PublicKey::ed25519(*key.public()) else {
        return true;
    };
    speaks_or_spoke(state, key) || is_named(state, &public) || proves(state, public)
}

fn speaks_or_spoke(state: &State, key: &LogKey) -> bool {
    let is_witness = |witness: &WitnessKey| witness.public() == key.public();
    state.cosigners.all().any(|signatories| {
        let mut witnesses = signatories.quorum().witnesses().iter();
        signatories.log().public() == key.public() || witnesses.any(is_witness)
    })
}

fn is_named(state: &State, key: &PublicKey) -> bool {
    let mut boards = state.network().genesis().boards.iter();
    let mut issuers = state.issuers().iter();
    boards.any(|board| board.key == *key)
        || issuers.any(|issuer| issuer.key == *key)
        || state.roots().keys.contains(key)
}

/// Members and keepers prove themselves with it.
fn proves(state: &State, key: PublicKey) -> bool {
    let factor = NewFactor::RequestKey { key }.id();
    state.facts().staff_factors.contains_key(&factor)
}

/// The key in a vkey.
pub(super) fn public(vkey: &str) -> Option<PublicKey> {
    let key: LogKey = vkey.parse().ok()?;
    PublicKey::ed25519(*key.public()).ok()
}

//! What a browser is to be asked for: the options of `navigator.credentials.get()` for one act, ready to be used.
//!
//! State knows a passkey by the digest of its credential id; the id itself stands in the entry that enrolled it.

use super::standing::{asked, read};
use crate::sequencer::Shared;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use portcullis_core::act::ActKind;
use portcullis_core::factor::{Factor, FactorKind, NewFactor};
use portcullis_core::id::{FactorId, PrincipalId};
use portcullis_core::passkey::challenge_for;
use portcullis_core::realm::Realm;
use portcullis_core::state::account::Owner;
use portcullis_core::{Act, Body, Digest, State as CoreState, Time};
use serde::Serialize;
use std::iter;

/// How long a browser may wait for its user, in milliseconds. An act expires by itself.
const TIMEOUT: u32 = 300_000;

/// `PublicKeyCredentialRequestOptionsJSON` (WebAuthn Level 3, section 5.1.9), for
/// `PublicKeyCredential.parseRequestOptionsFromJSON()`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RequestOptions {
    /// The act's own: base64url.
    challenge: String,
    rp_id: String,
    allow_credentials: Vec<Allowed>,
    user_verification: &'static str,
    timeout: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Allowed {
    #[serde(rename = "type")]
    kind: &'static str,
    /// Base64url.
    id: String,
}

/// The options for an act's own principal; none where it has no passkey that counts.
pub(super) fn options(shared: &Shared, act: &Act, now: Time) -> Option<RequestOptions> {
    options_for(shared, act, |state| {
        owner(act).map_or_else(Vec::new, |own| counting(state, own, now))
    })
}

/// The options for whichever principal of the account has not asserted the act yet.
pub(super) fn options_for_others(shared: &Shared, act: &Act, now: Time) -> Option<RequestOptions> {
    options_for(shared, act, |state| {
        let missing = missing(state, act).into_iter();
        missing
            .flat_map(|other| counting(state, other, now))
            .collect()
    })
}

fn options_for(
    shared: &Shared,
    act: &Act,
    counting: impl FnOnce(&CoreState) -> Vec<(FactorId, u64)>,
) -> Option<RequestOptions> {
    let known = shared.guarded(counting).ok()?;
    let made = known.into_iter().filter_map(|known| made(shared, known));
    let made: Vec<(Vec<u8>, String)> = made.collect();
    // A ceremony is for one relying party: the one for which the newest was made.
    let (_, rp_id) = made.last()?;
    let of_party = made.iter().filter(|(_, party)| party == rp_id);
    let allowed = of_party.map(|(credential, _)| Allowed {
        kind: "public-key",
        id: BASE64.encode(credential),
    });
    Some(RequestOptions {
        challenge: BASE64.encode(challenge_for(&act.digest().0)),
        rp_id: rp_id.clone(),
        allow_credentials: allowed.collect(),
        user_verification: "required",
        timeout: TIMEOUT,
    })
}

/// Principals of the act's account who do not stand behind it.
fn missing(state: &CoreState, act: &Act) -> Vec<Owner> {
    let facts = state.facts();
    let account = act.account.and_then(|id| Some((id, facts.account(id)?)));
    let Some((account, known)) = account else {
        return Vec::new();
    };
    let held = facts.held.get(&act.digest());
    let stands = |who: &PrincipalId| {
        let approval = held.and_then(|held| held.approvals.get(who));
        *who == act.principal || approval.is_some_and(|proof| facts.stands(proof))
    };
    let holders = known.holders.iter().map(|holder| holder.principal);
    let missing = holders.filter(|who| !stands(who));
    missing
        .map(|principal| Owner::Holder { account, principal })
        .collect()
}

/// A principal's passkeys that count now, the one enrolled last at the end.
fn counting(state: &CoreState, owner: Owner, now: Time) -> Vec<(FactorId, u64)> {
    let facts = state.facts();
    let time = facts.time.max(now);
    let counts = |factor: &&Factor| {
        factor.kind == FactorKind::Passkey
            && factor.available.is_at(time)
            && facts.is_current(owner, factor.kind, factor.epochs)
    };
    let passkeys = facts.factors(owner).iter().filter(counts);
    let mut passkeys: Vec<_> = passkeys.map(|known| (known.id, known.enrolled)).collect();
    passkeys.sort_unstable_by_key(|(_, enrolled)| *enrolled);
    passkeys
}

fn owner(act: &Act) -> Option<Owner> {
    let principal = act.principal;
    Some(match act.realm {
        Realm::Customers => Owner::Holder {
            account: act.account?,
            principal,
        },
        Realm::Staff => Owner::Member { principal },
    })
}

/// Credential id and relying party of a passkey, from the entry that enrolled it.
fn made(shared: &Shared, (id, enrolled): (FactorId, u64)) -> Option<(Vec<u8>, String)> {
    let factors = match read(shared, enrolled)?.body {
        Body::Genesis(signed) => {
            let genesis = signed.genesis;
            let members = genesis.administrators.into_iter().chain(genesis.staff);
            members.flat_map(|member| member.factors).collect()
        }
        Body::Act(said) => brought(said.act.kind),
        Body::Settle(settlement) => waited(shared, settlement.act),
        _ => Vec::new(),
    };
    let found = factors.into_iter().find(|factor| factor.id() == id)?;
    match found {
        NewFactor::Passkey {
            credential, rp_id, ..
        } => Some((credential, rp_id)),
        _ => None,
    }
}

/// What an act brings that took effect only once it had waited.
fn waited(shared: &Shared, act: Digest) -> Vec<NewFactor> {
    let entries = shared.index().act(act);
    let act = asked(shared, act, &entries);
    act.map_or_else(Vec::new, |act| brought(act.kind))
}

fn brought(kind: ActKind) -> Vec<NewFactor> {
    match kind {
        ActKind::OpenAccount(open) => {
            let also = open.imported.into_iter().flat_map(|import| import.also);
            iter::once(open.factor).chain(also).collect()
        }
        ActKind::EnrolFactor(enrol) => vec![enrol.factor],
        ActKind::Recover(recover) => vec![recover.factor],
        ActKind::AddPrincipal(add) => vec![add.factor],
        ActKind::GrantRole(grant) => grant.factor.into_iter().collect(),
        ActKind::RecoverAdministrators(recover) => {
            let members = recover.administrators.into_iter();
            members.flat_map(|member| member.factors).collect()
        }
        _ => Vec::new(),
    }
}

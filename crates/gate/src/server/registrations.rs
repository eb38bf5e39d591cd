//! The registration ceremony over HTTP. The challenge is the gate's, random, and serves once; what
//! comes of it is a factor for an enrol act to carry, and enrols nothing.

use super::problem::read_json;
use super::{Api, Problem, auth};
use crate::registration::{self, Conveyance, CreationOptions, Registrant, RegistrationResponse};
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use portcullis_core::passkey::CredentialId;
use portcullis_core::realm::{Realm, Role};
use portcullis_core::{Reason, Span, Time};
use serde::Deserialize;
use serde_json::json;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// How long a ceremony may take.
const CEREMONY: Span = Span::seconds(600);
/// Most ceremonies open at once.
const MAX_OPEN: usize = 100_000;

/// Open ceremonies, by challenge.
#[derive(Debug, Default)]
pub(super) struct Challenges {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    ceremonies: HashMap<[u8; 32], (Time, Realm)>,
    /// In the order in which they opened; those that are done with are skipped.
    order: VecDeque<(Time, [u8; 32])>,
}

impl Challenges {
    fn open(&self, challenge: [u8; 32], realm: Realm, now: Time) -> Result<(), Reason> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((time, old)) = open.order.front().copied() {
            if now.since(time) <= CEREMONY {
                break;
            }
            open.order.pop_front();
            open.ceremonies.remove(&old);
        }
        if open.order.len() >= MAX_OPEN {
            return Err(Reason::Busy);
        }
        open.ceremonies.insert(challenge, (now, realm));
        open.order.push_back((now, challenge));
        Ok(())
    }

    fn take(&self, challenge: &[u8; 32], now: Time) -> Option<Realm> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let (time, realm) = open.ceremonies.remove(challenge)?;
        (now.since(time) <= CEREMONY).then_some(realm)
    }
}

/// The body of `POST /v1/registrations/options`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    realm: Realm,
    rp_id: String,
    rp_name: String,
    /// The user handle, opaque, base64url.
    #[serde(with = "portcullis_core::text::base64url")]
    user: Vec<u8>,
    user_name: String,
    /// Credentials that the user has already: an authenticator that holds one makes no other.
    #[serde(default)]
    exclude: Vec<CredentialId>,
    /// Whether the client is to say what make the authenticator is.
    #[serde(default)]
    attestation: Conveyance,
}

/// `POST /v1/registrations/options`
pub(super) async fn options(
    State(api): State<Api>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    let caller = auth::role(&api, &parts, &body, &[Role::BackEnd, Role::Administrator])?;
    let ask: Ask = read_json(&body)?;
    {
        let state = api.shared().state();
        let party = state
            .network()
            .relying_party(ask.realm)
            .ok_or(Reason::WrongFactorParty)?;
        if !party.rp_ids.contains(&ask.rp_id) {
            return Err(Reason::WrongFactorParty.into());
        }
    }
    api.inner.nonces.spend(caller.nonce, api.now())?;
    let challenge = api.inner.random.array();
    api.inner.challenges.open(challenge, ask.realm, api.now())?;
    let user = Registrant {
        id: ask.user,
        name: ask.user_name.clone(),
        display_name: ask.user_name,
    };
    let options = CreationOptions::new(&ask.rp_id, &ask.rp_name, user, challenge)
        .excluding(ask.exclude)
        .conveying(ask.attestation);
    Ok(Json(options).into_response())
}

/// The body of `POST /v1/registrations`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finish {
    #[serde(with = "portcullis_core::text::base64url")]
    challenge: Vec<u8>,
    credential: RegistrationResponse,
}

/// `POST /v1/registrations`: the factor, for an `open-account` or `enrol-factor` act to carry.
pub(super) async fn finish(
    State(api): State<Api>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    auth::role(&api, &parts, &body, &[Role::BackEnd, Role::Administrator])?;
    let ceremony: Finish = read_json(&body)?;
    let challenge: [u8; 32] = ceremony
        .challenge
        .as_slice()
        .try_into()
        .map_err(|_| Reason::PasskeyChallenge)?;
    let realm = api.inner.challenges.take(&challenge, api.now());
    let realm = realm.ok_or(Reason::PasskeyChallenge)?;
    let state = api.shared().state();
    let party = state
        .network()
        .relying_party(realm)
        .ok_or(Reason::WrongFactorParty)?;
    let registered = registration::finish(&ceremony.credential, party, &challenge);
    let registered = registered.map_err(|fault| {
        tracing::info!(%fault, "a registration");
        fault.reason()
    })?;
    Ok(Json(
        json!({ "factor": registered.factor(), "attestation_format": registered.format.name() }),
    )
    .into_response())
}

//! Submitting acts and evidence.

use super::auth::Caller;
use super::idempotency::{Claim, Mine};
use super::nonces::Nonce;
use super::passkeys::{self, RequestOptions};
use super::problem::read_json;
use super::standing::{self, Answer, blocking};
use super::{Api, Problem, auth};
use crate::sequencer::{Outcome, What};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use portcullis_core::board::Posting;
use portcullis_core::decide::Decided;
use portcullis_core::decide::trial::try_out;
use portcullis_core::factor::FactorKind;
use portcullis_core::id::PrincipalId;
use portcullis_core::policy::Name;
use portcullis_core::{Decision, Digest, Evidence, Reason, codec, decide};
use serde::Serialize;

/// `POST /v1/acts`
pub(super) async fn submit(
    State(api): State<Api>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    let caller = auth::staff(&api, &parts, &body)?;
    let mut posting: Posting = read_json(&body)?;
    let digest = posting.act.digest();
    refuse_other(&parts, digest)?;
    refuse_stamped(&posting.evidence)?;
    let payload = Digest::plain(&codec::encode(&posting));
    let claim = claim(&api, &parts, &caller, payload)?;
    // An act that was accepted is answered with where it stands, under the same key too, whatever has
    // expired since: who asks again must not be told to make it anew, and pay twice.
    let act = posting.act.clone();
    if let Some(known) = standing::taken_before(&api, &act).await? {
        return Ok(known.into_response());
    }
    let claim = match claim {
        Claim::Done(taken) => return Ok(Answer::of(digest, taken).into_response()),
        Claim::Mine(claim) => claim,
    };
    posting.evidence.requests.push(caller.signed.clone());
    // Early, on this thread: signatures are checked and remembered, and what nobody signed never
    // reaches the queue.
    let (outcome, by_policy) = match early(&api, &posting) {
        Ok(by_policy) => {
            let who = (caller.principal, caller.nonce);
            let outcome = journal(&api, claim, who, What::Act(Box::new(posting))).await;
            (outcome, by_policy)
        }
        Err(reason) => (Err(reason), None),
    };
    match outcome {
        // It was decided on its way here, for another request.
        Err(Reason::Replayed) => match standing::taken_before(&api, &act).await? {
            Some(known) => Ok(known.into_response()),
            None => Err(Reason::Replayed.into()),
        },
        Err(reason) => match by_policy.filter(|by| by.reason == reason) {
            Some(by) => Ok(Problem::from(reason).naming(by.statements).into_response()),
            None => Err(reason.into()),
        },
        outcome => respond(digest, outcome),
    }
}

/// `POST /v1/acts:simulate`: what would become of an act, with the evidence that there is. Nothing is
/// journaled or used up, and the request is no evidence for the act.
pub(super) async fn simulate(
    State(api): State<Api>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    let caller = auth::reader(&api, &parts, &body)?;
    let mut posting: Posting = read_json(&body)?;
    refuse_stamped(&posting.evidence)?;
    let digest = posting.act.digest();
    refuse_other(&parts, digest)?;
    posting.evidence.requests.push(caller.signed);
    let now = api.now();
    let trial = blocking(move || {
        let shared = api.shared();
        let tried = shared.guarded(|state| {
            let time = state.facts().time.max(now);
            try_out(state, &posting.act, &posting.evidence, time, &shared.memo)
        })?;
        let by_passkey = tried.supposes == Some(FactorKind::Passkey);
        let options = by_passkey.then(|| passkeys::options(shared, &posting.act, now));
        Ok(Trial {
            digest,
            decision: tried.decision,
            supposes: tried.supposes,
            options: options.flatten(),
        })
    });
    Ok(Json(trial.await?).into_response())
}

/// What `POST /v1/acts:simulate` answers.
#[derive(Debug, Serialize)]
struct Trial {
    digest: Digest,
    /// What would be decided now.
    decision: Decision,
    /// The kind of factor that was supposed to have signed, where none has.
    #[serde(skip_serializing_if = "Option::is_none")]
    supposes: Option<FactorKind>,
    /// What to ask the principal's browser for, where that is a passkey.
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<RequestOptions>,
}

/// Take the idempotency key, where there is one: it is the caller's own.
fn claim(api: &Api, parts: &Parts, caller: &Caller, payload: Digest) -> Result<Claim, Problem> {
    let key = auth::header(&parts.headers, "idempotency-key");
    let key = key.map(|key| (caller.principal, key.to_owned()));
    api.inner.idempotency.claim(key, payload, api.now())
}

/// Who asks, by which request.
type Who = (PrincipalId, Nonce);

/// Journal, once, whether or not the client still waits: what is queued is journaled, and its key must
/// not be free before its outcome is known.
async fn journal(api: &Api, claim: Mine, caller: Who, what: What) -> Outcome {
    let (principal, nonce) = caller;
    let place = api.inner.places.of(principal)?;
    api.inner.nonces.spend(nonce, api.now())?;
    let api = api.clone();
    let work = async move {
        let _place = place;
        let outcome = api.journal(what).await;
        claim.settle(&outcome);
        if matches!(outcome, Err(reason) if reason.is_gates_own()) {
            api.inner.nonces.free(nonce);
        }
        outcome
    };
    tokio::spawn(work).await.unwrap_or(Err(Reason::Stopping))
}

/// The request names the act that its body brings: what the client signed is what we read.
fn refuse_other(parts: &Parts, digest: Digest) -> Result<(), Reason> {
    let named = auth::header(&parts.headers, "portcullis-act");
    if named == Some(digest.to_string().as_str()) {
        Ok(())
    } else {
        Err(Reason::DigestMismatch)
    }
}

/// Stamps are for the gate to find, on the boards: what a client says was posted is no posting.
fn refuse_stamped(evidence: &Evidence) -> Result<(), Reason> {
    match evidence.posted {
        Some(_) => Err(Reason::StampInvalid),
        None => Ok(()),
    }
}

/// A refusal by policy, and the statements that make it.
struct ByPolicy {
    reason: Reason,
    statements: Vec<Name>,
}

impl ByPolicy {
    fn of(decided: &Decided) -> Option<Self> {
        let Decision::Refuse { reason } = *decided.decision() else {
            return None;
        };
        let statements = decided.asked()?.answer.statements.clone();
        Some(Self { reason, statements })
    }
}

/// Refuse what is not authenticated before it costs anybody else anything. What the policy will refuse
/// is told by its statements, which the journal does not repeat.
fn early(api: &Api, posting: &Posting) -> Result<Option<ByPolicy>, Reason> {
    let (now, memo) = (api.now(), &api.shared().memo);
    let decided = api.shared().guarded(|state| {
        let time = state.facts().time.max(now);
        decide(state, &posting.act, &posting.evidence, time, memo)
    })?;
    match decided.decision() {
        // A checkpoint that leads the next batch may be the one that the act names.
        Decision::Refuse {
            reason: Reason::UnknownCheckpoint,
        } => Ok(None),
        Decision::Refuse { reason } if !decided.is_authenticated() => {
            api.count_refusal();
            Err(*reason)
        }
        _ => Ok(ByPolicy::of(&decided)),
    }
}

/// `POST /v1/acts/{digest}/evidence`
pub(super) async fn supplement(
    State(api): State<Api>,
    Path(digest): Path<String>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    let caller = auth::staff(&api, &parts, &body)?;
    let digest: Digest = digest.parse().map_err(|_| Reason::NotFound)?;
    let mut evidence: Evidence = read_json(&body)?;
    refuse_stamped(&evidence)?;
    let payload = Digest::plain(&codec::encode(&(digest, &evidence)));
    let claim = match claim(&api, &parts, &caller, payload)? {
        Claim::Done(taken) => return Ok(Answer::of(digest, taken).into_response()),
        Claim::Mine(claim) => claim,
    };
    // Who brings it is evidence too: whether they may, everybody judges again.
    evidence.requests.push(caller.signed);
    let what = What::Evidence(digest, Box::new(evidence));
    let who = (caller.principal, caller.nonce);
    let outcome = journal(&api, claim, who, what);
    respond(digest, outcome.await)
}

fn respond(digest: Digest, outcome: Outcome) -> Result<Response, Problem> {
    let taken = outcome.map_err(Problem::from)?;
    Ok(Answer::of(digest, taken).into_response())
}

//! Submitting acts and evidence.

use super::idempotency::Claim;
use super::{Api, Problem, auth};
use crate::sequencer::{Outcome, Taken, What};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use portcullis_core::board::Posting;
use portcullis_core::{Decision, Digest, Evidence, Reason, Time, decide};
use serde::Serialize;

/// The answer to an act that was taken.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Answer {
    /// The act's digest, as the gate computed it.
    digest: Digest,
    /// The journal entry.
    entry: u64,
    /// The entry's time.
    time: Time,
    /// What was decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<Decision>,
}

/// `POST /v1/acts`
pub(super) async fn submit(
    State(api): State<Api>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    let signed = auth::staff(&api, &parts, &body)?.signed;
    let mut posting: Posting =
        serde_json::from_slice(&body).map_err(|_| Problem(Reason::Malformed))?;
    let digest = posting.act.digest();
    let named = auth::header(&parts.headers, "portcullis-act");
    if named != Some(digest.to_string().as_str()) {
        return Err(Reason::DigestMismatch.into());
    }
    posting.evidence.requests.push(signed);
    // Early, on this thread: signatures are checked and remembered, and what nobody signed never
    // reaches the queue.
    early(&api, &posting)?;
    let key = auth::header(&parts.headers, "idempotency-key").map(str::to_owned);
    let claim = api.inner.idempotency.claim(key, digest, api.now())?;
    let claim = match claim {
        Claim::Done(taken) => return Ok(answer(digest, taken)),
        Claim::Mine(claim) => claim,
    };
    let outcome = api.journal(What::Act(Box::new(posting))).await;
    claim.settle(&outcome);
    respond(digest, outcome)
}

/// Refuse what is not authenticated before it costs anybody else anything.
fn early(api: &Api, posting: &Posting) -> Result<(), Problem> {
    let decided = {
        let state = api.shared().state();
        let time = state.facts().time.max(api.now());
        decide(
            &state,
            &posting.act,
            &posting.evidence,
            time,
            &api.shared().memo,
        )
    };
    match decided.decision() {
        // A checkpoint that leads the next batch may be the one that the act names, and an act
        // with this id may be asked about again under an idempotency key.
        Decision::Refuse {
            reason: Reason::UnknownCheckpoint | Reason::Replayed,
        } => Ok(()),
        Decision::Refuse { reason } if !decided.is_authenticated() => {
            api.count_refusal();
            Err(Problem(*reason))
        }
        _ => Ok(()),
    }
}

/// `POST /v1/acts/{digest}/evidence`
pub(super) async fn supplement(
    State(api): State<Api>,
    Path(digest): Path<String>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    let signed = auth::staff(&api, &parts, &body)?.signed;
    let digest: Digest = digest.parse().map_err(|_| Reason::NotFound)?;
    let mut evidence: Evidence = serde_json::from_slice(&body).map_err(|_| Reason::Malformed)?;
    // Who brings it is evidence too: whether they may, everybody judges again.
    evidence.requests.push(signed);
    let outcome = api
        .journal(What::Evidence(digest, Box::new(evidence)))
        .await;
    respond(digest, outcome)
}

fn respond(digest: Digest, outcome: Outcome) -> Result<Response, Problem> {
    outcome.map(|taken| answer(digest, taken)).map_err(Problem)
}

fn answer(digest: Digest, taken: Taken) -> Response {
    let status = match taken.decision {
        Some(Decision::Hold { .. }) => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    let Taken {
        entry,
        time,
        decision,
    } = taken;
    (
        status,
        Json(Answer {
            digest,
            entry,
            time,
            decision,
        }),
    )
        .into_response()
}

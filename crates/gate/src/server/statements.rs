//! Keepers' statements.

use super::{Api, MAX_BODY, Problem};
use crate::sequencer::What;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use portcullis_core::report::{MAX_STATEMENTS, Report, Verdicts};
use portcullis_core::statement::SignedStatement;
use portcullis_core::{Reason, codec};

/// `POST /v1/statements`: canonical CBOR; signed by the keeper, so nothing else authenticates it.
///
/// Each stands for itself: one that is refused keeps no other from the journal. They are answered once
/// they wait for their places there: a keeper believes no answer, and says again what its own replica
/// lacks, so that waiting for the disk would only hold it up.
pub(super) async fn take(State(api): State<Api>, body: Bytes) -> Result<Response, Problem> {
    let Report(statements) = codec::decode(&body, MAX_BODY).map_err(|_| Reason::Malformed)?;
    if statements.is_empty() || statements.len() > MAX_STATEMENTS {
        return Err(Reason::Malformed.into());
    }
    let mut outcomes = Vec::with_capacity(statements.len());
    for signed in statements {
        outcomes.push(take_one(&api, signed));
        // A report keeps nobody waiting for longer than a statement would.
        tokio::task::yield_now().await;
    }
    let verdicts = codec::encode(&Verdicts::of(&outcomes));
    let kind = [(CONTENT_TYPE, "application/cbor")];
    Ok((StatusCode::ACCEPTED, kind, verdicts).into_response())
}

/// Anybody can post here: what no keeper signed does not reach the queue, nor what the journal has, which
/// anybody can read there.
fn take_one(api: &Api, signed: SignedStatement) -> Result<(), Reason> {
    let shared = api.shared();
    let (is_accepted, is_news) = shared.guarded(|state| {
        let is_news = state.is_news(&signed);
        (state.accepts(&signed, &shared.memo), is_news)
    })?;
    match (is_accepted, is_news) {
        (false, _) => Err(Reason::StatementRefused),
        (true, false) => Ok(()),
        (true, true) => api.queue(What::Statement(Box::new(signed))).map(drop),
    }
}

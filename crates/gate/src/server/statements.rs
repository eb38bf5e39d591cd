//! Keepers' statements.

use super::{Api, Problem};
use crate::sequencer::What;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_core::statement::SignedStatement;
use portcullis_core::{Reason, codec};

/// Most bytes of a statement.
const MAX_STATEMENT: usize = 32 * 1024;

/// `POST /v1/statements`: canonical CBOR; signed by the keeper, so nothing else authenticates it.
pub(super) async fn take(State(api): State<Api>, body: Bytes) -> Result<StatusCode, Problem> {
    let signed: SignedStatement =
        codec::decode(&body, MAX_STATEMENT).map_err(|_| Problem(Reason::Malformed))?;
    // Anybody can post here: what no keeper signed does not reach the queue.
    let shared = api.shared();
    let accepted = shared.guarded(|state| state.accepts(&signed, &shared.memo))?;
    if !accepted {
        return Err(Reason::StatementRefused.into());
    }
    api.journal(What::Statement(Box::new(signed)))
        .await
        .map_err(Problem)?;
    Ok(StatusCode::OK)
}

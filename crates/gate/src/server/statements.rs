//! Keepers' statements.

use super::{Api, Problem};
use crate::sequencer::What;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use portcullis_core::statement::{MAX_STATEMENTS, Statements};
use portcullis_core::{Reason, codec};

/// `POST /v1/statements`: canonical CBOR; signed by keepers, so nothing else authenticates it.
///
/// Answered once they wait for the journal: a keeper believes no answer, and says again what it does
/// not find in its own replica.
pub(super) async fn take(State(api): State<Api>, body: Bytes) -> Result<StatusCode, Problem> {
    let Statements(mut all) =
        codec::decode(&body, super::MAX_BODY).map_err(|_| Problem(Reason::Malformed))?;
    if all.is_empty() || all.len() > MAX_STATEMENTS {
        return Err(Reason::Malformed.into());
    }
    // Anybody can post here: what no keeper signed does not reach the queue.
    let accepted = {
        let shared = api.shared();
        let state = shared.state();
        let sent = all.len();
        all.retain(|signed| state.accepts(signed, &shared.memo));
        all.len() == sent
    };
    if !all.is_empty() {
        api.queue(What::Statements(all))?;
    }
    if accepted {
        Ok(StatusCode::ACCEPTED)
    } else {
        Err(Reason::StatementRefused.into())
    }
}

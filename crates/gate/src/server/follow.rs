//! What followers read: entries in a row under the newest cosigned checkpoint.

use super::{Api, Problem};
use crate::published::Witnessed;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use portcullis_core::follow::{FollowAnswer, MAX_ANSWER};
use portcullis_core::{Reason, codec};
use serde::Deserialize;
use std::time::Duration;

/// Longest wait for something new.
const MAX_WAIT: u64 = 10_000;
/// Bytes of entries in one answer; the rest is room for the note and the encoding.
const ENTRY_BYTES: usize = MAX_ANSWER / 2;

/// The query of `GET /log/follow`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    from: u64,
    #[serde(default)]
    wait: u64,
}

/// `GET /log/follow?from=N&wait=MS`
pub(super) async fn follow(
    State(api): State<Api>,
    Query(ask): Query<Ask>,
) -> Result<Response, Problem> {
    let newest = newest(&api, &ask).await.ok_or(Reason::WitnessesStale)?;
    let end = newest.head.size.max(ask.from);
    let view = api.shared().view.clone();
    let read = move || view.entries(ask.from..end, ENTRY_BYTES);
    let entries = tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| Reason::Stopping)?;
    let entries = entries.map_err(|error| {
        tracing::error!(%error, "cannot read the journal for a follower");
        Reason::Stopping
    })?;
    let answer = FollowAnswer {
        checkpoint: newest.note.to_vec(),
        from: ask.from,
        entries: entries.iter().map(|entry| entry.to_vec().into()).collect(),
    };
    let headers = [(CONTENT_TYPE, "application/cbor")];
    Ok((headers, codec::encode(&answer)).into_response())
}

/// The newest checkpoint, once it covers an entry that the follower lacks or the wait is over.
async fn newest(api: &Api, ask: &Ask) -> Option<Witnessed> {
    let mut watch = api.shared().published.watch();
    let wait = Duration::from_millis(ask.wait.min(MAX_WAIT));
    let has_news = |newest: &Option<Witnessed>| {
        newest
            .as_ref()
            .is_some_and(|newest| newest.head.size > ask.from)
    };
    let _ = tokio::time::timeout(wait, watch.wait_for(has_news)).await;
    api.shared().published.newest()
}

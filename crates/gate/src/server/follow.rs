//! What followers read: entries in a row under the newest cosigned checkpoint.

use super::bounds::Room;
use super::{Api, Problem};
use crate::published::Witnessed;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use portcullis_core::follow::{FollowAnswer, MAX_ANSWER};
use portcullis_core::{Reason, codec};
use portcullis_host::listen::Peer;
use portcullis_journal::{ReadError, View};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for something new.
const MAX_WAIT: u64 = 10_000;
/// Most bytes of entries in one answer; the rest is room for the note and the encoding.
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
    peer: Peer,
    Query(ask): Query<Ask>,
) -> Result<Response, Problem> {
    // Waiting holds no place for reading.
    let newest = newest(&api, peer, &ask)
        .await
        .ok_or(Reason::WitnessesStale)?;
    let places = &api.inner.places;
    let place = places.to_read(peer).await?;
    let (room, view) = (places.room(ENTRY_BYTES), Arc::clone(&api.shared().view));
    let read = move || {
        let _place = place;
        answer(&view, &newest, ask.from, room)
    };
    let answer = tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| Reason::Stopping)?;
    let answer = answer.map_err(|error| {
        tracing::error!(%error, "cannot read the journal for a follower");
        Reason::Stopping
    })?;
    Ok(([(CONTENT_TYPE, "application/cbor")], answer).into_response())
}

/// The entries from there that there is room for.
fn answer(view: &View, newest: &Witnessed, from: u64, room: Room) -> Result<Bytes, ReadError> {
    let end = newest.head.size.max(from);
    let entries = view.entries(from..end, room.bytes())?;
    let answer = FollowAnswer {
        checkpoint: newest.note.to_vec(),
        from,
        entries: entries.iter().map(|entry| entry.to_vec().into()).collect(),
    };
    Ok(room.hold(codec::encode(&answer)))
}

/// The newest checkpoint, once it covers an entry that the follower lacks or the wait is over.
async fn newest(api: &Api, peer: Peer, ask: &Ask) -> Option<Witnessed> {
    let published = &api.shared().published;
    let wait = Duration::from_millis(ask.wait.min(MAX_WAIT));
    let has_news = |newest: &Option<Witnessed>| {
        newest
            .as_ref()
            .is_some_and(|newest| newest.head.size > ask.from)
    };
    if let Some(_place) = api.inner.places.to_wait(peer) {
        let _ = tokio::time::timeout(wait, published.watch().wait_for(has_news)).await;
    }
    published.newest()
}

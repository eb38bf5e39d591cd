//! What followers read: entries in a row under the newest cosigned checkpoint.

use super::bounds::Room;
use super::{Api, Problem};
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use portcullis_core::follow::{FollowAnswer, MAX_ANSWER};
use portcullis_core::{Body, Entry, Reason, codec};
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
    let wait = Duration::from_millis(ask.wait.min(MAX_WAIT));
    let newest = api.news(peer, ask.from, wait).await;
    let newest = newest.ok_or(Reason::WitnessesStale)?;
    let places = &api.inner.places;
    let place = places.to_read(peer).await?;
    let (room, view) = (places.room(ENTRY_BYTES), Arc::clone(&api.shared().view));
    let handover = handover_ahead(&api, ask.from, newest.head.size);
    let read = move || {
        let _place = place;
        let head = match handover {
            Some(handover) => handover.head(&view)?,
            None => (newest.head.size, newest.note.to_vec()),
        };
        answer(&view, head, ask.from, room)
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

/// The last checkpoint of witnesses of before whom a follower at that entry still goes by: it cannot know of
/// others until it has read of them.
fn handover_ahead(api: &Api, from: u64, newest: u64) -> Option<Sealed> {
    let state = api.shared().state();
    let mut handovers = state.handovers().iter();
    let ahead =
        handovers.find(|handover| (from.saturating_add(1)..newest).contains(&handover.last()))?;
    Some(Sealed {
        size: ahead.last(),
        entry: ahead.sealed?,
    })
}

/// Where the journal has such a checkpoint.
struct Sealed {
    size: u64,
    entry: u64,
}

impl Sealed {
    fn head(&self, view: &View) -> Result<(u64, Vec<u8>), ReadError> {
        let entry = view.entry(self.entry)?;
        let note = match Entry::from_bytes(&entry).map(|entry| entry.body) {
            Ok(Body::Checkpoint(note)) => note,
            // What state says of an entry is so; a follower takes nothing of an empty note.
            _ => Vec::new(),
        };
        Ok((self.size, note))
    }
}

/// The entries from there that there is room for.
fn answer(
    view: &View,
    (size, checkpoint): (u64, Vec<u8>),
    from: u64,
    room: Room,
) -> Result<Bytes, ReadError> {
    let end = size.max(from);
    let entries = view.entries(from..end, room.bytes())?;
    let answer = FollowAnswer {
        checkpoint,
        from,
        entries: entries.iter().map(|entry| entry.to_vec().into()).collect(),
    };
    Ok(room.hold(codec::encode(&answer)))
}

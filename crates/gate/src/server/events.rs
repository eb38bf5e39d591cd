//! What happened, entry by entry: pages behind a cursor, which are the truth, and a stream that says sooner
//! that there is a new page.

use super::auth::Caller;
use super::bounds::Reading;
use super::{Api, Problem, auth};
use crate::events::Event;
use crate::history::Page;
use crate::published::Witnessed;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use portcullis_core::Reason;
use portcullis_host::listen::{Peer, Share};
use serde::Deserialize;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Longest wait for something new.
const MAX_WAIT: u64 = 30_000;
/// Most entries that one page looks at, and as many as it looks at unless told.
const MOST: u64 = 1_000;

/// The query of `GET /v1/events`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ask {
    /// Those of the entries after this one; from the beginning where it is left out.
    after: Option<u64>,
    /// How many entries to look at.
    limit: Option<u64>,
    /// How many milliseconds to wait for something new.
    #[serde(default)]
    wait: u64,
}

/// `GET /v1/events?after=ENTRY&limit=N&wait=MS`
///
/// Only of entries under a cosigned checkpoint: what was told once is never otherwise.
pub(super) async fn page(
    State(api): State<Api>,
    peer: Peer,
    Query(ask): Query<Ask>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    let caller = auth::reader(&api, &parts, &body)?;
    let from = behind(ask.after);
    let limit = ask.limit.unwrap_or(MOST).clamp(1, MOST);
    let wait = Duration::from_millis(ask.wait.min(MAX_WAIT));
    api.news(peer, from, wait).await;
    let page = read(&api, peer, from, limit).await?;
    if !auth::still_reads(&api, &caller) {
        return Err(Reason::RoleMissing.into());
    }
    Ok(Json(page).into_response())
}

/// `GET /v1/events/stream?after=ENTRY`: server-sent events, each with its entry as the id, so that a
/// client that comes back with `Last-Event-ID` misses nothing.
pub(super) async fn stream(
    State(api): State<Api>,
    peer: Peer,
    Query(ask): Query<Ask>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    let caller = auth::reader(&api, &parts, &body)?;
    let last = auth::header(&parts.headers, "last-event-id");
    let last = last.map(|id| id.parse().map_err(|_| Reason::Malformed));
    let from = behind(last.transpose()?.or(ask.after));
    let follower = Follower {
        _place: api.inner.places.to_wait(peer).ok_or(Reason::Busy)?,
        news: api.shared().published.watch(),
        ready: VecDeque::new(),
        caller,
        api,
        peer,
        from,
    };
    let events = futures_util::stream::unfold(follower, |mut follower| async {
        let event = follower.next().await?;
        Some((sent(&event), follower))
    });
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response())
}

/// The first entry behind this one.
fn behind(after: Option<u64>) -> u64 {
    after.map_or(0, |after| after.saturating_add(1))
}

fn sent(event: &Event) -> Result<sse::Event, axum::Error> {
    let id = event.entry.to_string();
    sse::Event::default().id(id).json_data(event)
}

/// Whoever reads a stream; gone as soon as the connection is.
struct Follower {
    _place: Share<Peer>,
    news: watch::Receiver<Option<Witnessed>>,
    ready: VecDeque<Event>,
    caller: Caller,
    api: Api,
    peer: Peer,
    /// The next entry to look at.
    from: u64,
}

impl Follower {
    /// The next event, once there is one; none where the gate stops, or who reads has lost the right to.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let page = read(&self.api, self.peer, self.from, MOST).await.ok()?;
            // Behind the reading: what ends the right stands in the journal before what comes after it.
            if !auth::still_reads(&self.api, &self.caller) {
                return None;
            }
            self.from = page.next.map_or(self.from, |next| next + 1);
            self.ready.extend(page.events);
            if self.ready.is_empty() && !page.more {
                let from = self.from;
                let news = self
                    .news
                    .wait_for(|newest| newest.as_ref().is_some_and(|n| n.covers(from)));
                news.await.ok()?;
            }
        }
    }
}

async fn read(api: &Api, peer: Peer, from: u64, limit: u64) -> Result<Page, Problem> {
    let place: Reading = api.inner.places.to_read(peer).await?;
    let shared = Arc::clone(&api.inner.shared);
    let read = move || {
        let _place = place;
        Page::read(&shared, from, limit)
    };
    let done = tokio::task::spawn_blocking(read).await;
    let page = done.map_err(|_| Reason::Panicked)?;
    page.map_err(|error| {
        tracing::error!(%error, "cannot read the journal for its events");
        Reason::Stopping.into()
    })
}

//! Label sets: which are in force, their bytes for whoever decides, and the bytes of one that is to be
//! proposed.

use super::{Api, Problem, auth};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use portcullis_core::follow::LABELS_PIECE;
use portcullis_core::labels::{MAX_SET, Opened};
use portcullis_core::realm::Role;
use portcullis_core::{Digest, Reason};
use portcullis_host::listen::Peer;
use portcullis_journal::LabelFiles;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Sets that were put here and that no act has named yet: the oldest gives way.
const UNNAMED: usize = 4;

/// Bytes on their way in: one set at a time.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    coming: Mutex<Coming>,
    unnamed: Mutex<VecDeque<Digest>>,
}

#[derive(Debug, Default)]
struct Coming {
    of: Option<Digest>,
    bytes: Vec<u8>,
}

/// The query of a piece.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Piece {
    #[serde(default)]
    from: u64,
    /// Whether it is the last, of one that is put.
    #[serde(default)]
    last: bool,
}

/// What a piece that was put came to.
#[derive(Debug, Serialize)]
struct Put {
    /// Of which byte on the next piece is to be; begin again where that is 0.
    next: u64,
    /// Whether the set is whole, and here.
    whole: bool,
}

/// `GET /v1/labels`: the sets in force, as `set-labels` replaces them.
pub(super) async fn lists(State(api): State<Api>) -> Response {
    let state = api.shared().state();
    let lists = state.facts().labels.as_ref();
    Json(json!({ "lists": lists.cloned().unwrap_or_default() })).into_response()
}

/// `GET /v1/labels/{digest}?from=N`: a piece of a set; the last is shorter than the others. For everybody, as
/// entries are: who decides needs it, and has its digest from the journal.
pub(super) async fn give(
    State(api): State<Api>,
    peer: Peer,
    Path(digest): Path<String>,
    Query(piece): Query<Piece>,
) -> Result<Response, Problem> {
    let digest: Digest = digest.parse().map_err(|_| Reason::NotFound)?;
    let place = api.inner.places.to_read(peer).await?;
    let read = {
        let api = api.clone();
        move || read_piece(&api, digest, piece.from)
    };
    let read = tokio::task::spawn_blocking(read).await;
    let bytes = read
        .map_err(|_| Reason::Stopping)?
        .ok_or(Reason::NotFound)?;
    drop(place);
    let heads = [
        (CONTENT_TYPE, "application/octet-stream"),
        (CACHE_CONTROL, "public, immutable, max-age=31536000"),
    ];
    Ok((heads, api.inner.places.hold(bytes)?).into_response())
}

/// From memory where the set is in force, from its file otherwise.
fn read_piece(api: &Api, digest: Digest, from: u64) -> Option<Vec<u8>> {
    let held = {
        let state = api.shared().state();
        let opened = state.shelf().get(&digest);
        opened.and_then(Opened::set_if_one).cloned()
    };
    if let Some(set) = held {
        let from = usize::try_from(from).ok()?;
        let rest = set.as_bytes().get(from..)?;
        return Some(rest.get(..LABELS_PIECE).unwrap_or(rest).to_vec());
    }
    let files = api.shared().view.labels();
    let piece = files.piece(digest, from, LABELS_PIECE);
    piece.unwrap_or_else(|error| {
        tracing::error!(%error, "a label set");
        None
    })
}

/// `POST /v1/labels/{digest}?from=N&last=true`: a piece of a set that is to be proposed, by an administrator.
pub(super) async fn put(
    State(api): State<Api>,
    Path(digest): Path<String>,
    Query(piece): Query<Piece>,
    parts: Parts,
    body: Bytes,
) -> Result<Response, Problem> {
    let caller = auth::role(&api, &parts, &body, &[Role::Administrator])?;
    let digest: Digest = digest.parse().map_err(|_| Reason::NotFound)?;
    api.inner.nonces.spend(caller.nonce, api.now())?;
    if api.shared().view.labels().has(digest) {
        return Ok(Json(Put {
            next: 0,
            whole: true,
        })
        .into_response());
    }
    let taken = api.inner.uploads.take(digest, piece.from, &body)?;
    let next = match taken {
        Taken::All(bytes) if piece.last => {
            let keep = move || keep(&api, digest, bytes);
            let kept = tokio::task::spawn_blocking(keep).await;
            kept.map_err(|_| Reason::Stopping)??;
            return Ok(Json(Put {
                next: 0,
                whole: true,
            })
            .into_response());
        }
        Taken::All(bytes) => api.inner.uploads.put_back(digest, bytes),
        Taken::Elsewhere(next) => next,
    };
    let whole = false;
    Ok(Json(Put { next, whole }).into_response())
}

/// What a piece came to.
enum Taken {
    /// All bytes up to its end.
    All(Vec<u8>),
    /// It is not the next: that begins there.
    Elsewhere(u64),
}

impl Uploads {
    fn take(&self, digest: Digest, from: u64, piece: &[u8]) -> Result<Taken, Reason> {
        let mut coming = locked(&self.coming);
        if from == 0 {
            *coming = Coming {
                of: Some(digest),
                bytes: Vec::new(),
            };
        }
        let there = coming.bytes.len();
        if coming.of != Some(digest) || u64::try_from(there) != Ok(from) {
            // Somebody else's set has taken the place, or the gate has started again.
            let own = coming.of.filter(|of| *of == digest).map(|_| there as u64);
            return Ok(Taken::Elsewhere(own.unwrap_or(0)));
        }
        if there.saturating_add(piece.len()) > MAX_SET {
            *coming = Coming::default();
            return Err(Reason::TooLarge);
        }
        coming.bytes.extend_from_slice(piece);
        Ok(Taken::All(core::mem::take(&mut coming.bytes)))
    }

    /// More is to come. Says where it begins.
    fn put_back(&self, digest: Digest, bytes: Vec<u8>) -> u64 {
        let mut coming = locked(&self.coming);
        let next = bytes.len() as u64;
        // Unless another has begun meanwhile.
        if coming.of == Some(digest) && coming.bytes.is_empty() {
            coming.bytes = bytes;
        }
        next
    }
}

/// Only what is a set is kept, and only so many that nobody proposes.
fn keep(api: &Api, digest: Digest, bytes: Vec<u8>) -> Result<(), Problem> {
    let opened = Opened::named(digest, bytes);
    let opened = opened.map_err(|fault| Problem::at(Reason::LabelsMalformed, &fault))?;
    let set = opened
        .set()
        .map_err(|fault| Problem::at(Reason::LabelsMalformed, &fault))?;
    let view = &api.shared().view;
    let kept = view.labels().keep(digest, set.as_bytes());
    kept.map_err(|error| {
        tracing::error!(%error, "a label set");
        Reason::JournalFull
    })?;
    let mut unnamed = locked(&api.inner.uploads.unnamed);
    unnamed.retain(|known| *known != digest && !api.shared().is_named(*known));
    unnamed.push_back(digest);
    if unnamed.len() > UNNAMED
        && let Some(oldest) = unnamed.pop_front()
    {
        forget(view.labels(), oldest);
    }
    Ok(())
}

fn forget(files: LabelFiles<'_>, digest: Digest) {
    if let Err(error) = files.forget(digest) {
        tracing::warn!(%error, "a label set that nobody proposed");
    }
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

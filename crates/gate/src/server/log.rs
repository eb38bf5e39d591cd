//! The journal as C2SP tlog-tiles.

use super::{Api, Problem};
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use portcullis_core::Reason;
use portcullis_host::listen::Peer;
use portcullis_tlog::{TileKind, TilePath};
use std::sync::Arc;

const FOREVER: &str = "public, max-age=31536000, immutable";

/// `GET /log/checkpoint`: the newest checkpoint that a quorum cosigned.
pub(super) async fn checkpoint(State(api): State<Api>) -> Result<Response, Problem> {
    let newest = api
        .shared()
        .published
        .newest()
        .ok_or(Reason::WitnessesStale)?;
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, newest.note.to_vec()).into_response())
}

/// `GET /log/tile/…`: a tile or an entry bundle. What was never cosigned is not shown.
pub(super) async fn tile(
    State(api): State<Api>,
    peer: Peer,
    Path(path): Path<String>,
) -> Result<Response, Problem> {
    let path: TilePath = format!("tile/{path}")
        .parse()
        .map_err(|_| Reason::NotFound)?;
    let shown = api
        .shared()
        .published
        .newest()
        .map_or(0, |newest| newest.head.size);
    if leaves(path).is_none_or(|leaves| leaves > shown) {
        return Err(Reason::NotFound.into());
    }
    let places = &api.inner.places;
    let (place, view) = (places.to_read(peer).await?, Arc::clone(&api.shared().view));
    let read = move || {
        let _place = place;
        view.tile(path)
    };
    let bytes = tokio::task::spawn_blocking(read)
        .await
        .map_err(|_| Reason::Stopping)?
        .map_err(|_| Reason::NotFound)?;
    let bytes = places.hold(bytes)?;
    let headers = [
        (CONTENT_TYPE, "application/octet-stream"),
        (CACHE_CONTROL, FOREVER),
    ];
    Ok((headers, bytes).into_response())
}

/// How many entries the journal has to have for the tile.
fn leaves(path: TilePath) -> Option<u64> {
    let level = match path.kind() {
        TileKind::Hashes(level) => u32::from(level),
        TileKind::Entries => 0,
    };
    let end = path.first().checked_add(path.width().into())?;
    end.checked_mul(256_u64.checked_pow(level)?)
}

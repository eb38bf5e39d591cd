//! Beside a platform that runs: files that come into a folder, and copies over HTTP.

use super::{Desk, Pages, files_in, tell};
use crate::door::{Hosts, Stranger};
use crate::failure::{Exit, Failure};
use crate::out::{say, warn};
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::post;
use portcullis_host::listen::{Bounds, accept};
use portcullis_shadow::Answer;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::interval;

/// How often folders are looked at.
const LOOKS: Duration = Duration::from_secs(1);
/// Every so many looks the report is written anew, where there is news.
const WRITES: u64 = 10;
/// Most bytes of copies in one request.
const MAX_BODY: usize = 1 << 20;
const BOUNDS: Bounds = Bounds {
    connections: 64,
    per_peer: 64,
    headers_within: Duration::from_secs(10),
    answer_within: Duration::from_secs(30),
};

/// What is looked at until somebody ends it.
pub(super) struct Live {
    desk: Mutex<Desk>,
    folders: Vec<PathBuf>,
    pages: Pages,
}

impl Live {
    pub(super) fn new(desk: Desk, folders: Vec<PathBuf>, pages: Pages) -> Self {
        Self {
            desk: Mutex::new(desk),
            folders,
            pages,
        }
    }

    /// Go on until a signal comes; the report is written once more then. These files have been read.
    pub(super) fn run(self, read: Vec<PathBuf>, listen: Option<SocketAddr>) -> Result<(), Failure> {
        let failed = |error: std::io::Error| Failure::new(Exit::Stopped, error, "start it again");
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.enable_all().build().map_err(failed)?;
        let live = Arc::new(self);
        runtime.block_on(async {
            let mut end = signal(SignalKind::terminate()).map_err(failed)?;
            let watched = watch(Arc::clone(&live), read.into_iter().collect());
            let copied = copies(Arc::clone(&live), listen);
            tokio::select! {
                ended = watched => ended,
                ended = copied => ended,
                _ = tokio::signal::ctrl_c() => Ok(()),
                _ = end.recv() => Ok(()),
            }
        })?;
        live.write()?;
        tell(&live.desk().report(), live.pages.page.path());
        Ok(())
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> Result<(), Failure> {
        let report = self.desk().report();
        self.pages.write(&report)
    }
}

async fn watch(live: Arc<Live>, mut seen: BTreeSet<PathBuf>) -> Result<(), Failure> {
    let (mut looks, mut written) = (interval(LOOKS), live.desk().rows());
    for turn in 1_u64.. {
        looks.tick().await;
        let mut new = files_in(&live.folders)?;
        new.retain(|path| seen.insert(path.clone()));
        if !new.is_empty() {
            live.desk().read(&new, None)?;
        }
        let rows = live.desk().rows();
        if rows > written && turn.is_multiple_of(WRITES) {
            written = rows;
            live.write()?;
        }
    }
    Ok(())
}

/// Copies of withdrawals, on this host alone: they say who withdraws what.
async fn copies(live: Arc<Live>, listen: Option<SocketAddr>) -> Result<(), Failure> {
    let Some(address) = listen else {
        return std::future::pending().await;
    };
    if !address.ip().is_loopback() {
        let what = format!("{address} is not of this host");
        return Err(Failure::usage(
            what,
            "listen on 127.0.0.1, behind what you trust",
        ));
    }
    let unheard =
        |error: std::io::Error| Failure::usage(format!("{address}: {error}"), "name another");
    let listener = TcpListener::bind(address).await.map_err(unheard)?;
    let address = listener.local_addr().map_err(unheard)?;
    say(format_args!("copies   POST http://{address}/withdrawals"));
    let router = Router::new()
        .route("/withdrawals", post(judge))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(
            Arc::new(Hosts::of(address)),
            pass,
        ))
        .with_state(live);
    let connections = hyper_util::server::graceful::GracefulShutdown::new();
    accept(&listener, &router, BOUNDS, &connections).await;
    Ok(())
}

/// No page, and nobody who calls this host by another name.
async fn pass(State(hosts): State<Arc<Hosts>>, request: Request, next: Next) -> Response {
    match hosts.admit(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(stranger) => {
            let status = match &stranger {
                Stranger::Host(_) => StatusCode::MISDIRECTED_REQUEST,
                Stranger::Browser => StatusCode::FORBIDDEN,
            };
            problem(status, &stranger.to_string())
        }
    }
}

/// What would have become of each, in the order in which they came.
async fn judge(State(live): State<Arc<Live>>, body: Result<Bytes, BytesRejection>) -> Response {
    let body = match body {
        Ok(body) => body,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            let what = format!("a body is at most {MAX_BODY} bytes: send fewer copies at once");
            return problem(StatusCode::PAYLOAD_TOO_LARGE, &what);
        }
        Err(rejection) => return problem(rejection.status(), &rejection.body_text()),
    };
    let answers = live.desk().copy(&body);
    if answers.is_empty() {
        let what = "the body is empty: send a JSON object, or several, one on each line";
        return problem(StatusCode::UNPROCESSABLE_ENTITY, what);
    }
    if answers.iter().any(Answer::is_unread) {
        warn("a copy could not be read; the report says why");
    }
    let status = if answers.iter().all(Answer::is_unread) {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    (status, Json(answers)).into_response()
}

/// A request of which nothing was judged (RFC 9457).
fn problem(status: StatusCode, detail: &str) -> Response {
    let body = serde_json::json!({
        "status": status.as_u16(),
        "title": status.canonical_reason(),
        "detail": detail,
    });
    let json = [(axum::http::header::CONTENT_TYPE, "application/problem+json")];
    (status, json, Json(body)).into_response()
}

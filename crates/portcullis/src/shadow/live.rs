//! Beside a platform that runs: files that come into a folder, and copies over HTTP.

use super::{Desk, Folders, Pages, Part, tell};
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
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Interval, interval};

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

/// How long what is being read may take to end.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// What is looked at until somebody ends it.
pub(super) struct Live {
    desk: Desk,
    folders: Mutex<Folders>,
    pages: Pages,
}

impl Live {
    pub(super) fn new(desk: Desk, folders: Folders, pages: Pages) -> Self {
        Self {
            desk,
            folders: Mutex::new(folders),
            pages,
        }
    }

    /// Read these files, then go on until a signal comes. However it ends, the report is written once more then.
    pub(super) fn run(
        self,
        named: Vec<PathBuf>,
        listen: Option<SocketAddr>,
    ) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = { runtime }.enable_all().build().map_err(|e| failed(&e))?;
        let live = Arc::new(self);
        let ended = runtime.block_on(async {
            let mut end = signal(SignalKind::terminate()).map_err(|e| failed(&e))?;
            tokio::select! {
                ended = work(&live, named, listen) => ended,
                _ = tokio::signal::ctrl_c() => Ok(()),
                _ = end.recv() => Ok(()),
            }
        });
        live.desk.end();
        runtime.shutdown_timeout(ENDS_WITHIN);
        live.close(ended)
    }

    /// Look at the folders once more, and read what has come to rest.
    fn look(&self, is_first: bool) -> Result<(), Failure> {
        let mut folders = self.folders();
        let mut parts = folders.look();
        if parts.is_empty() {
            return Ok(());
        }
        if is_first {
            self.desk.read(&mut parts, None)?;
        } else {
            self.desk.read_more(&mut parts)?;
        }
        folders.note(parts);
        Ok(())
    }

    fn close(&self, ended: Result<(), Failure>) -> Result<(), Failure> {
        self.desk.cut_unfinished();
        if let Err(failure) = ended {
            // Where nothing was read there is nothing to say.
            return Err(if self.desk.rows() > 0 && self.write().is_ok() {
                failure.keeping("The report is written.")
            } else {
                failure
            });
        }
        if let Ok(folders) = self.folders.try_lock() {
            for path in folders.unread() {
                let path = path.display();
                self.desk.cut(format!(
                    "{path} was still being written, and was not read as it is now"
                ));
            }
        }
        self.write()?;
        tell(&self.desk.report(), self.pages.page.path());
        Ok(())
    }

    fn folders(&self) -> MutexGuard<'_, Folders> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> Result<(), Failure> {
        self.pages.write(&self.desk.report())
    }
}

fn failed(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Stopped, error, "start it again")
}

/// What there is first: copies are judged by it.
async fn work(
    live: &Arc<Live>,
    named: Vec<PathBuf>,
    listen: Option<SocketAddr>,
) -> Result<(), Failure> {
    let listener = match listen {
        Some(address) => Some(bind(address).await?),
        None => None,
    };
    let mut looks = interval(LOOKS);
    aside(live, |live| {
        let mut named: Vec<Part> = named.into_iter().map(Part::new).collect();
        live.desk.read(&mut named, None)
    })
    .await?;
    looks.tick().await;
    aside(live, |live| live.look(true)).await?;
    if live.folders().unread().next().is_some() {
        looks.tick().await;
        aside(live, |live| live.look(true)).await?;
    }
    aside(live, Live::write).await?;
    tokio::select! {
        ended = watch(live, looks) => ended,
        ended = copies(live, listener) => ended,
    }
}

/// On a thread of its own: files take long, and who asks meanwhile is answered.
async fn aside(
    live: &Arc<Live>,
    work: impl FnOnce(&Live) -> Result<(), Failure> + Send + 'static,
) -> Result<(), Failure> {
    let live = Arc::clone(live);
    let done = tokio::task::spawn_blocking(move || work(&live)).await;
    done.unwrap_or_else(|error| Err(failed(&error)))
}

async fn watch(live: &Arc<Live>, mut looks: Interval) -> Result<(), Failure> {
    let mut written = live.desk.rows();
    for turn in 1_u64.. {
        looks.tick().await;
        aside(live, |live| live.look(false)).await?;
        let rows = live.desk.rows();
        if rows > written && turn.is_multiple_of(WRITES) {
            written = rows;
            aside(live, Live::write).await?;
        }
    }
    Ok(())
}

/// Copies of withdrawals, on this host alone: they say who withdraws what.
async fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    if !address.ip().is_loopback() {
        let what = format!("{address} is not of this host");
        return Err(Failure::usage(
            what,
            "listen on 127.0.0.1, behind what you trust",
        ));
    }
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| Failure::usage(format!("{address}: {error}"), "name another"))
}

async fn copies(live: &Arc<Live>, listener: Option<TcpListener>) -> Result<(), Failure> {
    let Some(listener) = listener else {
        return std::future::pending().await;
    };
    let address = listener.local_addr().map_err(|error| failed(&error))?;
    say(format_args!("copies   POST http://{address}/withdrawals"));
    let router = Router::new()
        .route("/withdrawals", post(judge))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(
            Arc::new(Hosts::of(address)),
            pass,
        ))
        .with_state(Arc::clone(live));
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
    let answers = live.desk.copy(&body);
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

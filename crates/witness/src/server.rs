//! The two roles over HTTP/1.1.
//!
//! Nobody can hold the process up: a connection has a time to send its headers and its body in, there
//! is a bound on connections and on requests at work, and a request takes its place only once its
//! whole body is there.

use crate::board::Board;
use crate::page::{self, LinkPage};
use crate::process::Error;
use crate::response::Response;
use crate::witness::Witness;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::routing::{get, post};
use hyper_util::server::graceful::GracefulShutdown;
use portcullis_core::Reason;
use portcullis_core::board::MAX_POSTING;
use portcullis_host::listen::{Bounds, accept};
use portcullis_tlog::witness::MAX_REQUEST_BYTES;
use serde::Deserialize;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

/// Gate, keepers and whoever posts.
const BOUNDS: Bounds = Bounds {
    connections: 1024,
    per_peer: 256,
    headers_within: Duration::from_secs(10),
    answer_within: Duration::from_secs(30),
};
/// How long the body may take.
const BODY_WITHIN: Duration = Duration::from_secs(5);
/// How long requests at work may take once the process is told to stop.
const STOP_WITHIN: Duration = Duration::from_secs(5);
/// Requests at work, for each role.
const AT_WORK: usize = 64;

/// What the process serves.
#[derive(Default)]
pub struct Roles {
    /// The witness, if this is one.
    pub witness: Option<Witness>,
    /// The stop board, if this is one.
    pub board: Option<Board>,
}

/// Listens until a signal comes or a role stops.
pub(crate) async fn serve(address: SocketAddr, roles: Roles) -> Result<(), Error> {
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|error| Error::Listen(address, error))?;
    let address = listener.local_addr().map_err(Error::System)?;
    let (witness, board) = (roles.witness.is_some(), roles.board.is_some());
    tracing::info!(%address, witness, board, "listening");
    let broken = Arc::new(Notify::new());
    let router = router(roles, &broken);
    let told = told_to_stop()?;
    let connections = GracefulShutdown::new();
    let end = tokio::select! {
        () = accept(&listener, &router, BOUNDS, &connections) => Ok(()),
        () = told => Ok(()),
        () = broken.notified() => Err(Error::Stopped),
    };
    drop(listener);
    // Whoever takes longer is cut off; nothing was acknowledged to it.
    let _ = timeout(STOP_WITHIN, connections.shutdown()).await;
    tracing::info!("stopped");
    end
}

/// The routes of the roles. `broken` is told when one has stopped after a disk error.
pub fn router(roles: Roles, broken: &Arc<Notify>) -> Router {
    let nothing = async || http(Response::refused(404, Reason::NotFound));
    let mut router = Router::new()
        .route("/health", get(async || "ok\n"))
        .fallback(nothing);
    if let Some(witness) = roles.witness {
        let desk = Desk::new(witness, broken);
        router = router.route("/add-checkpoint", post(add_checkpoint).with_state(desk));
    }
    if let Some(board) = roles.board {
        if let Some(page) = board.link_page() {
            router = router.merge(link_page(page));
        }
        let desk = Desk::new(board, broken);
        // Readers have places of their own, so that no flood of postings keeps a stop from them.
        let readers = get(page).with_state(desk.with_own_places());
        let posters = post(posting).with_state(desk);
        router = router.route("/postings", readers.merge(posters));
    }
    router
}

/// The page and what it is made of. Asking for it does nothing: mail scanners follow links.
fn link_page(page: LinkPage) -> Router {
    let guarded = |response| {
        let mut answer = http(response);
        let headers = answer.headers_mut();
        let said = [
            (header::CONTENT_SECURITY_POLICY, page::POLICY),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::X_FRAME_OPTIONS, "DENY"),
        ];
        for (name, value) in said {
            headers.insert(name, HeaderValue::from_static(value));
        }
        answer
    };
    Router::new()
        .route("/stop", get(async move || guarded(page.html())))
        .route("/stop.js", get(async move || guarded(LinkPage::script())))
        .route("/stop.css", get(async move || guarded(LinkPage::style())))
}

async fn add_checkpoint(State(desk): State<Desk<Witness>>, body: Body) -> HttpResponse {
    let answer = async {
        let body = read(body, MAX_REQUEST_BYTES).await?;
        desk.work(move |witness| {
            let response = witness.handle(&body);
            (response, witness.is_stopped())
        })
        .await
    };
    http(answer.await.unwrap_or_else(|refused| refused))
}

async fn posting(State(desk): State<Desk<Board>>, body: Body) -> HttpResponse {
    let answer = async {
        let body = read(body, MAX_POSTING).await?;
        desk.work(move |board| {
            let response = board.post(&body);
            (response, board.is_stopped())
        })
        .await
    };
    http(answer.await.unwrap_or_else(|refused| refused))
}

/// The query of `GET /postings`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    from: u64,
}

async fn page(
    State(desk): State<Desk<Board>>,
    query: Result<Query<From>, QueryRejection>,
) -> HttpResponse {
    let Ok(Query(From { from })) = query else {
        return http(Response::refused(400, Reason::Malformed));
    };
    let answer = desk.work(move |board| (board.page(from), board.is_stopped()));
    http(answer.await.unwrap_or_else(|refused| refused))
}

/// A role that takes one request at a time, with a bounded queue before it.
struct Desk<T> {
    role: Arc<Mutex<T>>,
    places: Arc<Semaphore>,
    broken: Arc<Notify>,
}

impl<T> Clone for Desk<T> {
    fn clone(&self) -> Self {
        Self {
            role: Arc::clone(&self.role),
            places: Arc::clone(&self.places),
            broken: Arc::clone(&self.broken),
        }
    }
}

impl<T: Send + 'static> Desk<T> {
    fn new(role: T, broken: &Arc<Notify>) -> Self {
        Self {
            role: Arc::new(Mutex::new(role)),
            places: Arc::new(Semaphore::new(AT_WORK)),
            broken: Arc::clone(broken),
        }
    }

    /// The same role behind another queue.
    fn with_own_places(&self) -> Self {
        let places = Arc::new(Semaphore::new(AT_WORK));
        Self {
            places,
            ..self.clone()
        }
    }

    /// Does the work on a thread that may wait for the disk. It says whether the role has stopped.
    async fn work(
        &self,
        run: impl FnOnce(&mut T) -> (Response, bool) + Send + 'static,
    ) -> Result<Response, Response> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Response::refused(503, Reason::Busy).retry_after(1))?;
        let role = Arc::clone(&self.role);
        let work = tokio::task::spawn_blocking(move || {
            let _place = place;
            // A role that panicked half way is not to be trusted with anything more.
            role.lock().ok().map(|mut role| run(&mut role))
        });
        let Ok(Some((response, stopped))) = work.await else {
            tracing::error!("a request failed inside; the process stops");
            self.broken.notify_one();
            return Err(Response::refused(503, Reason::Stopping));
        };
        if stopped {
            self.broken.notify_one();
        }
        Ok(response)
    }
}

async fn read(body: Body, cap: usize) -> Result<Vec<u8>, Response> {
    match timeout(BODY_WITHIN, to_bytes(body, cap)).await {
        Ok(Ok(bytes)) => Ok(bytes.to_vec()),
        Ok(Err(_)) => Err(Response::refused(413, Reason::TooLarge)),
        Err(_) => Err(Response::problem(
            408,
            "Request Timeout",
            "the body did not come in time",
        )),
    }
}

type HttpResponse = axum::response::Response;

fn http(response: Response) -> HttpResponse {
    let mut answer = HttpResponse::new(Body::from(response.body));
    *answer.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = answer.headers_mut();
    let content_type = HeaderValue::from_static(response.content_type);
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = response.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

fn told_to_stop() -> Result<impl Future<Output = ()>, Error> {
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::System)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::System)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

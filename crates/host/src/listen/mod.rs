//! Listening, so that nobody can hold a process up: a connection has a time to send its headers in and
//! to read its answer in, and there is a bound on connections, in all and from one peer.

mod impatient;
mod open;
mod peer;
mod shares;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use impatient::Impatient;
use open::{Open, Place};
pub use peer::Peer;
pub use shares::{Share, Shares};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Open connections. Where there are as many, a new one is closed at once, or takes the place of
    /// the oldest of the peer that has most.
    pub connections: usize,
    /// Open connections of one peer; more are closed at once.
    pub per_peer: usize,
    /// How long a connection may take to send a request's headers, or stay idle.
    pub headers_within: Duration,
    /// How long an answer may take to go out, from where the client first does not keep up.
    pub answer_within: Duration,
}

/// Accepts for ever. A connection that cannot be accepted (no more files, reset) costs a moment.
pub async fn accept(
    listener: &TcpListener,
    router: &Router,
    bounds: Bounds,
    connections: &GracefulShutdown,
) {
    let open = Open::new(bounds);
    loop {
        let Ok((stream, address)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let peer = Peer::from(address.ip());
        if let Some(place) = open.take(peer) {
            serve(stream, peer, router, bounds, connections, place);
        }
    }
}

fn serve(
    stream: TcpStream,
    peer: Peer,
    router: &Router,
    bounds: Bounds,
    connections: &GracefulShutdown,
    mut place: Place,
) {
    // Answers are small and awaited.
    let _ = stream.set_nodelay(true);
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.headers_within);
    let router = TowerToHyperService::new(router.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.call(request)
    });
    let stream = Impatient::new(stream, bounds.answer_within);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        // How a client leaves is its own affair.
        tokio::select! {
            _ = connection => {}
            () = place.taken() => {}
        }
    });
}

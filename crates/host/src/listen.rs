//! Listening, so that nobody can hold a process up: a connection has a time to send its headers in, and
//! there is a bound on connections, in all and from one address.

use axum::Router;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What connections may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Open connections; more wait to be accepted.
    pub connections: usize,
    /// Open connections from one address; more are closed at once.
    pub per_address: usize,
    /// How long a connection may take to send a request's headers, or stay idle.
    pub headers_within: Duration,
}

/// Open connections of each address.
type Addresses = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// One of an address's connections; given back when it is dropped.
struct Place {
    addresses: Addresses,
    address: IpAddr,
    _one_of_all: OwnedSemaphorePermit,
}

/// Accepts for ever. A connection that cannot be accepted (no more files, reset) costs a moment.
pub async fn accept(
    listener: &TcpListener,
    router: &Router,
    bounds: Bounds,
    connections: &GracefulShutdown,
) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let addresses = Addresses::default();
    loop {
        let Ok(one_of_all) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let place = Place::take(&addresses, peer.ip(), bounds.per_address, one_of_all);
        if let Some(place) = place {
            serve(stream, router, bounds, connections, place);
        }
    }
}

fn serve(
    stream: TcpStream,
    router: &Router,
    bounds: Bounds,
    connections: &GracefulShutdown,
    place: Place,
) {
    // Answers are small and awaited.
    let _ = stream.set_nodelay(true);
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.headers_within);
    let service = TowerToHyperService::new(router.clone());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        let _place = place;
        // How a client leaves is its own affair.
        let _ = connection.await;
    });
}

impl Place {
    fn take(
        addresses: &Addresses,
        address: IpAddr,
        most: usize,
        one_of_all: OwnedSemaphorePermit,
    ) -> Option<Self> {
        let mut open = addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_insert(0);
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Self {
            addresses: Arc::clone(addresses),
            address,
            _one_of_all: one_of_all,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self
            .addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

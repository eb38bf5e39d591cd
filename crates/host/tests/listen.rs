//! The listener, under clients that take more than is theirs.

#![cfg(feature = "listen")]
#![allow(clippy::unwrap_used, reason = "helpers of tests may unwrap")]

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use hyper_util::server::graceful::GracefulShutdown;
use portcullis_host::listen::{Bounds, accept};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::Builder;

const LONG: Duration = Duration::from_mins(1);
const BOUNDS: Bounds = Bounds {
    connections: 2,
    per_peer: 2,
    headers_within: LONG,
    answer_within: LONG,
};
/// More than the sockets' own buffers take.
const LARGE: usize = 32 << 20;

/// An answer that says when its memory is free again.
struct Large {
    bytes: Vec<u8>,
    gone: Sender<()>,
}

impl AsRef<[u8]> for Large {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        let _ = self.gone.send(());
    }
}

fn on_a_runtime<T>(run: impl Future<Output = T>) -> T {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(run)
}

fn listen(router: Router, bounds: Bounds) -> SocketAddr {
    let (tell, address) = channel();
    std::thread::spawn(move || {
        on_a_runtime(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            accept(&listener, &router, bounds, &GracefulShutdown::new()).await;
        });
    });
    address.recv().unwrap()
}

fn small() -> Router {
    Router::new().route("/", get(async || "here"))
}

fn connect(from: &str, to: SocketAddr) -> TcpStream {
    let stream = on_a_runtime(async {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

fn ask(stream: &mut TcpStream) {
    let _ = write!(stream, "GET / HTTP/1.1\r\nhost: x\r\n\r\n");
}

/// Whether an answer comes; otherwise the connection was closed.
fn is_answered(stream: &mut TcpStream) -> bool {
    ask(stream);
    let mut answer = [0; 256];
    let read = stream.read(&mut answer);
    read.is_ok_and(|read| answer[..read].starts_with(b"HTTP/1.1 200"))
}

/// What comes until the other side closes the connection.
fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    // It may end in a reset.
    let _ = stream.read_to_end(&mut rest);
    rest
}

#[test]
fn who_does_not_read_keeps_neither_memory_nor_place() {
    let (gone, is_gone) = channel();
    let answer = async move || {
        let bytes = vec![0; LARGE];
        Bytes::from_owner(Large { bytes, gone })
    };
    let bounds = Bounds {
        answer_within: Duration::from_millis(20),
        ..BOUNDS
    };
    let address = listen(Router::new().route("/", get(answer)), bounds);
    let mut idle = connect("127.0.0.1", address);
    ask(&mut idle);
    assert_eq!(is_gone.recv_timeout(LONG), Ok(()));
    assert!(rest(&mut idle).len() < LARGE, "the connection has ended");
}

#[test]
fn who_reads_gets_all_of_a_large_answer() {
    let router = Router::new().route("/", get(async || vec![7; LARGE]));
    let address = listen(router, BOUNDS);
    let mut stream = connect("127.0.0.1", address);
    write!(stream, "GET / HTTP/1.0\r\n\r\n").unwrap();
    assert!(rest(&mut stream).ends_with(&vec![7; LARGE]));
}

#[test]
fn a_peer_is_not_kept_out_by_the_connections_of_another() {
    let address = listen(small(), BOUNDS);
    let mut greedy = connect("127.0.0.1", address);
    assert!(is_answered(&mut greedy));
    let mut greedy_too = connect("127.0.0.1", address);
    assert!(is_answered(&mut greedy_too));

    let mut keeper = connect("127.0.0.2", address);
    assert!(is_answered(&mut keeper));
    assert!(!is_answered(&mut greedy), "the oldest of who had most");
    assert!(is_answered(&mut greedy_too));

    // Who has as many as everybody else takes nobody's place.
    assert!(!is_answered(&mut connect("127.0.0.1", address)));
    assert!(is_answered(&mut keeper));
}

#[test]
fn one_peer_has_a_bound_of_its_own() {
    let bounds = Bounds {
        connections: 8,
        ..BOUNDS
    };
    let address = listen(small(), bounds);
    let mut first = connect("127.0.0.1", address);
    assert!(is_answered(&mut first));
    let mut second = connect("127.0.0.1", address);
    assert!(is_answered(&mut second));
    assert!(!is_answered(&mut connect("127.0.0.1", address)));
}

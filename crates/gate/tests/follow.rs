//! Following over real HTTP: those who wait keep nobody from reading.

#![allow(clippy::unwrap_used, reason = "helpers of tests may unwrap")]

mod harness;

use harness::Gate;
use harness::http::{Served, serve};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// As many as may wait from one address.
const WAITING: usize = 256;

fn ask(served: &Served, from: u64, wait: u64) -> TcpStream {
    let mut stream = TcpStream::connect(&served.authority).unwrap();
    let host = &served.authority;
    write!(
        stream,
        "GET /log/follow?from={from}&wait={wait} HTTP/1.1\r\nhost: {host}\r\n\r\n"
    )
    .unwrap();
    stream
}

fn status(mut stream: TcpStream) -> String {
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Everybody whom an address may have waiting.
fn crowd(served: &Served) -> Vec<TcpStream> {
    let crowd = (0..WAITING)
        .map(|_| ask(served, u64::MAX, 10_000))
        .collect();
    let end = Instant::now() + Duration::from_mins(1);
    while served.shared.published.waiting() < WAITING && Instant::now() < end {
        std::thread::yield_now();
    }
    assert_eq!(served.shared.published.waiting(), WAITING);
    crowd
}

#[test]
fn a_crowd_that_waits_keeps_no_signer_from_following() {
    let mut gate = Gate::new();
    let _ = gate.customer(1);
    let served = serve(gate);
    let crowd = crowd(&served);
    assert_eq!(status(ask(&served, 0, 0)), "HTTP/1.1 200");
    assert_eq!(served.shared.published.waiting(), WAITING);
    drop(crowd);
}

#[test]
fn who_finds_no_place_to_wait_is_answered_at_once() {
    let served = serve(Gate::new());
    let crowd = crowd(&served);
    assert_eq!(status(ask(&served, u64::MAX, 10_000)), "HTTP/1.1 200");
    assert_eq!(served.shared.published.waiting(), WAITING);
    drop(crowd);
}

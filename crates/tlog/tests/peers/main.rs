//! Logs of ours before readers and a witness that others wrote (`tests/peers/tlog`).
//!
//! Where `tests/peers/tlog/install` has not installed them, the tests say `skipped: …` and pass.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests fail the test, and say what is skipped"
)]

#[path = "../../examples/make_log/log.rs"]
mod log;
mod readers;
mod witness;

use std::path::PathBuf;

/// A file of this checkout.
fn project(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path)
}

/// A program that `tests/peers/tlog/install` installs; `None`, said aloud, where it is not there.
fn peer(program: &str) -> Option<PathBuf> {
    let peers = std::env::var_os("PEERS").map_or_else(|| project(".peers"), PathBuf::from);
    let path = peers.join("tlog").join(program);
    if path.exists() {
        return Some(path);
    }
    println!(
        "skipped: {} is missing; run tests/peers/tlog/install",
        path.display()
    );
    None
}

//! The herald against journals written by the core itself, on a machine made of the test's own parts.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test's helper: what cannot be is a failed test, and what cannot run says so"
)]

mod bench;
mod campaign;
mod codes;
mod contacts;
mod crashes;
mod liars;
mod links;
mod mail_server;
mod power;
mod telling;
mod webhook;

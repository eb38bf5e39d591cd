//! The keeper against journals written by the core itself, on a machine made of the test's own parts.

#![allow(
    clippy::unwrap_used,
    reason = "a test's helper: what cannot be is a failed test"
)]

mod alarms;
mod follow;
mod gate;
mod handover;
mod labels;
mod log_key;
mod power;
mod snapshots;
mod statements;

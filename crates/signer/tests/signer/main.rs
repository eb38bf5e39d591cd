//! The signer against journals written by the core itself, honest and not, on a machine made of the
//! test's own parts.

#![allow(
    clippy::unwrap_used,
    reason = "a test's helper: what cannot be is a failed test"
)]

mod bench;
mod caps;
mod coins;
mod evidence;
mod fickle;
mod happy;
mod journal;
mod liars;
mod mandates;
mod once;
mod plans;
mod power;
mod recovered;
mod rotated;
mod stops;
mod time;
mod together;

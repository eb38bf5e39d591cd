//! One-time codes: what they stand for, that each serves once, and that nobody guesses one.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

#[path = "../stage/mod.rs"]
mod stage;

mod addresses;
mod bench;
mod guessing;
mod imports;
mod joint;
mod once;
mod recovery;
mod stops;
mod withdrawals;

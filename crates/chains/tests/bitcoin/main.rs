//! Plans of payments on chains with Bitcoin's transactions, and the check of a signer.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(clippy::too_many_lines, reason = "a table is one thing")]

#[path = "../common/mod.rs"]
mod common;
mod consensus;
mod kit;
mod lies;
mod names;
mod plans;
mod psbts;
mod readback;

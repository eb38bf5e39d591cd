//! Withdrawals that a wallet pays from coins: held for their batch, planned, given up, replaced, stated and ended.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]
#![allow(clippy::too_many_lines, reason = "a table is one thing")]

mod batches;
mod genesis;
mod hostile;
mod kit;
mod model;
mod rules;

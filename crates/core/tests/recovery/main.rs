//! What was lost and is brought back: customers' factors, the administrators, keys.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

#[path = "../stage/mod.rs"]
mod stage;

mod administrators;
mod afterwards;
mod ahead;
mod announced;
mod budgets;
mod customers;
mod log_key;
mod model;
mod progress;
mod rotation;
mod witnesses;

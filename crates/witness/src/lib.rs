//! The witness and the stop board: two small services on hosts apart from the gate's.
//!
//! The [`Witness`] cosigns checkpoints of the one log that its genesis names, so that nobody, the gate
//! least of all, can show two histories or take one back (`docs/spec/witness.md`). The [`Board`] takes
//! restricting acts from anybody and shows them to gate and keepers, so that a gate cannot keep a stop
//! from them (`docs/spec/board.md`).
//!
//! Both are state machines that take bytes and give a [`Response`]; [`run`] puts them behind HTTP.

pub mod board;
mod config;
mod cosigner;
mod memory;
mod page;
mod process;
mod record;
mod response;
mod server;
mod witness;

pub use board::Board;
pub use config::{Config, ConfigError, Role};
pub use cosigner::{Cosigner, NotAWitness};
pub use memory::MemoryError;
pub use process::{Error, init, run};
pub use response::Response;
pub use server::{Roles, router};
pub use witness::Witness;

#[cfg(test)]
#[path = "../tests/common/mod.rs"]
mod common;

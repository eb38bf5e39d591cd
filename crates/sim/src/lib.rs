//! The simulator: the production gate, journal, signer, witnesses and stop boards under a seeded
//! scheduler, with a clock, disks, a network and a chain that are simulated, and with people, honest
//! and not, who use them.
//!
//! One thread, one turn after the other. Every draw comes from the seed, so a seed is a run: twice the
//! same seed gives twice the same root. After every turn the invariants are checked from outside: the
//! [`model`] reads the journal and asks the [`truth`] who really signed, the [`watch`] has the log of
//! the wallet's key, the witnesses' cosignatures and what the chain was handed, and the [`auditor`]
//! compares the replicas. `docs/design/009-simulator.md` says what is simulated and what is not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a tool for tests: what cannot be is a failed run"
)]

pub mod auditor;
mod breaking;
pub mod chronicle;
pub mod clock;
pub mod dice;
pub mod disk;
pub mod eth;
pub mod faults;
mod forgery;
pub mod hosts;
pub mod keyring;
pub mod model;
pub mod passkey;
pub mod people;
mod pretenders;
mod server;
pub mod setting;
mod settling;
pub mod sim;
pub mod treason;
pub mod truth;
pub mod watch;
pub mod wire;

pub use sim::{Report, Sim, simulate, simulate_told};

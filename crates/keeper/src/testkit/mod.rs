//! A development network with every key in hand: for tests of keepers, and for nothing else.
//!
//! [`World`] has the genesis and all keys, [`Ledger`] writes a journal with the core itself,
//! [`Net`] plays gate, stop boards and webhook behind the `Http` seam, [`CrashDisk`] forgets what was
//! not made durable. Nothing here sleeps, opens a socket or touches a real file.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test's helper: what cannot be is a failed test"
)]

mod clock;
mod customer;
mod disk;
mod ledger;
mod net;
mod world;

pub use clock::{Dice, HandClock};
pub use customer::Customer;
pub use disk::CrashDisk;
pub use ledger::Ledger;
pub use net::{BoardPage, Hook, Net, Wire};
pub use world::{World, id};

use crate::machine::{Machine, Watch};
use std::sync::Arc;

/// A machine made of the test's own parts.
#[must_use]
pub fn machine(clock: &HandClock, disk: &CrashDisk, net: &Net) -> Machine {
    Machine {
        watch: Watch::new(Arc::new(clock.clone())),
        disk: Arc::new(disk.clone()),
        random: Arc::new(Dice::default()),
        http: Arc::new(net.clone()),
    }
}

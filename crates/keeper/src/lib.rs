//! What every keeper does, whatever it keeps: follow the journal, decide again, stop.
//!
//! A keeper listens nowhere. It pulls entries from a gate that it does not trust ([`follow`]), applies
//! them by the core's own rules to its replica, and acts on that replica only at a checkpoint that a
//! quorum of witnesses has just cosigned. It asks the stop boards by itself ([`boards`]), stops by
//! itself ([`latches`]), cries for help by itself ([`alarms`]), and says what it did in signed
//! statements ([`statements`]).
//!
//! Everything is a state machine that is stepped from outside and reaches the world through
//! [`Machine`] alone.

pub mod follow;
pub mod lines;
mod machine;
pub mod statements;
#[cfg(feature = "testkit")]
pub mod testkit;

pub use machine::{Machine, Watch};

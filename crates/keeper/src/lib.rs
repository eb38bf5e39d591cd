//! What every keeper does, whatever it keeps: follow the journal, decide again, stop.
//!
//! A keeper listens nowhere. It pulls entries from a gate that it does not trust ([`follow`]), applies
//! them by the core's own rules to its replica, and acts on that replica only at a checkpoint that a
//! quorum of witnesses has just cosigned. It asks the stop boards by itself ([`boards`]), stops by
//! itself ([`latches`]), cries for help by itself ([`alarms`], [`stop_call`]), and says what it did in
//! signed statements ([`statements`]). [`Lease`] is the proof that nothing of all this is in its way.
//!
//! Everything is a state machine that is stepped from outside and reaches the world through
//! [`Machine`] alone.

pub mod alarms;
pub mod boards;
pub mod follow;
mod keeper;
pub mod latches;
mod lease;
pub mod lines;
mod machine;
pub mod process;
pub mod start;
pub mod statements;
pub mod stop_call;
pub mod successor;
#[cfg(feature = "testkit")]
pub mod testkit;

pub use keeper::{Keeper, KeeperError, KeeperParts, News};
pub use lease::{Lease, NoLease};
pub use machine::{Machine, Watch};
pub use portcullis_core::rfc3339::rfc3339;

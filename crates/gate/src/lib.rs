//! The gate: it takes acts, decides, journals, and shows the journal to whoever follows.
//!
//! Nothing that it says is trusted by the keepers: they run the same core over the same entries. Read
//! [`sequencer`] first; [`run`] puts the threads together.

mod boards;
mod config;
mod cosign;
mod fees;
mod index;
mod open;
mod published;
mod pulse;
pub mod registration;
mod run;
pub mod sequencer;
pub mod server;
mod snapshots;

pub use config::{ChainFees, Config};
pub use cosign::{CosignError, Witnesses};
pub use fees::{FeeTable, Rate};
pub use index::Index;
pub use published::{Published, Witnessed};
pub use run::{Error, run};

//! The signer: the keeper that holds the wallets' keys.
//!
//! It listens nowhere and believes nobody. It follows the journal, applies every entry by the core's
//! rules to its own replica, and signs the planned bytes of a release only where its own replica at a
//! freshly cosigned checkpoint, its own record and its own configuration let it.

mod bytes;
mod coins;
pub mod config;
mod deliver;
mod enrolments;
mod judge;
pub mod record;
mod rest;
mod run;
mod signer;

pub use bytes::PlanRefused;
pub use coins::Coins;
pub use config::{Config, ConfigError};
pub use judge::Refusal;
pub use run::{RunError, Signs, run, shut};
pub use signer::{Parts, Signer, SignerError, Step};

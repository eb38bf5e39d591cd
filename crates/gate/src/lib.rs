//! The gate: it takes acts, decides, journals, and shows the journal to whoever follows.
//!
//! Nothing that it says is trusted by the keepers: they run the same core over the same entries. Read
//! [`sequencer`] first; [`Gate`] has all the parts, and [`run`] gives each a thread.

mod boards;
mod callout;
mod coins;
mod config;
mod cosign;
pub mod events;
mod fees;
mod gate;
mod history;
mod index;
mod log_keys;
mod open;
mod published;
mod pulse;
pub mod registration;
mod replay;
mod run;
pub mod sequencer;
pub mod server;
mod snapshots;
mod webhooks;

pub use boards::BoardPoll;
pub use callout::CallOut;
pub use coins::{CoinFollower, CoinTable};
pub use config::{ChainFees, CoinFees, Config};
pub use cosign::{CosignError, Reach as WitnessReach, Witnesses};
pub use fees::{FeeFollower, FeeTable, Rate};
pub use gate::{Gate, Parts, Sequencing};
pub use index::{Course, Index};
pub use log_keys::LogKeys;
pub use published::{Published, Witnessed};
pub use pulse::{Projector, Pulse};
pub use run::{Error, run};
pub use snapshots::Snapshotter;
pub use webhooks::{CursorError, Webhook, WebhookName};

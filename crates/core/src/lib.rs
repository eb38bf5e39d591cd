//! Portcullis' one pure core: acts, evidence, decisions and state.
//!
//! [`decide`] says what becomes of an act, [`State::apply`] what an entry does. The gate runs them to
//! answer, every keeper runs them again on its own replica, an auditor a third time over the whole
//! journal; all reach the same state. There is no I/O here, no clock, no randomness and no `async`:
//! time comes in with each entry.
//!
//! Read in this order: [`act`], [`evidence`], [`decision`] and [`reason`]; then [`decide`]; then
//! [`entry`], [`effect`] and [`state`].

pub mod act;
pub mod apply;
pub mod behaviour;
pub mod board;
pub mod code;
pub mod codec;
pub mod decide;
pub mod decision;
pub mod digest;
pub mod effect;
pub mod entry;
pub mod evidence;
pub mod factor;
pub mod few;
pub mod follow;
pub mod genesis;
pub mod id;
pub mod kept;
pub mod labels;
pub mod limits;
pub mod link;
mod mandate;
pub mod network;
pub mod passkey;
pub mod plan;
pub mod policy;
pub mod read;
pub mod realm;
pub mod reason;
pub mod receipt;
pub mod report;
pub mod request;
pub mod rfc3339;
pub mod signature;
pub mod state;
pub mod statement;
pub mod text;
pub mod time;
pub mod window;

pub use act::{Act, ActKind};
pub use apply::{Applied, VoidReason};
pub use decide::decide;
pub use decision::{Decision, Need};
pub use digest::{Digest, Domain};
pub use entry::{Body, Entry};
pub use evidence::Evidence;
pub use genesis::{Genesis, SignedGenesis};
pub use network::Network;
pub use read::ReadEntry;
pub use reason::Reason;
pub use state::State;
pub use time::{Span, Time};

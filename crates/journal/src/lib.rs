//! The journal: append, read, prove, check.
//!
//! [`Journal`] is the single writer. What it acknowledges is durable in the [`Store`] behind it; the
//! tlog-tiles files beside it are projections that auditors' tools read and that can be rebuilt.
//! [`View`] is what readers share: entries, tiles, proofs. [`check`] re-derives everything from the
//! stored bytes.

pub mod check;
pub mod directory;
pub mod labels;
pub mod projection;
pub mod segment;
pub mod snapshot;
mod store;
mod view;
mod whole;

mod journal;

pub use directory::Directory;
pub use journal::{Journal, OpenError};
pub use labels::{LabelFiles, LabelsError};
pub use projection::Projection;
pub use snapshot::Snapshots;
pub use store::{Recovered, Store, StoreError};
pub use view::{ReadError, View};

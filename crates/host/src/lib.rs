//! The machine, behind seams: clock, disk, randomness, outbound HTTP.
//!
//! Every process reaches the machine through these traits and nothing else, so that the simulator can
//! run production code under a clock, a disk and a network of its own, and so that a test can move
//! time by hand.

pub mod clock;
pub mod disk;
pub mod http;
#[cfg(feature = "listen")]
pub mod listen;
pub mod random;
pub mod told;

pub use clock::{Clock, FileClock, SystemClock};
pub use disk::{AppendFile, Dir, Disk, DiskError};
pub use http::{Headed, Http, HttpError, Reply, Web};
pub use random::{Random, SystemRandom};
pub use told::Told;

//! A network, a log, a clock and a disk to try a witness and a board with.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "helpers of several tests, none of which uses all"
)]

pub mod clock;
pub mod disk;
pub mod log;
pub mod network;
pub mod postings;

//! Tests of the public interface, against the specifications' own words and other people's code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests fail the test, and say when its data is missing"
)]
#![allow(
    clippy::too_many_lines,
    reason = "a table of refusals is read row by row"
)]

mod keys;
mod merkle;
mod model;
mod notes;
mod quorum;
mod spec;
mod tiles;
mod witness;

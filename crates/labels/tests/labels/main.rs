//! Label sets, from lists to look-ups.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

mod addresses;
mod hostile;
mod real;
mod sets;

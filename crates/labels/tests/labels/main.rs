//! Label sets, from lists to look-ups.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod addresses;
mod real;

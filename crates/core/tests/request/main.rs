//! Signed requests: RFC 9421's own examples, what the profile takes, what each fault looks like.
#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod client;
mod flips;
mod http;
mod rfc;
mod spec;
mod table;

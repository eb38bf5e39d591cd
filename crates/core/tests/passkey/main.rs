//! Passkey assertions: what is accepted, what each fault looks like, published vectors, real peers.
#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]
#![allow(clippy::print_stdout, reason = "what is skipped is said")]

mod authenticator;
mod device;
mod flips;
mod party;
mod peer;
mod precedence;
mod spec;
mod table;
mod vectors;
mod w3c;

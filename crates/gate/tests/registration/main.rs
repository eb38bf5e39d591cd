//! Registration ceremonies: published vectors, a foreign authenticator, and one row per fault.
#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]
#![allow(clippy::print_stdout, reason = "what is skipped is said")]

#[path = "../../../core/tests/passkey/authenticator.rs"]
mod authenticator;
mod made;
mod software;
mod table;
#[path = "../../../core/tests/passkey/vectors.rs"]
mod vectors;
mod w3c;

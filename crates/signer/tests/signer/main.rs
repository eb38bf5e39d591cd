//! The signer against journals written by the core itself, honest and not, on a machine made of the
//! test's own parts.

mod bench;
mod happy;

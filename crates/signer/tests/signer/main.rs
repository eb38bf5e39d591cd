//! The signer against journals written by the core itself, honest and not, on a machine made of the
//! test's own parts.

mod bench;
mod caps;
mod evidence;
mod happy;
mod journal;
mod once;
mod plans;
mod stops;
mod time;

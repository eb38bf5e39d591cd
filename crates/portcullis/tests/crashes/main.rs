//! `kill -9` of gate, signer and witness at each step of a withdrawal, and at random under load.
//!
//! A step is hit from outside: a process is killed as it enters a system call on one of its files
//! (`strace`), or as a message of its passes a proxy. Each step twice: *absent*, before what it does
//! is there, and *persisted*, when it is there and nobody was told. The process is started again, as
//! a supervisor would, and nothing else is done by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod books;
mod load;
mod processes;
mod proxy;
mod rows;
mod strace;
#[path = "../system/mod.rs"]
mod system;

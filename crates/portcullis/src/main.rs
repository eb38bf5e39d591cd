//! The `portcullis` binary: one file for every process, and for everything that people do from a
//! shell.
//!
//! Exit codes: 0 done; 1 something that was checked does not hold; 2 the command line or a file is
//! not as it must be, nothing was done; 3 refused, nothing was changed; 4 no answer, the outcome is
//! not known; 5 a process stopped on an error.

mod amount;
mod approve;
mod attest;
mod bench;
mod call;
mod caps;
mod cli;
mod demo;
mod doctor;
mod door;
mod drill;
mod failure;
mod fate;
mod files;
mod folder;
#[cfg(test)]
mod guide;
mod import;
mod init;
mod key;
mod keyring;
mod labels;
mod out;
mod output;
mod overdue;
mod peers;
mod policy;
mod processes;
mod propose;
mod reach;
mod replica;
mod scope;
mod seen;
mod shadow;
mod sidecar;
mod staff;
mod status;
mod succession;
mod verify;
mod withheld;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.tell(),
    }
}

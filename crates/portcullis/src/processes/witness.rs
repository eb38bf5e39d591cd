//! `portcullis witness`: cosigns checkpoints; takes postings as a stop board.

use super::{ProcessArgs, ended};
use crate::failure::Failure;
use crate::out::say;
use clap::Args;
use portcullis_witness::Config;

/// Run a witness, a stop board, or both, as the configuration says
#[derive(Debug, Args)]
pub(crate) struct WitnessArgs {
    #[command(flatten)]
    process: ProcessArgs,
    /// Begin the record of a new key instead of running. Once in a key's life
    #[arg(long)]
    init: bool,
}

impl WitnessArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let path = self.process.begin()?;
        let mut config = Config::read(&path).map_err(|error| Failure::usage(error, ""))?;
        config.test_clock = self.process.test_clock.or(config.test_clock);
        if self.init {
            portcullis_witness::init(&config).map_err(|error| Failure::usage(error, ""))?;
            say("The record has begun. Never restore it from a backup, and never run two of it.");
            return Ok(());
        }
        portcullis_witness::run(&config).map_err(|error| ended("witness", &error, error.is_usage()))
    }
}

//! `portcullis herald`: follows, tells, and says that it told. `portcullis herald shut` stops it by hand.

use super::shut::{is_shut, not_shut};
use super::{ProcessArgs, ended};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use portcullis_herald::Config;

/// Run the herald, which tells customers and staff what the journal says, or shut it
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct HeraldArgs {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    process: ProcessArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Have the herald on this machine send and judge nothing more, without gate, network or browser
    ///
    /// It latches: only a quorum of administrators opens it again, by `portcullis lift` with the
    /// keeper and the latch that this prints. Meanwhile nothing new begins to count.
    Shut {
        #[command(flatten)]
        process: ProcessArgs,
    },
}

impl HeraldArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Some(Command::Shut { process }) => shut(&process),
            None => {
                let config = read(&self.process)?;
                portcullis_herald::run(config)
                    .map_err(|error| ended("herald", &error, error.is_usage()))
            }
        }
    }
}

fn read(process: &ProcessArgs) -> Result<Config, Failure> {
    let path = process.begin()?;
    let mut config = Config::load(&path).map_err(|error| Failure::usage(error, ""))?;
    if process.test_clock.is_some() {
        config.test_clock.clone_from(&process.test_clock);
    }
    Ok(config)
}

fn shut(process: &ProcessArgs) -> Result<(), Failure> {
    let config = read(process)?;
    let latch = portcullis_herald::shut(&config);
    let latch = latch.map_err(|error| not_shut("herald", "send", &error))?;
    is_shut("herald", "sends and judges nothing", (config.keeper, latch));
    Ok(())
}

//! `portcullis signer`: follows, decides again, signs. `portcullis signer shut` stops it by hand.

use super::shut::{is_shut, not_shut};
use super::{ProcessArgs, ended};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use portcullis_signer::{Config, Signs};

/// Run the signer, or shut it
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct SignerArgs {
    #[command(subcommand)]
    command: Option<Command>,
    /// Give mandates, which a wallet service of one's own carries out, in the place of transactions
    ///
    /// The genesis says which signer does; one that gives mandates holds no key of any chain.
    #[arg(long)]
    mandate: bool,
    #[command(flatten)]
    process: ProcessArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Have the signer on this machine sign nothing more, without gate, network or browser
    ///
    /// It latches: only a quorum of administrators opens it again, by `portcullis lift` with the
    /// keeper and the latch that this prints.
    Shut {
        #[command(flatten)]
        process: ProcessArgs,
    },
}

impl SignerArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Some(Command::Shut { process }) => shut(&process),
            None => {
                let config = read(&self.process)?;
                let signs = if self.mandate {
                    Signs::Mandates
                } else {
                    Signs::Transactions
                };
                portcullis_signer::run(config, signs)
                    .map_err(|error| ended("signer", &error, error.is_usage()))
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
    let latch = portcullis_signer::shut(&config);
    let latch = latch.map_err(|error| not_shut("signer", "sign", &error))?;
    is_shut("signer", "signs nothing", (config.keeper, latch));
    Ok(())
}

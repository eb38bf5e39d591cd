//! The long-running commands.

mod all;
mod gate;
mod herald;
mod ready;
mod shut;
mod signer;
mod witness;

pub(crate) use gate::ServeArgs;
pub(crate) use gate::read as gate_config;
pub(crate) use herald::HeraldArgs;
pub(crate) use signer::SignerArgs;
pub(crate) use witness::WitnessArgs;

use crate::failure::{Exit, Failure};
use crate::files;
use clap::Args;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use tracing_subscriber::EnvFilter;

/// What every process takes.
#[derive(Clone, Debug, Args)]
pub(crate) struct ProcessArgs {
    /// The process' configuration
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A file that moves time; a development genesis only
    #[arg(long, value_name = "FILE")]
    pub(crate) test_clock: Option<PathBuf>,
    /// End when whoever started this process ends
    #[arg(long, hide = true)]
    pub(crate) tied: bool,
}

impl ProcessArgs {
    /// Begin as every process does, and give the configuration's path.
    pub(crate) fn begin(&self) -> Result<PathBuf, Failure> {
        begin(self.tied)?;
        if let Some(clock) = &self.test_clock {
            files::check_test_clock(clock)?;
        }
        let none = || Failure::usage("no configuration is named", "add --config FILE");
        self.config.clone().ok_or_else(none)
    }
}

/// Log to standard error as `RUST_LOG` says; end with the parent where this process is tied to it.
pub(crate) fn begin(tied: bool) -> Result<(), Failure> {
    if tied {
        tie_to_parent()?;
    }
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    Ok(())
}

/// A process that its supervisor lost would hold its port and its files for ever.
fn tie_to_parent() -> Result<(), Failure> {
    use rustix::process::{Signal, set_parent_process_death_signal};
    set_parent_process_death_signal(Some(Signal::TERM))
        .map_err(|error| Failure::usage(format!("cannot tie to the parent: {error}"), ""))
}

/// A process' own error as a failure: of its configuration, before it did anything, or later.
fn ended(name: &str, error: impl core::fmt::Display, is_usage: bool) -> Failure {
    let next = "mend what the message names and start again";
    if is_usage {
        return Failure::usage(format!("the {name} does not start: {error}"), next);
    }
    Failure::new(Exit::Stopped, format!("the {name} ended: {error}"), next)
}

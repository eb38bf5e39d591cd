//! `portcullis serve`: the gate, alone or with everything.

use super::{ProcessArgs, all, ended};
use crate::failure::Failure;
use crate::files;
use clap::Args;
use portcullis_gate::Config;
use std::path::{Path, PathBuf};

/// Run the gate, or with --all gate, signer, witness and stop board on this machine
///
/// With --all the processes stand in DIR as `init --development` made them. One that ends is started
/// again; `ready` is printed once all answer; SIGTERM or SIGINT ends them all.
#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    process: ProcessArgs,
    /// Start every process
    #[arg(long, requires = "dir", conflicts_with = "config")]
    all: bool,
    /// The network's folder, for --all
    #[arg(long, value_name = "DIR", requires = "all")]
    dir: Option<PathBuf>,
}

impl ServeArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        if let (true, Some(dir)) = (self.all, self.dir) {
            return all::serve(dir, self.process.test_clock.as_deref());
        }
        let mut config = read(&self.process.begin()?)?;
        config.test_clock = self.process.test_clock.or(config.test_clock);
        portcullis_gate::run(&config).map_err(|error| ended("gate", &error, error.is_usage()))
    }
}

pub(crate) fn read(path: &Path) -> Result<Config, Failure> {
    let config: Config = toml::from_str(&files::read_text(path)?)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display()), ""))?;
    Ok(config.beside(path.parent().unwrap_or(Path::new(""))))
}

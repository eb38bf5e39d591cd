//! `portcullis herald`: follows, tells, and says that it told.

use super::{ProcessArgs, ended};
use crate::failure::Failure;
use clap::Args;
use portcullis_herald::Config;

/// Run the herald, which tells customers and staff what the journal says
#[derive(Debug, Args)]
pub(crate) struct HeraldArgs {
    #[command(flatten)]
    process: ProcessArgs,
}

impl HeraldArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let path = self.process.begin()?;
        let mut config = Config::load(&path).map_err(|error| Failure::usage(error, ""))?;
        if self.process.test_clock.is_some() {
            config.test_clock.clone_from(&self.process.test_clock);
        }
        portcullis_herald::run(config).map_err(|error| ended("herald", &error, error.is_usage()))
    }
}

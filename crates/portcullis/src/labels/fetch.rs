//! `portcullis labels fetch`.

use super::in_short;
use crate::failure::{Exit, Failure};
use crate::files;
use crate::out::say;
use crate::reach::{Reach, ReachArgs};
use clap::Args;
use portcullis_core::Digest;
use portcullis_labels::{LabelSet, SetDigest};
use std::path::PathBuf;

/// Fetch a set from the gate by its digest, and check it
///
/// Approvers fetch the set that is to come and the one in force, and compare them; auditors put the sets
/// that a journal names into labels/ beside it.
#[derive(Debug, Args)]
pub(super) struct FetchArgs {
    /// The set's digest, as the act or the journal names it
    set: Digest,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    reach: ReachArgs,
}

impl FetchArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let reach = self.reach.open()?;
        let set = fetched(&reach, self.set)?;
        files::write(&self.out, set.as_bytes())?;
        say(format_args!("set       {}", in_short(&set)));
        Ok(())
    }
}

/// The set of this digest, from the gate and by our own check.
pub(crate) fn fetched(reach: &Reach, set: Digest) -> Result<LabelSet, Failure> {
    let bytes = reach.gate.labels(set)?;
    LabelSet::named(SetDigest(set.0), bytes).map_err(|error| {
        let next = "do not trust this gate, and approve nothing that names this digest";
        Failure::new(Exit::Wrong, error, next)
    })
}

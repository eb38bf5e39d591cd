//! `portcullis policy propose`.

use super::{before_proposal, read};
use crate::failure::{Exit, Failure};
use crate::propose::propose;
use crate::reach::{CallerArgs, ReachArgs};
use clap::Args;
use portcullis_core::act::{ActKind, SetPolicy};
use std::path::PathBuf;

/// Propose a policy in the place of the one in force
///
/// It takes a quorum of administrators and the network's delay: this proposes, the others say
/// `portcullis approve`. Before it is sent, the last 30 days are decided again under it where the
/// journal lies in --dir. Signs as `administrator-1` unless --as or --key says otherwise.
#[derive(Debug, Args)]
pub(super) struct ProposeArgs {
    /// The policy
    file: PathBuf,
    #[command(flatten)]
    caller: CallerArgs,
    #[command(flatten)]
    reach: ReachArgs,
}

impl ProposeArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let policy = read(&self.file)?;
        policy.check().map_err(|fault| {
            Failure::new(Exit::Wrong, fault, "portcullis policy check says more")
        })?;
        let reach = self.reach.open()?;
        let caller = self.caller.or_as("administrator-1").required(&reach)?;
        let replaces = reach.gate.policy()?.digest;
        let kind = ActKind::SetPolicy(SetPolicy { replaces, policy });
        before_proposal(&reach.folder, &kind)?;
        propose(&reach, &caller, kind)
    }
}

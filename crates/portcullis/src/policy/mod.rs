//! `portcullis policy`: look at a policy before anybody proposes it, and at what it decided.

mod backtest;
mod check;
mod comeback;
mod explain;
mod propose;
mod simulate;

pub(crate) use backtest::before_proposal;

use crate::failure::Failure;
use crate::files;
use crate::folder::Folder;
use clap::{Args, Subcommand};
use portcullis_client::{Backtest, backtest, verify};
use portcullis_core::policy::{Candidate, Policy};
use portcullis_core::signature::Strict;
use portcullis_core::{Digest, Network, ReadEntry, State};
use portcullis_host::Dir;
use portcullis_journal::{LabelFiles, LabelsError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Check, try out, explain and propose a policy
///
/// A policy is a TOML file (policies/default.toml); docs/guide/policy.md explains every line. The
/// commands that take --dir read the journal of a network's folder.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::CheckArgs),
    Simulate(simulate::SimulateArgs),
    Explain(explain::ExplainArgs),
    Backtest(backtest::BacktestArgs),
    Propose(propose::ProposeArgs),
}

impl PolicyArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Check(args) => args.run(),
            Command::Simulate(args) => args.run(),
            Command::Explain(args) => args.run(),
            Command::Backtest(args) => args.run(),
            Command::Propose(args) => args.run(),
        }
    }
}

/// A policy file.
fn read(path: &Path) -> Result<Policy, Failure> {
    parse(path, &files::read_text(path)?)
}

fn parse(path: &Path, text: &str) -> Result<Policy, Failure> {
    toml::from_str(text).map_err(|error| {
        Failure::usage(
            format!("{}: {error}", path.display()),
            "docs/guide/policy.md explains every line",
        )
    })
}

fn undecided(error: LabelsError) -> Failure {
    Failure::usage(error, "portcullis labels fetch gets a set from a gate")
}

/// The journal of a network's folder, as far as witnesses have seen it.
struct Witnessed {
    network: Arc<Network>,
    entries: Vec<Vec<u8>>,
    folder: Dir,
}

impl Witnessed {
    fn open(dir: &Path) -> Result<Self, Failure> {
        let folder = Folder(PathBuf::from(dir));
        let digest = files::read_text(&folder.file(Folder::DIGEST))?;
        let digest: Digest = digest
            .trim()
            .parse()
            .map_err(|error| Failure::usage(error, ""))?;
        let path = folder.file(Folder::JOURNAL);
        if !path.is_dir() {
            return Err(Failure::usage(
                format!("there is no journal at {}", path.display()),
                "name the folder of a network whose gate, or a replica, runs on this machine",
            ));
        }
        let wrong = |fault: portcullis_journal::check::Fault| {
            Failure::usage(
                format!("{}: {}", fault.file, fault.what),
                "portcullis verify says more",
            )
        };
        let folder = Dir::open(&path)?;
        let (network, checked) = verify::stored(&folder, digest).map_err(wrong)?;
        let seen = checked
            .checkpoint
            .as_ref()
            .map_or(0, |seen| seen.head().size);
        let mut entries = checked.entries;
        entries.truncate(usize::try_from(seen).unwrap_or(usize::MAX));
        Ok(Self {
            network,
            entries,
            folder,
        })
    }

    /// The last days, decided again.
    fn backtest(&self, candidate: Candidate, days: u32) -> Result<Backtest, Failure> {
        let labels = LabelFiles(&self.folder);
        backtest(&self.network, labels, &self.entries, candidate, days).map_err(undecided)
    }

    /// Apply an entry, by the label sets beside the journal.
    fn apply(&self, state: &mut State, bytes: &[u8]) -> Result<(), Failure> {
        let read = ReadEntry::from_bytes(bytes);
        let labels = LabelFiles(&self.folder);
        labels.provide(state, &read).map_err(undecided)?;
        state.apply_read(&read, &Strict);
        Ok(())
    }
}

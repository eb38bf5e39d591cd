//! `portcullis labels`: lists of addresses, on their way from whoever publishes them into force.

mod build;
mod compare;
mod fetch;
mod propose;
mod show;

pub(crate) use compare::{changes, first};
pub(crate) use fetch::fetched;

use crate::failure::Failure;
use clap::{Args, Subcommand};
use portcullis_labels::{LabelSet, MAX_SET};
use std::io::Read as _;
use std::path::Path;

/// Build, look into, compare and propose label sets
///
/// A set is made of lists (TagPacks, OFAC's, one's own), and is a file with a digest. Proposed and approved,
/// everybody decides by it: docs/guide/labels.md.
#[derive(Debug, Args)]
pub(crate) struct LabelsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::BuildArgs),
    Show(show::ShowArgs),
    Compare(compare::CompareArgs),
    Propose(propose::ProposeArgs),
    Fetch(fetch::FetchArgs),
}

impl LabelsArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Build(args) => args.run(),
            Command::Show(args) => args.run(),
            Command::Compare(args) => args.run(),
            Command::Propose(args) => args.run(),
            Command::Fetch(args) => args.run(),
        }
    }
}

/// A set's file.
fn read_set(path: &Path) -> Result<LabelSet, Failure> {
    let bytes = read_whole(path, MAX_SET)?;
    LabelSet::from_bytes(bytes).map_err(|error| {
        let what = format!("{}: {error}", path.display());
        Failure::usage(what, "portcullis labels build makes a set of lists")
    })
}

/// A file of at most so many bytes.
fn read_whole(path: &Path, most: usize) -> Result<Vec<u8>, Failure> {
    let failed = |error: std::io::Error| {
        Failure::usage(format!("cannot read {}: {error}", path.display()), "")
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(most as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() > most {
        let what = format!("{} is larger than {most} bytes", path.display());
        return Err(Failure::usage(what, "split the list into several sets"));
    }
    Ok(bytes)
}

/// A set in one line.
fn in_short(set: &LabelSet) -> String {
    let header = set.header();
    let kind = match header.kind() {
        portcullis_labels::Kind::Authority => "authority",
        portcullis_labels::Kind::Community => "community",
    };
    let (labels, bytes) = (set.len(), set.as_bytes().len());
    let (date, source) = (header.date(), header.source());
    format!("{labels} labels, {bytes} bytes, {kind}, of {date}: {source}")
}

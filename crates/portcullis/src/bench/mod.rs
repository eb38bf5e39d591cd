//! `portcullis bench`: how fast, against a floor that is timed in the same run on the same cores.
//!
//! Ratios compare CPU time, over all processes and without the load's own, because wall clock on a
//! machine that others use says little. `docs/bench.md` says of each row what it is and what limits it.

#![allow(
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "figures for people; nothing that is measured decides anything"
)]

mod bao;
mod cpu;
mod crowd;
mod decide;
mod epoch;
mod floor;
mod journal;
mod labels;
mod ledger;
mod load;
mod memory;
mod network;
mod policy;
mod release;
mod restart;
mod row;
mod shadow;
mod sign;
mod sink;
mod suspend;
mod system;
mod tail;

use crate::failure::{Exit, Failure};
use crate::files;
use crate::out::{json, warn};
use crate::output::Output;
use clap::{Args, ValueEnum};
use row::Row;
use std::path::PathBuf;
use std::process::Command;

/// Measure this machine against the floor: the signatures that cannot be batched
///
/// Without names every benchmark runs, each in a process of its own. Build with --release; the figures
/// of an unoptimised binary mean nothing. docs/bench.md explains each row.
#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// Which; all without one
    #[arg(value_name = "NAME")]
    names: Vec<Name>,
    /// Small sizes, all within 45 seconds: shows that everything runs, and the order of magnitude
    #[arg(long)]
    quick: bool,
    /// Write the rows to this file
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// Where data is put while it runs: the disk that is measured
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Measure in this process: how a run with several names starts each
    #[arg(long, hide = true)]
    alone: bool,
}

/// The benchmarks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    Core,
    Release,
    Sign,
    Journal,
    Suspend,
    Epoch,
    Restart,
    Memory,
    Policy,
    Shadow,
    Labels,
}

/// How large, and where.
#[derive(Clone, Debug)]
struct Setting {
    quick: bool,
    dir: PathBuf,
}

impl Setting {
    /// A size: the full one, or the one of a quick run.
    fn size(&self, full: u64, quick: u64) -> u64 {
        if self.quick { quick } else { full }
    }

    /// An empty folder on the disk that is measured, gone when dropped.
    fn folder(&self) -> Result<tempfile::TempDir, Failure> {
        let made = tempfile::Builder::new()
            .prefix("portcullis-bench-")
            .tempdir_in(&self.dir);
        made.map_err(|error| {
            let what = format!("cannot make a folder in {}: {error}", self.dir.display());
            Failure::usage(what, "name another with --dir")
        })
    }
}

impl BenchArgs {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let output = self.json.as_deref().map(Output::at).transpose()?;
        let setting = Setting {
            quick: self.quick,
            dir: self.dir.clone().unwrap_or_else(std::env::temp_dir),
        };
        let rows = match self.names.as_slice() {
            [name] if self.alone => {
                let rows = name.measure(&setting)?.into_iter();
                rows.map(|row| row.quick(setting.quick)).collect()
            }
            _ => self.each_alone(&setting)?,
        };
        if let Some(output) = output {
            output.write(json(&rows).as_bytes())?;
        }
        if !self.alone {
            row::tell(&rows, setting.quick);
        }
        Ok(())
    }

    /// Each benchmark in a process of its own, so that no row counts what another has left behind.
    fn each_alone(&self, setting: &Setting) -> Result<Vec<Row>, Failure> {
        let names = match self.names.as_slice() {
            [] => Name::value_variants(),
            names => names,
        };
        if cfg!(debug_assertions) {
            warn("This binary is not optimised: build with --release before believing a figure.");
        }
        let mut rows = Vec::new();
        for name in names {
            rows.extend(run_alone(*name, setting)?);
        }
        Ok(rows)
    }
}

fn run_alone(name: Name, setting: &Setting) -> Result<Vec<Row>, Failure> {
    let word = name.to_possible_value();
    let word = word.as_ref().map_or("", |value| value.get_name());
    warn(format_args!("{word} …"));
    let folder = setting.folder()?;
    let path = folder.path().join("rows.json");
    let failed = |error: std::io::Error| Failure::new(Exit::Stopped, error, "");
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command
        .args(["bench", word, "--alone", "--json"])
        .arg(&path);
    command.arg("--dir").arg(&setting.dir);
    if setting.quick {
        command.arg("--quick");
    }
    if !command.status().map_err(failed)?.success() {
        let what = format!("the benchmark {word} did not come to its end");
        return Err(Failure::new(Exit::Wrong, what, ""));
    }
    let text = files::read_text(&path)?;
    serde_json::from_str(&text).map_err(|error| Failure::new(Exit::Wrong, error, ""))
}

impl Name {
    fn measure(self, setting: &Setting) -> Result<Vec<Row>, Failure> {
        match self {
            Self::Core => decide::measure(setting),
            Self::Release => release::measure(setting),
            Self::Sign => sign::measure(setting),
            Self::Journal => journal::measure(setting),
            Self::Suspend => suspend::measure(setting),
            Self::Epoch => epoch::measure(setting),
            Self::Restart => restart::measure(setting),
            Self::Memory => memory::measure(setting),
            Self::Policy => policy::measure(setting),
            Self::Shadow => shadow::measure(setting),
            Self::Labels => labels::measure(setting),
        }
    }
}

//! `portcullis policy backtest`.

use super::{Witnessed, read};
use crate::failure::{Exit, Failure};
use crate::out::{json, say, warn};
use clap::Args;
use portcullis_client::{Backtest, backtest, in_short};
use portcullis_core::policy::{Policy, PolicyFault};
use portcullis_keeper::rfc3339;
use std::path::{Path, PathBuf};

/// How far back a proposal is tried out.
const DAYS: u32 = 30;
/// Most differences that are listed for people; JSON has all.
const LISTED: usize = 20;

/// What the last days would have been under another policy
///
/// Decides every act and settlement of the journal's last days again, each on the state of its time,
/// and shows what would have come out otherwise.
#[derive(Debug, Args)]
pub(super) struct BacktestArgs {
    /// The policy
    file: PathBuf,
    /// The folder of the network, with its journal
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// How many days
    #[arg(long, value_name = "N", default_value_t = DAYS)]
    days: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl BacktestArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let policy = read(&self.file)?;
        let journal = Witnessed::open(&self.dir)?;
        let report = backtest(&journal.network, &journal.entries, policy, self.days);
        let report = report.map_err(malformed)?;
        if self.json {
            say(json(&report));
        } else {
            lines(&report, self.days).iter().for_each(say);
        }
        Ok(())
    }
}

fn malformed(fault: PolicyFault) -> Failure {
    Failure::new(Exit::Wrong, fault, "portcullis policy check says more")
}

/// Show what a proposed policy would have changed, before it is sent. It needs the journal, which lies
/// beside a gate or a replica.
pub(crate) fn before_proposal(dir: &Path, policy: &Policy) -> Result<(), Failure> {
    let Ok(journal) = Witnessed::open(dir) else {
        warn(
            "no journal here to try the policy on; where there is one: portcullis policy backtest",
        );
        return Ok(());
    };
    let report = backtest(&journal.network, &journal.entries, policy.clone(), DAYS);
    lines(&report.map_err(malformed)?, DAYS)
        .iter()
        .for_each(warn);
    Ok(())
}

fn lines(report: &Backtest, days: u32) -> Vec<String> {
    let [refused, held, out] = report.sums();
    let (decided, same) = (report.decided, report.same);
    let mut lines = vec![
        format!("{days} days, since {}", rfc3339(report.since)),
        format!("{decided} decisions: {same} the same, {refused} refused, {held} held, {out} out"),
    ];
    for row in report.differs.iter().take(LISTED) {
        let (was, would) = (in_short(&row.was), in_short(&row.would));
        lines.push(format!(
            "entry {}  {} {}: {was} -> {would}  [{}]",
            row.entry,
            row.kind,
            row.act,
            row.statements.join(", ")
        ));
    }
    let more = report.differs.len().saturating_sub(LISTED);
    lines.extend((more > 0).then(|| format!("and {more} more; --json has them all")));
    lines
}

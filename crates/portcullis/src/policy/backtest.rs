//! `portcullis policy backtest`.

use super::{Witnessed, parse};
use crate::failure::{Exit, Failure};
use crate::files;
use crate::out::{json, say, warn};
use clap::Args;
use portcullis_client::{Backtest, in_short};
use portcullis_core::act::ActKind;
use portcullis_core::policy::{Candidate, PolicyFault};
use portcullis_keeper::rfc3339;
use std::path::{Path, PathBuf};

/// How far back a proposal is tried out.
const DAYS: u32 = 30;
/// Most differences that are listed for people; JSON has all.
const LISTED: usize = 20;

/// What the last days would have been under another policy, or other limits
///
/// Decides every act and settlement of the journal's last days again, each on the state of its time,
/// and shows what would have come out otherwise.
#[derive(Debug, Args)]
pub(super) struct BacktestArgs {
    /// The policy, or the act that would set limits or a policy, as `portcullis call --act` takes it
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
        let candidate = candidate(&self.file)?;
        let journal = Witnessed::open(&self.dir)?;
        let report = journal.backtest(candidate, self.days)?;
        if self.json {
            say(json(&report));
        } else {
            lines(&report, self.days).iter().for_each(say);
        }
        Ok(())
    }
}

/// What the file would put in force.
fn candidate(path: &Path) -> Result<Candidate, Failure> {
    let text = files::read_text(path)?;
    if !text.trim_start().starts_with('{') {
        let policy = parse(path, &text)?;
        return Candidate::policy(policy).map_err(malformed);
    }
    let kind = serde_json::from_str(&text).map_err(|error| {
        let what = format!("{}: {error}", path.display());
        Failure::usage(what, "docs/guide/operators.md has a `set-limits`")
    })?;
    proposed(&kind)?.ok_or_else(|| {
        let what = format!(
            "a {} puts neither limits nor a policy in force",
            kind.name()
        );
        Failure::usage(
            what,
            "name a policy, or an act of the kind `set-limits` or `set-policy`",
        )
    })
}

/// What an act would put in force, where that can be tried on a journal.
fn proposed(kind: &ActKind) -> Result<Option<Candidate>, Failure> {
    match kind {
        ActKind::SetPolicy(set) => {
            let candidate = Candidate::policy(set.policy.clone());
            candidate.map(Some).map_err(malformed)
        }
        ActKind::SetLimits(set) => {
            let candidate = Candidate::limits(set.limits.clone());
            candidate.map(Some).ok_or_else(|| {
                let what = "limits have two rules for one asset and bounds, or too many rules";
                Failure::new(Exit::Wrong, what, "docs/spec/acts.md says what limits are")
            })
        }
        _ => Ok(None),
    }
}

fn malformed(fault: PolicyFault) -> Failure {
    Failure::new(Exit::Wrong, fault, "portcullis policy check says more")
}

/// Show what a proposed policy, or proposed limits, would have changed, before they are sent. It needs the
/// journal, which lies beside a gate or a replica.
pub(crate) fn before_proposal(dir: &Path, kind: &ActKind) -> Result<(), Failure> {
    let Some(candidate) = proposed(kind)? else {
        return Ok(());
    };
    let Ok(journal) = Witnessed::open(dir) else {
        warn("no journal here to try it on; where there is one: portcullis policy backtest");
        return Ok(());
    };
    let report = journal.backtest(candidate, DAYS)?;
    lines(&report, DAYS).iter().for_each(warn);
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

//! `portcullis labels propose`.

use super::build::rejects_of;
use super::{in_short, read_set};
use crate::failure::Failure;
use crate::files;
use crate::out::say;
use crate::propose::propose;
use crate::reach::{CallerArgs, ReachArgs};
use clap::Args;
use portcullis_core::Digest;
use portcullis_core::act::{ActKind, LabelsOffered, RejectedRows, SetLabels};
use portcullis_core::policy::Name;
use portcullis_labels::{Kind, LabelSet, Risk};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Propose a set under a list's name, or that a list be taken out
///
/// It takes a quorum of administrators: this proposes, the others say `portcullis approve`. In the place of
/// no other set it counts at once then; in the place of one, or for nothing, after the network's delay. Signs
/// as `administrator-1` unless --as or --key says otherwise.
///
/// Example:
///   portcullis labels propose ofac.set --list ofac
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct ProposeArgs {
    /// The set, as `portcullis labels build` wrote it
    #[arg(required_unless_present = "none")]
    file: Option<PathBuf>,
    /// Take the list out
    #[arg(long, conflicts_with = "file")]
    none: bool,
    /// What the list is called in this network: a-z, 0-9 and -
    #[arg(long, value_name = "NAME")]
    list: String,
    /// The risk, from 0 to 10, from which on a label refuses or holds; lower ones only inform policy.
    /// 0 for an authority's list; of a community's you have to say it
    #[arg(long)]
    from_risk: Option<Risk>,
    #[command(flatten)]
    caller: CallerArgs,
    #[command(flatten)]
    reach: ReachArgs,
}

impl ProposeArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let set = self.file.as_deref().map(read_set).transpose()?;
        let offered = match (&set, &self.file) {
            (Some(set), Some(file)) => Some(self.offered(set, file)?),
            _ => None,
        };
        let reach = self.reach.open()?;
        let caller = self.caller.or_as("administrator-1").required(&reach)?;
        let name = Name(self.list);
        let lists = reach.gate.lists()?.lists;
        let replaces = lists.get(&name).map(|list| list.set);
        if let Some(set) = &set {
            say(format_args!("set       {}", in_short(set)));
            let digest = Digest(set.digest().0);
            reach
                .gate
                .put_labels(&caller.signer, digest, set.as_bytes())?;
        }
        let kind = ActKind::SetLabels(SetLabels {
            name,
            replaces,
            set: offered,
        });
        propose(&reach, &caller, kind)
    }

    fn offered(&self, set: &LabelSet, file: &Path) -> Result<LabelsOffered, Failure> {
        let header = set.header();
        let from = match (self.from_risk, header.kind()) {
            (Some(from), _) => from.get(),
            (None, Kind::Authority) => 0,
            (None, Kind::Community) => return Err(unsaid_risk()),
        };
        if set.is_empty() {
            let what = "the set has no labels: it would take everything off the list";
            return Err(Failure::usage(what, "say --none if that is meant"));
        }
        let labels = u32::try_from(set.len()).unwrap_or(u32::MAX);
        Ok(LabelsOffered {
            digest: Digest(set.digest().0),
            kind: header.kind().into(),
            from,
            source: header.source().to_owned(),
            labels,
            rejected: rejected(file)?,
        })
    }
}

/// Exchanges and services stand in such lists, too, and a payment to them is no theft.
fn unsaid_risk() -> Failure {
    Failure::usage(
        "from which risk on a community's list holds is yours to say",
        "--from-risk 6 holds abuse, mixers, scams and thefts, and lets exchanges inform policy; --from-risk 0 holds all",
    )
}

/// What the list's rows were rejected for, where that was kept.
fn rejected(set: &Path) -> Result<Vec<RejectedRows>, Failure> {
    let path = rejects_of(set);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let counts: BTreeMap<String, u32> = serde_json::from_slice(&files::read(&path)?)
        .map_err(|error| Failure::usage(format!("{}: {error}", path.display()), ""))?;
    let counts = counts.into_iter();
    let rejected = counts.map(|(why, rows)| RejectedRows {
        why: Name(why),
        rows,
    });
    Ok(rejected.collect())
}

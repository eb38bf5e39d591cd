//! `portcullis labels build`.

use super::{in_short, read_whole};
use crate::failure::Failure;
use crate::files;
use crate::out::say;
use clap::{Args, ValueEnum};
use portcullis_labels::{
    Category, Date, Draft, EvmReach, Header, ImportError, Kind, MAX_FILE, Report, Risk, Rules,
    ofac_asset,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Make a set of lists
///
/// Reads TagPacks (.yaml), OFAC's lists (`sanctioned_addresses_ASSET.txt` or .json) and one's own (.csv,
/// .jsonl); of a folder all of those. Says for each file how many labels it gave and why rows gave none, and
/// writes the set to --out, with the rejects beside it for whoever approves.
///
/// Example:
///   portcullis labels build ofac/ --kind authority --source 'OFAC SDN list' --date 2026-11-28 --out ofac.set
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub(super) struct BuildArgs {
    /// Lists, or folders of them
    #[arg(required = true)]
    from: Vec<PathBuf>,
    /// Whether the law makes you follow it: an authority's refuses, a community's holds at most
    #[arg(long, value_enum)]
    kind: KindArg,
    /// Whose list it is, and where it is to be found
    #[arg(long)]
    source: String,
    /// The day of the list, like 2026-11-28
    #[arg(long)]
    date: Date,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Give every label this category
    #[arg(long)]
    category: Option<Category>,
    /// Give every label this risk, from 0 to 10
    #[arg(long)]
    risk: Option<Risk>,
    /// Mean addresses of Ethereum's on the asset's own chain only, not on every one
    #[arg(long)]
    named_chain: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindArg {
    Authority,
    Community,
}

impl BuildArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let kind = match self.kind {
            KindArg::Authority => Kind::Authority,
            KindArg::Community => Kind::Community,
        };
        let header = Header::new(kind, self.date, &self.source)
            .map_err(|error| Failure::usage(format!("--source: {error}"), ""))?;
        let rules = Rules {
            evm: if self.named_chain {
                EvmReach::NamedChain
            } else {
                EvmReach::EveryChain
            },
            category: self.category,
            risk: self.risk,
        };
        let (mut draft, mut rejected) = (Draft::new(), BTreeMap::new());
        for path in lists(&self.from)? {
            let report = import(&mut draft, &path, rules)?;
            tell(&path, &report);
            for (why, count) in &report.rejects {
                *rejected.entry(why.name()).or_insert(0_u32) += count;
            }
        }
        let set = draft.build(&header);
        files::write(&self.out, set.as_bytes())?;
        files::write(&rejects_of(&self.out), &to_json(&rejected))?;
        let all: u32 = rejected.values().sum();
        say(format_args!("set       {}", in_short(&set)));
        say(format_args!("digest    {}", set.digest()));
        say(format_args!("rejected  {all} rows in all"));
        Ok(())
    }
}

fn to_json(rejected: &BTreeMap<&'static str, u32>) -> Vec<u8> {
    serde_json::to_vec(rejected).unwrap_or_default()
}

/// Where the rejects of a set stand: beside it.
pub(super) fn rejects_of(set: &Path) -> PathBuf {
    let mut name = set.as_os_str().to_owned();
    name.push(".rejects.json");
    name.into()
}

/// Files as named, and those of folders that are lists, in order.
fn lists(from: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut lists = Vec::new();
    for path in from {
        if !path.is_dir() {
            lists.push(path.clone());
            continue;
        }
        let failed = |error: std::io::Error| {
            Failure::usage(format!("cannot read {}: {error}", path.display()), "")
        };
        let entries = std::fs::read_dir(path).map_err(failed)?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        let mut paths: Vec<PathBuf> = paths.collect::<Result<_, _>>().map_err(failed)?;
        paths.retain(|path| Form::of(path).is_some());
        paths.sort_unstable();
        lists.extend(paths);
    }
    Ok(lists)
}

/// What a file is, by its name.
enum Form<'a> {
    OfacText(&'a str),
    OfacJson(&'a str),
    TagPack,
    Csv,
    JsonLines,
}

impl<'a> Form<'a> {
    fn of(path: &'a Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let ending = path.extension()?.to_str()?;
        match (ofac_asset(name), ending) {
            (Some(asset), "txt") => Some(Self::OfacText(asset)),
            (Some(asset), "json") => Some(Self::OfacJson(asset)),
            (_, "yaml" | "yml") => Some(Self::TagPack),
            (_, "csv") => Some(Self::Csv),
            (_, "jsonl" | "ndjson") => Some(Self::JsonLines),
            _ => None,
        }
    }
}

fn import(draft: &mut Draft, path: &Path, rules: Rules) -> Result<Report, Failure> {
    let form = Form::of(path).ok_or_else(|| {
        let what = format!("{} is no list by its name", path.display());
        let next = "sanctioned_addresses_ASSET.txt or .json, .yaml, .csv or .jsonl";
        Failure::usage(what, next)
    })?;
    let bytes = read_whole(path, MAX_FILE)?;
    let read: Result<Report, ImportError> = match form {
        Form::OfacText(asset) => draft.ofac_text(asset, &bytes, rules),
        Form::OfacJson(asset) => draft.ofac_json(asset, &bytes, rules),
        Form::TagPack => draft.tagpack(&bytes, rules),
        Form::Csv => draft.csv(&bytes, rules),
        Form::JsonLines => draft.json_lines(&bytes, rules),
    };
    read.map_err(|error| {
        let what = format!("{}: {error}", path.display());
        Failure::usage(what, "the whole file is refused: mend it, or leave it out")
    })
}

fn tell(path: &Path, report: &Report) {
    let (labels, rejected) = (report.labels, report.rejected());
    let path = path.display();
    say(format_args!("{path}: {labels} labels, {rejected} rejected"));
    if report.elsewhere > 0 {
        let elsewhere = report.elsewhere;
        say(format_args!(
            "  {elsewhere} under another chain than the list says: they can be no other"
        ));
    }
    for (why, count) in &report.rejects {
        let lines = report.first.iter().filter(|(_, reject)| reject == why);
        let lines: Vec<String> = lines.take(5).map(|(line, _)| line.to_string()).collect();
        let lines = lines.join(", ");
        say(format_args!("  {count} {why} (line {lines})"));
    }
}

//! `portcullis labels build`.

use super::{in_short, read_whole};
use crate::failure::{Exit, Failure};
use crate::files;
use crate::out::say;
use clap::{Args, ValueEnum};
use portcullis_labels::{
    Category, Date, Draft, EvmReach, Header, ImportError, Kind, MAX_FILE, Report, Risk, Rules,
    ofac_asset,
};
use std::collections::BTreeMap;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};

/// Make a set of lists
///
/// Reads TagPacks (.yaml), OFAC's lists (`sanctioned_addresses_ASSET.txt` or .json) and one's own (.csv,
/// .jsonl); of a folder all of those, and of its folders. Says for each file how many labels it gave and why
/// rows gave none, and writes the set to --out. The rejects stand beside it: counted for whoever approves
/// (.rejects.json), and the first hundred of each file by their lines (.rejects.txt).
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
        let found = Found::under(&self.from)?;
        for path in &found.others {
            say(format_args!("{}: no list by its name", path.display()));
        }
        let (mut draft, mut rejected) = (Draft::new(), Rejected::default());
        for path in &found.lists {
            let report = import(&mut draft, path, rules)?;
            tell(path, &report);
            rejected.count(path, &report);
        }
        if draft.is_empty() {
            return Err(empty(&found));
        }
        let set = draft.build(&header);
        files::write(&self.out, set.as_bytes())?;
        rejected.write(&self.out)?;
        let all: u32 = rejected.counts.values().sum();
        say(format_args!("set       {}", in_short(&set)));
        say(format_args!("digest    {}", set.digest()));
        say(format_args!("rejected  {all} rows in all"));
        Ok(())
    }
}

/// In force such a set would take everything off its list that stands there.
fn empty(found: &Found) -> Failure {
    let next = if found.lists.is_empty() {
        "name lists, or folders of them: sanctioned_addresses_ASSET.txt or .json, .yaml, .csv or .jsonl"
    } else {
        "look at why the rows were rejected; to take a list out of force: portcullis labels propose --none"
    };
    Failure::new(Exit::Wrong, "no row gave a label: no set was written", next)
}

/// Why rows gave no label.
#[derive(Default)]
struct Rejected {
    counts: BTreeMap<&'static str, u32>,
    /// File, line and why.
    lines: String,
}

impl Rejected {
    fn count(&mut self, path: &Path, report: &Report) {
        for (why, count) in &report.rejects {
            *self.counts.entry(why.name()).or_default() += count;
        }
        let lines = report.first.iter();
        let lines = lines.map(|(line, why)| format!("{}:{line} {why}\n", path.display()));
        self.lines.extend(lines);
    }

    fn write(&self, set: &Path) -> Result<(), Failure> {
        let counts = serde_json::to_vec(&self.counts).unwrap_or_default();
        files::write(&rejects_of(set), &counts)?;
        files::write(&beside(set, ".rejects.txt"), self.lines.as_bytes())
    }
}

/// Where the rejects of a set are counted: beside it.
pub(super) fn rejects_of(set: &Path) -> PathBuf {
    beside(set, ".rejects.json")
}

fn beside(set: &Path, ending: &str) -> PathBuf {
    let mut name = set.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// What was named, and what stands in folders that were.
#[derive(Default)]
struct Found {
    lists: Vec<PathBuf>,
    /// In a folder, and no list by its name.
    others: Vec<PathBuf>,
}

impl Found {
    fn under(from: &[PathBuf]) -> Result<Self, Failure> {
        let mut found = Self::default();
        for path in from {
            if path.is_dir() {
                found.enter(path)?;
            } else {
                found.lists.push(path.clone());
            }
        }
        Ok(found)
    }

    /// Everything in a folder and its folders, by name. Links are not followed: they may lead back.
    fn enter(&mut self, folder: &Path) -> Result<(), Failure> {
        let failed = |error| files::unreadable(folder, &error);
        let entries = std::fs::read_dir(folder).map_err(failed)?;
        let mut entries: Vec<DirEntry> = entries.collect::<Result<_, _>>().map_err(failed)?;
        entries.sort_unstable_by_key(DirEntry::path);
        for entry in entries {
            let path = entry.path();
            if entry.file_type().map_err(failed)?.is_dir() {
                self.enter(&path)?;
            } else if Form::of(&path).is_some() {
                self.lists.push(path);
            } else {
                self.others.push(path);
            }
        }
        Ok(())
    }
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
        let mut lines: Vec<String> = lines.take(6).map(|(line, _)| line.to_string()).collect();
        if let Some(more) = lines.get_mut(5) {
            "…".clone_into(more);
        }
        let lines = lines.join(", ");
        say(format_args!("  {count} {why} (line {lines})"));
    }
}

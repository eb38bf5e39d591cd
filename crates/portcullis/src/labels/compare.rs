//! `portcullis labels compare`.

use super::{in_short, read_set};
use crate::failure::Failure;
use crate::out::say;
use clap::Args;
use portcullis_labels::{Change, Changes, LabelSet};
use std::path::PathBuf;

/// What a set changes against another: what whoever approves it signs for
#[derive(Debug, Args)]
pub(super) struct CompareArgs {
    /// The set in force
    old: PathBuf,
    /// The one to come
    new: PathBuf,
    /// How many changes of each kind to show
    #[arg(long, default_value_t = 20)]
    most: u32,
}

impl CompareArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (old, new) = (read_set(&self.old)?, read_set(&self.new)?);
        say(format_args!("old       {}", in_short(&old)));
        say(format_args!("new       {}", in_short(&new)));
        for (name, text) in changes(&old, &new, self.most) {
            say(format_args!("{name:<10}{text}"));
        }
        Ok(())
    }
}

/// How many addresses a set adds, removes and rates otherwise, and the first so many of each.
pub(crate) fn changes(old: &LabelSet, new: &LabelSet, most: u32) -> Vec<(&'static str, String)> {
    let (mut counts, mut lines) = (Changes::default(), Vec::new());
    for change in new.changes_since(old) {
        let count = match change {
            Change::Removed(..) => &mut counts.removed,
            Change::Added(..) => &mut counts.added,
            Change::Changed { .. } => &mut counts.changed,
        };
        if *count < most {
            lines.push(in_words(&change));
        }
        *count = count.saturating_add(1);
    }
    let (added, removed, changed) = (counts.added, counts.removed, counts.changed);
    let counts = format!("{added} added, {removed} removed, {changed} changed");
    core::iter::once(("changes", counts)).chain(lines).collect()
}

/// The first so many of a set that takes no other's place.
pub(crate) fn first(new: &LabelSet, most: u32) -> Vec<(&'static str, String)> {
    let labels = new.iter().zip(0..most);
    let added = labels.map(|((key, label), _)| in_words(&Change::Added(key, label)));
    let more = u64::try_from(new.len())
        .unwrap_or(u64::MAX)
        .saturating_sub(most.into());
    let more = (more > 0).then(|| ("added", format!("… and {more} more")));
    added.chain(more).collect()
}

fn in_words(change: &Change<'_>) -> (&'static str, String) {
    match change {
        Change::Removed(key, label) => {
            let (risk, text) = (label.rating.risk, label.text);
            ("removed", format!("{key} (risk {risk}: {text})"))
        }
        Change::Added(key, label) => {
            let (risk, text) = (label.rating.risk, label.text);
            ("added", format!("{key} (risk {risk}: {text})"))
        }
        Change::Changed { key, from, to } => {
            let (old, new, text) = (from.rating.risk, to.rating.risk, to.text);
            let words = format!("{key} (risk {old}, now {new}: {text})");
            ("changed", words)
        }
    }
}

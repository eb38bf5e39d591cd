//! `portcullis labels compare`.

use super::{in_short, read_set};
use crate::failure::Failure;
use crate::out::say;
use clap::Args;
use portcullis_labels::{Change, LabelSet};
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
    let counts = new.count_changes_since(old);
    let (added, removed, changed) = (counts.added, counts.removed, counts.changed);
    let counts = format!("{added} added, {removed} removed, {changed} changed");
    let mut lines = vec![("changes", counts)];
    let mut shown = [0_u32; 3];
    for change in new.changes_since(old) {
        let (place, line) = in_words(&change);
        let Some(count) = shown.get_mut(place) else {
            continue;
        };
        if *count < most {
            lines.push(line);
        }
        *count = count.saturating_add(1);
    }
    lines
}

/// The first so many of a set that takes no other's place.
pub(crate) fn first(new: &LabelSet, most: u32) -> Vec<(&'static str, String)> {
    let labels = new.iter().zip(0..most);
    let added = labels.map(|((key, label), _)| in_words(&Change::Added(key, label)).1);
    let more = u64::try_from(new.len())
        .unwrap_or(u64::MAX)
        .saturating_sub(most.into());
    let more = (more > 0).then(|| ("added", format!("… and {more} more")));
    added.chain(more).collect()
}

fn in_words(change: &Change<'_>) -> (usize, (&'static str, String)) {
    match change {
        Change::Removed(key, label) => {
            let (risk, text) = (label.rating.risk, label.text);
            (0, ("removed", format!("{key} (risk {risk}: {text})")))
        }
        Change::Added(key, label) => {
            let (risk, text) = (label.rating.risk, label.text);
            (1, ("added", format!("{key} (risk {risk}: {text})")))
        }
        Change::Changed { key, from, to } => {
            let (old, new, text) = (from.rating.risk, to.rating.risk, to.text);
            let line = format!("{key} (risk {old}, now {new}: {text})");
            (2, ("changed", line))
        }
    }
}

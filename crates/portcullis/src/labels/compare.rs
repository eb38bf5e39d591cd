//! `portcullis labels compare`.

use super::{in_short, read_set};
use crate::failure::Failure;
use crate::out::say;
use clap::Args;
use portcullis_labels::Change;
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
        let counts = new.count_changes_since(&old);
        let (added, removed, changed) = (counts.added, counts.removed, counts.changed);
        say(format_args!(
            "changes   {added} added, {removed} removed, {changed} changed"
        ));
        let mut shown = [0_u32; 3];
        for change in new.changes_since(&old) {
            let (place, line) = in_words(&change);
            let Some(count) = shown.get_mut(place) else {
                continue;
            };
            if *count < self.most {
                say(line);
            }
            *count = count.saturating_add(1);
        }
        Ok(())
    }
}

fn in_words(change: &Change<'_>) -> (usize, String) {
    match change {
        Change::Removed(key, label) => {
            let (risk, text) = (label.rating.risk, label.text);
            (0, format!("removed   {key} (risk {risk}: {text})"))
        }
        Change::Added(key, label) => {
            let (risk, text) = (label.rating.risk, label.text);
            (1, format!("added     {key} (risk {risk}: {text})"))
        }
        Change::Changed { key, from, to } => {
            let (old, new, text) = (from.rating.risk, to.rating.risk, to.text);
            let line = format!("changed   {key} (risk {old}, now {new}: {text})");
            (2, line)
        }
    }
}

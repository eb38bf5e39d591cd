//! What a set that is to come changes, from the bytes of both.

use crate::failure::{Exit, Failure};
use crate::labels;
use crate::reach::Reach;
use portcullis_core::act::SetLabels;
use portcullis_core::labels::{InForce, ListKind, Opened};
use portcullis_core::{Digest, State};
use portcullis_labels::LabelSet;
use std::sync::Arc;

/// How many addresses of each kind of change are shown.
const SHOWN: u32 = 10;

/// What is listed and delisted, and a word of warning where an authority's list gets shorter. Nobody is asked to
/// approve a set that cannot be looked into.
pub(super) fn changes(
    reach: &Reach,
    state: &State,
    set: &SetLabels,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let lists = state.facts().labels.as_ref();
    let old = lists.and_then(|lists| lists.get(&set.name));
    let Some(offered) = &set.set else {
        let delisted = old.map_or(0, |old| old.labels);
        return Ok(warning(old, delisted).into_iter().collect());
    };
    let new = fetched(reach, offered.digest)?;
    let new = new.if_so(offered.kind, &offered.source, offered.labels);
    let new = new.ok_or_else(|| unlike(offered.digest))?;
    let Some(old) = old else {
        return Ok(labels::first(new, SHOWN));
    };
    let before = match state.shelf().get(&old.set) {
        Some(opened) => opened.clone(),
        None => fetched(reach, old.set)?,
    };
    let before = before.set_if_one().ok_or_else(|| unlike(old.set))?;
    let mut lines = labels::changes(before, new, SHOWN);
    lines.extend(warning(Some(old), removed(before, new)));
    Ok(lines)
}

fn removed(old: &Arc<LabelSet>, new: &Arc<LabelSet>) -> u32 {
    new.count_changes_since(old).removed
}

/// Whoever wants to be paid has himself delisted.
fn warning(old: Option<&InForce>, delisted: u32) -> Option<(&'static str, String)> {
    let is_authoritys = old.is_some_and(|old| old.kind == ListKind::Authority);
    let words = format!(
        "{delisted} addresses that an authority lists will be paid again: see that it says so itself"
    );
    (is_authoritys && delisted > 0).then_some(("LOOK TWICE", words))
}

fn fetched(reach: &Reach, digest: Digest) -> Result<Opened, Failure> {
    Ok(Arc::new(labels::fetched(reach, digest)?).into())
}

fn unlike(digest: Digest) -> Failure {
    let what = format!("{digest} is not the set that the act says it is");
    Failure::new(
        Exit::Wrong,
        what,
        "do not approve it; ask whoever proposed it",
    )
}

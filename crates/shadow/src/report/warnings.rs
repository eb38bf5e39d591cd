//! What somebody should know before all else that the report says.

use super::html::share;
use super::{Forgotten, Report};
use crate::mapping::{Mapping, Noted};
use std::collections::BTreeSet;

/// A filter takes one in two million for seen; of so many rows one such is no news.
const CHANCE: u64 = 100_000;

pub(super) fn of(report: &Report, mapping: &Mapping, noted: &Noted) -> Vec<String> {
    let all = [
        unread(report),
        unmet_words(mapping, noted),
        unmet_assets(report, mapping),
        repeated(report),
        same_ids(report),
        ambiguous(noted),
        anew(report),
        forgotten(report),
    ];
    all.into_iter().flatten().collect()
}

fn unread(report: &Report) -> Option<String> {
    let (unread, all) = (report.faults.rows, report.rows());
    (unread > 0).then(|| {
        let share = share(unread, all);
        format!(
            "{unread} of {all} rows ({share} %) could not be read, and nothing here counts them."
        )
    })
}

fn unmet_words(mapping: &Mapping, noted: &Noted) -> Option<String> {
    let words: Vec<String> = mapping
        .unmet_words(noted)
        .map(|word| format!("{word:?}"))
        .collect();
    (!words.is_empty()).then(|| {
        let words = words.join(", ");
        format!("No row has the status {words}, which the mapping’s went_out names: look for another spelling.")
    })
}

fn unmet_assets(report: &Report, mapping: &Mapping) -> Option<String> {
    let met = &report.tally.judged.amounts;
    let folded: BTreeSet<String> = met.keys().map(|asset| asset.to_uppercase()).collect();
    let limited = report.terms.limits.keys().map(String::as_str);
    let limited = limited.filter(|asset| !folded.contains(&asset.to_uppercase()));
    let based = mapping.base_assets();
    let based = based.filter(|asset| !met.contains_key(*asset));
    let unmet: BTreeSet<&str> = limited.chain(based).collect();
    let unmet = unmet.into_iter();
    let unmet: Vec<String> = unmet.map(|asset| format!("{asset:?}")).collect();
    (!unmet.is_empty()).then(|| {
        let unmet = unmet.join(", ");
        format!("No row is of {unmet}, which a limit or base_units names: assets are named as the file names them.")
    })
}

fn repeated(report: &Report) -> Option<String> {
    let count = report.tally.repeated;
    (count > 0).then(|| {
        format!("{count} rows stand there more than once, with the same id and the same in all else: each counts once.")
    })
}

fn same_ids(report: &Report) -> Option<String> {
    let count = report.tally.same_ids;
    (count > report.tally.judged.count / CHANCE).then(|| {
        format!(
            "{count} rows have the id of an earlier row and differ from it: each counts. Where a row is a step of a \
             withdrawal, export one row of each; where the column is no id, map another."
        )
    })
}

fn ambiguous(noted: &Noted) -> Option<String> {
    let count = noted.ambiguous;
    (count > 0).then(|| {
        format!(
            "{count} local times fall into an hour that a change of clocks repeats or skips. Of two the earlier was taken, \
             of none the one as much later; export times with their offset, and nothing has to be guessed."
        )
    })
}

fn anew(report: &Report) -> Option<String> {
    let count = report.tally.anew;
    (count > 0).then(|| {
        format!(
            "Between two rows lie more than 30 days, {count} times: what is usual was learnt anew after each. Where a row \
             far from the others has a wrong time, correct it."
        )
    })
}

fn forgotten(report: &Report) -> Option<String> {
    let Forgotten {
        addresses,
        accounts,
        episodes,
    } = report.tally.forgotten;
    let parts = [
        (addresses, "young addresses counted as old"),
        (accounts, "accounts’ limits were counted anew within a week"),
        (episodes, "patterns were ended while they went on"),
    ];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    (!parts.is_empty()).then(|| {
        let parts = parts.join(", ");
        format!("There was more than memory is kept for: {parts}. Judge fewer days at once.")
    })
}

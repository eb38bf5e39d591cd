//! What somebody should know before all else that the report says.

use super::Report;
use super::html::share;
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
    let named = report.terms.limits.keys().map(String::as_str);
    let named: BTreeSet<&str> = named.chain(mapping.base_assets()).collect();
    let unmet = named.into_iter().filter(|asset| !met.contains_key(*asset));
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

//! Months that nobody lived: every theft in them is found, and hardly anybody honest is looked at. The thresholds
//! were chosen on seeds 1 to 3; these are others.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; the table is for people"
)]

use portcullis_shadow::judge::{Ground, Pattern};
use portcullis_shadow::month::{Made, month};
use portcullis_shadow::{Report, Row, Shadow, Sorter, Terms};
use std::collections::BTreeMap;

const HONEST: u64 = 100_000;
/// As many as a large platform has in a month.
const MANY: u64 = 1_000_000;
/// The thefts, and of how many withdrawals each is.
const ALL: [(Pattern, u64); 4] = [
    (Pattern::WithoutFactor, 120),
    (Pattern::Alike, 60),
    (Pattern::Together, 60),
    (Pattern::Changed, 60),
];

/// The report, how many of each theft's rows were in no way held or refused, and how many honest ones were held for
/// somebody to look at.
struct Judged {
    report: Report,
    gone: BTreeMap<Pattern, u64>,
    wrongly: u64,
}

fn judge(seed: u64, honest: u64) -> Judged {
    let made: Vec<Made> = month(seed, honest).collect();
    let theft: BTreeMap<u64, Option<Pattern>> =
        made.iter().map(|m| (m.row.number, m.theft)).collect();
    let mut sorter = Sorter::default();
    for Made { row, .. } in made {
        sorter.push(row).unwrap();
    }
    let mut shadow = Shadow::new(Terms::default());
    let (mut gone, mut wrongly) = (BTreeMap::new(), 0);
    for row in sorter.sorted().unwrap() {
        let row: Row = row.unwrap();
        let (number, grounds) = (row.number, shadow.take(row).grounds);
        let is_looked_at = |g: &Ground| matches!(g, Ground::Alike(_) | Ground::Together(_));
        match theft[&number] {
            Some(pattern) if grounds.is_empty() => *gone.entry(pattern).or_default() += 1,
            None if grounds.iter().any(is_looked_at) => wrongly += 1,
            _ => {}
        }
    }
    let report = shadow.report();
    Judged {
        report,
        gone,
        wrongly,
    }
}

#[test]
fn every_theft_is_found_and_hardly_anybody_honest_is_held_for_it() {
    for seed in 4..=9 {
        let judged = judge(seed, HONEST);
        for (pattern, planted) in ALL {
            let found = judged
                .report
                .episodes
                .iter()
                .find(|episode| episode.pattern == pattern);
            let found = found.unwrap_or_else(|| panic!("seed {seed}: {pattern:?} is not found"));
            // All of it, those before the pattern could be seen included; an honest change may stand beside them.
            let sum = found.out + found.held + found.refused;
            assert_eq!(sum, found.rows, "seed {seed}: {found:?}");
            let others = if pattern == Pattern::Changed { 5 } else { 0 };
            let all = planted..=planted + others;
            assert!(all.contains(&found.rows), "seed {seed}: {found:?}");
        }
        let kinds = judged.report.episodes.iter();
        let kinds: Vec<_> = kinds.map(|e| (e.pattern, e.rows, &e.common)).collect();
        assert_eq!(kinds.len(), 4, "seed {seed}: {kinds:?}");
        assert!(
            judged.wrongly * 1_000 < HONEST,
            "seed {seed}: {} honest ones are held",
            judged.wrongly
        );
        let gone: u64 = judged.gone.values().sum();
        assert_eq!(gone, 0, "seed {seed}: {:?}", judged.gone);
    }
}

#[test]
fn a_month_without_thefts_has_no_episodes() {
    let mut shadow = Shadow::new(Terms::default());
    let mut honest: Vec<Row> = month(4, HONEST)
        .filter(|m| m.theft.is_none())
        .map(|m| m.row)
        .collect();
    honest.sort_by_key(|row| row.time);
    for row in honest {
        shadow.take(row);
    }
    let report = shadow.report();
    assert_eq!(report.episodes.len(), 0);
    assert_eq!(report.tally.judged.count, HONEST);
    let tally = &report.tally;
    assert_eq!(
        tally.out.count + tally.held.count + tally.refused.count,
        HONEST
    );
}

/// The figures of docs/design/056.
#[test]
#[ignore = "a table for people: --ignored --nocapture"]
fn table() {
    for (seed, honest) in [(1, HONEST), (2, HONEST), (3, HONEST), (4, MANY)] {
        let judged = judge(seed, honest);
        let episodes = judged.report.episodes.iter();
        let episodes: Vec<_> = episodes
            .map(|e| (e.pattern, e.rows, e.out, &e.common))
            .collect();
        println!("| {seed} | {honest} | {} | {episodes:?} |", judged.wrongly);
    }
}

//! The score that policies are told, on months that nobody lived. That a withdrawal is looked at from 50 points on
//! was chosen on seeds 1 to 3; it is judged on 4 to 9.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; the table is for people"
)]

use portcullis_shadow::judge::Pattern;
use portcullis_shadow::month::{Made, month};
use portcullis_shadow::{Shadow, Sorter, Terms};
use std::collections::BTreeMap;

const HONEST: u64 = 100_000;
/// From so many points on `policies/watchful.toml` has somebody look.
const LOOKED_AT: u8 = 50;

/// By score: how many of each theft's withdrawals, and of the honest ones, had at least so many points.
struct Scores {
    thefts: BTreeMap<Pattern, Vec<u8>>,
    honest: Vec<u8>,
}

impl Scores {
    fn of(seed: u64) -> Self {
        let made: Vec<Made> = month(seed, HONEST).collect();
        let theft: BTreeMap<u64, Option<Pattern>> =
            made.iter().map(|m| (m.row.number, m.theft)).collect();
        let mut sorter = Sorter::default();
        for Made { row, .. } in made {
            sorter.push(row).unwrap();
        }
        let mut shadow = Shadow::new(Terms::default());
        let mut scores = Self {
            thefts: BTreeMap::new(),
            honest: Vec::new(),
        };
        for row in sorter.sorted().unwrap() {
            let row = row.unwrap();
            let number = row.number;
            let score = shadow.take(row).company.score();
            match theft[&number] {
                Some(pattern) => scores.thefts.entry(pattern).or_default().push(score),
                None => scores.honest.push(score),
            }
        }
        scores
    }

    fn hits(&self, pattern: Pattern, from: u8) -> usize {
        above(&self.thefts[&pattern], from)
    }
}

fn above(scores: &[u8], from: u8) -> usize {
    scores.iter().filter(|score| **score >= from).count()
}

const SHOWN_BY_COMPANY: [Pattern; 3] = [Pattern::Alike, Pattern::Together, Pattern::Changed];

/// Of sixty. The first five are alone; behind honest changes of the days before, a few more.
const FOUND: [(Pattern, usize); 3] = [
    (Pattern::Alike, 54),
    (Pattern::Together, 54),
    (Pattern::Changed, 45),
];

#[test]
fn from_fifty_points_on_thefts_are_held_and_hardly_anybody_honest() {
    for seed in 4..=9 {
        let scores = Scores::of(seed);
        for (pattern, least) in FOUND {
            let hits = scores.hits(pattern, LOOKED_AT);
            assert!(hits >= least, "seed {seed}: {hits} of {pattern:?}");
        }
        let wrongly = above(&scores.honest, LOOKED_AT) as u64;
        assert!(wrongly * 10_000 < HONEST, "seed {seed}: {wrongly} honest");
    }
}

/// The table of docs/design/067.
#[test]
#[ignore = "a table for people: --run-ignored all --no-capture"]
fn table() {
    for from in [20, 30, 40, 50, 60, 70] {
        for seed in 1..=9 {
            let scores = Scores::of(seed);
            let hits = SHOWN_BY_COMPANY.map(|pattern| {
                format!(
                    "{}/{}",
                    scores.hits(pattern, from),
                    scores.thefts[&pattern].len()
                )
            });
            let honest = above(&scores.honest, from);
            println!("| {from} | {seed} | {} | {honest} |", hits.join(" | "));
        }
    }
}

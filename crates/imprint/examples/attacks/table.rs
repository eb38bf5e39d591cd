//! The attack table: every attack on every picture, aligned and attributed as a vault would do it.

use std::collections::BTreeMap;

use image::RgbImage;
use portcullis_imprint::{
    Answer, Bound, Limit, Picture, Projection, Reference, Strength, Words, embed,
};

use crate::attack::{SINGLE, image, jpeg, picture};
use crate::rng::Rng;
use crate::{Original, core_seconds, key};

/// Releases that every copy might be of.
const CANDIDATES: u32 = 10_000;

/// What a row of the table gathers.
#[derive(Default)]
struct Row {
    /// Scores of true releases.
    scores: Vec<f64>,
    named: usize,
    missed: usize,
    wrong: usize,
    unaligned: usize,
}

struct Bench {
    words: Words,
    rows: BTreeMap<(usize, String), [Row; 2]>,
    /// The one attack to run, if not all.
    only: Option<String>,
    wrong_pairs: u64,
    wrong_square: f64,
    wrong_most: f64,
    align_time: f64,
    score_time: f64,
    cases: usize,
}

/// Runs the table over originals with their strengths.
pub(crate) fn run(originals: &[(Original, Strength)], only: Option<&str>) {
    let mut words = Words::new();
    (0..CANDIDATES).for_each(|r| words.push(&key().seed(&r.to_le_bytes()).word()));
    let mut bench = Bench {
        words,
        rows: BTreeMap::new(),
        only: only.map(str::to_owned),
        wrong_pairs: 0,
        wrong_square: 0.0,
        wrong_most: f64::NEG_INFINITY,
        align_time: 0.0,
        score_time: 0.0,
        cases: 0,
    };
    for (n, (original, strength)) in originals.iter().enumerate() {
        bench.picture(original, *strength, &mut Rng::new(n as u64 + 77));
    }
    bench.print();
}

fn copy(original: &Original, release: u32, strength: Strength) -> RgbImage {
    let mut out = original.picture.clone();
    embed(
        &mut out,
        &key().map(original.name.as_bytes()),
        &key().seed(&release.to_le_bytes()).word(),
        strength,
    );
    image(&out)
}

impl Bench {
    fn picture(&mut self, original: &Original, strength: Strength, rng: &mut Rng) {
        let reference = Reference::of(&original.picture);
        let releases: Vec<u32> = (0..5)
            .map(|_| rng.below(CANDIDATES as usize) as u32)
            .collect();
        let copies: Vec<RgbImage> = releases
            .iter()
            .map(|r| copy(original, *r, strength))
            .collect();
        let mut case = |order: usize, name: &str, leak: RgbImage, of: &[u32]| {
            self.case(original, &reference, (order, name), &picture(leak), of);
        };
        for (order, attack) in SINGLE.iter().enumerate() {
            case(
                order,
                attack.name,
                (attack.run)(&copies[0], rng),
                &releases[..1],
            );
        }
        for _ in 0..4 {
            let (one, two) = (
                &SINGLE[1 + rng.below(SINGLE.len() - 1)],
                &SINGLE[1 + rng.below(SINGLE.len() - 1)],
            );
            let first = (one.run)(&copies[1], rng);
            if first.width().min(first.height()) >= 120 {
                case(50, "two in a row", (two.run)(&first, rng), &releases[1..2]);
            }
        }
        for count in [2, 3, 5] {
            case(
                60 + count,
                &format!("average of {count}"),
                average(&copies[..count]),
                &releases[..count],
            );
        }
        case(70, "patchwork of 5", patchwork(&copies), &releases);
        case(
            71,
            "average of 5, JPEG 50",
            jpeg(&average(&copies), 50),
            &releases,
        );
        case(
            72,
            "average of 5, JPEG 30",
            jpeg(&average(&copies), 30),
            &releases,
        );
        case(80, "(not marked)", image(&original.picture), &[]);
    }

    fn case(
        &mut self,
        original: &Original,
        reference: &Reference,
        (order, name): (usize, &str),
        leak: &Picture,
        of: &[u32],
    ) {
        if self.only.as_ref().is_some_and(|only| only != name) {
            return;
        }
        let start = core_seconds();
        let alignment = reference.align(leak);
        self.align_time += core_seconds() - start;
        self.cases += 1;
        let row = &mut self.rows.entry((order, name.to_owned())).or_default()
            [usize::from(original.document)];
        let Some(alignment) = alignment else {
            row.unaligned += 1;
            row.missed += of.len();
            if std::env::var_os("SHOW").is_some() {
                println!("{} {name}: not aligned", original.name);
            }
            return;
        };
        let start = core_seconds();
        let map = key().map(original.name.as_bytes());
        let projection = Projection::of(&original.picture, &alignment.aligned, &map);
        let scores = projection.scores(&self.words);
        let answer = Answer::of(&projection, &self.words, Limit::PER_FILE);
        self.score_time += core_seconds() - start;
        let named: Vec<usize> = match answer {
            Answer::Release(named) => vec![named.release],
            Answer::Several(all) => all.iter().map(|n| n.release).collect(),
            Answer::None => Vec::new(),
        };
        row.wrong += named.iter().filter(|n| !of.contains(&(**n as u32))).count();
        for release in of {
            let found = named.contains(&(*release as usize));
            row.named += usize::from(found);
            row.missed += usize::from(!found);
            row.scores.push(scores[*release as usize]);
            if !found && std::env::var_os("SHOW").is_some() {
                println!(
                    "{} {name}: score {:.1}, likeness {:.2}, points {}, covers {:.2}",
                    original.name,
                    scores[*release as usize],
                    alignment.likeness,
                    alignment.points,
                    alignment.aligned.coverage()
                );
            }
        }
        for (_, score) in scores
            .iter()
            .enumerate()
            .filter(|(r, _)| !of.contains(&(*r as u32)))
        {
            self.wrong_pairs += 1;
            self.wrong_square += score * score;
            self.wrong_most = self.wrong_most.max(*score);
        }
    }

    fn print(&self) {
        println!(
            "| attack | photographs: median / worst | named | documents: median / worst | named |"
        );
        println!("| --- | --- | --- | --- | --- |");
        for ((_, name), rows) in &self.rows {
            println!("| {name} | {} | {} |", cell(&rows[0]), cell(&rows[1]));
        }
        let single: usize = self
            .rows
            .iter()
            .filter(|((o, _), _)| *o < 50)
            .flat_map(|(_, r)| r)
            .map(|r| r.missed)
            .sum();
        let cases: usize = self
            .rows
            .iter()
            .filter(|((o, _), _)| *o < 50)
            .flat_map(|(_, r)| r)
            .map(|r| r.missed + r.named)
            .sum();
        let wrong: usize = self.rows.values().flatten().map(|r| r.wrong).sum();
        println!(
            "single attacks: {single} missed of {cases}; wrong names: {wrong} in {} pairs, their scores' deviation {:.4}, the largest {:.2}",
            self.wrong_pairs,
            (self.wrong_square / self.wrong_pairs.max(1) as f64).sqrt(),
            self.wrong_most
        );
        let n = self.cases.max(1) as f64;
        println!(
            "align {:.2} s a file, project and score twice {:.2} s; least score {:.2}",
            self.align_time / n,
            self.score_time / n,
            Bound::least_score(Limit::PER_FILE, CANDIDATES as usize, 2)
        );
    }
}

fn cell(row: &Row) -> String {
    let mut scores = row.scores.clone();
    scores.sort_by(f64::total_cmp);
    if scores.is_empty() {
        return format!("– | {} wrong, {} not aligned", row.wrong, row.unaligned);
    }
    format!(
        "{:.1} / {:.1} | {} of {}",
        scores[scores.len() / 2],
        scores[0],
        row.named,
        row.named + row.missed
    )
}

fn average(copies: &[RgbImage]) -> RgbImage {
    let mut out = copies[0].clone();
    for (i, value) in out.iter_mut().enumerate() {
        let sum: u32 = copies.iter().map(|c| u32::from(c.as_raw()[i])).sum();
        *value = ((sum + copies.len() as u32 / 2) / copies.len() as u32) as u8;
    }
    out
}

/// Squares of 64 pixels from each copy in turn.
fn patchwork(copies: &[RgbImage]) -> RgbImage {
    RgbImage::from_fn(copies[0].width(), copies[0].height(), |x, y| {
        let which = (x / 64 * 3 + y / 64 * 7) as usize % copies.len();
        *copies[which].get_pixel(x, y)
    })
}

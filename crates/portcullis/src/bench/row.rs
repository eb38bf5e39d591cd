//! A row of the table: what was measured, against what, and whether it suffices.

use crate::out::say;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How this binary was built.
const PROFILE: &str = if cfg!(debug_assertions) {
    "dev"
} else {
    "release"
};

/// One measured figure.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Row {
    /// Which.
    pub(super) name: String,
    /// The figure; nothing where it could not be had.
    pub(super) measured: Option<f64>,
    /// Of `measured` and `floor`.
    pub(super) unit: String,
    /// What it is held against, in the same unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) floor: Option<f64>,
    /// How near: 1 is as good as the floor, more is better. Absent without a floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ratio: Option<f64>,
    /// What must be reached, in words.
    pub(super) mark: String,
    /// Whether it was; nothing where there is no mark, or nothing was measured.
    pub(super) met: Option<bool>,
    /// Seconds on the wall clock that the measurement took.
    pub(super) wall: f64,
    /// Cores of the machine.
    pub(super) cores: usize,
    /// Most things in one batch.
    pub(super) batch: Option<u64>,
    /// Witnesses that cosigned.
    pub(super) witnesses: Option<u64>,
    /// Of a run with `--quick`: sizes were shrunk.
    pub(super) quick: bool,
    /// How the binary was built: `release` is optimised, `dev` is not, and its figures mean nothing.
    pub(super) profile: String,
    /// How it came about, where the name does not say it.
    pub(super) note: String,
}

impl Row {
    /// A figure that took so long to measure.
    pub(super) fn new(name: &str, measured: f64, unit: &str, wall: Duration) -> Self {
        Self {
            name: name.to_owned(),
            measured: Some(measured),
            unit: unit.to_owned(),
            floor: None,
            ratio: None,
            mark: String::new(),
            met: None,
            wall: wall.as_secs_f64(),
            cores: cores(),
            batch: None,
            witnesses: None,
            quick: false,
            profile: PROFILE.to_owned(),
            note: String::new(),
        }
    }

    /// What could not be measured here, and why.
    pub(super) fn skipped(name: &str, unit: &str, why: &str) -> Self {
        let row = Self::new(name, 0.0, unit, Duration::ZERO);
        Self {
            measured: None,
            note: format!("skipped: {why}"),
            ..row
        }
    }

    /// Held against a cost: less is better.
    pub(super) fn against_cost(self, floor: f64, at_least: f64) -> Self {
        let ratio = floor / self.measured.unwrap_or(f64::INFINITY);
        self.against(floor, ratio, at_least)
    }

    /// Held against a rate: more is better.
    pub(super) fn against_rate(self, floor: f64, at_least: f64) -> Self {
        let ratio = self.measured.unwrap_or(0.0) / floor;
        self.against(floor, ratio, at_least)
    }

    fn against(self, floor: f64, ratio: f64, at_least: f64) -> Self {
        Self {
            floor: Some(floor),
            ratio: Some(ratio),
            mark: format!("ratio >= {at_least}"),
            met: Some(ratio >= at_least),
            ..self
        }
    }

    /// Must be at most this.
    pub(super) fn at_most(self, mark: f64) -> Self {
        let met = self.measured.map(|measured| measured <= mark);
        let mark = format!("<= {mark} {}", self.unit);
        Self { mark, met, ..self }
    }

    /// So many at once.
    pub(super) fn batch(self, batch: u64) -> Self {
        Self {
            batch: Some(batch),
            ..self
        }
    }

    /// So many cosigned.
    pub(super) fn witnesses(self, witnesses: u64) -> Self {
        Self {
            witnesses: Some(witnesses),
            ..self
        }
    }

    /// Of a run whose sizes were shrunk, or not.
    pub(super) fn quick(self, quick: bool) -> Self {
        Self { quick, ..self }
    }

    /// With a word on how.
    pub(super) fn note(self, note: impl Into<String>) -> Self {
        Self {
            note: note.into(),
            ..self
        }
    }
}

/// Cores of this machine.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The middle of several measurements; the noise of a shared machine is at the ends.
pub(super) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    percentile(&figures, 50).unwrap_or(f64::NAN)
}

/// What so many per cent of the times do not exceed, in milliseconds.
pub(super) fn millis(sorted: &[Duration], percent: usize) -> f64 {
    percentile(sorted, percent).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}

/// The first that so many per cent do not exceed, by nearest rank.
fn percentile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

/// The table for people.
pub(super) fn tell(rows: &[Row], quick: bool) {
    if quick {
        say("Quick: sizes are shrunk, so the figures show the order of magnitude and no more.");
    }
    let head = [
        "",
        "measured",
        "floor",
        "ratio",
        "must reach",
        "",
        "wall",
        "batch",
    ];
    let body = rows.iter().map(cells);
    let table: Vec<[String; 8]> = core::iter::once(head.map(str::to_owned))
        .chain(body)
        .collect();
    let width = |column: usize| {
        let cells = table.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    for row in &table {
        let padded = row.iter().zip(&widths);
        let padded = padded.map(|(cell, width)| format!("{cell:<width$}"));
        let line = padded.collect::<Vec<_>>().join("  ");
        say(line.trim_end());
    }
    for row in rows.iter().filter(|row| !row.note.is_empty()) {
        say(format_args!("  {}: {}", row.name, row.note));
    }
}

fn cells(row: &Row) -> [String; 8] {
    let with_unit = |figure: Option<f64>| {
        figure.map_or_else(String::new, |figure| {
            format!("{} {}", short(figure), row.unit)
        })
    };
    let met = match row.met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "",
    };
    let ratio = row
        .ratio
        .map_or_else(String::new, |ratio| format!("{ratio:.2}"));
    let batch = row
        .batch
        .map_or_else(String::new, |batch| batch.to_string());
    [
        row.name.clone(),
        with_unit(row.measured),
        with_unit(row.floor),
        ratio,
        row.mark.clone(),
        met.to_owned(),
        format!("{:.1} s", row.wall),
        batch,
    ]
}

fn short(figure: f64) -> String {
    if figure.abs() >= 1000.0 {
        format!("{figure:.0}")
    } else {
        format!("{figure:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_is_better_below_and_a_rate_above_the_floor() {
        let row = |measured| Row::new("x", measured, "u", Duration::ZERO);
        assert_eq!(row(200.0).against_cost(100.0, 0.5).met, Some(true));
        assert_eq!(row(201.0).against_cost(100.0, 0.5).met, Some(false));
        assert_eq!(row(50.0).against_rate(100.0, 0.5).met, Some(true));
        assert_eq!(row(49.0).against_rate(100.0, 0.5).met, Some(false));
        assert_eq!(row(1.0).at_most(1.0).met, Some(true));
        assert_eq!(row(1.1).at_most(1.0).met, Some(false));
    }

    #[test]
    fn without_a_floor_there_is_no_ratio() {
        let text = serde_json::to_string(&Row::new("x", 1.0, "u", Duration::ZERO)).unwrap();
        assert!(!text.contains("ratio") && !text.contains("floor"), "{text}");
        assert!(text.contains(r#""met":null"#), "{text}");
    }

    #[test]
    fn percentiles_by_nearest_rank() {
        let hundred: Vec<u32> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 99), Some(99));
        assert_eq!(percentile(&hundred, 50), Some(50));
        assert_eq!(percentile(&hundred[..10], 99), Some(10));
        assert_eq!(percentile(&[7], 50), Some(7));
        assert_eq!(percentile::<u32>(&[], 50), None);
        assert!((median(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
    }
}

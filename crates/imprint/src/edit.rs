//! Where a copy differs from its original by more than its channel did: a name, a number or a face replaced.
//!
//! The picture is cut into cells of 8 × 8 pixels. A cell is odd if it fits its prediction much worse than cells
//! of like texture do; the rate of odd cells among unedited ones is read from the lower tail, which no edit
//! reaches. A window with more odd cells than chance would gather is edited.

use crate::answer::Limit;
use crate::filter::quantile;
use crate::host::{Aligned, residual};
use crate::picture::{Picture, Plane};

/// Pixels along a side of a cell.
pub const EDIT_CELL: usize = 8;

/// What was edited, in the original's pixels.
#[derive(Debug, Clone, PartialEq)]
pub struct Edits {
    /// Cells in a row.
    pub columns: usize,
    /// Row by row: whether the cell belongs to an edit.
    pub cells: Vec<bool>,
    /// The edits, each a rectangle around cells that touch.
    pub regions: Vec<Region>,
}

/// A rectangle of the original that was edited, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Left border.
    pub x: usize,
    /// Upper border.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// The decimal logarithm of a bound on the chance that an unedited copy shows any such window (Chernoff,
    /// over all windows). Unlike the bound on names it rests on a model: unedited cells of like texture are
    /// odd independently of each other, at the rate that was read.
    pub false_alarm: f64,
}

/// Windows that are looked through, in cells.
const WINDOWS: [(usize, usize); 4] = [(4, 3), (8, 4), (14, 5), (10, 10)];
/// Odd cells among unedited ones, at least.
const RATE: f64 = 0.05;
/// Classes of texture.
const CLASSES: usize = 10;

/// Finds edits in an aligned copy whose false alarm is under `limit`.
#[must_use]
pub fn edits(original: &Picture, aligned: &Aligned, limit: Limit) -> Edits {
    let columns = original.width() / EDIT_CELL;
    let rows = original.height() / EDIT_CELL;
    let luminance = original.luminance();
    let covered: Vec<bool> = cells(&aligned.covered, columns, rows, |v| v)
        .iter()
        .map(|share| *share > 0.99)
        .collect();
    let mut trusted = aligned.clone();
    let mut found = Vec::new();
    // An edit bends the prediction around it, so what one look finds is left out of the next one's fit.
    for _ in 0..3 {
        let predicted = residual(&luminance, &trusted).predicted;
        let error = aligned
            .copy
            .map2(&predicted, |copy, predicted| copy - predicted);
        let energy = cells(&error, columns, rows, |v| v * v);
        let texture = textures(&predicted, columns, rows);
        let odd = odd_cells(&energy, &texture, &covered);
        let rate = rate(&odd, columns);
        found = Windows {
            odd: &odd,
            covered: &covered,
            columns,
            rate,
            limit,
        }
        .scan();
        trusted.covered = without(&aligned.covered, &found, columns);
    }
    let regions = regions(&mut found, columns);
    let cells = found.iter().map(Option::is_some).collect();
    Edits {
        columns,
        cells,
        regions,
    }
}

/// The cover less the cells that were found.
fn without(covered: &Plane, found: &[Option<f64>], columns: usize) -> Plane {
    let mut out = covered.clone();
    for (i, _) in found
        .iter()
        .enumerate()
        .filter(|(_, bound)| bound.is_some())
    {
        let (x, y) = (i % columns * EDIT_CELL, i / columns * EDIT_CELL);
        (y..y + EDIT_CELL).for_each(|y| out.row_mut(y)[x..x + EDIT_CELL].fill(0.0));
    }
    out
}

fn cells(plane: &Plane, columns: usize, rows: usize, of: impl Fn(f32) -> f32) -> Vec<f32> {
    let mut out = vec![0.0; columns * rows];
    for y in 0..rows * EDIT_CELL {
        let sums = &mut out[y / EDIT_CELL * columns..][..columns];
        for (sum, part) in sums.iter_mut().zip(plane.row(y).chunks_exact(EDIT_CELL)) {
            *sum += part.iter().map(|v| of(*v)).sum::<f32>() / (EDIT_CELL * EDIT_CELL) as f32;
        }
    }
    out
}

/// The largest deviation of a cell and its neighbours: near an edge a small shift errs as much as on it.
fn textures(predicted: &Plane, columns: usize, rows: usize) -> Vec<f32> {
    let mean = cells(predicted, columns, rows, |v| v);
    let square = cells(predicted, columns, rows, |v| v * v);
    let own: Vec<f32> = mean
        .iter()
        .zip(&square)
        .map(|(m, s)| (s - m * m).max(0.0))
        .collect();
    let at = |x: usize, y: usize| {
        let xs = x.saturating_sub(1)..(x + 2).min(columns);
        let ys = y.saturating_sub(1)..(y + 2).min(rows);
        ys.flat_map(|y| own[y * columns..][xs.clone()].iter())
            .fold(0.0_f32, |a, b| a.max(*b))
    };
    (0..columns * rows)
        .map(|i| at(i % columns, i / columns))
        .collect()
}

/// In each class of texture, the cells whose energy lies as far above the middle as one in fifty lies under
/// it, and is four times the middle at least.
fn odd_cells(energy: &[f32], texture: &[f32], covered: &[bool]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..energy.len()).filter(|i| covered[*i]).collect();
    order.sort_by(|a, b| texture[*a].total_cmp(&texture[*b]));
    let mut odd = vec![false; energy.len()];
    for class in order.chunks(order.len().div_ceil(CLASSES).max(1)) {
        let mut logs: Vec<f32> = class.iter().map(|i| (energy[*i] + 0.05).ln()).collect();
        let middle = quantile(&mut logs, 0.5);
        let low = quantile(&mut logs, 0.02);
        let limit = middle + (middle - low).max(4.0_f32.ln());
        for i in class {
            odd[*i] = (energy[*i] + 0.05).ln() > limit;
        }
    }
    odd
}

/// The rate of odd cells in an unedited picture: not under [`RATE`], nor under what most of this one's parts
/// show.
fn rate(odd: &[bool], columns: usize) -> f64 {
    const PART: usize = 12;
    let rows = odd.len() / columns.max(1);
    let mut shares = Vec::new();
    for y in (0..rows.saturating_sub(PART - 1)).step_by(PART) {
        for x in (0..columns.saturating_sub(PART - 1)).step_by(PART) {
            let count: usize = (y..y + PART)
                .map(|y| {
                    odd[y * columns + x..][..PART]
                        .iter()
                        .filter(|o| **o)
                        .count()
                })
                .sum();
            shares.push(count as f32 / (PART * PART) as f32);
        }
    }
    (1.5 * f64::from(quantile(&mut shares, 0.5))).max(RATE)
}

struct Windows<'a> {
    odd: &'a [bool],
    covered: &'a [bool],
    columns: usize,
    rate: f64,
    limit: Limit,
}

impl Windows<'_> {
    /// For each cell of an edit the least bound of its windows.
    fn scan(&self) -> Vec<Option<f64>> {
        let mut out = vec![None; self.odd.len()];
        let rows = self.odd.len() / self.columns.max(1);
        let union = (self.odd.len() * WINDOWS.len()).max(1) as f64;
        for (width, height) in WINDOWS {
            for y in 0..(rows + 1).saturating_sub(height) {
                for x in 0..(self.columns + 1).saturating_sub(width) {
                    let places = (y..y + height).flat_map(|y| (x..x + width).map(move |x| (x, y)));
                    let inside: Vec<usize> = places
                        .map(|(x, y)| y * self.columns + x)
                        .filter(|i| self.covered[*i])
                        .collect();
                    let count = inside.iter().filter(|i| self.odd[**i]).count();
                    let log = union.log10() + chernoff(count, inside.len(), self.rate);
                    if log <= self.limit.log10() {
                        for i in inside.into_iter().filter(|i| self.odd[*i]) {
                            out[i] = Some(out[i].map_or(log, |before: f64| before.min(log)));
                        }
                    }
                }
            }
        }
        out
    }
}

/// The decimal logarithm of a bound on the chance of `count` or more among `n` at a rate: exp(−n · KL).
fn chernoff(count: usize, n: usize, rate: f64) -> f64 {
    let share = count as f64 / n.max(1) as f64;
    if share <= rate || rate >= 1.0 {
        return 0.0;
    }
    let rest = if share < 1.0 {
        (1.0 - share) * ((1.0 - share) / (1.0 - rate)).ln()
    } else {
        0.0
    };
    -(n as f64) * (share * (share / rate).ln() + rest) / std::f64::consts::LN_10
}

/// Rectangles around cells that touch, or have one cell between them. One or two cells alone are chance's part
/// of a window that has an edit elsewhere, and are dropped.
fn regions(found: &mut [Option<f64>], columns: usize) -> Vec<Region> {
    let mut open: Vec<bool> = found.iter().map(Option::is_some).collect();
    let mut out = Vec::new();
    for start in 0..open.len() {
        if !std::mem::take(&mut open[start]) {
            continue;
        }
        let (mut left, mut right) = (start % columns, start % columns);
        let (top, mut low, mut bound) = (start / columns, start / columns, 0.0_f64);
        let (mut waiting, mut members) = (vec![start], Vec::new());
        while let Some(i) = waiting.pop() {
            members.push(i);
            let (x, y) = (i % columns, i / columns);
            (left, right, low) = (left.min(x), right.max(x), low.max(y));
            bound = bound.min(found[i].unwrap_or(0.0));
            for near_y in y.saturating_sub(2)..(y + 3).min(open.len() / columns) {
                for near_x in x.saturating_sub(2)..(x + 3).min(columns) {
                    if std::mem::take(&mut open[near_y * columns + near_x]) {
                        waiting.push(near_y * columns + near_x);
                    }
                }
            }
        }
        if members.len() < 3 {
            for i in members {
                found[i] = None;
            }
            continue;
        }
        out.push(Region {
            x: left * EDIT_CELL,
            y: top * EDIT_CELL,
            width: (right + 1 - left) * EDIT_CELL,
            height: (low + 1 - top) * EDIT_CELL,
            false_alarm: bound,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the exact tail of a binomial distribution.
    #[test]
    fn the_bound_is_over_the_tail() {
        let exact = |count: i32, n: i32, rate: f64| -> f64 {
            let choose = |k: i32| {
                (0..k)
                    .map(|i| f64::from(n - i) / f64::from(k - i))
                    .product::<f64>()
            };
            (count..=n)
                .map(|k| choose(k) * rate.powi(k) * (1.0 - rate).powi(n - k))
                .sum::<f64>()
                .log10()
        };
        for (count, n) in [(3, 12), (6, 12), (12, 12), (10, 32), (20, 70)] {
            let bound = chernoff(count, n, 0.05);
            let exact = exact(count as i32, n as i32, 0.05);
            assert!(
                bound >= exact - 1e-9 && bound < exact + 2.0,
                "{count} of {n}: {bound} {exact}"
            );
        }
        assert!(chernoff(0, 12, 0.05).abs() < 1e-12 && chernoff(0, 0, 0.05).abs() < 1e-12);
    }
}

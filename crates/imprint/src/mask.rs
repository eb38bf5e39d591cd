//! How much a place can carry unseen.
//!
//! Texture hides, edges beside flat areas do not. So the standard deviation of luminance is taken over 12
//! pixels and eroded: a cell of 4 × 4 pixels counts as busy as the calmest of its neighbours.

use pulp::Arch;

use crate::picture::Picture;
use crate::wide::wide;

/// Pixels along a side of a cell.
pub(crate) const CELL: usize = 4;

/// One factor for each cell, and the rules to read it at pixels.
#[derive(Debug, Clone)]
pub struct Mask {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    pub(crate) cells: Vec<f32>,
}

impl Mask {
    /// What a picture can carry, relative to a flat area in the middle of the range.
    #[must_use]
    pub fn of(picture: &Picture) -> Self {
        let arch = Arch::new();
        let (columns, sums) = sums(picture, arch);
        let rows = sums.len() / columns;
        let mut deviation = vec![0.0; columns * rows];
        let mut light = vec![0.0; columns * rows];
        around(
            &sums,
            columns,
            [0.0; 2],
            |a, b| [a[0] + b[0], a[1] + b[1]],
            |i, sum, count| {
                let n = (CELL * CELL) as f32 * count;
                let mean = sum[0] / n;
                deviation[i] = (sum[1] / n - mean * mean).max(0.0).sqrt();
                light[i] = mean;
            },
        );
        let mut cells = vec![0.0; columns * rows];
        around(
            &deviation,
            columns,
            f32::INFINITY,
            |a, b| a.min(*b),
            |i, calmest, _| {
                cells[i] = (1.0 + calmest / BUSY).min(MOST) * by_light(light[i]);
            },
        );
        Self {
            columns,
            rows,
            cells,
        }
    }

    /// The factors along a row of pixels, between the cells' middles in straight lines. `out` may be longer
    /// than the picture is wide.
    pub(crate) fn row(&self, y: usize, arch: Arch, blend: &mut Vec<f32>, out: &mut [f32]) {
        // In eighths of a cell, so that a pixel's middle and a cell's are both whole.
        let place = (2 * y + 1).saturating_sub(CELL);
        let (above, part) = (
            place / (2 * CELL),
            (place % (2 * CELL)) as f32 / (2 * CELL) as f32,
        );
        let above = above.min(self.rows - 1);
        let below = (above + 1).min(self.rows - 1);
        let (a, b) = (self.cells_of(above), self.cells_of(below));
        blend.resize(self.columns + 2, 0.0);
        let columns = self.columns;
        wide!(arch, {
            a: &'a [f32] = a, b: &'a [f32] = b, part: f32 = part, columns: usize = columns,
            blend: &'a mut [f32] = blend, out: &'a mut [f32] = out,
        } -> () {
            for (to, (a, b)) in blend[1..=columns].iter_mut().zip(a.iter().zip(b)) {
                *to = a + part * (b - a);
            }
            blend[0] = blend[1];
            blend[columns + 1] = blend[columns];
            let n = out.len().div_ceil(CELL).min(columns);
            let (left, middle, right) = (&blend[..n], &blend[1..=n], &blend[2..n + 2]);
            for (x, out) in out.chunks_exact_mut(CELL).enumerate().take(n) {
                let (l, m, r) = (left[x], middle[x], right[x]);
                out[0] = m + 0.375 * (l - m);
                out[1] = m + 0.125 * (l - m);
                out[2] = m + 0.125 * (r - m);
                out[3] = m + 0.375 * (r - m);
            }
        });
    }

    fn cells_of(&self, row: usize) -> &[f32] {
        &self.cells[row * self.columns..][..self.columns]
    }
}

/// The deviation that lets a place carry twice what a flat one does, and the most that any carries. A steeper
/// rise than the scheme's first one (5 and 4) takes from flat paper, where JPEG leaves nothing, and gives to
/// print: at the same SSIMULACRA2 the scores of documents under JPEG 30 grow by a third.
const BUSY: f32 = 2.0;
const MOST: f32 = 8.0;

/// Dark areas show more of a difference than their numbers say.
fn by_light(light: f32) -> f32 {
    let dark = (light / 60.0).clamp(0.0, 1.0);
    0.75 + 0.25 * dark
}

/// Sums of luminance and of its square over each cell; the last ones repeat the border.
fn sums(picture: &Picture, arch: Arch) -> (usize, Vec<[f32; 2]>) {
    let columns = picture.width().div_ceil(CELL);
    let padded = columns * CELL;
    let mut out = Vec::with_capacity(columns * picture.height().div_ceil(CELL));
    let mut sum = vec![0.0_f32; padded];
    let mut square = vec![0.0_f32; padded];
    let mut luminance = vec![0.0_f32; padded];
    let last = picture.height().next_multiple_of(CELL) - picture.height();
    let mut rows = picture.rows().enumerate().peekable();
    while let Some((y, row)) = rows.next() {
        let times = if rows.peek().is_none() { 1 + last } else { 1 };
        let done = (y + times) % CELL == 0;
        wide!(arch, {
            row: &'a [u8] = row, luminance: &'a mut [f32] = &mut luminance, weight: f32 = times as f32,
            sum: &'a mut [f32] = &mut sum, square: &'a mut [f32] = &mut square,
        } -> () {
            luminance_row(row, luminance);
            for ((s, q), v) in sum.iter_mut().zip(square).zip(&*luminance) {
                *s += weight * v;
                *q += weight * v * v;
            }
        });
        if done {
            let pairs = sum.chunks_exact(CELL).zip(square.chunks_exact(CELL));
            out.extend(pairs.map(|(s, q)| [s[0] + s[1] + s[2] + s[3], q[0] + q[1] + q[2] + q[3]]));
            sum.fill(0.0);
            square.fill(0.0);
        }
    }
    (columns, out)
}

/// Luminance to within a rounding, and the last pixel again to the end.
#[inline(always)]
fn luminance_row(row: &[u8], out: &mut [f32]) {
    for (out, p) in out.iter_mut().zip(row.chunks_exact(3)) {
        let sum = i32::from(p[0]) * 77 + i32::from(p[1]) * 150 + i32::from(p[2]) * 29;
        *out = sum as f32 * (1.0 / 256.0);
    }
    let width = row.len() / 3;
    let last = out[width - 1];
    out[width..].fill(last);
}

/// Folds each cell with its neighbours, as many as there are: `done` hears place, result and count.
fn around<T: Clone, R>(
    cells: &[T],
    columns: usize,
    start: R,
    fold: impl Fn(&R, &T) -> R,
    mut done: impl FnMut(usize, R, f32),
) where
    R: Clone,
{
    let rows = cells.len() / columns;
    for y in 0..rows {
        let ys = y.saturating_sub(1)..(y + 2).min(rows);
        for x in 0..columns {
            let xs = x.saturating_sub(1)..(x + 2).min(columns);
            let mut folded = start.clone();
            for row in ys.clone() {
                for cell in &cells[row * columns..][xs.clone()] {
                    folded = fold(&folded, cell);
                }
            }
            done(y * columns + x, folded, (ys.len() * xs.len()) as f32);
        }
    }
}

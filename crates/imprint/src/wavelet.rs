//! The wavelet sym4 (Daubechies' least asymmetric, eight taps), as a sum of its functions and its adjoint.
//!
//! An imprint needs no perfect reconstruction, only that what [`Synthesis`] adds up is what [`analyse`]
//! projects on. So every level simply has three coefficients more than half of the level below, and there
//! are no borders: `out[2t + p] = Σ_q h[2q + p] · c[t + 3 − q]`.

use pulp::Arch;

use crate::picture::Plane;
use crate::wide::wide;

/// The low-pass of synthesis.
const LOW: [f32; 8] = [
    0.032_223_1,
    -0.012_603_967,
    -0.099_219_54,
    0.297_857_8,
    0.803_738_8,
    0.497_618_67,
    -0.029_635_528,
    -0.075_765_714,
];

/// The high-pass: `g[n] = (−1)^n h[7 − n]`.
const HIGH: [f32; 8] = [
    LOW[7], -LOW[6], LOW[5], -LOW[4], LOW[3], -LOW[2], LOW[1], -LOW[0],
];

/// The coarsest level used.
pub(crate) const LEVELS: usize = 5;
/// The finest level that carries signs.
pub(crate) const FINEST: usize = 2;

/// Coefficients along a side of `pixels`, for each level; at 0 the pixels.
pub(crate) fn sizes(pixels: usize) -> [usize; LEVELS + 1] {
    let mut sizes = [pixels; LEVELS + 1];
    for level in 1..=LEVELS {
        sizes[level] = sizes[level - 1].div_ceil(2) + 3;
    }
    sizes
}

/// Where the coefficients of the details come from.
pub(crate) trait Details {
    /// Fills one row of the three bands (details across, down, both) of a level.
    fn fill(&mut self, level: usize, row: usize, bands: &mut [Vec<f32>; 3]);
}

/// The rows of a sum of wavelets, from the top, in memory for a few rows.
pub(crate) struct Synthesis<D> {
    details: D,
    stages: Vec<Stage>,
}

/// Makes rows of one level out of rows of the level above.
struct Stage {
    level: usize,
    /// The four newest rows from above, widened, oldest first: low and high down the picture.
    low: [Vec<f32>; 4],
    high: [Vec<f32>; 4],
    bands: [Vec<f32>; 3],
    taken: usize,
    pair: [Vec<f32>; 2],
    given: usize,
}

impl<D: Details> Synthesis<D> {
    pub(crate) fn new(width: usize, details: D) -> Self {
        let sizes = sizes(width);
        let stages = (1..=LEVELS)
            .map(|level| Stage::new(level, &sizes))
            .collect();
        Self { details, stages }
    }

    /// The next row. Its length is the width, rounded up to even.
    pub(crate) fn next_row(&mut self, arch: Arch) -> &[f32] {
        next_row(&mut self.stages, &mut self.details, arch)
    }
}

fn next_row<'a, D: Details>(stages: &'a mut [Stage], details: &mut D, arch: Arch) -> &'a [f32] {
    let Some((stage, above)) = stages.split_first_mut() else {
        return &[];
    };
    let which = stage.given % 2;
    if which == 0 {
        let until = stage.given / 2 + 4;
        while stage.taken < until {
            take_row(stage, above, details, arch);
        }
        let Stage {
            low,
            high,
            pair,
            level,
            ..
        } = stage;
        let [even, odd] = pair;
        wide!(arch, {
            low: &'a [Vec<f32>; 4] = low, high: &'a [Vec<f32>; 4] = high, carries: bool = *level >= FINEST,
            even: &'a mut [f32] = even, odd: &'a mut [f32] = odd,
        } -> () {
            down(low, &LOW, even, odd, false);
            if carries {
                down(high, &HIGH, even, odd, true);
            }
        });
    }
    stage.given += 1;
    &stage.pair[which]
}

fn take_row<D: Details>(stage: &mut Stage, above: &mut [Stage], details: &mut D, arch: Arch) {
    stage.low.rotate_left(1);
    stage.high.rotate_left(1);
    let carries = stage.level >= FINEST;
    if carries {
        details.fill(stage.level, stage.taken, &mut stage.bands);
    }
    stage.taken += 1;
    let coarse = next_row(above, details, arch);
    let Stage {
        low, high, bands, ..
    } = stage;
    let (low, high) = (&mut low[3], &mut high[3]);
    wide!(arch, {
        coarse: &'a [f32] = coarse, bands: &'a [Vec<f32>; 3] = bands, carries: bool = carries,
        low: &'a mut [f32] = low, high: &'a mut [f32] = high,
    } -> () {
        low.fill(0.0);
        across(coarse, &LOW, low);
        if carries {
            high.fill(0.0);
            across(&bands[0], &HIGH, low);
            across(&bands[1], &LOW, high);
            across(&bands[2], &HIGH, high);
        }
    });
}

impl Stage {
    fn new(level: usize, sizes: &[usize]) -> Self {
        let (wide, narrow) = (sizes[level - 1].next_multiple_of(2), sizes[level]);
        let row = || vec![0.0; wide];
        let band = || vec![0.0; narrow];
        Self {
            level,
            low: [row(), row(), row(), row()],
            high: [row(), row(), row(), row()],
            bands: [band(), band(), band()],
            taken: 0,
            pair: [row(), row()],
            given: 0,
        }
    }
}

/// Adds a row of coefficients to one of twice the length.
#[inline(always)]
fn across(coefficients: &[f32], taps: &[f32; 8], out: &mut [f32]) {
    let n = out.len() / 2;
    if coefficients.len() < n + 3 {
        return;
    }
    let (c0, c1, c2, c3) = (
        &coefficients[..n],
        &coefficients[1..=n],
        &coefficients[2..n + 2],
        &coefficients[3..n + 3],
    );
    for (t, pair) in out.chunks_exact_mut(2).enumerate() {
        pair[0] += taps[6] * c0[t] + taps[4] * c1[t] + taps[2] * c2[t] + taps[0] * c3[t];
        pair[1] += taps[7] * c0[t] + taps[5] * c1[t] + taps[3] * c2[t] + taps[1] * c3[t];
    }
}

/// Makes two rows out of four.
#[inline(always)]
fn down(rows: &[Vec<f32>; 4], taps: &[f32; 8], even: &mut [f32], odd: &mut [f32], add: bool) {
    let n = even.len();
    let [r0, r1, r2, r3] = rows;
    let (r0, r1, r2, r3) = (&r0[..n], &r1[..n], &r2[..n], &r3[..n]);
    let odd = &mut odd[..n];
    for x in 0..n {
        let e = taps[6] * r0[x] + taps[4] * r1[x] + taps[2] * r2[x] + taps[0] * r3[x];
        let o = taps[7] * r0[x] + taps[5] * r1[x] + taps[3] * r2[x] + taps[1] * r3[x];
        if add {
            even[x] += e;
            odd[x] += o;
        } else {
            even[x] = e;
            odd[x] = o;
        }
    }
}

/// The inner products of a plane with the wavelets of every carrying level: for each level from
/// [`FINEST`], the three bands.
pub(crate) fn analyse(plane: &Plane) -> Vec<[Plane; 3]> {
    let mut out = Vec::new();
    let mut low = plane.clone();
    for level in 1..=LEVELS {
        let across_low = halve_across(&low, &LOW);
        if level >= FINEST {
            let across_high = halve_across(&low, &HIGH);
            out.push([
                halve_down(&across_high, &LOW),
                halve_down(&across_low, &HIGH),
                halve_down(&across_high, &HIGH),
            ]);
        }
        low = halve_down(&across_low, &LOW);
    }
    out
}

fn halve_across(plane: &Plane, taps: &[f32; 8]) -> Plane {
    let width = plane.width.div_ceil(2) + 3;
    let mut out = Plane::filled(width, plane.height, 0.0);
    // Six zeros before, and as many behind as the last coefficient reaches.
    let mut padded = vec![0.0_f32; 2 * width + 8];
    let arch = Arch::new();
    for y in 0..plane.height {
        padded[6..6 + plane.width].copy_from_slice(plane.row(y));
        let row = out.row_mut(y);
        wide!(arch, {
            taps: &'a [f32; 8] = taps, padded: &'a [f32] = &padded, row: &'a mut [f32] = row,
        } -> () {
            for (j, value) in row.iter_mut().enumerate() {
                let p = &padded[2 * j..2 * j + 8];
                *value = taps.iter().zip(p).map(|(t, v)| t * v).sum();
            }
        });
    }
    out
}

fn halve_down(plane: &Plane, taps: &[f32; 8]) -> Plane {
    let height = plane.height.div_ceil(2) + 3;
    let mut out = Plane::filled(plane.width, height, 0.0);
    let arch = Arch::new();
    for j in 0..height {
        for (m, tap) in taps.iter().enumerate() {
            let Some(y) = (2 * j + m).checked_sub(6).filter(|y| *y < plane.height) else {
                continue;
            };
            let (row, from) = (out.row_mut(j), plane.row(y));
            wide!(arch, { tap: f32 = *tap, row: &'a mut [f32] = row, from: &'a [f32] = from } -> () {
                for (value, v) in row.iter_mut().zip(from) {
                    *value += tap * v;
                }
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed(Vec<[Plane; 3]>);

    impl Details for Fixed {
        fn fill(&mut self, level: usize, row: usize, bands: &mut [Vec<f32>; 3]) {
            for (band, plane) in bands.iter_mut().zip(&self.0[level - FINEST]) {
                band.copy_from_slice(plane.row(row));
            }
        }
    }

    fn hash(x: usize, y: usize, salt: usize) -> f32 {
        let h = (x * 7919 + y * 104_729 + salt * 1_299_709) as u32;
        (h.wrapping_mul(0x9E37_79B1) >> 8) as f32 / 8_388_608.0 - 1.0
    }

    fn dot(a: &Plane, b: &Plane) -> f64 {
        a.values
            .iter()
            .zip(&b.values)
            .map(|(a, b)| f64::from(a * b))
            .sum()
    }

    /// Analysis is the adjoint of synthesis, at odd sizes, too: ⟨x, S c⟩ = ⟨A x, c⟩.
    #[test]
    fn analysis_projects_on_what_synthesis_adds() {
        for (width, height) in [(64, 64), (97, 61), (33, 130)] {
            let (ws, hs) = (sizes(width), sizes(height));
            let coefficients: Vec<[Plane; 3]> = (FINEST..=LEVELS)
                .map(|l| {
                    [0, 1, 2].map(|b| Plane::from_fn(ws[l], hs[l], |x, y| hash(x, y, l * 3 + b)))
                })
                .collect();
            let mut synthesis = Synthesis::new(width, Fixed(coefficients.clone()));
            let mut sum = Plane::filled(width, height, 0.0);
            for y in 0..height {
                let row = synthesis.next_row(Arch::new());
                sum.row_mut(y).copy_from_slice(&row[..width]);
            }
            let x = Plane::from_fn(width, height, |x, y| hash(x, y, 99));
            let one = dot(&x, &sum);
            let levels = analyse(&x);
            let other: f64 = levels
                .iter()
                .flatten()
                .zip(coefficients.iter().flatten())
                .map(|(a, b)| dot(a, b))
                .sum();
            assert!(
                (one - other).abs() < 1e-2,
                "{width}x{height}: {one} {other}"
            );
        }
    }

    /// The eight taps are orthonormal to their own shifts by two.
    #[test]
    fn taps_are_orthonormal() {
        for (a, b, same) in [(LOW, LOW, 1.0), (HIGH, HIGH, 1.0), (LOW, HIGH, 0.0)] {
            for shift in [0, 2, 4, 6] {
                let sum: f32 = (shift..8).map(|n| a[n] * b[n - shift]).sum();
                let expected = if shift == 0 { same } else { 0.0 };
                assert!((sum - expected).abs() < 1e-6, "{shift}: {sum}");
            }
        }
    }
}

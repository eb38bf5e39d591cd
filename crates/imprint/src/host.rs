//! What a copy would look like without a mark: predicted from the original, and taken away.
//!
//! A copy went through a tone curve, through filters (scaling, blur, sharpening), and through light that
//! differs from place to place. Each is fitted to the copy itself: a cubic, 7 × 7 taps, and a gain and offset
//! over 49 pixels around. What is left is the mark and noise.

use pulp::Arch;

use crate::filter::{Normal, box_mean, quantile};
use crate::picture::Plane;
use crate::wide::wide;

/// A copy on its original's grid: luminance, and 1 where the copy covers the original, 0 elsewhere.
#[derive(Debug, Clone)]
pub struct Aligned {
    pub(crate) copy: Plane,
    pub(crate) covered: Plane,
}

impl Aligned {
    /// A copy that has its original's size and was never moved.
    #[must_use]
    pub fn whole(copy: Plane) -> Self {
        let covered = Plane::filled(copy.width, copy.height, 1.0);
        Self { copy, covered }
    }

    /// The share of the original that the copy covers, 0 to 1.
    #[must_use]
    pub fn coverage(&self) -> f32 {
        self.covered.values.iter().sum::<f32>() / self.covered.values.len() as f32
    }
}

/// What is left of a copy, and how the fit scaled the original.
pub(crate) struct Residual {
    /// Copy less prediction; 0 where nothing is covered.
    pub(crate) error: Plane,
    /// The local gain.
    pub(crate) gain: Plane,
    /// The local root mean square of the error, without its outliers.
    pub(crate) sigma: Plane,
    /// The taps, row by row.
    pub(crate) taps: [f32; TAPS * TAPS],
    /// The prediction itself.
    pub(crate) predicted: Plane,
}

pub(crate) const TAPS: usize = 7;
/// Half of the window for gain and offset.
const AROUND: usize = 24;
/// Pixels that a fit takes in, about.
const SAMPLES: usize = 40_000;

pub(crate) fn residual(original: &Plane, aligned: &Aligned) -> Residual {
    let copy = &aligned.copy;
    let toned = tone(original, aligned);
    let taps = filter_taps(&toned, aligned);
    let filtered = convolve(&toned, &taps);
    let (gain, predicted) = local_fit(&filtered, aligned);
    let mut error = copy.map2(&predicted, |c, p| c - p);
    error
        .values
        .iter_mut()
        .zip(&aligned.covered.values)
        .for_each(|(e, c)| *e *= c);
    let sigma = spread(&error, &aligned.covered);
    Residual {
        error,
        gain,
        sigma,
        taps,
        predicted,
    }
}

/// Places spread evenly over the covered part, the border left out.
fn samples(aligned: &Aligned) -> Vec<(usize, usize)> {
    let (width, height) = (aligned.copy.width, aligned.copy.height);
    let area = (width * height) as f32 * aligned.coverage().max(0.001);
    let step = ((area / SAMPLES as f32).sqrt() as usize).max(1);
    let reach = TAPS / 2;
    let mut out = Vec::new();
    for (i, y) in (reach..height - reach).step_by(step).enumerate() {
        for x in (reach + (i * 7) % step..width - reach).step_by(step) {
            let corners = [(x - reach, y - reach), (x + reach, y + reach)];
            if corners
                .iter()
                .all(|(x, y)| aligned.covered.at(*x, *y) > 0.0)
            {
                out.push((x, y));
            }
        }
    }
    out
}

/// The original under the cubic that brings it nearest to the copy.
fn tone(original: &Plane, aligned: &Aligned) -> Plane {
    let powers = |v: f32| {
        let v = f64::from(v) / 127.5 - 1.0;
        [1.0, v, v * v, v * v * v]
    };
    let mut normal = Normal::new(4);
    for (x, y) in samples(aligned) {
        normal.add(
            &powers(original.at(x, y)),
            f64::from(aligned.copy.at(x, y)),
            1.0,
        );
    }
    let small = normal.scale() * 1e-6 + 1e-9;
    for (which, to) in [127.5, 127.5, 0.0, 0.0].into_iter().enumerate() {
        normal.pull(which, to, small);
    }
    let Some(c) = normal.solve() else {
        return original.clone();
    };
    let c: Vec<f32> = c.iter().map(|c| *c as f32).collect();
    original.map(|v| {
        let v = v / 127.5 - 1.0;
        c[0] + v * (c[1] + v * (c[2] + v * c[3]))
    })
}

/// The taps that bring the original nearest to the copy; fitted twice, the second time without what the
/// first fit leaves far off (overlays, edits).
fn filter_taps(toned: &Plane, aligned: &Aligned) -> [f32; TAPS * TAPS] {
    let places = samples(aligned);
    let mut taps = [0.0; TAPS * TAPS];
    taps[TAPS * TAPS / 2] = 1.0;
    let mut limit = f32::INFINITY;
    for _ in 0..2 {
        let Some(better) = fit_taps(toned, &aligned.copy, &places, &taps, limit) else {
            return taps;
        };
        taps = better;
        let mut off: Vec<f32> = places
            .iter()
            .map(|p| error_at(toned, &aligned.copy, *p, &taps))
            .collect();
        limit = 4.0 * quantile(&mut off, 0.5) + 0.5;
    }
    taps
}

fn error_at(toned: &Plane, copy: &Plane, (x, y): (usize, usize), taps: &[f32]) -> f32 {
    let mut sum = 0.0;
    for (row, taps) in taps.chunks_exact(TAPS).enumerate() {
        let from = &toned.row(y + row - TAPS / 2)[x - TAPS / 2..];
        sum += taps.iter().zip(from).map(|(t, v)| t * v).sum::<f32>();
    }
    (copy.at(x, y) - sum).abs()
}

fn fit_taps(
    toned: &Plane,
    copy: &Plane,
    places: &[(usize, usize)],
    before: &[f32],
    limit: f32,
) -> Option<[f32; TAPS * TAPS]> {
    const N: usize = TAPS * TAPS;
    let mut normal = Normal::new(N + 1);
    let mut row = [1.0_f64; N + 1];
    for (x, y) in places {
        if limit.is_finite() && error_at(toned, copy, (*x, *y), before) > limit {
            continue;
        }
        // About the middle, so that level and shape are separate unknowns.
        let base = toned.at(*x, *y);
        for (i, to) in row[..N].chunks_exact_mut(TAPS).enumerate() {
            let from = &toned.row(y + i - TAPS / 2)[x - TAPS / 2..];
            to.iter_mut()
                .zip(from)
                .for_each(|(to, v)| *to = f64::from(v - base));
        }
        row[N / 2] = 0.0;
        normal.add(&row, f64::from(copy.at(*x, *y) - base), 1.0);
    }
    let small = normal.scale() * 1e-4 + 1e-6;
    (0..=N).for_each(|which| normal.pull(which, 0.0, small));
    let solution = normal.solve()?;
    let mut taps = [0.0; N];
    taps.iter_mut()
        .zip(&solution)
        .for_each(|(tap, s)| *tap = *s as f32);
    taps[N / 2] = 0.0;
    taps[N / 2] = 1.0 - taps.iter().sum::<f32>();
    Some(taps)
}

fn convolve(plane: &Plane, taps: &[f32; TAPS * TAPS]) -> Plane {
    let reach = TAPS / 2;
    let (width, height) = (plane.width, plane.height);
    let mut out = Plane::filled(width, height, 0.0);
    let mut padded = vec![0.0; width + 2 * reach];
    let arch = Arch::new();
    // Each row of the input goes to seven rows of the output; the border repeats.
    for y in 0..height + 2 * reach {
        let row = plane.row(y.saturating_sub(reach).min(height - 1));
        padded[reach..reach + width].copy_from_slice(row);
        padded[..reach].fill(row[0]);
        padded[reach + width..].fill(row[width - 1]);
        for (i, taps) in taps.chunks_exact(TAPS).enumerate() {
            let Some(to) = y.checked_sub(i).filter(|to| *to < height) else {
                continue;
            };
            let out = out.row_mut(to);
            wide!(arch, {
                taps: &'a [f32] = taps, p: &'a [f32] = &padded, out: &'a mut [f32] = out,
            } -> () {
                for (out, p) in out.iter_mut().zip(p.windows(TAPS)) {
                    *out += taps[0] * p[0] + taps[1] * p[1] + taps[2] * p[2] + taps[3] * p[3]
                        + taps[4] * p[4] + taps[5] * p[5] + taps[6] * p[6];
                }
            });
        }
    }
    out
}

/// The gain around each pixel, and the prediction under gain and offset.
fn local_fit(filtered: &Plane, aligned: &Aligned) -> (Plane, Plane) {
    let covered = &aligned.covered;
    let share = box_mean(covered, AROUND);
    let mean = |plane: &Plane| {
        let sums = box_mean(&plane.map2(covered, |v, c| v * c), AROUND);
        sums.map2(&share, |s, w| s / w.max(1e-4))
    };
    // About the middle of the range, so that squares keep their digits.
    let host = filtered.map(|v| v - 128.0);
    let copy = aligned.copy.map(|v| v - 128.0);
    let (host_mean, copy_mean) = (mean(&host), mean(&copy));
    let square = mean(&host.map2(&host, |a, b| a * b));
    let product = mean(&host.map2(&copy, |a, b| a * b));
    let mut gain = Plane::filled(host.width, host.height, 1.0);
    let mut predicted = Plane::filled(host.width, host.height, 0.0);
    for i in 0..gain.values.len() {
        let (h, c) = (host_mean.values[i], copy_mean.values[i]);
        let variance = (square.values[i] - h * h).max(0.0);
        let covariance = product.values[i] - h * c;
        // Where the original is flat there is no gain to be seen; it is then taken for 1.
        gain.values[i] = ((covariance + FLAT) / (variance + FLAT)).clamp(0.0, 4.0);
        predicted.values[i] = 128.0 + c + gain.values[i] * (host.values[i] - h);
    }
    (gain, predicted)
}

/// The variance under which an area says little of the gain.
const FLAT: f32 = 4.0;

fn spread(error: &Plane, covered: &Plane) -> Plane {
    let mut sizes: Vec<f32> = error
        .values
        .iter()
        .zip(&covered.values)
        .step_by(7)
        .filter(|(_, c)| **c > 0.0)
        .map(|(e, _)| e.abs())
        .collect();
    let typical = 1.48 * quantile(&mut sizes, 0.5) + 0.1;
    let limit = (8.0 * typical).powi(2);
    let share = box_mean(covered, AROUND / 2);
    let square = box_mean(&error.map(|e| (e * e).min(limit)), AROUND / 2);
    square.map2(&share, |s, w| (s / w.max(1e-4)).sqrt().max(0.3))
}

//! Filters over planes: boxes, Gaussians, and a small solver for least squares.

use crate::picture::Plane;

/// The mean over a square of `2 * radius + 1` pixels, of those inside.
pub(crate) fn box_mean(plane: &Plane, radius: usize) -> Plane {
    let (width, height) = (plane.width, plane.height);
    let mut across = Plane::filled(width, height, 0.0);
    let mut prefix = vec![0.0_f64; width + 1];
    for y in 0..height {
        for (x, v) in plane.row(y).iter().enumerate() {
            prefix[x + 1] = prefix[x] + f64::from(*v);
        }
        for (x, out) in across.row_mut(y).iter_mut().enumerate() {
            let (from, to) = (x.saturating_sub(radius), (x + radius + 1).min(width));
            *out = ((prefix[to] - prefix[from]) / (to - from) as f64) as f32;
        }
    }
    down_mean(&across, radius)
}

fn down_mean(across: &Plane, radius: usize) -> Plane {
    let (width, height) = (across.width, across.height);
    let mut out = Plane::filled(width, height, 0.0);
    let mut sum = vec![0.0_f64; width];
    let (mut from, mut to) = (0, 0);
    for y in 0..height {
        while to < (y + radius + 1).min(height) {
            sum.iter_mut()
                .zip(across.row(to))
                .for_each(|(s, v)| *s += f64::from(*v));
            to += 1;
        }
        while from < y.saturating_sub(radius) {
            sum.iter_mut()
                .zip(across.row(from))
                .for_each(|(s, v)| *s -= f64::from(*v));
            from += 1;
        }
        let share = 1.0 / (to - from) as f64;
        out.row_mut(y)
            .iter_mut()
            .zip(&sum)
            .for_each(|(o, s)| *o = (s * share) as f32);
    }
    out
}

/// A Gaussian blur; `sigma` in pixels.
pub(crate) fn gaussian(plane: &Plane, sigma: f32) -> Plane {
    let reach = (3.0 * sigma).ceil() as isize;
    let taps: Vec<f32> = (-reach..=reach)
        .map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp())
        .collect();
    let total: f32 = taps.iter().sum();
    let taps: Vec<f32> = taps.iter().map(|t| t / total).collect();
    let reach = reach.unsigned_abs();
    let (width, height) = (plane.width, plane.height);
    let mut across = Plane::filled(width, height, 0.0);
    let mut padded = vec![0.0; width + 2 * reach];
    for y in 0..height {
        let row = plane.row(y);
        padded[reach..reach + width].copy_from_slice(row);
        padded[..reach].fill(row[0]);
        padded[reach + width..].fill(row[width - 1]);
        let out = across.row_mut(y);
        for (i, tap) in taps.iter().enumerate() {
            out.iter_mut()
                .zip(&padded[i..])
                .for_each(|(o, v)| *o += tap * v);
        }
    }
    let mut out = Plane::filled(width, height, 0.0);
    for y in 0..height {
        for (i, tap) in taps.iter().enumerate() {
            let from = (y + i).saturating_sub(reach).min(height - 1);
            out.row_mut(y)
                .iter_mut()
                .zip(across.row(from))
                .for_each(|(o, v)| *o += tap * v);
        }
    }
    out
}

/// The plane at half the size, each pixel the mean of four.
pub(crate) fn halved(plane: &Plane) -> Plane {
    let (width, height) = ((plane.width / 2).max(1), (plane.height / 2).max(1));
    let at = |x: usize, y: usize| plane.at(x.min(plane.width - 1), y.min(plane.height - 1));
    Plane::from_fn(width, height, |x, y| {
        let (x, y) = (2 * x, 2 * y);
        (at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) / 4.0
    })
}

/// Sums of products for a least-squares fit.
pub(crate) struct Normal {
    size: usize,
    left: Vec<f64>,
    right: Vec<f64>,
}

impl Normal {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            size,
            left: vec![0.0; size * size],
            right: vec![0.0; size],
        }
    }

    /// Takes in that `row · solution` should be `target`.
    pub(crate) fn add(&mut self, row: &[f64], target: f64, weight: f64) {
        for (i, a) in row.iter().enumerate() {
            let scaled = a * weight;
            let upto = &mut self.left[i * self.size..][..=i];
            upto.iter_mut()
                .zip(row)
                .for_each(|(sum, b)| *sum += scaled * b);
            self.right[i] += scaled * target;
        }
    }

    /// Pulls one unknown to a value.
    pub(crate) fn pull(&mut self, which: usize, to: f64, weight: f64) {
        self.left[which * self.size + which] += weight;
        self.right[which] += weight * to;
    }

    /// The mean of the diagonal, to measure pulls by.
    pub(crate) fn scale(&self) -> f64 {
        (0..self.size)
            .map(|i| self.left[i * self.size + i])
            .sum::<f64>()
            / self.size as f64
    }

    /// The solution by Cholesky's method; none where the rows do not determine it.
    pub(crate) fn solve(mut self) -> Option<Vec<f64>> {
        let n = self.size;
        let floor = self.scale() * 1e-12;
        for i in 0..n {
            for j in 0..=i {
                let dot: f64 = (0..j)
                    .map(|k| self.left[i * n + k] * self.left[j * n + k])
                    .sum();
                let rest = self.left[i * n + j] - dot;
                if i == j && (rest <= floor || rest.is_nan()) {
                    return None;
                }
                self.left[i * n + j] = if i == j {
                    rest.sqrt()
                } else {
                    rest / self.left[j * n + j]
                };
            }
        }
        let mut x = self.right;
        for i in 0..n {
            let dot: f64 = (0..i).map(|k| self.left[i * n + k] * x[k]).sum();
            x[i] = (x[i] - dot) / self.left[i * n + i];
        }
        for i in (0..n).rev() {
            let dot: f64 = (i + 1..n).map(|k| self.left[k * n + i] * x[k]).sum();
            x[i] = (x[i] - dot) / self.left[i * n + i];
        }
        Some(x)
    }
}

/// The value that a share of the values lies under; 0 for none.
pub(crate) fn quantile(values: &mut [f32], share: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let at = ((values.len() - 1) as f32 * share) as usize;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}

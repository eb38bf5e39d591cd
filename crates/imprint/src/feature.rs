//! Points that are found again after scaling, turning and light: after D. Lowe, "Distinctive image features
//! from scale-invariant keypoints" (2004), with three scales an octave and descriptors in bytes.

use crate::filter::{gaussian, halved};
use crate::picture::Plane;
use crate::wide::wide;

/// The most points kept of a picture, those of the highest contrast.
const MOST: usize = 900;
/// A picture is looked at with its longer side under this.
const SIDE: usize = 1300;
/// Scales in an octave.
const SCALES: usize = 3;
const BASE: f32 = 1.6;
/// The least difference of Gaussians, in levels of 255.
const CONTRAST: f32 = 2.0;

/// The points of one picture.
#[derive(Debug, Clone)]
pub struct Features(pub(crate) Vec<Feature>);

#[derive(Debug, Clone)]
pub(crate) struct Feature {
    /// In pixels of the picture, its middle pixel's middle being a whole number.
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) size: f32,
    pub(crate) angle: f32,
    descriptor: [u8; 128],
}

impl Features {
    /// The points of a plane of luminance.
    #[must_use]
    pub fn of(plane: &Plane) -> Self {
        Self::within(plane, SIDE, MOST)
    }

    /// More points, of finer detail, at ten times the cost: for copies that are a small part of the original.
    pub(crate) fn fine(plane: &Plane) -> Self {
        Self::within(plane, 2 * SIDE, 4 * MOST)
    }

    fn within(plane: &Plane, side: usize, most: usize) -> Self {
        let mut shrunk = plane.clone();
        let mut scale = 1.0_f32;
        while shrunk.width.max(shrunk.height) > side {
            shrunk = halved(&shrunk);
            scale *= 2.0;
        }
        if shrunk.width.max(shrunk.height) < side / 2 {
            shrunk = doubled(&shrunk);
            scale *= 0.5;
        }
        let mut found = Vec::new();
        let mut first = gaussian(&shrunk, BASE);
        while first.width.min(first.height) >= 24 {
            let scales = octave(first);
            for (strength, mut feature) in points(&scales) {
                // A halved picture's pixel lies between two.
                let shift = (scale - 1.0) / 2.0;
                feature.x = feature.x * scale + shift;
                feature.y = feature.y * scale + shift;
                feature.size *= scale;
                found.push((strength, feature));
            }
            let next = &scales[SCALES];
            first = Plane::from_fn(next.width / 2, next.height / 2, |x, y| {
                (next.at(2 * x, 2 * y)
                    + next.at(2 * x + 1, 2 * y)
                    + next.at(2 * x, 2 * y + 1)
                    + next.at(2 * x + 1, 2 * y + 1))
                    / 4.0
            });
            scale *= 2.0;
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        Self(
            found
                .into_iter()
                .take(most)
                .map(|(_, feature)| feature)
                .collect(),
        )
    }

    /// Pairs of points that look alike, and like no other.
    pub(crate) fn matches<'a>(&'a self, other: &'a Self) -> Vec<(&'a Feature, &'a Feature)> {
        let arch = pulp::Arch::new();
        self.0
            .iter()
            .filter_map(|one| {
                let (best, second, which) = wide!(arch, {
                    one: &'a Feature = one, others: &'a [Feature] = &other.0,
                } -> (i32, i32, usize) {
                    let (mut best, mut second, mut which) = (i32::MAX, i32::MAX, 0);
                    for (i, candidate) in others.iter().enumerate() {
                        let far = distance(&one.descriptor, &candidate.descriptor);
                        if far < best {
                            (best, second, which) = (far, best, i);
                        } else if far < second {
                            second = far;
                        }
                    }
                    (best, second, which)
                });
                // Squares of distances: 0.72 is a ratio of 0.85.
                let found = other.0.get(which);
                found
                    .filter(|_| f64::from(best) < 0.72 * f64::from(second))
                    .map(|other| (one, other))
            })
            .collect()
    }
}

#[inline(always)]
fn distance(a: &[u8; 128], b: &[u8; 128]) -> i32 {
    a.iter().zip(b).fold(0_i32, |sum, (a, b)| {
        let d = i16::from(*a).wrapping_sub(i16::from(*b));
        sum.wrapping_add(i32::from(d).wrapping_mul(i32::from(d)))
    })
}

fn doubled(plane: &Plane) -> Plane {
    Plane::from_fn(plane.width * 2, plane.height * 2, |x, y| {
        sample(plane, (x as f32 - 0.5) / 2.0, (y as f32 - 0.5) / 2.0)
    })
}

/// Between four pixels, the border repeating.
pub(crate) fn sample(plane: &Plane, x: f32, y: f32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (ix, iy) = (fx as isize, fy as isize);
    let (px, py) = (x - fx, y - fy);
    let top = plane.clamped(ix, iy) * (1.0 - px) + plane.clamped(ix + 1, iy) * px;
    let low = plane.clamped(ix, iy + 1) * (1.0 - px) + plane.clamped(ix + 1, iy + 1) * px;
    top * (1.0 - py) + low * py
}

/// The plane and its blurs, up to twice the scale and two beyond.
fn octave(first: Plane) -> Vec<Plane> {
    let step = 2.0_f32.powf(1.0 / SCALES as f32);
    let mut scales = vec![first];
    for i in 1..SCALES + 3 {
        let before = BASE * step.powi(i as i32 - 1);
        let more = before * (step * step - 1.0).sqrt();
        let next = gaussian(&scales[i - 1], more);
        scales.push(next);
    }
    scales
}

fn points(scales: &[Plane]) -> Vec<(f32, Feature)> {
    let differences: Vec<Plane> = scales
        .windows(2)
        .map(|pair| pair[1].map2(&pair[0], |a, b| a - b))
        .collect();
    let mut out = Vec::new();
    for (s, three) in differences.windows(3).enumerate() {
        let here = &three[1];
        for y in 8..here.height.saturating_sub(8) {
            for x in 8..here.width.saturating_sub(8) {
                let v = here.at(x, y);
                if v.abs() > CONTRAST && is_extreme(three, x, y, v) && is_corner(here, x, y) {
                    let (dx, dy) = (
                        offset(here.at(x - 1, y), v, here.at(x + 1, y)),
                        offset(here.at(x, y - 1), v, here.at(x, y + 1)),
                    );
                    describe(&scales[s + 1], (x, y), (dx, dy), s + 1, v.abs(), &mut out);
                }
            }
        }
    }
    out
}

fn is_extreme(three: &[Plane], x: usize, y: usize, v: f32) -> bool {
    let sign = v.signum();
    three.iter().all(|plane| {
        (y - 1..=y + 1).all(|row| {
            plane.row(row)[x - 1..=x + 1]
                .iter()
                .all(|other| other * sign <= v * sign)
        })
    })
}

/// Not an edge: the curvatures differ by a factor of ten at most.
fn is_corner(d: &Plane, x: usize, y: usize) -> bool {
    let twice = 2.0 * d.at(x, y);
    let xx = d.at(x + 1, y) + d.at(x - 1, y) - twice;
    let yy = d.at(x, y + 1) + d.at(x, y - 1) - twice;
    let xy =
        (d.at(x + 1, y + 1) + d.at(x - 1, y - 1) - d.at(x + 1, y - 1) - d.at(x - 1, y + 1)) / 4.0;
    let (trace, determinant) = (xx + yy, xx * yy - xy * xy);
    determinant > 0.0 && trace * trace < 12.1 * determinant
}

/// Where the parabola through three values has its peak.
fn offset(before: f32, here: f32, after: f32) -> f32 {
    let bend = before + after - 2.0 * here;
    if bend.abs() < 1e-6 {
        0.0
    } else {
        ((before - after) / (2.0 * bend)).clamp(-0.5, 0.5)
    }
}

fn describe(
    plane: &Plane,
    (x, y): (usize, usize),
    (dx, dy): (f32, f32),
    scale: usize,
    strength: f32,
    out: &mut Vec<(f32, Feature)>,
) {
    let size = BASE * 2.0_f32.powf(scale as f32 / SCALES as f32);
    for angle in angles(plane, x, y, size) {
        let descriptor = descriptor(plane, x, y, size, angle);
        let (x, y) = (x as f32 + dx, y as f32 + dy);
        out.push((
            strength,
            Feature {
                x,
                y,
                size,
                angle,
                descriptor,
            },
        ));
    }
}

/// Length and direction of the slope.
fn slope(plane: &Plane, x: isize, y: isize) -> (f32, f32) {
    let dx = plane.clamped(x + 1, y) - plane.clamped(x - 1, y);
    let dy = plane.clamped(x, y + 1) - plane.clamped(x, y - 1);
    (dx.hypot(dy), dy.atan2(dx))
}

const TURN: f32 = std::f32::consts::TAU;

/// The main direction, and any that is nearly as strong.
fn angles(plane: &Plane, x: usize, y: usize, size: f32) -> Vec<f32> {
    let mut bins = [0.0_f32; 36];
    let spread = 1.5 * size;
    let reach = (2.5 * spread) as isize;
    for dy in -reach..=reach {
        for dx in -reach..=reach {
            let (length, angle) = slope(plane, x as isize + dx, y as isize + dy);
            let far = (dx * dx + dy * dy) as f32;
            let bin = (angle.rem_euclid(TURN) / TURN * 36.0) as usize % 36;
            bins[bin] += length * (-0.5 * far / (spread * spread)).exp();
        }
    }
    for _ in 0..2 {
        let old = bins;
        (0..36).for_each(|i| bins[i] = (old[(i + 35) % 36] + old[i] + old[(i + 1) % 36]) / 3.0);
    }
    let most = bins.iter().fold(0.0_f32, |a, b| a.max(*b));
    (0..36)
        .filter(|i| {
            bins[*i] >= 0.8 * most
                && bins[*i] > bins[(i + 35) % 36]
                && bins[*i] >= bins[(i + 1) % 36]
        })
        .map(|i| {
            let between = offset(bins[(i + 35) % 36], bins[i], bins[(i + 1) % 36]);
            (i as f32 + 0.5 + between) / 36.0 * TURN
        })
        .collect()
}

/// Four by four places, eight directions each.
fn descriptor(plane: &Plane, x: usize, y: usize, size: f32, angle: f32) -> [u8; 128] {
    let mut sums = [0.0_f32; 128];
    let bin = 3.0 * size;
    let reach = (bin * 2.5 * std::f32::consts::SQRT_2) as isize;
    let (sin, cos) = angle.sin_cos();
    for dy in -reach..=reach {
        for dx in -reach..=reach {
            let (fx, fy) = (dx as f32, dy as f32);
            let u = (cos * fx + sin * fy) / bin + 1.5;
            let v = (cos * fy - sin * fx) / bin + 1.5;
            if u <= -1.0 || v <= -1.0 || u >= 4.0 || v >= 4.0 {
                continue;
            }
            let (length, direction) = slope(plane, x as isize + dx, y as isize + dy);
            let weight = length * (-((u - 1.5).powi(2) + (v - 1.5).powi(2)) / 8.0).exp();
            spread_into(
                &mut sums,
                u,
                v,
                (direction - angle).rem_euclid(TURN) / TURN * 8.0,
                weight,
            );
        }
    }
    to_bytes(&mut sums)
}

fn spread_into(sums: &mut [f32; 128], u: f32, v: f32, direction: f32, weight: f32) {
    let (fu, fv, fd) = (u.floor(), v.floor(), direction.floor());
    for (column, part_u) in [(fu as isize, 1.0 - (u - fu)), (fu as isize + 1, u - fu)] {
        for (row, part_v) in [(fv as isize, 1.0 - (v - fv)), (fv as isize + 1, v - fv)] {
            if !(0..4).contains(&column) || !(0..4).contains(&row) {
                continue;
            }
            let base = (row * 4 + column) as usize * 8;
            let first = fd as usize % 8;
            let part = weight * part_u * part_v;
            sums[base + first] += part * (1.0 - (direction - fd));
            sums[base + (first + 1) % 8] += part * (direction - fd);
        }
    }
}

fn to_bytes(sums: &mut [f32; 128]) -> [u8; 128] {
    for _ in 0..2 {
        let norm = sums.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-6);
        for v in sums.iter_mut() {
            *v = (*v / norm).min(0.2);
        }
    }
    let norm = sums.iter().map(|v| v * v).sum::<f32>().sqrt().max(1e-6);
    let mut out = [0; 128];
    out.iter_mut()
        .zip(sums)
        .for_each(|(o, v)| *o = (*v / norm * 512.0).min(255.0) as u8);
    out
}

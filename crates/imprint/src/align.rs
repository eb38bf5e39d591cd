//! Bringing a leaked copy onto its original's grid.
//!
//! A first guess comes from points that both share ([`crate::Features`]), or from stretching the copy over the
//! whole original; it is then refined by Gauss-Newton steps over a homography and a cubic displacement, with
//! light taken out beforehand and outliers weighed down. Nothing here depends on a word, so that an alignment
//! chosen among several takes nothing from the bound on wrong names.

use crate::feature::{Feature, Features};
use crate::filter::{Normal, box_mean, halved, quantile};
use crate::host::Aligned;
use crate::picture::{Picture, Plane};

/// An original as the aligner wants it: made once, used for every copy.
#[derive(Debug, Clone)]
pub struct Reference {
    plane: Plane,
    features: Features,
}

/// A copy on its original's grid, and how it got there.
#[derive(Debug, Clone)]
pub struct Alignment {
    /// The copy.
    pub aligned: Aligned,
    /// Whether it was mirrored.
    pub mirrored: bool,
    /// How alike copy and original are where both are, −1 to 1, light and contrast left out.
    pub likeness: f32,
    /// How many shared points speak for it; none where the copy was only stretched over the original.
    pub points: usize,
}

/// Likeness under which a copy is not this original's. Two documents of one template reach about 0.3.
const ALIKE: f32 = 0.35;
/// As many points in agreement make a guess.
const ENOUGH: usize = 7;

impl Reference {
    /// Takes in an original.
    #[must_use]
    pub fn of(original: &Picture) -> Self {
        let plane = original.luminance();
        let features = Features::of(&plane);
        Self { plane, features }
    }

    /// Aligns a copy; none where it does not look like this original at all.
    #[must_use]
    pub fn align(&self, copy: &Picture) -> Option<Alignment> {
        let plane = copy.luminance();
        let found = self.attempt(&plane, &self.features, Features::of);
        let small = 4 * plane.width * plane.height < self.plane.width * self.plane.height;
        if found.is_some() || !small {
            return found;
        }
        self.attempt(&plane, &Features::fine(&self.plane), Features::fine)
    }

    fn attempt(
        &self,
        plane: &Plane,
        own: &Features,
        of: fn(&Plane) -> Features,
    ) -> Option<Alignment> {
        let straight = self.best(plane, own, &of(plane), false);
        if straight
            .as_ref()
            .is_some_and(|found| found.points >= 3 * ENOUGH || found.likeness > 0.8)
        {
            return straight;
        }
        let mirror = mirrored(plane);
        let mirror = self.best(&mirror, own, &of(&mirror), true);
        let found = [straight, mirror].into_iter().flatten();
        found.max_by(|a, b| a.likeness.total_cmp(&b.likeness))
    }

    fn best(
        &self,
        copy: &Plane,
        own: &Features,
        features: &Features,
        mirrored: bool,
    ) -> Option<Alignment> {
        let matches = own.matches(features);
        let guess = agreed(&matches, &self.plane);
        let mut guesses = vec![(stretch(&self.plane, copy), 0)];
        guesses.extend(guess);
        let pyramids = (pyramid(&self.plane), pyramid(copy));
        let refined = guesses.into_iter().filter_map(|(homography, points)| {
            let (warp, likeness) = refine(&pyramids, Warp::new(homography, &self.plane))?;
            (likeness >= ALIKE).then_some((warp, likeness, points))
        });
        let (warp, likeness, points) = refined.max_by(|a, b| a.1.total_cmp(&b.1))?;
        let aligned = warp.apply(copy);
        Some(Alignment {
            aligned,
            mirrored,
            likeness,
            points,
        })
    }
}

fn mirrored(plane: &Plane) -> Plane {
    Plane::from_fn(plane.width, plane.height, |x, y| {
        plane.at(plane.width - 1 - x, y)
    })
}

/// From the original's pixels to the copy's, row by row; the last is 1.
type Homography = [f64; 9];

fn project(h: &Homography, x: f64, y: f64) -> (f64, f64) {
    let w = h[6] * x + h[7] * y + h[8];
    let w = if w.abs() < 1e-9 { 1e-9 } else { w };
    (
        (h[0] * x + h[1] * y + h[2]) / w,
        (h[3] * x + h[4] * y + h[5]) / w,
    )
}

fn stretch(original: &Plane, copy: &Plane) -> Homography {
    let (sx, sy) = (
        copy.width as f64 / original.width as f64,
        copy.height as f64 / original.height as f64,
    );
    [
        sx,
        0.0,
        (sx - 1.0) / 2.0,
        0.0,
        sy,
        (sy - 1.0) / 2.0,
        0.0,
        0.0,
        1.0,
    ]
}

/// The homography that most pairs agree on. Each pair alone gives a similarity, so all are tried and none is
/// drawn by lot.
fn agreed(matches: &[(&Feature, &Feature)], original: &Plane) -> Option<(Homography, usize)> {
    let reach = original.width.max(original.height) as f64;
    let within = |h: &Homography, share: f64| -> Vec<(&Feature, &Feature)> {
        matches
            .iter()
            .copied()
            .filter(|(a, b)| {
                let (x, y) = project(h, f64::from(a.x), f64::from(a.y));
                let far = (x - f64::from(b.x)).hypot(y - f64::from(b.y));
                far < share * reach * scale_of(h)
            })
            .collect()
    };
    let first = matches
        .iter()
        .map(|(a, b)| similarity(a, b))
        .map(|h| (within(&h, 0.03).len(), h))
        .max_by_key(|(count, _)| *count)?;
    let mut best = first.1;
    for (share, perspective) in [
        (0.03, false),
        (0.02, false),
        (0.02, true),
        (0.008, true),
        (0.004, true),
    ] {
        let inliers = within(&best, share);
        if inliers.len() < ENOUGH {
            return None;
        }
        best = fit(&inliers, perspective, reach)?;
    }
    let count = within(&best, 0.004).len();
    (count >= ENOUGH).then_some((best, count))
}

/// By how much lengths grow in the middle, about.
fn scale_of(h: &Homography) -> f64 {
    (h[0] * h[4] - h[1] * h[3]).abs().sqrt()
}

fn similarity(a: &Feature, b: &Feature) -> Homography {
    let scale = f64::from(b.size / a.size);
    let (sin, cos) = f64::from(b.angle - a.angle).sin_cos();
    let (m00, m01) = (scale * cos, -scale * sin);
    let (ax, ay) = (f64::from(a.x), f64::from(a.y));
    let (tx, ty) = (
        f64::from(b.x) - m00 * ax - m01 * ay,
        f64::from(b.y) + m01 * ax - m00 * ay,
    );
    [m00, m01, tx, -m01, m00, ty, 0.0, 0.0, 1.0]
}

/// Least squares over pairs, in units of the picture's side.
fn fit(pairs: &[(&Feature, &Feature)], perspective: bool, unit: f64) -> Option<Homography> {
    let mut normal = Normal::new(8);
    for (a, b) in pairs {
        let (x, y) = (f64::from(a.x) / unit, f64::from(a.y) / unit);
        let (u, v) = (f64::from(b.x) / unit, f64::from(b.y) / unit);
        normal.add(&[x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y], u, 1.0);
        normal.add(&[0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y], v, 1.0);
    }
    let stiff = if perspective { 1e-7 } else { 1e6 };
    let weight = normal.scale() * stiff;
    normal.pull(6, 0.0, weight);
    normal.pull(7, 0.0, weight);
    let s = normal.solve()?;
    Some([
        s[0],
        s[1],
        s[2] * unit,
        s[3],
        s[4],
        s[5] * unit,
        s[6] / unit,
        s[7] / unit,
        1.0,
    ])
}

/// Terms of a cubic in two unknowns.
const TERMS: usize = 10;

/// From the original's pixels to the copy's: a homography, and a cubic on top.
#[derive(Clone)]
struct Warp {
    homography: Homography,
    across: [f64; TERMS],
    down: [f64; TERMS],
    width: usize,
    height: usize,
}

fn terms(u: f64, v: f64) -> [f64; TERMS] {
    [
        1.0,
        u,
        v,
        u * u,
        u * v,
        v * v,
        u * u * u,
        u * u * v,
        u * v * v,
        v * v * v,
    ]
}

impl Warp {
    fn new(homography: Homography, original: &Plane) -> Self {
        let (width, height) = (original.width, original.height);
        Self {
            homography,
            across: [0.0; TERMS],
            down: [0.0; TERMS],
            width,
            height,
        }
    }

    /// The terms at a pixel of the original, which may lie between pixels.
    fn terms(&self, x: f64, y: f64) -> [f64; TERMS] {
        let u = 2.0 * x / self.width as f64 - 1.0;
        let v = 2.0 * y / self.height as f64 - 1.0;
        terms(u, v)
    }

    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let (px, py) = project(&self.homography, x, y);
        let terms = self.terms(x, y);
        let sum = |c: &[f64; TERMS]| -> f64 { c.iter().zip(terms).map(|(c, t)| c * t).sum() };
        (px + sum(&self.across), py + sum(&self.down))
    }

    /// Pixels of the copy to one of the original, in the middle.
    fn scale(&self) -> f64 {
        let (x, y) = (self.width as f64 / 2.0, self.height as f64 / 2.0);
        let (a, b, c) = (self.at(x, y), self.at(x + 1.0, y), self.at(x, y + 1.0));
        ((b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0))
            .abs()
            .sqrt()
    }

    /// The copy on the original's grid.
    fn apply(&self, copy: &Plane) -> Aligned {
        let mut shrunk = copy.clone();
        let mut factor = 1.0;
        while self.scale() / factor > 1.6 {
            shrunk = halved(&shrunk);
            factor *= 2.0;
        }
        let mut covered = Plane::filled(self.width, self.height, 0.0);
        let mut out = Plane::filled(self.width, self.height, 0.0);
        let (right, low) = (shrunk.width as f64 - 1.0, shrunk.height as f64 - 1.0);
        for y in 0..self.height {
            for x in 0..self.width {
                let (px, py) = self.at(x as f64, y as f64);
                let (px, py) = shrink(px, py, factor);
                if px >= -0.5 && py >= -0.5 && px <= right + 0.5 && py <= low + 0.5 {
                    out.values[y * self.width + x] = cubic(&shrunk, px as f32, py as f32);
                    covered.values[y * self.width + x] = 1.0;
                }
            }
        }
        Aligned { copy: out, covered }
    }
}

/// Where a pixel lies in a picture that is smaller by a factor.
fn shrink(x: f64, y: f64, factor: f64) -> (f64, f64) {
    ((x + 0.5) / factor - 0.5, (y + 0.5) / factor - 0.5)
}

/// Between sixteen pixels (Catmull and Rom's spline), the border repeating.
fn cubic(plane: &Plane, x: f32, y: f32) -> f32 {
    let (fx, fy) = (x.floor(), y.floor());
    let (wx, wy) = (spline(x - fx), spline(y - fy));
    let (ix, iy) = (fx as isize, fy as isize);
    let inside =
        ix >= 1 && iy >= 1 && ix + 2 < plane.width as isize && iy + 2 < plane.height as isize;
    let mut sum = 0.0;
    for (row, wy) in wy.iter().enumerate() {
        let y = iy - 1 + row as isize;
        let across: f32 = if inside {
            let from = &plane.row(y as usize)[ix as usize - 1..][..4];
            from.iter().zip(wx).map(|(v, w)| v * w).sum()
        } else {
            (0..4)
                .map(|i| plane.clamped(ix - 1 + i as isize, y) * wx[i])
                .sum()
        };
        sum += wy * across;
    }
    sum
}

fn spline(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [
        -0.5 * t + t2 - 0.5 * t3,
        1.0 - 2.5 * t2 + 1.5 * t3,
        0.5 * t + 2.0 * t2 - 1.5 * t3,
        -0.5 * t2 + 0.5 * t3,
    ]
}

/// The plane at 1, 1/2, 1/4 and 1/8, as far as it stays larger than 48 pixels, light and contrast taken out.
fn pyramid(plane: &Plane) -> Vec<Plane> {
    let mut sizes = vec![plane.clone()];
    while let Some(last) = sizes
        .last()
        .filter(|p| p.width.min(p.height) >= 96)
        .filter(|_| sizes.len() < 6)
    {
        let next = halved(last);
        sizes.push(next);
    }
    sizes.iter().map(flattened).collect()
}

/// Each pixel in standard deviations from its surroundings' mean.
fn flattened(plane: &Plane) -> Plane {
    const AROUND: usize = 7;
    let mean = box_mean(plane, AROUND);
    let centred = plane.map2(&mean, |v, m| v - m);
    let square = box_mean(&centred.map(|v| v * v), AROUND);
    centred.map2(&square, |v, s| v / (s + 30.0).sqrt())
}

/// Refines a guess from coarse to fine; says how alike the two are at the end.
fn refine((originals, copies): &(Vec<Plane>, Vec<Plane>), start: Warp) -> Option<(Warp, f32)> {
    let scale = start.scale();
    if !(0.05..=20.0).contains(&scale) {
        return None;
    }
    let mut warp = start;
    let mut likeness = 0.0;
    for (level, original) in originals.iter().enumerate().rev() {
        let factor = f64::from(1_u32 << level);
        let wanted = (scale * factor).log2().round().max(0.0) as usize;
        // A part of a picture shrinks to nothing before the whole does: such levels have nothing to say.
        let Some(copy) = copies.get(wanted) else {
            continue;
        };
        let shrunk = f64::from(1_u32 << wanted);
        let steps = if level > 0 { 6 } else { 3 };
        let places = places(original);
        for _ in 0..steps {
            let Some((next, alike)) = step(&warp, original, factor, copy, shrunk, &places) else {
                break;
            };
            warp = next;
            likeness = alike;
        }
    }
    let moved = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)]
        .iter()
        .all(|(x, y)| {
            let (x, y) = (x * warp.width as f64, y * warp.height as f64);
            warp.at(x, y).0.is_finite() && warp.at(x, y).1.is_finite()
        });
    moved.then_some((warp, likeness))
}

/// Pixels with something to hold on to, spread over the picture.
fn places(original: &Plane) -> Vec<(usize, usize)> {
    const WANTED: usize = 12_000;
    let step =
        (((original.width * original.height) as f32 / (2 * WANTED) as f32).sqrt() as usize).max(1);
    let mut all = Vec::new();
    for y in (1..original.height - 1).step_by(step) {
        for x in (1 + y % step..original.width - 1).step_by(step) {
            let slope = (original.at(x + 1, y) - original.at(x - 1, y)).abs()
                + (original.at(x, y + 1) - original.at(x, y - 1)).abs();
            all.push((slope, (x, y)));
        }
    }
    let mut slopes: Vec<f32> = all.iter().map(|(slope, _)| *slope).collect();
    let middle = quantile(&mut slopes, 0.4);
    all.into_iter()
        .filter(|(slope, _)| *slope > middle)
        .map(|(_, place)| place)
        .collect()
}

/// One place of a step: the difference, and how it changes with each unknown.
struct Pull {
    row: [f64; 2 * TERMS],
    off: f64,
}

/// One step of Gauss and Newton; the likeness is that before it.
fn step(
    warp: &Warp,
    original: &Plane,
    factor: f64,
    copy: &Plane,
    shrunk: f64,
    places: &[(usize, usize)],
) -> Option<(Warp, f32)> {
    let (right, low) = (copy.width as f64 - 2.0, copy.height as f64 - 2.0);
    let mut pulls = Vec::with_capacity(places.len());
    let [mut ab, mut aa, mut bb] = [1e-6_f64; 3];
    for (x, y) in places {
        let (fx, fy) = (
            (*x as f64 + 0.5) * factor - 0.5,
            (*y as f64 + 0.5) * factor - 0.5,
        );
        let (px, py) = warp.at(fx, fy);
        let (px, py) = shrink(px, py, shrunk);
        if px < 1.0 || py < 1.0 || px > right || py > low {
            continue;
        }
        let (px, py) = (px as f32, py as f32);
        let value = f64::from(cubic(copy, px, py));
        let gx = f64::from(cubic(copy, px + 0.5, py) - cubic(copy, px - 0.5, py)) / shrunk;
        let gy = f64::from(cubic(copy, px, py + 0.5) - cubic(copy, px, py - 0.5)) / shrunk;
        let wanted = f64::from(original.at(*x, *y));
        ab += value * wanted;
        aa += value * value;
        bb += wanted * wanted;
        let mut row = [0.0; 2 * TERMS];
        for (i, term) in warp.terms(fx, fy).into_iter().enumerate() {
            row[i] = gx * term;
            row[TERMS + i] = gy * term;
        }
        pulls.push(Pull {
            row,
            off: wanted - value,
        });
    }
    if pulls.len() < 200 {
        return None;
    }
    let solution = solve(&pulls)?;
    let mut next = warp.clone();
    for i in 0..TERMS {
        next.across[i] += solution[i];
        next.down[i] += solution[TERMS + i];
    }
    Some((next, (ab / (aa * bb).sqrt()) as f32))
}

/// The unknowns under weights that fall off with the difference (Geman and `McClure`).
fn solve(pulls: &[Pull]) -> Option<Vec<f64>> {
    let mut sizes: Vec<f32> = pulls.iter().map(|p| p.off.abs() as f32).collect();
    let typical = f64::from(quantile(&mut sizes, 0.5)).max(0.05) * 2.0;
    let mut normal = Normal::new(2 * TERMS);
    for pull in pulls {
        let weight = (1.0 + (pull.off / typical).powi(2)).powi(-2);
        normal.add(&pull.row, pull.off, weight);
    }
    let scale = normal.scale();
    for i in 0..2 * TERMS {
        let stiff = match i % TERMS {
            0..=2 => 1e-6,
            3..=5 => 1e-4,
            _ => 1e-3,
        };
        normal.pull(i, 0.0, stiff * scale);
    }
    normal.solve()
}

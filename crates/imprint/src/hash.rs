//! Finding a leaked picture's original in an archive: 256 bits of a picture's coarse shape.

use crate::picture::{Picture, Plane};

/// Signs of the low frequencies of a picture shrunk to 32 × 32: whatever scaling, light, noise and compression
/// do, few of them change. It says nothing about crops under about 80 %; those are found by features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u64; 4]);

const SIDE: usize = 32;
const KEPT: usize = 16;

impl Hash {
    /// The hash of a picture.
    #[must_use]
    pub fn of(picture: &Picture) -> Self {
        let small = shrunk(&picture.luminance());
        let waves = cosines();
        let mut bits = [0_u64; 4];
        for v in 0..KEPT {
            for u in 0..KEPT {
                let sum: f32 = (0..SIDE * SIDE)
                    .map(|i| small[i] * waves[u][i % SIDE] * waves[v][i / SIDE])
                    .sum();
                // The mean says nothing: its bit stays 0.
                if sum > 0.0 && (u, v) != (0, 0) {
                    bits[(v * KEPT + u) / 64] |= 1 << ((v * KEPT + u) % 64);
                }
            }
        }
        Self(bits)
    }

    /// The hash of the mirrored picture: odd waves across change their sign.
    #[must_use]
    pub fn mirrored(self) -> Self {
        Self(self.0.map(|bits| bits ^ 0xAAAA_AAAA_AAAA_AAAA))
    }

    /// In how many of 256 bits two differ; strangers differ in about 128.
    #[must_use]
    pub fn distance(self, other: Self) -> u32 {
        self.0
            .iter()
            .zip(other.0)
            .map(|(a, b)| (a ^ b).count_ones())
            .sum()
    }

    /// The bytes, for an archive to keep.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        let mut out = [0; 32];
        out.chunks_exact_mut(8)
            .zip(self.0)
            .for_each(|(to, part)| to.copy_from_slice(&part.to_le_bytes()));
        out
    }

    /// A hash that an archive kept.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut parts = [0_u64; 4];
        for (part, byte) in bytes.iter().enumerate() {
            parts[part / 8] |= u64::from(*byte) << (8 * (part % 8));
        }
        Self(parts)
    }
}

/// The `most` originals that come nearest to a leaked picture, or to its mirror image, nearest first: place in
/// the archive and distance.
#[must_use]
pub fn nearest(archive: &[Hash], leaked: Hash, most: usize) -> Vec<(usize, u32)> {
    let mirror = leaked.mirrored();
    let mut found: Vec<(usize, u32)> = Vec::with_capacity(most + 1);
    let mut limit = u32::MAX;
    for (place, hash) in archive.iter().enumerate() {
        let far = hash.distance(leaked).min(hash.distance(mirror));
        if far < limit {
            let at = found.partition_point(|(_, other)| *other <= far);
            found.insert(at, (place, far));
            found.truncate(most);
            if found.len() == most {
                limit = found.last().map_or(0, |(_, far)| *far);
            }
        }
    }
    found
}

/// Means over equal parts of the picture.
fn shrunk(plane: &Plane) -> Vec<f32> {
    let mut out = Vec::with_capacity(SIDE * SIDE);
    for j in 0..SIDE {
        let ys = j * plane.height / SIDE..(j + 1) * plane.height / SIDE;
        for i in 0..SIDE {
            let xs = i * plane.width / SIDE..(i + 1) * plane.width / SIDE;
            let count = (ys.len() * xs.len()).max(1);
            let sum: f32 = ys
                .clone()
                .map(|y| plane.row(y)[xs.clone()].iter().sum::<f32>())
                .sum();
            out.push(sum / count as f32);
        }
    }
    out
}

fn cosines() -> Vec<Vec<f32>> {
    let wave = |u: usize, x: usize| {
        (std::f32::consts::PI * u as f32 * (x as f32 + 0.5) / SIDE as f32).cos()
    };
    (0..KEPT)
        .map(|u| (0..SIDE).map(|x| wave(u, x)).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize, mirror: bool) -> Picture {
        let mut bytes = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let x = if mirror { width - 1 - x } else { x };
                let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
                let value =
                    128.0 + 60.0 * (9.0 * u + 4.0 * v * v).sin() + 50.0 * (17.0 * u * v).cos();
                bytes.extend([value as u8; 3]);
            }
        }
        Picture::new(width, height, bytes).unwrap()
    }

    #[test]
    fn scaled_and_mirrored_pictures_are_found() {
        let hash = Hash::of(&picture(640, 400, false));
        assert!(hash.distance(Hash::of(&picture(320, 200, false))) < 16);
        assert!(hash.mirrored().distance(Hash::of(&picture(640, 400, true))) < 16);
        let archive = [Hash([0; 4]), Hash([7, 1 << 40, 3, 9]), hash];
        assert_eq!(
            nearest(&archive, Hash::of(&picture(320, 200, true)), 1)[0].0,
            2
        );
        assert_eq!(Hash::from_bytes(hash.to_bytes()), hash);
    }
}

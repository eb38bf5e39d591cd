//! Laying a word into a picture.

use pulp::Arch;

use crate::key::{DocumentMap, WORD, Word, noise, place};
use crate::mask::{CELL, Mask};
use crate::picture::Picture;
use crate::wavelet::{Details, FINEST, LEVELS, Synthesis};
use crate::wide::wide;

/// The root mean square of the mark in a flat area, in levels of 255. An invisible one is under 0.65; what a
/// document can take is found once, at ingest, with a perceptual metric ([`Strength::fitted`]).
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Strength(f32);

impl Strength {
    /// The strongest mark that may be asked for.
    pub const MOST: Self = Self(4.0);
    /// The weakest.
    pub const LEAST: Self = Self(0.05);

    /// A strength, moved to the nearest that is allowed.
    #[must_use]
    pub fn new(rms: f32) -> Self {
        if rms.is_nan() {
            Self::LEAST
        } else {
            Self(rms.clamp(Self::LEAST.0, Self::MOST.0))
        }
    }

    /// Levels of 255.
    #[must_use]
    pub fn rms(self) -> f32 {
        self.0
    }

    /// The strongest mark that `allowed` still lets pass, to within two hundredths; the metric is the caller's.
    #[must_use]
    pub fn fitted(most: Self, mut allowed: impl FnMut(Self) -> bool) -> Self {
        if allowed(most) {
            return most;
        }
        let (mut good, mut bad) = (Self::LEAST.0, most.0);
        while bad - good > 0.02 * bad {
            let middle = f32::midpoint(good, bad);
            if allowed(Self(middle)) {
                good = middle;
            } else {
                bad = middle;
            }
        }
        Self(good)
    }
}

/// Root mean square of each level's part in the mark, before they are brought to 1 together: levels 2 to 5.
const WEIGHTS: [f32; LEVELS - FINEST + 1] = [1.0, 0.6, 0.35, 0.1];

/// The size of a coefficient of each level, in a mark with a root mean square of 1.
pub(crate) fn amplitudes() -> [f32; LEVELS - FINEST + 1] {
    let total = WEIGHTS.iter().map(|w| w * w).sum::<f32>().sqrt();
    let mut out = WEIGHTS;
    for (level, value) in (FINEST..).zip(&mut out) {
        // A level has 3 coefficients for each 4^level pixels, and the wavelets have norm 1.
        *value *= (1 << level) as f32 / 3.0_f32.sqrt() / total;
    }
    out
}

/// Marks a copy of a document: `map` is the document's, `word` the release's.
///
/// The mark is added to red, green and blue alike. Each is rounded with a dither of its own, so that parts
/// smaller than one level survive in flat areas; values near the ends of the range are moved inward by twice
/// the strength, so that paper white carries both halves of the mark. Beside the picture itself this takes
/// a quarter of a byte for each pixel and some rows.
pub fn embed(picture: &mut Picture, map: &DocumentMap, word: &Word, strength: Strength) {
    let mask = Mask::of(picture);
    embed_masked(picture, &mask, map, word, strength);
}

fn embed_masked(
    picture: &mut Picture,
    mask: &Mask,
    map: &DocumentMap,
    word: &Word,
    strength: Strength,
) {
    let arch = Arch::new();
    let width = picture.width();
    let details = Marks::new(map, word, strength.0);
    let mut synthesis = Synthesis::new(width, details);
    let dither = noise(map, 3 * width + DITHER);
    let inset = (2.0 * strength.0).ceil().min(12.0) as i16;
    let padded = width.next_multiple_of(CELL);
    let (mut factor, mut blend) = (vec![0.0; padded], Vec::new());
    let (mut steps, mut shift) = (vec![0_i16; width], vec![0_i16; 3 * width]);
    for (y, row) in picture.rows_mut().enumerate() {
        let mark = synthesis.next_row(arch);
        // A start that jumps about, so that the same bytes never meet the same columns in rows close by.
        let start = y.wrapping_mul(40_503) % DITHER;
        let noise = &dither[start..start + 3 * width];
        mask.row(y, arch, &mut blend, &mut factor);
        wide!(arch, {
            mark: &'a [f32] = mark, factor: &'a [f32] = &factor, noise: &'a [u8] = noise, inset: i16 = inset,
            steps: &'a mut [i16] = &mut steps, shift: &'a mut [i16] = &mut shift, row: &'a mut [u8] = row,
        } -> () {
            for ((step, mark), factor) in steps.iter_mut().zip(mark).zip(factor) {
                let value = (mark * factor * 256.0).clamp(-25_600.0, 25_600.0);
                // The low bits of this sum are the rounded value: cheaper than a conversion that saturates.
                *step = (value + 12_582_912.0).to_bits() as i16;
            }
            for (three, step) in shift.chunks_exact_mut(3).zip(&*steps) {
                three[0] = *step;
                three[1] = *step;
                three[2] = *step;
            }
            for ((byte, shift), noise) in row.iter_mut().zip(&*shift).zip(noise) {
                let inward = i16::from(*byte).max(inset).min(255 - inset);
                let moved = inward.wrapping_add(shift.wrapping_add(i16::from(*noise)) >> 8);
                *byte = moved.clamp(0, 255) as u8;
            }
        });
    }
}

/// Places in the table of dithering bytes that a row may start from.
const DITHER: usize = 16_384;

/// The coefficients of a word under a document's map.
struct Marks<'a> {
    map: &'a DocumentMap,
    /// The word for each carrying level, scaled by its amplitude.
    scaled: Vec<Vec<f32>>,
    bytes: Vec<u8>,
}

impl<'a> Marks<'a> {
    fn new(map: &'a DocumentMap, word: &Word, strength: f32) -> Self {
        let scale = |amplitude: f32| {
            // Twice: the second half has the opposite signs, so that a place and a sign are one look-up.
            let plain = word
                .signs()
                .iter()
                .map(|b| f32::from(*b) * amplitude * strength);
            plain.clone().chain(plain.map(|v| -v)).collect()
        };
        Self {
            map,
            scaled: amplitudes().into_iter().map(scale).collect(),
            bytes: Vec::new(),
        }
    }
}

impl Details for Marks<'_> {
    fn fill(&mut self, level: usize, row: usize, bands: &mut [Vec<f32>; 3]) {
        let width = bands[0].len();
        self.bytes.resize(6 * width, 0);
        self.map.row(level as u32, row, &mut self.bytes);
        let scaled: &[f32] = &self.scaled[level - FINEST];
        for (band, bytes) in bands.iter_mut().zip(self.bytes.chunks_exact(2 * width)) {
            for (value, pair) in band.iter_mut().zip(bytes.chunks_exact(2)) {
                let (place, minus) = place([pair[0], pair[1]]);
                *value = scaled[place + if minus { WORD } else { 0 }];
            }
        }
    }
}

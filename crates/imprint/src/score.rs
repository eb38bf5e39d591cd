//! From what is left of a copy to a few thousand numbers, and from those to a score for each release.

use crate::embed::amplitudes;
use crate::filter::quantile;
use crate::host::{Aligned, Residual, TAPS, residual};
use crate::key::{DocumentMap, WORD, Word, place};
use crate::mask::Mask;
use crate::picture::{Picture, Plane};
use crate::wavelet::{FINEST, analyse};
use crate::wide::wide;

/// The words of the releases that may have leaked, one signed byte a sign.
#[derive(Debug, Clone, Default)]
pub struct Words {
    signs: Vec<i8>,
}

impl Words {
    /// No words yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a word; its index is how many there were.
    pub fn push(&mut self, word: &Word) {
        self.signs.extend_from_slice(word.signs());
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.signs.len() / WORD
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.signs.is_empty()
    }
}

/// A copy projected on a document's map, in each variant of the detector. It depends on no word, so the
/// score of a word that has nothing to do with the copy is a sum of independent signs.
#[derive(Debug, Clone)]
pub struct Projection {
    variants: Vec<Variant>,
}

/// One weighting of the bands, in 16 bits: the bound holds for these numbers as they are.
#[derive(Debug, Clone)]
struct Variant {
    values: Vec<i16>,
    norm: f64,
}

impl Projection {
    /// Projects an aligned copy. `original` is what was marked: the vault's own document.
    #[must_use]
    pub fn of(original: &Picture, aligned: &Aligned, map: &DocumentMap) -> Self {
        let residual = residual(&original.luminance(), aligned);
        let mask = Mask::of(original);
        let error = weighted(&residual, &mask);
        let bands = analyse(&error);
        let sums = sums(&bands, map);
        let white = whitening(&bands, &residual.taps);
        let variants = [[[1.0; 3]; 4], white];
        Self {
            variants: variants
                .iter()
                .filter_map(|w| Variant::of(&sums, w))
                .collect(),
        }
    }

    /// How many variants there are: `H` in the bound. None where the copy has nothing that could be scored.
    #[must_use]
    pub fn variants(&self) -> usize {
        self.variants.len()
    }

    /// For each word the largest score over the variants. A wrong word's is under t with probability
    /// 1 − H · exp(−t²/2) at least, whatever the copy is (Hoeffding's inequality over the word).
    #[must_use]
    pub fn scores(&self, words: &Words) -> Vec<f64> {
        let arch = pulp::Arch::new();
        let mut out = Vec::with_capacity(words.len());
        // A word serves all variants while it is near: fetching it costs more than the sums.
        for word in words.signs.chunks_exact(WORD) {
            let score = wide!(arch, {
                variants: &'a [Variant] = &self.variants, word: &'a [i8] = word,
            } -> f64 {
                let mut most = f64::NEG_INFINITY;
                for variant in variants {
                    most = most.max(f64::from(dot(&variant.values, word)) / variant.norm);
                }
                most
            });
            out.push(score);
        }
        out
    }
}

/// At most 4096 · 32767 in size: no sum overflows.
#[inline(always)]
fn dot(values: &[i16], signs: &[i8]) -> i32 {
    let terms = values.iter().zip(signs);
    terms.fold(0_i32, |sum, (v, s)| {
        sum.wrapping_add(i32::from(*v).wrapping_mul(i32::from(*s)))
    })
}

impl Variant {
    fn of(sums: &[[Vec<f64>; 3]], weights: &[[f64; 3]; 4]) -> Option<Self> {
        let mut total = vec![0.0_f64; WORD];
        for (bands, weights) in sums.iter().zip(weights) {
            for (band, weight) in bands.iter().zip(weights) {
                total
                    .iter_mut()
                    .zip(band)
                    .for_each(|(t, v)| *t += weight * v);
            }
        }
        let most = total.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        if most <= 0.0 || !most.is_finite() {
            return None;
        }
        let values: Vec<i16> = total
            .iter()
            .map(|v| (v / most * 32_767.0).round() as i16)
            .collect();
        let norm = values
            .iter()
            .map(|v| f64::from(*v).powi(2))
            .sum::<f64>()
            .sqrt();
        Some(Self { values, norm })
    }
}

/// The error as the detector weighs it: as strong as the mark was there, as sure as the noise lets it be.
fn weighted(residual: &Residual, mask: &Mask) -> Plane {
    let mut out = residual.error.clone();
    let mut factor = vec![0.0; out.width.next_multiple_of(crate::mask::CELL)];
    let mut blend = Vec::new();
    for y in 0..out.height {
        mask.row(y, pulp::Arch::new(), &mut blend, &mut factor);
        let others = residual.gain.row(y).iter().zip(residual.sigma.row(y));
        for ((error, (gain, sigma)), factor) in out.row_mut(y).iter_mut().zip(others).zip(&factor) {
            *error = factor * gain * (*error / sigma).clamp(-3.0, 3.0) / sigma;
        }
    }
    out
}

/// For each level and band, what each place of the word gathers.
fn sums(bands: &[[Plane; 3]], map: &DocumentMap) -> Vec<[Vec<f64>; 3]> {
    let mut out = Vec::new();
    let mut bytes = Vec::new();
    for (level, (bands, amplitude)) in (FINEST..).zip(bands.iter().zip(amplitudes())) {
        let mut sums = [vec![0.0; WORD], vec![0.0; WORD], vec![0.0; WORD]];
        let width = bands[0].width;
        bytes.resize(6 * width, 0);
        for y in 0..bands[0].height {
            map.row(level as u32, y, &mut bytes);
            let places = bytes.chunks_exact(2 * width);
            for ((sum, band), places) in sums.iter_mut().zip(bands).zip(places) {
                for (value, pair) in band.row(y).iter().zip(places.chunks_exact(2)) {
                    let (place, minus) = place([pair[0], pair[1]]);
                    let value = f64::from(amplitude * value);
                    sum[place] += if minus { -value } else { value };
                }
            }
        }
        out.push(sums);
    }
    out
}

/// The weights that make most of a mark in coloured noise: what the copy's filter left of each band, over
/// the power of the noise there.
fn whitening(bands: &[[Plane; 3]], taps: &[f32; TAPS * TAPS]) -> [[f64; 3]; 4] {
    let mut out = [[0.0; 3]; 4];
    for (level, (bands, weights)) in (FINEST..).zip(bands.iter().zip(&mut out)) {
        let middle = 0.72 * std::f32::consts::PI / (1 << (level - 1)) as f32;
        let places = [
            (middle, middle / 3.0),
            (middle / 3.0, middle),
            (middle, middle),
        ];
        for ((band, weight), (fx, fy)) in bands.iter().zip(weights).zip(places) {
            let power = robust_power(band);
            *weight = f64::from(response(taps, fx, fy).max(0.02) / power.max(1e-9));
        }
    }
    out
}

fn robust_power(band: &Plane) -> f32 {
    let mut squares: Vec<f32> = band.values.iter().step_by(3).map(|v| v * v).collect();
    let middle = quantile(&mut squares, 0.5);
    let mean =
        squares.iter().map(|s| s.min(16.0 * middle)).sum::<f32>() / squares.len().max(1) as f32;
    mean.max(middle)
}

/// How much of a wave the taps let through.
fn response(taps: &[f32; TAPS * TAPS], fx: f32, fy: f32) -> f32 {
    let reach = (TAPS / 2) as f32;
    let phase = |i: usize| (i % TAPS) as f32 * fx + (i / TAPS) as f32 * fy - reach * (fx + fy);
    taps.iter()
        .enumerate()
        .map(|(i, t)| t * phase(i).cos())
        .sum()
}

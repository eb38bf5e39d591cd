//! What people and channels do to a leaked picture.

use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use portcullis_imprint::Picture;

use crate::rng::Rng;

/// An attack: its name, and what it does.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&RgbImage, &mut Rng) -> RgbImage,
}

const fn attack(name: &'static str, run: fn(&RgbImage, &mut Rng) -> RgbImage) -> Attack {
    Attack { name, run }
}

/// Every single attack of the table.
pub(crate) const SINGLE: &[Attack] = &[
    attack("none", |p, _| p.clone()),
    attack("JPEG 75", |p, _| jpeg(p, 75)),
    attack("JPEG 50", |p, _| jpeg(p, 50)),
    attack("JPEG 30", |p, _| jpeg(p, 30)),
    attack("JPEG 20", |p, _| jpeg(p, 20)),
    attack("scale 25 %", |p, _| scale(p, 0.25)),
    attack("scale 50 %", |p, _| scale(p, 0.5)),
    attack("scale 200 %", |p, _| scale(p, 2.0)),
    attack("crop to 60 %", |p, r| crop(p, 0.6, r)),
    attack("crop to 30 %", |p, r| crop(p, 0.3, r)),
    attack("crop to 15 %", |p, r| crop(p, 0.15, r)),
    attack("mirrored", |p, _| imageops::flip_horizontal(p)),
    attack("rotation", |p, r| perspective(p, 0.0, r.range(-0.1, 0.1))),
    attack("perspective", |p, r| {
        perspective(p, 0.06, r.range(-0.03, 0.03))
    }),
    attack("gamma 0.7", |p, _| curve(p, |v| v.powf(0.7))),
    attack("gamma 1.4", |p, _| curve(p, |v| v.powf(1.4))),
    attack("blur 1", |p, _| imageops::blur(p, 1.0)),
    attack("blur 2", |p, _| imageops::blur(p, 2.0)),
    attack("sharpening", |p, _| imageops::unsharpen(p, 1.5, 1)),
    attack("noise 5", |p, r| noise(p, 5.0, r)),
    attack("noise 10", |p, r| noise(p, 10.0, r)),
    attack("median 3", |p, _| median(p, 1)),
    attack("median 5", |p, _| median(p, 2)),
    attack("8 colours", |p, _| colours(p, false)),
    attack("8 colours, dithered", |p, _| colours(p, true)),
    attack("messenger", |p, _| messenger(p)),
    attack("screenshot", screenshot),
    attack("print and photograph", photographed),
    attack("overlay over a third", overlay),
];

pub(crate) fn picture(image: RgbImage) -> Picture {
    let (width, height) = (image.width() as usize, image.height() as usize);
    Picture::new(width, height, image.into_raw()).expect("an attack leaves a picture")
}

pub(crate) fn image(picture: &Picture) -> RgbImage {
    let (width, height) = (picture.width() as u32, picture.height() as u32);
    RgbImage::from_raw(width, height, picture.bytes().to_vec()).expect("a picture")
}

pub(crate) fn jpeg(image: &RgbImage, quality: u8) -> RgbImage {
    let mut bytes = Vec::new();
    let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality);
    image.write_with_encoder(encoder).expect("encodes");
    image::load_from_memory(&bytes).expect("decodes").to_rgb8()
}

fn scale(image: &RgbImage, by: f32) -> RgbImage {
    let side = |n: u32| (n as f32 * by).round() as u32;
    imageops::resize(
        image,
        side(image.width()),
        side(image.height()),
        FilterType::Triangle,
    )
}

/// `share` of each side.
fn crop(image: &RgbImage, share: f32, rng: &mut Rng) -> RgbImage {
    let (w, h) = (
        (image.width() as f32 * share) as u32,
        (image.height() as f32 * share) as u32,
    );
    let x = rng.below((image.width() - w) as usize) as u32;
    let y = rng.below((image.height() - h) as usize) as u32;
    imageops::crop_imm(image, x, y, w, h).to_image()
}

fn curve(image: &RgbImage, of: impl Fn(f32) -> f32) -> RgbImage {
    let mut out = image.clone();
    out.iter_mut().for_each(|v| {
        *v = (255.0 * of(f32::from(*v) / 255.0))
            .round()
            .clamp(0.0, 255.0) as u8;
    });
    out
}

fn noise(image: &RgbImage, sigma: f32, rng: &mut Rng) -> RgbImage {
    let mut out = image.clone();
    out.iter_mut().for_each(|v| {
        *v = (f32::from(*v) + sigma * rng.normal())
            .round()
            .clamp(0.0, 255.0) as u8;
    });
    out
}

fn median(image: &RgbImage, radius: i64) -> RgbImage {
    let (w, h) = (i64::from(image.width()), i64::from(image.height()));
    let mut values = Vec::new();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let channel = |c: usize, values: &mut Vec<u8>| {
            values.clear();
            for dy in -radius..=radius {
                for dx in -radius..=radius {
                    let (x, y) = (
                        (i64::from(x) + dx).clamp(0, w - 1),
                        (i64::from(y) + dy).clamp(0, h - 1),
                    );
                    values.push(image.get_pixel(x as u32, y as u32)[c]);
                }
            }
            let middle = values.len() / 2;
            *values.select_nth_unstable(middle).1
        };
        Rgb([
            channel(0, &mut values),
            channel(1, &mut values),
            channel(2, &mut values),
        ])
    })
}

/// Turned by `angle` about the middle, the corners moved by up to `lean` of the sides.
fn perspective(image: &RgbImage, lean: f32, angle: f32) -> RgbImage {
    let (w, h) = (image.width() as f32, image.height() as f32);
    let (sin, cos) = angle.sin_cos();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let (u, v) = (x as f32 - w / 2.0, y as f32 - h / 2.0);
        let depth = 1.0 + lean * (u / w + 0.6 * v / h);
        let (u, v) = ((cos * u + sin * v) / depth, (cos * v - sin * u) / depth);
        let (x, y) = (u + w / 2.0, v + h / 2.0);
        let inside = x >= 0.0 && y >= 0.0 && x < w - 1.0 && y < h - 1.0;
        if !inside {
            return Rgb([90, 90, 90]);
        }
        let (fx, fy) = (x.floor(), y.floor());
        let at = |dx: u32, dy: u32| {
            image
                .get_pixel(fx as u32 + dx, fy as u32 + dy)
                .0
                .map(f32::from)
        };
        let (px, py) = (x - fx, y - fy);
        let (a, b, c, d) = (at(0, 0), at(1, 0), at(0, 1), at(1, 1));
        Rgb([0, 1, 2].map(|i| {
            let top = a[i] + px * (b[i] - a[i]);
            let low = c[i] + px * (d[i] - c[i]);
            (top + py * (low - top)).round() as u8
        }))
    })
}

/// The eight colours that two rounds of means make of a coarse start.
fn colours(image: &RgbImage, dithered: bool) -> RgbImage {
    let mut palette: Vec<[f32; 3]> = (0..8).map(|i| [i as f32 * 255.0 / 7.0; 3]).collect();
    let nearest = |palette: &[[f32; 3]], p: [f32; 3]| {
        let far = |c: &[f32; 3]| c.iter().zip(p).map(|(c, p)| (c - p).powi(2)).sum::<f32>();
        (0..palette.len())
            .min_by(|a, b| far(&palette[*a]).total_cmp(&far(&palette[*b])))
            .unwrap_or(0)
    };
    for _ in 0..6 {
        let mut sums = [[0.0_f32; 4]; 8];
        for pixel in image.pixels().step_by(11) {
            let p = pixel.0.map(f32::from);
            let sum = &mut sums[nearest(&palette, p)];
            (0..3).for_each(|c| sum[c] += p[c]);
            sum[3] += 1.0;
        }
        for (colour, sum) in palette.iter_mut().zip(sums).filter(|(_, sum)| sum[3] > 0.0) {
            *colour = [sum[0] / sum[3], sum[1] / sum[3], sum[2] / sum[3]];
        }
    }
    let mut values: Vec<[f32; 3]> = image.pixels().map(|p| p.0.map(f32::from)).collect();
    let width = image.width() as usize;
    for i in 0..values.len() {
        let colour = palette[nearest(&palette, values[i])];
        let rest = [0, 1, 2].map(|c| values[i][c] - colour[c]);
        values[i] = colour;
        if dithered {
            for (step, part) in [(1, 7.0), (width - 1, 3.0), (width, 5.0), (width + 1, 1.0)] {
                if let Some(next) = values.get_mut(i + step) {
                    (0..3).for_each(|c| next[c] += rest[c] * part / 16.0);
                }
            }
        }
    }
    let bytes = values
        .iter()
        .flatten()
        .map(|v| v.round().clamp(0.0, 255.0) as u8)
        .collect();
    RgbImage::from_raw(image.width(), image.height(), bytes).expect("as large as before")
}

/// A messenger's: at most 1280 pixels, JPEG 60; a small picture comes a little smaller.
fn messenger(image: &RgbImage) -> RgbImage {
    let longest = image.width().max(image.height()) as f32;
    jpeg(&scale(image, (1280.0 / longest).min(0.8)), 60)
}

/// Shown at another size, light a little off, cut at the borders, saved without loss.
fn screenshot(image: &RgbImage, rng: &mut Rng) -> RgbImage {
    let shown = scale(image, rng.range(0.6, 0.9));
    let cut = crop(&shown, 0.95, rng);
    curve(&cut, |v| 0.02 + 0.95 * v.powf(1.05))
}

/// Simulated: printer's blur, a lean, uneven light, a sensor's noise, JPEG 80.
fn photographed(image: &RgbImage, rng: &mut Rng) -> RgbImage {
    let printed = imageops::blur(&curve(image, |v| 0.08 + 0.84 * v), 0.8);
    let mut shot = perspective(&printed, 0.05, rng.range(-0.04, 0.04));
    let (w, h) = (shot.width() as f32, shot.height() as f32);
    for (x, y, pixel) in shot.enumerate_pixels_mut() {
        let light = 0.85 + 0.2 * x as f32 / w - 0.1 * y as f32 / h;
        let grain = 2.5 * rng.normal();
        pixel.0 = pixel
            .0
            .map(|v| (f32::from(v) * light + grain).round().clamp(0.0, 255.0) as u8);
    }
    jpeg(&shot, 80)
}

/// A bar and letters of another's over a third of the picture.
fn overlay(image: &RgbImage, rng: &mut Rng) -> RgbImage {
    let mut out = image.clone();
    let (w, h) = (image.width(), image.height());
    let top = rng.below((h - h / 3) as usize) as u32;
    let shade = rng.below(256) as f32;
    for y in top..top + h / 3 {
        for x in 0..w {
            let solid = (x / 24 + y / 24) % 2 == 0;
            let part = if solid { 0.9 } else { 0.6 };
            let pixel = out.get_pixel_mut(x, y);
            pixel.0 = pixel
                .0
                .map(|v| (f32::from(v) + part * (shade - f32::from(v))) as u8);
        }
    }
    out
}

//! How visible a difference is: PSNR and SSIM of our own, butteraugli and SSIMULACRA2 by others' crates.

use butteraugli::{ButteraugliParams, Img, RGB8};
use portcullis_imprint::{Picture, Plane};
use ssimulacra2::{ColorPrimaries, Rgb, TransferCharacteristic};

/// Decibels over all three channels.
pub(crate) fn psnr(a: &Picture, b: &Picture) -> f64 {
    let squares = a
        .bytes()
        .iter()
        .zip(b.bytes())
        .map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    let mean = squares.sum::<f64>() / a.bytes().len() as f64;
    10.0 * (255.0 * 255.0 / mean.max(1e-12)).log10()
}

/// SSIM of luminance over windows of 8 × 8, every fourth (Wang, Bovik, Sheikh, Simoncelli, 2004).
pub(crate) fn ssim(a: &Picture, b: &Picture) -> f64 {
    let (a, b) = (a.luminance(), b.luminance());
    let (mut sum, mut count) = (0.0, 0.0);
    for y in (0..a.height() - 8).step_by(4) {
        for x in (0..a.width() - 8).step_by(4) {
            sum += window(&a, &b, x, y);
            count += 1.0;
        }
    }
    sum / count
}

fn window(a: &Plane, b: &Plane, x: usize, y: usize) -> f64 {
    let [mut sa, mut sb, mut saa, mut sbb, mut sab] = [0.0_f64; 5];
    for row in y..y + 8 {
        for column in x..x + 8 {
            let (va, vb) = (
                f64::from(a.value(column, row)),
                f64::from(b.value(column, row)),
            );
            sa += va;
            sb += vb;
            saa += va * va;
            sbb += vb * vb;
            sab += va * vb;
        }
    }
    let (ma, mb) = (sa / 64.0, sb / 64.0);
    let (va, vb, cov) = (
        saa / 64.0 - ma * ma,
        sbb / 64.0 - mb * mb,
        sab / 64.0 - ma * mb,
    );
    let (c1, c2) = (6.5025, 58.5225);
    (2.0 * ma * mb + c1) * (2.0 * cov + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
}

pub(crate) fn butteraugli(a: &Picture, b: &Picture) -> f64 {
    let of = |p: &Picture| {
        let pixels: Vec<RGB8> = p
            .bytes()
            .chunks_exact(3)
            .map(|p| RGB8::new(p[0], p[1], p[2]))
            .collect();
        Img::new(pixels, p.width(), p.height())
    };
    let (a, b) = (of(a), of(b));
    butteraugli::butteraugli(a.as_ref(), b.as_ref(), &ButteraugliParams::default())
        .expect("same size")
        .score
}

pub(crate) fn ssimulacra2(a: &Picture, b: &Picture) -> f64 {
    let of = |p: &Picture| {
        let pixels = p
            .bytes()
            .chunks_exact(3)
            .map(|p| [p[0], p[1], p[2]].map(|v| f32::from(v) / 255.0))
            .collect();
        Rgb::new(
            pixels,
            p.width(),
            p.height(),
            TransferCharacteristic::SRGB,
            ColorPrimaries::BT709,
        )
        .expect("a picture")
    };
    ssimulacra2::compute_frame_ssimulacra2(of(a), of(b)).expect("same size")
}

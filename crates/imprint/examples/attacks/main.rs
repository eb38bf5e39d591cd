//! Measures the imprint: how well it hides, how fast it is laid, what survives which attack.
//!
//! `cargo run --release -p portcullis-imprint --example attacks -- [hide|speed|table] [PICTURES]`
#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::many_single_char_names,
    reason = "a measurement, run by hand"
)]

mod document;
mod metric;
mod rng;

use std::path::PathBuf;
use std::time::Instant;

use portcullis_imprint::{Picture, Strength, VaultKey, Words, Aligned, Projection, embed};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let count = arguments.get(2).and_then(|n| n.parse().ok()).unwrap_or(4);
    match arguments.get(1).map_or("hide", String::as_str) {
        "speed" => speed(),
        "hide" => hide(count),
        other => println!("no measurement is called {other}"),
    }
}

fn photographs(count: usize) -> Vec<(String, Picture)> {
    let folder = std::env::var("PORTCULLIS_DATA").unwrap_or_else(|_| "/work/shared/data".to_owned());
    let Ok(entries) = std::fs::read_dir(PathBuf::from(folder).join("images")) else {
        println!("skipped: no photographs under PORTCULLIS_DATA");
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "png"));
    paths.sort();
    paths.iter().take(count).map(|path| {
        let decoded = image::open(path).expect("a picture").to_rgb8();
        let (width, height) = (decoded.width() as usize, decoded.height() as usize);
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, Picture::new(width, height, decoded.into_raw()).expect("a picture"))
    }).collect()
}

fn documents(count: usize) -> Vec<(String, Picture)> {
    (0..count).map(|n| (format!("doc{n}"), document::draw(n as u64))).collect()
}

fn key() -> VaultKey {
    VaultKey::new([7; 32])
}

fn marked(name: &str, picture: &Picture, release: u32, strength: Strength) -> Picture {
    let mut out = picture.clone();
    embed(&mut out, &key().map(name.as_bytes()), &key().seed(&release.to_le_bytes()).word(), strength);
    out
}

fn jpeg(picture: &Picture, quality: u8) -> Picture {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality);
    let (w, h) = (picture.width() as u32, picture.height() as u32);
    encoder.encode(picture.bytes(), w, h, image::ExtendedColorType::Rgb8).expect("encodes");
    let decoded = image::load_from_memory(&bytes).expect("decodes").to_rgb8();
    Picture::new(picture.width(), picture.height(), decoded.into_raw()).expect("a picture")
}

fn hide(count: usize) {
    println!("name    rms   butteraugli ssimulacra2  ssim   psnr | z at JPEG 75 50 30 20");
    let words = words(2);
    for (name, picture) in photographs(count).into_iter().chain(documents(count)) {
        let most = Strength::new(1.5);
        let fit = Strength::fitted(most, |s| metric::butteraugli(&picture, &marked(&name, &picture, 0, s)) <= 1.3);
        let copy = marked(&name, &picture, 0, fit);
        print!("{name:6} {:5.2} {:8.2} {:10.1} {:10.4} {:6.1} |", fit.rms(), metric::butteraugli(&picture, &copy),
            metric::ssimulacra2(&picture, &copy), metric::ssim(&picture, &copy), metric::psnr(&picture, &copy));
        for quality in [75, 50, 30, 20] {
            let aligned = Aligned::whole(jpeg(&copy, quality).luminance());
            let projection = Projection::of(&picture, &aligned, &key().map(name.as_bytes()));
            print!(" {:5.1}", projection.scores(&words)[0]);
        }
        println!();
    }
}

fn words(count: u32) -> Words {
    let mut words = Words::new();
    (0..count).for_each(|r| words.push(&key().seed(&r.to_le_bytes()).word()));
    words
}

fn speed() {
    let (width, height) = (4000, 3000);
    let mut rng = rng::Rng::new(1);
    let bytes = (0..width * height * 3).map(|_| rng.next() as u8).collect();
    let mut picture = Picture::new(width, height, bytes).expect("a picture");
    let (map, word) = (key().map(b"doc"), key().seed(b"release").word());
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        embed(&mut picture, &map, &word, Strength::new(0.6));
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("embed: {:.0} megapixels/s", 12.0 / best);
    let start = Instant::now();
    let mask = portcullis_imprint::Mask::of(&picture);
    println!("mask alone: {:.0} megapixels/s", 12.0 / start.elapsed().as_secs_f64());
    drop(mask);
    let words = words(10_000);
    let original = document::draw(0);
    let start = Instant::now();
    let projection = Projection::of(&original, &Aligned::whole(original.luminance()), &map);
    println!("project 1.6 megapixels: {:.0} ms", 1e3 * start.elapsed().as_secs_f64());
    let start = Instant::now();
    let scores = projection.scores(&words);
    let each = start.elapsed().as_secs_f64() / (words.len() * projection.variants()) as f64;
    println!("score: {:.2} µs a candidate and variant ({} scores)", 1e6 * each, scores.len());
}

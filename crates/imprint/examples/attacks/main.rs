//! Measures the imprint: how well it hides, how fast it is laid, what survives which attack.
//!
//! `cargo run --release -p portcullis-imprint --example attacks -- [hide|speed|table] [PICTURES [ATTACK]]`
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

mod attack;
mod document;
mod metric;
mod rng;
mod table;

use std::path::PathBuf;

use portcullis_imprint::{
    Aligned, Hash, Mask, Picture, Projection, Reference, Strength, VaultKey, Words, embed, nearest,
};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let count = arguments.get(2).and_then(|n| n.parse().ok()).unwrap_or(4);
    match arguments.get(1).map_or("hide", String::as_str) {
        "speed" => speed(),
        "hide" => hide(count),
        "table" => {
            let originals = originals(count);
            let with = originals.into_iter().map(|o| {
                let s = fitted(&o);
                (o, s)
            });
            table::run(
                &with.collect::<Vec<_>>(),
                arguments.get(3).map(String::as_str),
            );
        }
        other => println!("no measurement is called {other}"),
    }
}

/// A picture that a vault holds.
pub(crate) struct Original {
    pub(crate) name: String,
    pub(crate) document: bool,
    pub(crate) picture: Picture,
}

fn originals(count: usize) -> Vec<Original> {
    let of = |document: bool| {
        move |(name, picture)| Original {
            name,
            document,
            picture,
        }
    };
    let photographs = photographs(count).into_iter().map(of(false));
    photographs
        .chain(documents(count).into_iter().map(of(true)))
        .collect()
}

/// The strongest mark that keeps to the targets of invisibility.
fn fitted(original: &Original) -> Strength {
    let (name, picture) = (&original.name, &original.picture);
    let (similar, structure, decibels) = if original.document {
        (90.0, 0.994, 45.0)
    } else {
        (87.0, 0.99, 42.0)
    };
    Strength::fitted(Strength::new(0.65), |strength| {
        let copy = marked(name, picture, 0, strength);
        metric::psnr(picture, &copy) >= decibels
            && metric::ssim(picture, &copy) >= structure
            && metric::ssimulacra2(picture, &copy) >= similar
            && metric::butteraugli(picture, &copy) <= 1.3
    })
}

fn photographs(count: usize) -> Vec<(String, Picture)> {
    let folder =
        std::env::var("PORTCULLIS_DATA").unwrap_or_else(|_| "/work/shared/data".to_owned());
    let Ok(entries) = std::fs::read_dir(PathBuf::from(folder).join("images")) else {
        println!("skipped: no photographs under PORTCULLIS_DATA");
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "png"));
    paths.sort();
    paths
        .iter()
        .take(count)
        .map(|path| {
            let decoded = image::open(path).expect("a picture").to_rgb8();
            let (width, height) = (decoded.width() as usize, decoded.height() as usize);
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            (
                name,
                Picture::new(width, height, decoded.into_raw()).expect("a picture"),
            )
        })
        .collect()
}

fn documents(count: usize) -> Vec<(String, Picture)> {
    (0..count)
        .map(|n| (format!("doc{n}"), document::draw(n as u64)))
        .collect()
}

fn key() -> VaultKey {
    VaultKey::new([7; 32])
}

fn marked(name: &str, picture: &Picture, release: u32, strength: Strength) -> Picture {
    let mut out = picture.clone();
    embed(
        &mut out,
        &key().map(name.as_bytes()),
        &key().seed(&release.to_le_bytes()).word(),
        strength,
    );
    out
}

fn hide(count: usize) {
    println!("name    rms   butteraugli ssimulacra2  ssim   psnr | z at JPEG 75 50 30 20");
    let words = words(2);
    for original in originals(count) {
        let fit = fitted(&original);
        let Original { name, picture, .. } = original;
        let copy = marked(&name, &picture, 0, fit);
        print!(
            "{name:6} {:5.2} {:8.2} {:10.1} {:10.4} {:6.1} |",
            fit.rms(),
            metric::butteraugli(&picture, &copy),
            metric::ssimulacra2(&picture, &copy),
            metric::ssim(&picture, &copy),
            metric::psnr(&picture, &copy)
        );
        for quality in [75, 50, 30, 20] {
            let aligned = Aligned::whole(
                attack::picture(attack::jpeg(&attack::image(&copy), quality)).luminance(),
            );
            let projection = Projection::of(&picture, &aligned, &key().map(name.as_bytes()));
            print!(" {:5.1}", projection.scores(&words)[0]);
        }
        for by in [2_u32, 4] {
            let (w, h) = (copy.width() as u32, copy.height() as u32);
            let im = image::RgbImage::from_raw(w, h, copy.bytes().to_vec()).expect("x");
            let small =
                image::imageops::resize(&im, w / by, h / by, image::imageops::FilterType::Triangle);
            let back =
                image::imageops::resize(&small, w, h, image::imageops::FilterType::CatmullRom);
            let aligned = Aligned::whole(
                Picture::new(copy.width(), copy.height(), back.into_raw())
                    .expect("p")
                    .luminance(),
            );
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

/// Seconds that this thread has had of a core, so that others on the machine do not count.
fn core_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|n| n.parse::<f64>().ok())
        .unwrap_or(0.0)
        / 1e9
}

/// The shortest of some runs.
fn timed<T>(runs: usize, mut what: impl FnMut() -> T) -> f64 {
    (0..runs)
        .map(|_| {
            let start = core_seconds();
            std::hint::black_box(what());
            core_seconds() - start
        })
        .fold(f64::INFINITY, f64::min)
}

fn speed() {
    let (width, height) = (4000, 3000);
    let mut rng = rng::Rng::new(1);
    let bytes = (0..width * height * 3).map(|_| rng.next() as u8).collect();
    let mut picture = Picture::new(width, height, bytes).expect("a picture");
    let (map, word) = (key().map(b"doc"), key().seed(b"release").word());
    let each = timed(7, || embed(&mut picture, &map, &word, Strength::new(0.6)));
    println!("embed: {:.0} megapixels/s", 12.0 / each);
    let each = timed(7, || Mask::of(&picture));
    println!("its mask alone: {:.0} megapixels/s", 12.0 / each);
    let original = document::draw(0);
    let aligned = Aligned::whole(original.luminance());
    println!(
        "project 1.6 megapixels: {:.0} ms",
        1e3 * timed(3, || Projection::of(&original, &aligned, &map))
    );
    println!(
        "take in an original: {:.0} ms",
        1e3 * timed(2, || Reference::of(&original))
    );
    let reference = Reference::of(&original);
    println!(
        "align a copy of it: {:.0} ms",
        1e3 * timed(2, || reference.align(&original))
    );
    let (projection, words) = (Projection::of(&original, &aligned, &map), words(10_000));
    let each =
        timed(5, || projection.scores(&words)) / (words.len() * projection.variants()) as f64;
    println!("score: {:.2} µs a candidate and variant", 1e6 * each);
    let archive: Vec<Hash> = (0..10_000_000_u64)
        .map(|_| {
            let mut bytes = [0; 32];
            bytes
                .chunks_exact_mut(8)
                .for_each(|part| part.copy_from_slice(&rng.next().to_le_bytes()));
            Hash::from_bytes(bytes)
        })
        .collect();
    println!(
        "look up among 10 million: {:.0} ms",
        1e3 * timed(3, || nearest(&archive, archive[5], 8))
    );
}

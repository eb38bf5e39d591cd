//! From a picture to a release's copy, through a channel, and back to the release.
#![allow(
    clippy::float_arithmetic,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "pictures"
)]

use portcullis_imprint::{
    Aligned, Answer, Limit, Picture, PictureError, Projection, Reference, Strength, VaultKey,
    Words, edits, embed,
};

const DOCUMENT: &[u8] = b"document 12";

fn key() -> VaultKey {
    VaultKey::new([3; 32])
}

/// Waves, edges and a little grain.
fn original() -> Picture {
    let (width, height) = (480, 360);
    let mut state = 1_u32;
    let mut bytes = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let (u, v) = (x as f32, y as f32);
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (state >> 24) as f32 / 32.0 - 4.0;
            let spot = if (x / 23 * 31 + y / 17 * 57) % 7 < 2 {
                60.0
            } else {
                0.0
            };
            let value = 120.0 + 40.0 * (u / 31.0 + (v / 47.0).sin()).sin() + spot + grain;
            bytes.extend([value, value * 0.9, value * 0.8].map(|v| v.clamp(0.0, 255.0) as u8));
        }
    }
    Picture::new(width, height, bytes).unwrap()
}

fn copy(release: u32) -> Picture {
    let mut picture = original();
    let word = key().seed(&release.to_le_bytes()).word();
    embed(
        &mut picture,
        &key().map(DOCUMENT),
        &word,
        Strength::new(0.5),
    );
    picture
}

fn words(count: u32) -> Words {
    let mut words = Words::new();
    (0..count).for_each(|release| words.push(&key().seed(&release.to_le_bytes()).word()));
    words
}

fn answer(leak: &Picture) -> Answer {
    let alignment = Reference::of(&original()).align(leak).expect("aligned");
    let projection = Projection::of(&original(), &alignment.aligned, &key().map(DOCUMENT));
    Answer::of(&projection, &words(300), Limit::PER_FILE)
}

fn names(answer: &Answer) -> Vec<usize> {
    match answer {
        Answer::Release(named) => vec![named.release],
        Answer::Several(all) => all.iter().map(|named| named.release).collect(),
        Answer::None => Vec::new(),
    }
}

fn change(picture: &Picture, of: impl Fn(usize, usize, usize) -> u8) -> Picture {
    let (width, height) = (picture.width(), picture.height());
    let bytes = (0..width * height * 3)
        .map(|i| of(i / 3 % width, i / 3 / width, i % 3))
        .collect();
    Picture::new(width, height, bytes).unwrap()
}

fn byte(picture: &Picture, x: usize, y: usize, channel: usize) -> u8 {
    picture.bytes()[(y * picture.width() + x) * 3 + channel]
}

#[test]
fn a_copy_names_its_release() {
    let found = answer(&copy(17));
    let Answer::Release(named) = found else {
        panic!("{found:?}")
    };
    assert_eq!(named.release, 17);
    assert!(named.bound.log10() < -300.0, "{named:?}");
}

#[test]
fn a_mirrored_and_a_darkened_copy_name_it_too() {
    let leak = copy(18);
    let mirrored = change(&leak, |x, y, c| byte(&leak, leak.width() - 1 - x, y, c));
    assert_eq!(names(&answer(&mirrored)), [18]);
    let dark = change(&leak, |x, y, c| {
        (f32::from(byte(&leak, x, y, c)) / 255.0)
            .powf(1.5)
            .mul_add(200.0, 20.0) as u8
    });
    assert_eq!(names(&answer(&dark)), [18]);
}

#[test]
fn a_part_names_it_too() {
    let leak = copy(19);
    let bytes = (0..200 * 180 * 3)
        .map(|i| byte(&leak, 130 + i / 3 % 200, 90 + i / 600, i % 3))
        .collect();
    assert_eq!(
        names(&answer(&Picture::new(200, 180, bytes).unwrap())),
        [19]
    );
}

#[test]
fn a_mixture_names_all_of_its_releases() {
    let (one, two) = (copy(20), copy(21));
    let mixed = change(&one, |x, y, c| {
        byte(&one, x, y, c).midpoint(byte(&two, x, y, c))
    });
    let found = answer(&mixed);
    let mut named = names(&found);
    named.sort_unstable();
    assert_eq!(named, [20, 21]);
    assert!(matches!(found, Answer::Several(_)));
}

/// An unmarked original, a copy of a release that is no candidate, and one under another vault's key.
#[test]
fn what_is_not_a_candidates_names_nobody() {
    assert_eq!(answer(&original()), Answer::None);
    assert_eq!(answer(&copy(5_000)), Answer::None);
    let mut foreign = original();
    let other = VaultKey::new([4; 32]);
    embed(
        &mut foreign,
        &other.map(DOCUMENT),
        &other.seed(&17_u32.to_le_bytes()).word(),
        Strength::new(0.5),
    );
    assert_eq!(answer(&foreign), Answer::None);
}

#[test]
fn another_picture_is_not_aligned() {
    let stripes = change(&original(), |x, y, _| ((x * y / 90 + x * 3) % 256) as u8);
    assert!(Reference::of(&original()).align(&stripes).is_none());
    let grey = change(&original(), |_, _, _| 128);
    assert!(Reference::of(&original()).align(&grey).is_none());
}

/// The variants' scores of wrong words have a standard deviation of one, as the bound wants.
#[test]
fn wrong_scores_are_spread_like_signs() {
    let aligned = Aligned::whole(copy(400).luminance());
    let scores = Projection::of(&original(), &aligned, &key().map(DOCUMENT)).scores(&words(300));
    assert!(scores.iter().all(|score| score.abs() < 5.0));
    let mean = scores.iter().sum::<f64>() / 300.0;
    let spread = (scores.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / 300.0).sqrt();
    assert!((0.8..1.2).contains(&spread), "{spread}");
}

#[test]
fn a_mark_is_small_and_of_its_strength() {
    let (before, after) = (original(), copy(7));
    let squares = before
        .bytes()
        .iter()
        .zip(after.bytes())
        .map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2));
    let rms = (squares.sum::<f64>() / before.bytes().len() as f64).sqrt();
    assert!((0.5..4.0).contains(&rms), "{rms}");
    // White paper keeps both halves of the mark.
    let white = change(&before, |_, _, _| 255);
    let mut marked = white.clone();
    embed(
        &mut marked,
        &key().map(DOCUMENT),
        &key().seed(b"r").word(),
        Strength::new(0.6),
    );
    let low = marked.bytes().iter().filter(|b| **b < 253).count();
    let high = marked.bytes().iter().filter(|b| **b > 253).count();
    assert!(low * 2 > high && high * 2 > low, "{low} {high}");
}

#[test]
fn a_replaced_number_is_shown_and_nothing_else() {
    let leak = copy(30);
    let forged = change(&leak, |x, y, c| {
        let inside = (200..296).contains(&x) && (144..176).contains(&y);
        if inside {
            byte(&leak, x - 150, y + 100, c)
        } else {
            byte(&leak, x, y, c)
        }
    });
    let find = |picture: &Picture| {
        let alignment = Reference::of(&original()).align(picture).expect("aligned");
        edits(&original(), &alignment.aligned, Limit::PER_FILE).regions
    };
    assert_eq!(find(&leak), []);
    let regions = find(&forged);
    assert_eq!(regions.len(), 1, "{regions:?}");
    let found = regions[0];
    assert!(found.false_alarm <= -9.0);
    assert!(
        found.x >= 192 && found.x + found.width <= 336 && found.width >= 72,
        "{found:?}"
    );
    assert!(
        found.y >= 136 && found.y + found.height <= 200 && found.height >= 16,
        "{found:?}"
    );
    assert_eq!(names(&answer(&forged)), [30]);
}

/// A receipt commits to the seed: whoever is shown it expands the same word.
#[test]
fn an_opened_seed_makes_the_same_word() {
    let seed = key().seed(b"release 9");
    let opened = portcullis_imprint::Seed::opened(seed.reveal());
    assert_eq!(opened.commitment(), seed.commitment());
    assert!(opened.word() == seed.word());
    assert!(key().seed(b"release 8").commitment() != seed.commitment());
}

#[test]
fn sizes_are_refused_before_memory_is_spent() {
    for (width, height) in [(31, 400), (0, 0), (usize::MAX, 2), (20_000, 20_000)] {
        assert!(matches!(
            Picture::new(width, height, vec![]),
            Err(PictureError::Size { .. })
        ));
    }
    assert_eq!(
        Picture::new(32, 32, vec![0; 5]),
        Err(PictureError::Length {
            expected: 3072,
            found: 5
        })
    );
}

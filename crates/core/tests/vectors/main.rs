//! The vectors in `docs/spec/vectors`, read back here.
//!
//! `cargo run -p portcullis-core --example vectors` writes what is not right: no run of tests does. All
//! but the receipts come out the same every time; those carry P-256 signatures, which do not.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a helper that fails is a test that fails; some are for the example that writes"
)]

mod acts;
mod contact;
mod effects;
mod encoding;
mod entries;
mod evidence;
mod files;
mod follow;
mod genesis;
mod holder;
mod receipts;
mod segment;
mod statements;
mod story;
mod totp;
mod tree;

use files::{FOLDER, documents, read};
pub(crate) use files::{and, cbor, vector};
use std::collections::BTreeSet;

/// Files of other crates, which check them themselves.
const MADE_ELSEWHERE: &[&str] = &["labels.json", "mandates.json"];

#[test]
fn files_say_what_the_code_does() {
    for (name, made) in documents() {
        assert_eq!(
            read(name),
            made,
            "{name}: cargo run -p portcullis-core --example vectors"
        );
    }
}

#[test]
fn every_file_has_its_maker() {
    let documents = documents();
    let receipts = receipts::CASES.iter().map(receipts::file);
    let made = documents.iter().map(|(name, _)| (*name).to_owned());
    let elsewhere = MADE_ELSEWHERE.iter().map(|name| (*name).to_owned());
    let made: BTreeSet<String> = made.chain(receipts).chain(elsewhere).collect();
    let there = std::fs::read_dir(FOLDER).unwrap();
    let there = there.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(there.collect::<BTreeSet<_>>(), made);
}

//! The vectors in `docs/spec/vectors`: made here, and read back here.
//!
//! `cargo test -p portcullis-core --test vectors -- --ignored regenerate` writes what is not right. All
//! but the receipts come out the same every time; those carry P-256 signatures, which do not.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod acts;
mod effects;
mod encoding;
mod entries;
mod evidence;
mod follow;
mod genesis;
mod holder;
mod receipts;
mod segment;
mod statements;
mod story;
mod tree;

use minicbor::{Decode, Encode};
use portcullis_core::codec;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/vectors");

/// Far above any cap: what a value's cap is, its own tests say.
const NO_CAP: usize = 1 << 20;

/// Files whose content is the same in every run.
fn documents() -> Vec<(&'static str, Value)> {
    vec![
        ("acts.json", acts::document()),
        ("effects.json", effects::document()),
        ("encoding.json", encoding::document()),
        ("entries.json", entries::document()),
        ("evidence.json", evidence::document()),
        ("follow.json", follow::document()),
        ("genesis.json", genesis::document()),
        ("segment.json", segment::document()),
        ("statements.json", statements::document()),
    ]
}

#[test]
fn files_say_what_the_code_does() {
    for (name, made) in documents() {
        assert_eq!(read(name), made, "{name}: see regenerate");
    }
}

#[test]
fn every_file_has_its_maker() {
    let documents = documents();
    let receipts = receipts::CASES.iter().map(receipts::file);
    let made = documents.iter().map(|(name, _)| (*name).to_owned());
    let made: BTreeSet<String> = made.chain(receipts).collect();
    let there = std::fs::read_dir(FOLDER).unwrap();
    let there = there.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(there.collect::<BTreeSet<_>>(), made);
}

#[test]
#[ignore = "writes docs/spec/vectors anew"]
fn regenerate() {
    for (name, made) in documents() {
        write(name, &made);
    }
    // Made anew, a receipt has other signatures: one that still serves stays as it is.
    let stale = receipts::CASES
        .iter()
        .filter(|case| !receipts::is_judged_as_it_says(case));
    for case in stale {
        write(&receipts::file(case), &receipts::document(case));
    }
}

fn path(name: &str) -> PathBuf {
    Path::new(FOLDER).join(name)
}

fn read(name: &str) -> Value {
    let text = std::fs::read_to_string(path(name)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn write(name: &str, made: &Value) {
    let text = serde_json::to_string_pretty(made).unwrap();
    std::fs::write(path(name), text + "\n").unwrap();
}

/// A value's canonical bytes, which are read back to the same value.
fn cbor<T>(value: &T) -> String
where
    T: Encode<()> + for<'b> Decode<'b, ()> + PartialEq + core::fmt::Debug,
{
    let bytes = codec::encode(value);
    assert_eq!(&codec::decode::<T>(&bytes, NO_CAP).unwrap(), value);
    hex::encode(bytes)
}

/// A value's JSON and canonical bytes; each is read back to the same value.
fn vector<T>(what: &str, value: &T) -> Map<String, Value>
where
    T: Encode<()> + for<'b> Decode<'b, ()> + PartialEq + core::fmt::Debug,
    T: Serialize + DeserializeOwned,
{
    let text = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), value);
    let parsed: Value = serde_json::from_str(&text).unwrap();
    let vector = json!({ "what": what, "json": parsed, "cbor": cbor(value) });
    vector.as_object().unwrap().clone()
}

/// A vector and further members.
fn and(mut vector: Map<String, Value>, more: Value) -> Value {
    let Value::Object(more) = more else {
        return vector.into();
    };
    vector.extend(more);
    vector.into()
}

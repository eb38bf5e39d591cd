//! The vectors in `docs/spec/vectors/labels.json`, read back here.
//!
//! `cargo run -p portcullis-labels --example label_vectors` writes them: no run of tests does.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

#[path = "vectors/document.rs"]
mod document;

use document::{FILE, document};
use portcullis_labels::{Key, LabelSet, SetDigest};
use serde_json::Value;

fn kept() -> Value {
    serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap()
}

#[test]
fn the_file_says_what_the_code_does() {
    assert_eq!(
        kept(),
        document(),
        "cargo run -p portcullis-labels --example label_vectors"
    );
}

/// By what stands in the file alone, as another implementation would.
#[test]
fn the_files_bytes_are_what_it_says_of_them() {
    let kept = kept();
    for set in kept["sets"].as_array().unwrap() {
        let bytes = hex::decode(set["bytes"].as_str().unwrap()).unwrap();
        let digest = hex::decode(set["digest"].as_str().unwrap()).unwrap();
        let read = LabelSet::named(SetDigest(digest.try_into().unwrap()), bytes).unwrap();
        let labels = set["labels"].as_array().unwrap();
        assert_eq!(read.len(), labels.len());
        for label in labels {
            let key: Key = label["address"].as_str().unwrap().parse().unwrap();
            let found = read.exact(&key).unwrap();
            assert_eq!(found.text, label["label"]);
            assert_eq!(u64::from(found.rating.risk.get()), label["risk"]);
            assert_eq!(found.rating.category.name(), label["category"]);
        }
    }
    for key in kept["keys"].as_array().unwrap() {
        for spelling in key["spellings"].as_array().unwrap() {
            let read: Key = spelling.as_str().unwrap().parse().unwrap();
            assert_eq!(hex::encode(read.bytes()), key["bytes"]);
            assert_eq!(u64::from(read.shape().code()), key["shape"]);
            assert_eq!(read.to_string(), key["canonical"]);
        }
    }
    for refused in kept["refused"].as_array().unwrap() {
        let bytes = hex::decode(refused["bytes"].as_str().unwrap()).unwrap();
        let why = LabelSet::from_bytes(bytes).unwrap_err();
        assert_eq!(format!("{why:?}"), refused["why"]);
    }
}

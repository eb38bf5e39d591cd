//! Journals that were written once and are never made anew: the rules of their version still lead to
//! the same effects, whatever has become of the code.
//!
//! A file here may be added, for a new rules version, and is never changed. Where this test fails, the
//! rules have changed: that takes another version, beside which these stay runnable.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

use portcullis_core::signature::Strict;
use portcullis_core::{Body, Digest, Entry, Network, State};
use serde::Deserialize;
use std::path::Path;
use std::sync::Arc;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");

#[derive(Deserialize)]
struct Golden {
    rules: u32,
    genesis: Digest,
    entries: Vec<String>,
    void: Vec<u64>,
    effects: Digest,
}

#[test]
fn every_golden_journal_leads_to_the_effects_that_it_led_to_once() {
    let files = std::fs::read_dir(FOLDER).unwrap();
    let mut count = 0;
    for file in files {
        replay(&file.unwrap().path());
        count += 1;
    }
    assert!(count > 0);
}

fn replay(path: &Path) {
    let golden: Golden = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let entries = golden.entries.iter().map(|hex| hex::decode(hex).unwrap());
    let entries: Vec<Vec<u8>> = entries.collect();
    let Body::Genesis(signed) = Entry::from_bytes(&entries[0]).unwrap().body else {
        panic!("the first entry is the genesis");
    };
    let network = Network::new(*signed, &Strict).unwrap();
    assert_eq!(network.digest(), golden.genesis, "{}", path.display());
    let mut state = State::new(Arc::new(network));
    assert_eq!(state.facts().rules, golden.rules);
    let mut void = Vec::new();
    for bytes in &entries {
        let applied = state.apply(bytes, &Strict);
        void.extend(applied.void.map(|_| applied.index));
    }
    assert_eq!(void, golden.void, "{}", path.display());
    assert_eq!(state.facts().effects, golden.effects, "{}", path.display());
}

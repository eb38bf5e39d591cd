//! Where mutations begin: the kept corpus, and everything in the specification's vectors that a target
//! accepts.

use crate::{
    Target, bitcoin, chains, client, contact, files, gate, labels, mandate, node, notes, passkey,
    request, shadow, tiles, world,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Most bytes of a seed; larger ones only slow the mutations down.
const MAX_SEED: usize = 32 * 1024;
/// Most seeds that vectors give a target.
const MOST: usize = 64;

/// The kept inputs of a target: what it once failed on, and what coverage found.
#[must_use]
pub fn kept(target: &Target) -> Vec<Vec<u8>> {
    let folder = root().join("fuzz/corpus").join(target.name);
    let read = |path| fs::read(path).ok();
    files_below(&folder).into_iter().filter_map(read).collect()
}

/// What the vectors have for a target: all that it accepts.
#[must_use]
pub fn from_vectors(target: &Target) -> Vec<Vec<u8>> {
    let accepted = harvest().iter().filter(|bytes| (target.run)(bytes));
    accepted.take(MOST).cloned().collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .flat_map(|entry| match entry.path() {
            path if path.is_dir() => files_below(&path),
            path => vec![path],
        })
        .collect();
    found.sort();
    found
}

/// Every text, number of bytes and object that stands in a vector, in every reading; and what our own
/// code writes where no vector has it.
fn harvest() -> &'static BTreeSet<Vec<u8>> {
    static HARVEST: OnceLock<BTreeSet<Vec<u8>>> = OnceLock::new();
    HARVEST.get_or_init(|| {
        let mut all = BTreeSet::new();
        for document in documents() {
            take(&document, &mut all);
        }
        all.extend(world::journal().0.iter().cloned());
        all.insert(world::journal().1.clone());
        all.insert(world::state().to_snapshot());
        for made in [
            gate::seeds(),
            request::seeds(),
            passkey::seeds(),
            node::seeds(),
            bitcoin::seeds(),
            files::seeds(),
            tiles::seeds(),
            notes::seeds(),
            chains::seeds(),
            client::seeds(),
            contact::seeds(),
            labels::seeds(),
            mandate::seeds(),
            shadow::seeds(),
        ] {
            all.extend(made);
        }
        all.retain(|bytes| bytes.len() <= MAX_SEED);
        all
    })
}

/// The vectors: JSON files, and JSON in the specification's pages. `PORTCULLIS_DATA` names public
/// ones, which are used where they are there and never kept.
fn documents() -> Vec<Value> {
    let mut folders = vec![root().join("docs/spec")];
    folders.extend(
        std::env::var_os("PORTCULLIS_DATA").map(|data| PathBuf::from(data).join("vectors")),
    );
    let paths = folders.iter().flat_map(|folder| files_below(folder));
    let small = paths.filter(|path| fs::metadata(path).is_ok_and(|file| file.len() < 1 << 20));
    let texts = small.filter_map(|path| fs::read_to_string(path).ok());
    texts.flat_map(|text| json_in(&text)).collect()
}

fn json_in(text: &str) -> Vec<Value> {
    if let Ok(whole) = serde_json::from_str(text) {
        return vec![whole];
    }
    let blocks = text.split("```json\n").skip(1);
    let blocks = blocks.filter_map(|block| block.split("```").next());
    blocks
        .filter_map(|block| serde_json::from_str(block).ok())
        .collect()
}

fn take(value: &Value, all: &mut BTreeSet<Vec<u8>>) {
    match value {
        Value::String(text) => {
            all.insert(text.as_bytes().to_vec());
            all.extend(hex::decode(text.trim_start_matches("0x")).ok());
            all.extend(STANDARD.decode(text).ok());
            all.extend(URL_SAFE_NO_PAD.decode(text).ok());
        }
        Value::Array(items) => items.iter().for_each(|item| take(item, all)),
        Value::Object(members) => {
            all.extend(serde_json::to_vec(value).ok());
            members.values().for_each(|member| take(member, all));
        }
        _ => {}
    }
}

//! Where the vectors are.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::io::Read;
use std::path::PathBuf;

use serde_json::Value;

/// The vectors in a specification: its only JSON block, a list.
pub(crate) fn vectors(spec: &str) -> Vec<Value> {
    let (_, block) = spec.split_once("```json\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let Value::Array(vectors) = serde_json::from_str(block).unwrap() else {
        panic!("not a list")
    };
    assert!(!vectors.is_empty());
    vectors
}

/// One of the files that ethers publishes, if the data is here.
pub(crate) fn ethers(name: &str) -> Option<Vec<Value>> {
    let path = data().join(format!("vectors/ethers-testcases/{name}.json.gz"));
    let Ok(packed) = std::fs::read(path) else {
        println!("skipped: no data");
        return None;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_string(&mut text)
        .unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

fn data() -> PathBuf {
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    std::env::var_os("PORTCULLIS_DATA").map_or_else(|| default.into(), PathBuf::from)
}

/// Bytes written in hexadecimal, with or without `0x`.
pub(crate) fn bytes(text: &Value) -> Vec<u8> {
    let text = text.as_str().unwrap();
    hex::decode(text.strip_prefix("0x").unwrap_or(text)).unwrap()
}

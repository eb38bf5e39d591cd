//! Where the vectors are.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

use std::io::Read;
use std::path::PathBuf;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use portcullis_chains::caip::CaipError;
use serde::de::DeserializeOwned;
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

/// One of the Bitcoin Improvement Proposals, if the data is here.
pub(crate) fn bip(name: &str) -> Option<String> {
    let text = std::fs::read_to_string(data().join("vectors/bips").join(name)).ok();
    if text.is_none() {
        println!("skipped: no data");
    }
    text
}

/// Checks one vector of a name: what it means, and in which of its forms it is taken.
pub(crate) fn check_name<T>(vector: &Value)
where
    T: FromStr<Err = CaipError> + ToString + DeserializeOwned,
    T: Encode<()> + for<'b> Decode<'b, ()>,
{
    let text = vector["text"].as_str().unwrap();
    let signed = minicbor::decode::<T>(&minicbor::to_vec(text).unwrap());
    let json = serde_json::from_value::<T>(Value::from(text));
    let Some(canonical) = vector["canonical"].as_str() else {
        assert!(text.parse::<T>().is_err(), "{text}");
        assert!(json.is_err() && signed.is_err(), "{text}");
        return;
    };
    assert_eq!(text.parse::<T>().unwrap().to_string(), canonical);
    assert_eq!(json.unwrap().to_string(), canonical);
    assert_eq!(
        signed.is_ok(),
        vector["signed"].as_bool().unwrap(),
        "{text}"
    );
    if let Some(cbor) = vector["cbor"].as_str() {
        assert_eq!(
            hex::encode(minicbor::to_vec(signed.unwrap()).unwrap()),
            cbor
        );
    }
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

//! The files in `docs/spec/vectors`: what is in each, and how a value becomes a vector.

use crate::{
    acts, contact, effects, encoding, entries, evidence, follow, genesis, receipts, segment,
    statements, totp,
};
use minicbor::{Decode, Encode};
use portcullis_core::codec;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

pub(crate) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/vectors");

/// Far above any cap: what a value's cap is, its own tests say.
pub(crate) const NO_CAP: usize = 1 << 20;

/// Files whose content is the same in every run.
pub(crate) fn documents() -> Vec<(&'static str, Value)> {
    vec![
        ("acts.json", acts::document()),
        ("contact.json", contact::document()),
        ("effects.json", effects::document()),
        ("encoding.json", encoding::document()),
        ("entries.json", entries::document()),
        ("evidence.json", evidence::document()),
        ("follow.json", follow::document()),
        ("genesis.json", genesis::document()),
        ("segment.json", segment::document()),
        ("statements.json", statements::document()),
        ("totp.json", totp::document()),
    ]
}

/// Write what is not right.
pub(crate) fn regenerate() {
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

pub(crate) fn read(name: &str) -> Value {
    let text = std::fs::read_to_string(path(name)).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn write(name: &str, made: &Value) {
    let text = serde_json::to_string_pretty(made).unwrap();
    std::fs::write(path(name), text + "\n").unwrap();
}

/// A value's canonical bytes, which are read back to the same value.
pub(crate) fn cbor<T>(value: &T) -> String
where
    T: Encode<()> + for<'b> Decode<'b, ()> + PartialEq + core::fmt::Debug,
{
    let bytes = codec::encode(value);
    assert_eq!(&codec::decode::<T>(&bytes, NO_CAP).unwrap(), value);
    hex::encode(bytes)
}

/// A value's JSON and canonical bytes; each is read back to the same value.
pub(crate) fn vector<T>(what: &str, value: &T) -> Map<String, Value>
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
pub(crate) fn and(mut vector: Map<String, Value>, more: Value) -> Value {
    let Value::Object(more) = more else {
        return vector.into();
    };
    vector.extend(more);
    vector.into()
}

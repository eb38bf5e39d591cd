//! Writes `docs/spec/vectors/labels.json` anew: for whoever changes a byte of a set, and reads the
//! difference before it is kept.

#![allow(
    clippy::unwrap_used,
    reason = "the tests' own module; what fails ends it"
)]

#[path = "../tests/vectors/document.rs"]
mod document;

fn main() {
    let text = serde_json::to_string_pretty(&document::document()).unwrap();
    std::fs::write(document::FILE, text + "\n").unwrap();
}

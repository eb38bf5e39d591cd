//! `docs/spec/reasons.md` has exactly the reasons that the code has.
//!
//! `cargo run -p portcullis-core --example spec_reasons` writes its table anew.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

use portcullis_core::Reason;
use portcullis_core::reason::Retry;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/reasons.md");
const HEAD: &str =
    "| number | name | again? | what happened and what to do |\n| --- | --- | --- | --- |\n";

#[test]
fn the_table_is_the_code() {
    let text = std::fs::read_to_string(FILE).unwrap();
    let (_, behind) = text.split_once(HEAD).unwrap();
    let rows = behind
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('|'));
    let rows: Vec<&str> = rows.collect();
    for (row, reason) in rows.iter().zip(Reason::ALL) {
        assert_eq!(
            *row,
            self::row(*reason),
            "cargo run -p portcullis-core --example spec_reasons"
        );
    }
    assert_eq!(rows.len(), Reason::ALL.len());
}

fn row(reason: Reason) -> String {
    let retry = match reason.retry() {
        Retry::Never => "never",
        Retry::Anew => "anew",
        Retry::Later => "later",
    };
    let (number, slug, text) = (reason.number(), reason.slug(), reason.text());
    format!("| {number} | `{slug}` | {retry} | {text} |\n")
}

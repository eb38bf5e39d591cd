//! `docs/spec/reasons.md` has exactly the reasons that the code has.
//!
//! `cargo run -p portcullis-core --example spec_reasons` writes its table anew.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod reasons_table;

use portcullis_core::Reason;
use reasons_table::{FILE, HEAD, row};

#[test]
fn the_table_is_the_code() {
    let text = std::fs::read_to_string(FILE).unwrap();
    let (_, behind) = text.split_once(HEAD).unwrap();
    let rows = behind
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('|'));
    let rows: Vec<&str> = rows.collect();
    for (said, reason) in rows.iter().zip(Reason::ALL) {
        assert_eq!(
            *said,
            row(*reason),
            "cargo run -p portcullis-core --example spec_reasons"
        );
    }
    assert_eq!(rows.len(), Reason::ALL.len());
}

//! Writes the table of `docs/spec/reasons.md` anew, from the code.

#![allow(clippy::unwrap_used, reason = "what fails ends it")]

#[path = "../tests/reasons_table/mod.rs"]
mod reasons_table;

use portcullis_core::Reason;
use reasons_table::{FILE, HEAD, row};

fn main() {
    let text = std::fs::read_to_string(FILE).unwrap();
    let (before, behind) = text.split_once(HEAD).unwrap();
    let after: String = behind
        .split_inclusive('\n')
        .skip_while(|line| line.starts_with('|'))
        .collect();
    let table: String = Reason::ALL.iter().map(|reason| row(*reason)).collect();
    std::fs::write(FILE, format!("{before}{HEAD}{table}{after}")).unwrap();
}

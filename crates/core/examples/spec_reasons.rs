//! Writes the table of `docs/spec/reasons.md` anew, from the code.

#![allow(clippy::unwrap_used, reason = "what fails ends it")]

use portcullis_core::Reason;
use portcullis_core::reason::Retry;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/reasons.md");
const HEAD: &str =
    "| number | name | again? | what happened and what to do |\n| --- | --- | --- | --- |\n";

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

fn row(reason: Reason) -> String {
    let retry = match reason.retry() {
        Retry::Never => "never",
        Retry::Anew => "anew",
        Retry::Later => "later",
    };
    let (number, slug, text) = (reason.number(), reason.slug(), reason.text());
    format!("| {number} | `{slug}` | {retry} | {text} |\n")
}

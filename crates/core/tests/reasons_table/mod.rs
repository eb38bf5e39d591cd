//! The table of `docs/spec/reasons.md` as the code has it: for the test that reads it, and for the
//! example that writes it.

use portcullis_core::Reason;
use portcullis_core::reason::Retry;

pub(crate) const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/spec/reasons.md");
pub(crate) const HEAD: &str =
    "| number | name | again? | what happened and what to do |\n| --- | --- | --- | --- |\n";

pub(crate) fn row(reason: Reason) -> String {
    let retry = match reason.retry() {
        Retry::Never => "never",
        Retry::Anew => "anew",
        Retry::Later => "later",
    };
    let (number, slug, text) = (reason.number(), reason.slug(), reason.text());
    format!("| {number} | `{slug}` | {retry} | {text} |\n")
}

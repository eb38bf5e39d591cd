//! What people read: answers on standard output, everything else on standard error.

use std::io::Write as _;

/// One line on standard output. A reader that has gone away is no error of ours.
pub(crate) fn say(line: impl core::fmt::Display) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// One line on standard error.
pub(crate) fn warn(line: impl core::fmt::Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// The one word that a value is in JSON.
pub(crate) fn word<T: serde::Serialize>(value: &T) -> String {
    json(value).trim_matches('"').to_owned()
}

/// A value as indented JSON.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

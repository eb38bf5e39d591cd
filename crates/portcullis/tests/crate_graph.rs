//! The crates' directions, held against `cargo metadata`.
//!
//! `portcullis → processes → journal, keys, keeper → host → core, tlog, chains`, and three rules the
//! arrow alone does not say: what is pure reaches nothing that is not; what decides again never reaches
//! the gate that it guards against; and neither of them reaches the client, which only asks.
//!
//! Development dependencies are free: a test may look at anything.

#![allow(
    clippy::expect_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What a crate may use of the workspace, outermost first, so that a row names rows below it only.
/// A crate without a row fails the test: where it belongs is a decision, made here.
#[rustfmt::skip] // a table
const ALLOWED: &[(&str, &[&str])] = &[
    // Hands made-up bytes to every parser; nothing that ships uses it.
    ("fuzz",       &["client", "gate", "shadow", "signer", "witness", "keeper", "journal", "node", "keys", "host", "contact", "labels", "core", "mandate", "tlog", "chains"]),
    ("portcullis", &["drill", "shadow", "gate", "signer", "herald", "witness", "client", "keeper", "journal", "node", "keys", "host", "contact", "labels", "core", "tlog", "chains"]),
    // Scenarios: play everybody who asks, and root on the gate's host, whose journal they write.
    ("drill",      &["client", "report", "journal", "node", "keys", "host", "core", "tlog", "chains"]),
    // The production processes under a seeded scheduler: it plays all of them, and nothing uses it.
    ("sim",        &["gate", "signer", "herald", "witness", "client", "keeper", "journal", "node", "keys", "host", "contact", "core", "tlog", "chains"]),
    // Reads a platform's own withdrawals; nothing of the network is near it.
    ("shadow",     &["report", "core", "labels", "chains"]),
    // Processes. Gate and keepers share no code but what all have to agree on.
    ("gate",       &["journal", "node", "keys", "host", "core", "mandate", "tlog", "chains"]),
    ("signer",     &["keeper", "journal", "node", "keys", "host", "core", "mandate", "tlog", "chains"]),
    ("herald",     &["keeper", "keys", "host", "contact", "core", "tlog", "chains"]),
    ("witness",    &["journal", "keys", "host", "core", "tlog"]),
    // Whoever asks: computes act bytes and challenges for itself, follows, verifies.
    ("client",     &["journal", "keys", "host", "contact", "core", "tlog", "chains"]),
    // What processes share.
    ("keeper",     &["journal", "keys", "host", "core", "tlog", "chains"]),
    ("journal",    &["keys", "host", "core", "tlog"]),
    ("node",       &["core", "chains"]),
    ("keys",       &["host", "core", "tlog", "chains"]),
    ("host",       &["core"]),
    // Pure.
    ("report",     &[]),
    ("contact",    &["core"]),
    ("core",       &["labels", "mandate", "tlog", "chains"]),
    ("tlog",       &[]),
    // A permission that somebody else carries out: a format, and its one check. Whoever holds a wallet takes it alone.
    ("mandate",    &[]),
    // Lists of addresses: a format, which core is to read.
    ("labels",     &["chains"]),
    ("chains",     &[]),
    // Marks in pictures: what the vault lays into a copy and finds in a leak.
    ("imprint",    &[]),
];

/// Who puts everything together, and so reaches what nobody else may.
const OUTERMOST: &[&str] = &["portcullis", "sim"];

/// No I/O, no clock, no randomness, no threads: same input, same answer, in every process and every year.
const PURE: &[&str] = &[
    "report", "contact", "core", "mandate", "tlog", "labels", "chains", "imprint",
];

/// Crates through which a pure one would reach the outside.
#[rustfmt::skip] // a list
const IMPURE_CRATES: &[&str] = &[
    "async-std", "axum", "chrono", "clap", "deadpool-postgres", "getrandom", "hyper", "jiff", "libc", "mio",
    "nix", "object_store", "rand", "rayon", "redb", "reqwest", "rustix", "rustls", "smol", "socket2",
    "tempfile", "time", "tokio", "tokio-postgres", "tower", "tracing", "ureq",
];

/// The same doors in the standard library; `std::{` because a nested import would hide them.
#[rustfmt::skip] // a list
const IMPURE_PATHS: &[&str] = &[
    "std::{", "std::env", "std::fs", "std::io", "std::net", "std::os", "std::process", "std::thread", "SystemTime", "Instant",
];

#[test]
fn crates_use_only_what_their_row_allows() {
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    let mut wrong = Vec::new();
    for package in workspace() {
        let Some(row) = allowed.get(package.name.as_str()) else {
            wrong.push(format!("{} has no row in ALLOWED", package.name));
            continue;
        };
        let beyond = package
            .uses
            .iter()
            .filter(|used| !row.contains(&used.as_str()));
        wrong.extend(beyond.map(|used| format!("{} may not use {used}", package.name)));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The table itself keeps the rules, so that a hasty row is caught as well as a hasty dependency.
#[test]
fn rows_point_inwards() {
    let place = |name: &str| ALLOWED.iter().position(|(row, _)| *row == name);
    for (name, uses) in ALLOWED {
        for used in *uses {
            assert!(
                place(used) > place(name),
                "{used} stands above {name}, or nowhere"
            );
            assert!(
                !PURE.contains(name) || PURE.contains(used),
                "{name} is pure, {used} is not"
            );
            assert!(
                *used != "gate" || OUTERMOST.contains(name) || *name == "fuzz",
                "{name} reaches the gate"
            );
            assert!(
                *used != "client" || OUTERMOST.contains(name) || ["drill", "fuzz"].contains(name),
                "{name} reaches the client"
            );
        }
    }
}

#[test]
fn pure_crates_reach_nothing_outside() {
    let mut wrong = Vec::new();
    for package in workspace().into_iter().filter(Package::is_pure) {
        let impure = package
            .uses_foreign
            .iter()
            .filter(|name| IMPURE_CRATES.contains(&name.as_str()));
        wrong.extend(impure.map(|name| format!("{} depends on {name}", package.name)));
        for file in rust_files(&package.folder.join("src")) {
            let text = std::fs::read_to_string(&file).expect("a source file is text");
            let named = IMPURE_PATHS
                .iter()
                .filter(|path| production(&text).contains(*path));
            wrong.extend(named.map(|path| format!("{} names {path}", file.display())));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// One crate of the workspace, its own crates under their short names.
struct Package {
    name: String,
    folder: PathBuf,
    uses: Vec<String>,
    uses_foreign: Vec<String>,
}

impl Package {
    fn is_pure(&self) -> bool {
        PURE.contains(&self.name.as_str())
    }
}

fn workspace() -> Vec<Package> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages is a list");
    assert!(!packages.is_empty(), "an empty workspace proves nothing");
    packages.iter().map(package).collect()
}

fn package(metadata: &Value) -> Package {
    let manifest = Path::new(text(&metadata["manifest_path"]));
    let dependencies = metadata["dependencies"]
        .as_array()
        .expect("dependencies is a list");
    // A normal dependency has no kind; a build dependency is judged like one, since it shapes what ships.
    let shipped = dependencies
        .iter()
        .filter(|dependency| dependency["kind"] != "dev");
    let (own, foreign): (Vec<&Value>, _) =
        shipped.partition(|dependency| dependency["path"].is_string());
    Package {
        name: short(text(&metadata["name"])),
        folder: manifest
            .parent()
            .expect("a manifest stands in a folder")
            .to_owned(),
        uses: own
            .iter()
            .map(|dependency| short(text(&dependency["name"])))
            .collect(),
        uses_foreign: foreign
            .iter()
            .map(|dependency| text(&dependency["name"]).to_owned())
            .collect(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string in cargo's metadata")
}

fn short(name: &str) -> String {
    name.strip_prefix("portcullis-").unwrap_or(name).to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a crate has a source folder");
    let paths = entries.map(|entry| entry.expect("a folder entry is readable").path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                rust_files(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| !path.components().any(|part| part.as_os_str() == "tests"))
        .filter(|path| !path.ends_with("tests.rs"))
        .collect()
}

/// The file up to its tests, which by custom stand last and may read vectors, and without its comments.
fn production(text: &str) -> String {
    let code = text
        .split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default();
    code.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

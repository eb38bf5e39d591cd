//! `portcullis policy`, as people meet it.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/default.toml");
const WATCHFUL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/watchful.toml");
const SCREENED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/screened.toml");

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portcullis"));
    command.arg("policy").args(args).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap()
}

/// The shipped policy with something else in one place.
fn changed(from: &str, to: &str) -> (tempfile::TempDir, PathBuf) {
    let text = std::fs::read_to_string(SHIPPED).unwrap();
    assert!(text.contains(from), "{from}");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("policy.toml");
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
    (dir, file)
}

#[test]
fn the_policies_that_ship_are_some_and_nothing_about_them_is_odd() {
    for file in [SHIPPED, SCREENED, WATCHFUL] {
        let output = run(&["check", file]);
        assert_eq!(output.status.code(), Some(0));
        let lines = said(&output);
        assert!(lines.starts_with("digest   "), "{lines}");
        assert_eq!(lines.lines().count(), 1, "{lines}");
    }
}

#[test]
fn faults_end_with_one_and_say_what_is_wrong() {
    for (from, to, what) in [
        ("context.tier >= 1", "context.teir >= 1", "teir"),
        ("@id(\"blocked\")", "", "a statement has no @id"),
        ("@needs(\"delay\")", "@needs(\"luck\")", "@needs knows"),
        ("permit (principal", "permit principal", "unexpected token"),
    ] {
        let (_dir, file) = changed(from, to);
        let output = run(&["check", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(1), "{to}");
        assert!(said(&output).contains(what), "{to}: {}", said(&output));
    }
    let (_dir, file) = changed("cedar =", "ceder =");
    assert_eq!(
        run(&["check", file.to_str().unwrap()]).status.code(),
        Some(2)
    );
}

#[test]
fn what_can_never_apply_is_warned_of() {
    for (from, to, what) in [
        (
            "context.tier >= 1 && context.approvals < 1",
            "context.tier >= 1 && false",
            "`large-one-approval`",
        ),
        (
            "lists.contains(\"blocked\")",
            "lists.contains(\"blokced\")",
            "`blokced`",
        ),
    ] {
        let (_dir, file) = changed(from, to);
        let output = run(&["check", file.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let lines = said(&output);
        let warns = |line: &str| line.starts_with("warning") && line.contains(what);
        assert!(lines.lines().any(warns), "{lines}");
    }
}

#[test]
fn facts_that_one_makes_up_are_answered() {
    let output = run(&["simulate", SHIPPED, "--tier", "2", "--approvals", "1"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        answer["answer"]["statements"][0],
        "very-large-two-approvals"
    );
    assert_eq!(answer["answer"]["verdict"]["needs"][0]["approvals"], 2);
    assert_eq!(answer["facts"]["money"]["tier"], 2);
    let output = run(&["simulate", SCREENED, "--tier", "1", "--screening", "refer"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["answer"]["statements"][0], "referred-one-approval");
    let output = run(&[
        "simulate",
        WATCHFUL,
        "--address-hours",
        "1",
        "--alike",
        "4",
        "--rush",
        "30",
    ]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["answer"]["statements"][0], "like-one-of-many");
    let beside = &answer["beside"];
    assert_eq!(
        (&beside["score"], &beside["parts"][1]["points"]),
        (&50.into(), &10.into())
    );
    let output = run(&["simulate", SHIPPED, "--act", "freeze"]);
    assert_eq!(output.status.code(), Some(2));
}

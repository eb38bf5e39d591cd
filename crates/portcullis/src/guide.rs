//! The guides' examples are configurations that processes read.

use crate::reach::ClientConfig;
use std::path::Path;

const OPERATORS: &str = include_str!("../../../docs/guide/operators.md");
const INTEGRATE: &str = include_str!("../../../docs/guide/integrate.md");

/// The TOML block after a heading, with whole ids where the page has their beginnings.
fn example(page: &str, heading: &str) -> String {
    let after = page.split(heading).nth(1).unwrap();
    let block = after
        .split("```toml\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    block
        .replace("7eec…4faa", &"7e".repeat(32))
        .replace("c79e…", &"c7".repeat(16))
        .replace("0x…", &format!("0x{}", "aa".repeat(20)))
}

#[test]
fn the_gates() {
    let config: portcullis_gate::Config =
        toml::from_str(&example(OPERATORS, "## gate.toml")).unwrap();
    assert_eq!(
        (
            config.witnesses.len(),
            config.boards.len(),
            config.chains.len()
        ),
        (1, 1, 1)
    );
}

#[test]
fn the_witness() {
    let config: portcullis_witness::Config =
        toml::from_str(&example(OPERATORS, "## witness.toml")).unwrap();
    assert!(config.witness.is_some() && config.board.is_some());
}

#[test]
fn the_clients() {
    ClientConfig::parse(
        &example(INTEGRATE, "## client.toml"),
        Path::new("client.toml"),
    )
    .unwrap();
}

#[test]
fn every_exit_code_is_explained() {
    for line in [
        "0 done.",
        "1 something",
        "2 the command",
        "3 refused",
        "4 no answer",
        "5 a process",
    ] {
        assert!(OPERATORS.contains(line), "{line}");
    }
}

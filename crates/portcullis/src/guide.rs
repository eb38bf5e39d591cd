//! The guides' examples are configurations that processes read.

use crate::reach::ClientConfig;
use clap::Parser as _;
use portcullis_core::act::ActKind;
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
fn the_limits() {
    let example = OPERATORS.split("<<'END'\n").nth(1).unwrap();
    let example = example.split("\nEND\n").next().unwrap();
    let whole = example.replace("4f0c…19ab", &"4f".repeat(32));
    let kind: ActKind = serde_json::from_str(&whole).unwrap();
    assert!(matches!(kind, ActKind::SetLimits(set) if set.limits.rules.len() == 2));
}

/// Decisions say who may do what; the guide shows their table.
#[test]
fn the_table_of_roles() {
    const ROLES: &str = include_str!("../../../docs/guide/roles.md");
    const DECIDED: &str = include_str!("../../core/tests/snapshots/roles__roles.snap");
    let table = DECIDED.splitn(3, "---\n").nth(2).unwrap().trim_end();
    assert!(
        ROLES.contains(&format!("```\n{table}\n```")),
        "copy it:\n{table}"
    );
}

/// The units start the processes with what they read.
#[test]
fn every_unit_starts_a_process() {
    let of = |command: &str, name: &str| format!("{command} --config /etc/portcullis/{name}.toml");
    let credentials = "/run/credentials/portcullis-sidecar.service/sidecar";
    let sidecar = format!(
        "sidecar --dir /etc/portcullis --key /var/lib/portcullis/sidecar/sidecar.keys \
         --passphrase {credentials}-passphrase --token {credentials}-token"
    );
    let units = [
        (
            "gate",
            of("serve", "gate"),
            include_str!("../../../deploy/portcullis-gate.service"),
        ),
        (
            "signer",
            of("signer", "signer"),
            include_str!("../../../deploy/portcullis-signer.service"),
        ),
        (
            "witness",
            of("witness", "witness"),
            include_str!("../../../deploy/portcullis-witness.service"),
        ),
        (
            "herald",
            of("herald", "herald"),
            include_str!("../../../deploy/portcullis-herald.service"),
        ),
        (
            "sidecar",
            sidecar,
            include_str!("../../../deploy/portcullis-sidecar.service"),
        ),
    ];
    for (name, command, unit) in units {
        let start = format!("/usr/local/bin/portcullis {command}");
        assert!(unit.contains(&format!("\nExecStart={start}\n")), "{name}");
        assert!(
            unit.contains(&format!("\nUser=portcullis-{name}\n")),
            "{name}"
        );
        assert!(
            unit.contains(&format!("\nLoadCredentialEncrypted={name}-passphrase:")),
            "{name}"
        );
        let words = start.split(' ');
        let parsed = crate::cli::Cli::try_parse_from(words);
        assert!(parsed.is_ok(), "{name}: {parsed:?}");
    }
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

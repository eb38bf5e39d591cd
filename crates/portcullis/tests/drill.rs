//! The drill, small, with every attacker at once: it passes, its JSON is what the specification says, and
//! what it says is what an engineer would count.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod schema;
mod system;

use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use system::{anvil_binary, peers, try_run};

const ETH: &str = "eip155:31337/slip44:60";
const BTC: &str = "bip122:0f9188f13cb7b2c71f2a335e3a4fc328/slip44:0";
const USD: &str = "eip155:31337/erc20:0x5fbdb2315678afecb367f032d93f642f64180aa3";

/// The Ethereum node's program, where there is everything else that a drill needs.
fn anvil() -> Option<PathBuf> {
    let others = ["mail/server", "evm/Coin.bin", "bitcoin/node"].map(|other| peers().join(other));
    let found = anvil_binary().filter(|_| others.iter().all(|other| other.exists()));
    if found.is_none() {
        println!(
            "skipped: no anvil, no mail server, no token or no Bitcoin node, run script/install"
        );
    }
    found
}

#[test]
fn the_drill_passes_with_every_attacker() {
    let Some(anvil) = anvil() else { return };
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (found, report) = (place("found.json"), place("found.html"));
    let (passed, said) = try_run(&[
        "drill",
        "mfa-bypass",
        "--seed",
        "7",
        "--scale",
        "0.02",
        "--anvil",
        anvil.to_str().unwrap(),
        "--json",
        &found,
    ]);
    assert!(passed, "{said}");
    let outcome: Value = serde_json::from_slice(&fs::read(&found).unwrap()).unwrap();
    is_after_the_schema(&outcome);
    assert_eq!(outcome["variant"], "all");
    let variants = outcome["variants"].as_array().unwrap();
    let names: Vec<&str> = variants
        .iter()
        .filter_map(|v| v["variant"].as_str())
        .collect();
    assert_eq!(names, ["api", "gate-owned", "back-end-owned"]);
    adds_up(&outcome);
    assert_eq!(outcome["scale"], 0.02);
    for one in variants {
        adds_up(one);
        assert_eq!(one["scale"], 0.02);
        assert_eq!(one["without"]["released"], outcome["without"]["released"]);
        assert_eq!(one["without"]["released"], one["without"]["attempted"]);
        assert_eq!(one["without"]["affected_subjects"], 10);
        assert_eq!(one["honest"]["wrongly_refused"], 0);
    }
    for safe in &variants[..2] {
        assert_eq!(
            safe["with"]["released"],
            json!({"count": 0, "amounts": {BTC: "0", ETH: "0", USD: "0"}})
        );
        assert_eq!(safe["with"]["affected_subjects"], 0);
    }
    let of = |variant: usize, name: &str| &variants[variant]["with"][name];
    assert!(of(0, "detected_ms").is_null(), "nothing reached the signer");
    assert!(of(1, "detected_ms").is_u64(), "the signer cried by itself");
    assert_ne!(
        of(2, "released")["count"],
        0,
        "the bound is measured, not zero"
    );
    assert_eq!(outcome["with"], variants[2]["with"], "the worst of them");
    assert_eq!(outcome["shadow"]["stopped"], outcome["without"]["released"]);
    for one in variants {
        assert!(one["with"]["stopping_ms"].is_u64());
        assert!(one["without"]["stopping_ms"].is_null());
    }
    stands_alone(&fs::read_to_string(report).unwrap());
}

#[test]
fn what_cannot_work_is_said_before_anything_begins() {
    let Some(anvil) = anvil() else { return };
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (anvil, there) = (anvil.to_str().unwrap(), place("there"));
    fs::create_dir(&there).unwrap();
    let (found, page, nowhere) = (place("found"), place("page.html"), place("none/found"));
    for (wrong, said_of_it) in [
        (vec!["--anvil", "/nope"], "script/install"),
        (vec!["--anvil", anvil, "--anvil", "/bin/true"], "/bin/true"),
        (
            vec!["--anvil", anvil, "--token", anvil],
            "is no token's code",
        ),
        (vec!["--anvil", anvil, "--token", "/nope"], "--token"),
        (
            vec!["--anvil", anvil, "--bitcoin-node", "/nope"],
            "no Bitcoin node",
        ),
        (vec!["--anvil", anvil, "--keep", &there], there.as_str()),
        (vec!["--anvil", anvil, "--json", &there], there.as_str()),
        (vec!["--anvil", anvil, "--json", &nowhere], "none/found"),
        (
            vec!["--anvil", anvil, "--json", &found, "--report", &found],
            "two files",
        ),
        (vec!["--anvil", anvil, "--json", &page], "two files"),
    ] {
        let (passed, said) = try_run(&[&["drill", "mfa-bypass"], &wrong[..]].concat());
        assert!(
            !passed && said.contains("Nothing was done."),
            "{wrong:?}: {said}"
        );
        assert!(said.contains(said_of_it), "{wrong:?}: {said}");
    }
    let left = fs::read_dir(folder.path()).unwrap();
    assert_eq!(left.count(), 1, "no file and no folder was made");
}

/// 483 accounts of 4,836.26 ETH, 443.93 BTC and US$66,200 at scale 1: 10, 100.129606…, 9.19109730 and 1,370.600414 here.
fn adds_up(one: &Value) {
    let amount = |flow: &str, part: &str, asset: &str| -> u128 {
        one[flow][part]["amounts"][asset]
            .as_str()
            .unwrap()
            .parse()
            .unwrap()
    };
    let count = |flow: &str, part: &str| one[flow][part]["count"].as_u64().unwrap();
    for flow in ["with", "without"] {
        let parts = ["released", "refused", "held"];
        let number = parts.iter().map(|part| count(flow, part)).sum::<u64>();
        assert_eq!(count(flow, "attempted"), number);
        for (asset, whole) in [
            (ETH, 4_836_260_000_000_000_000_000),
            (BTC, 44_393_000_000),
            (USD, 66_200_000_000),
        ] {
            let sum = parts.iter().map(|part| amount(flow, part, asset));
            let sum = sum.sum::<u128>();
            assert_eq!(amount(flow, "attempted", asset), sum);
            assert_eq!(sum, whole * 10 / 483);
        }
    }
}

fn is_after_the_schema(outcome: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/drill.schema.json");
    let schema: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    schema::Checker(&schema).check(outcome).unwrap();
    // A schema that takes everything says nothing.
    for (place, wrong) in [
        ("/with/released/count", json!(-1)),
        ("/with/released/amounts", json!({ETH: 5})),
        ("/with/released/amounts", json!({"ETH": "5"})),
        ("/honest/delay_ms", json!({"p50": 1})),
        ("/honest", json!({})),
        ("/checks", json!([])),
        ("/checks/0/pass", json!("yes")),
        ("/scale", json!("0.02")),
        ("/scale", json!(0)),
        ("/variant", json!("other")),
        ("/variant", json!("api")),
        ("/variants/0/seed", json!(1.5)),
        ("/without/detected_ms", json!("soon")),
    ] {
        let mut spoilt = outcome.clone();
        *spoilt.pointer_mut(place).unwrap() = wrong;
        assert!(schema::Checker(&schema).check(&spoilt).is_err(), "{place}");
    }
}

/// One file: no script, nothing fetched, and every picture told in words.
fn stands_alone(report: &str) {
    for outside in ["<script", "src=", "href=", "url(", "@import", "<link"] {
        assert!(!report.contains(outside), "{outside}");
    }
    assert_eq!(
        report.matches("<svg").count(),
        report.matches("role=\"img\" aria-label=\"").count()
    );
    assert!(report.matches("<svg").count() >= 5);
    assert!(report.contains("lang=\"en\"") && report.contains("prefers-color-scheme: dark"));
}

//! A witness that others wrote makes a quorum with ours: the money goes out with both, stays with one,
//! and whoever reads the journal finds the cosignatures of both.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use system::{Anvil, Network, peer, peers, run, try_run};

#[test]
fn a_foreign_witness_serves_in_a_quorum_with_ours() {
    let Some(anvil) = Anvil::start() else { return };
    let mut network = Network::init(&anvil, &[]);
    let Some(foreign) = Foreign::start(&network, None) else {
        return;
    };
    let ours = network.genesis()["witnesses"]["vkeys"][0].clone();
    join(&network, &foreign);

    network.start();
    run(&["demo", "--dir", network.dir()]);
    assert_eq!(anvil.sent(&network.wallet()), 1);

    let url = foreign.url.clone();
    drop(foreign);
    network.until("the gate to miss a quorum", |network| {
        says_silent(network).then_some(())
    });
    assert!(withdraw(&network).contains("witnesses-stale"));

    let foreign = Foreign::start(&network, Some(&url)).unwrap();
    network.until("the quorum to be back", |network| {
        (!says_silent(network)).then_some(())
    });
    let answer = withdraw(&network);
    assert!(answer.contains("\"release\""), "{answer}");
    network.until("the money", |_| {
        (anvil.sent(&network.wallet()) == 2).then_some(())
    });

    network.stop();
    both_are_found(&network, &[ours.as_str().unwrap(), &foreign.vkey]);
}

fn says_silent(network: &Network) -> bool {
    run(&["status", "--dir", network.dir()]).contains("the witnesses are silent")
}

/// One more withdrawal of the customer's; what it is answered.
fn withdraw(network: &Network) -> String {
    let account = network.customer("account");
    let about = network.call(&["--as", "auditor", "GET", &format!("/v1/accounts/{account}")]);
    let to = &about["addresses"][0]["address"];
    let asset = "eip155:31337/slip44:60";
    let kind = json!({ "type": "withdraw", "asset": asset, "to": to, "amount": "1000" });
    let file = network.path("act.json");
    fs::write(&file, kind.to_string()).unwrap();
    let act = file.to_str().unwrap();
    let args = [
        "call",
        "--dir",
        network.dir(),
        "--as",
        "back-end",
        "--act",
        act,
    ];
    try_run(&[&args[..], &["--passkey", "customer", "--debit", "new"]].concat()).1
}

/// A new genesis with one witness more and all administrators' signatures, pinned everywhere.
fn join(network: &Network, foreign: &Foreign) {
    let mut genesis = network.genesis();
    let witnesses = &mut genesis["witnesses"];
    witnesses["vkeys"]
        .as_array_mut()
        .unwrap()
        .push(json!(foreign.vkey));
    witnesses["quorum"] = json!(2);
    let old = network.text("genesis.digest");
    let new = sign_anew(network, &genesis);
    for name in ["client", "gate", "signer", "witness"] {
        let file = network.path(&format!("{name}.toml"));
        let text = fs::read_to_string(&file).unwrap().replace(&old, &new);
        let row = format!("[witnesses]\n\"{NAME}\" = \"{}\"", foreign.url);
        fs::write(file, text.replace("[witnesses]", &row)).unwrap();
    }
    // Our witness and board keep records of one network.
    fs::remove_dir_all(network.path("data/witness")).unwrap();
    let config = network.path("witness.toml");
    run(&["witness", "--config", config.to_str().unwrap(), "--init"]);
}

fn sign_anew(network: &Network, genesis: &Value) -> String {
    let path = |name: &str| network.path(name).to_str().unwrap().to_owned();
    let draft = path("draft.json");
    fs::write(&draft, genesis.to_string()).unwrap();
    let signed = ["administrator-1", "administrator-2", "administrator-3"].map(|name| {
        let (key, out) = (
            path(&format!("keys/{name}.keys")),
            path(&format!("{name}.json")),
        );
        run(&["init", "--sign", &draft, "--key", &key, "--out", &out]);
        out
    });
    for name in ["genesis.cbor", "genesis.json"] {
        fs::remove_file(network.path(name)).unwrap();
    }
    let out = path("genesis.cbor");
    let mut args = vec!["init", "--assemble", &draft, "--out", &out, "--signatures"];
    args.extend(signed.iter().map(String::as_str));
    let digest = run(&args).trim().to_owned();
    fs::write(network.path("genesis.digest"), &digest).unwrap();
    digest
}

/// Ours demands the quorum of genesis; aics-tlog is told to demand both.
fn both_are_found(network: &Network, witnesses: &[&str]) {
    run(&["verify", "--dir", network.dir()]);
    let genesis = network.genesis();
    let log = genesis["log"]["vkey"].as_str().unwrap();
    let checker = project("tests/peers/tlog/verify.py");
    let mut python = Command::new(peers().join("tlog/bin/python"));
    python
        .arg(checker)
        .arg(network.path("data/journal"))
        .arg(log);
    for witness in witnesses {
        python.args(["--witness", witness]);
    }
    peer("aics-tlog", &mut python);
}

const NAME: &str = "foreign.example/witness";

/// A running aics-witness, which ends with this value and keeps its key and memory in the network's folder.
struct Foreign {
    process: Child,
    vkey: String,
    url: String,
}

impl Foreign {
    /// Nothing where none is installed.
    #[allow(
        clippy::zombie_processes,
        reason = "its owner waits, and where none comes about the test has failed"
    )]
    fn start(network: &Network, url: Option<&str>) -> Option<Self> {
        let python = peers().join("tlog/bin/python");
        if !python.exists() {
            println!("skipped: no aics-witness, run script/install");
            return None;
        }
        let log = &network.genesis()["log"];
        let mut command = Command::new(python);
        command
            .arg(project("tests/peers/tlog/foreign_witness.py"))
            .arg(network.path("foreign"))
            .args([log["origin"].as_str()?, log["vkey"].as_str()?])
            .args(["--name", NAME]);
        if let Some(address) = url.and_then(|url| url.strip_prefix("http://")) {
            command.args(["--listen", address]);
        }
        let mut process = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the witness starts");
        let mut lines = BufReader::new(process.stdout.take()?).lines();
        let mut line = |prefix: &str| {
            let line = lines.next()?.ok()?;
            line.strip_prefix(prefix).map(str::to_owned)
        };
        let vkey = line("vkey ").expect("it announces itself");
        let url = line("url ").expect("and its address");
        Some(Self { process, vkey, url })
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}

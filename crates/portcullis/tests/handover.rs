//! Another witness takes over, every process for real: those of before may go, whoever begins with an old genesis
//! follows, and receipts, the journal and the commands prove it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use portcullis_host::{Http as _, Web};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;
use system::{Anvil, BINARY, Network, Running, Who, run, second_verifier, try_run};

const NAME: &str = "witness-2.example";

#[test]
fn another_witness_takes_over_and_the_old_one_goes() {
    let Some(anvil) = Anvil::start() else { return };
    let network = Network::init(&anvil, &[]);
    let before = fs::read(network.path("gate.toml")).unwrap();
    let vkey = make_successor(&network);
    let mut old = network.begin(Who::Witness);
    let _new = begin_successor(&network);
    let gate = network.begin(Who::Gate);
    let signer = network.begin(Who::Signer);
    network.until_witnessed();
    run(&["demo", "--dir", network.dir()]);

    // Nobody who is not in force counts, whatever it has cosigned.
    assert_eq!(cosigned_by(&network), "witness.localhost");
    rotate(&network, &vkey);
    network.until("the successor's word", |network| {
        (cosigned_by(network) == NAME).then_some(())
    });
    let act = withdraw(&network);
    shown_by_both_verifiers(&network, &act);
    verified(&network);

    // The board stays in the old process: it goes on without its witness.
    old.end();
    leave_the_witness_out(&network);
    let old = network.begin(Who::Witness);
    withdraw(&network);

    // A signer that has nothing but genesis comes past the handover, and so does the gate's own start.
    drop(signer);
    fs::remove_dir_all(network.path("data/signer")).unwrap();
    drop(gate);
    let gate = network.begin(Who::Gate);
    network.until_witnessed();
    let signer = network.begin(Who::Signer);
    network.until("the signer to have come past it", |network| {
        let (_, text) = try_run(&["doctor", "--dir", network.dir()]);
        (text.contains(NAME) && !text.contains("witness.localhost")).then_some(())
    });
    let act = withdraw(&network);
    shown_by_both_verifiers(&network, &act);
    verified(&network);

    // A gate that nobody has told of the successor says so, and does not start.
    drop((gate, signer, old));
    fs::write(network.path("gate.toml"), before).unwrap();
    let config = network.path("gate.toml");
    let (passed, said) = try_run(&["serve", "--config", config.to_str().unwrap()]);
    assert!(!passed && said.contains("[successors]"), "{said}");
}

/// Its key, its record and its configuration, and its name with the gate. Gives its vkey.
fn make_successor(network: &Network) -> String {
    let path = |name: &str| network.path(name).to_str().unwrap().to_owned();
    fs::copy(
        network.path("keys/witness.passphrase"),
        network.path("keys/witness-2.passphrase"),
    )
    .unwrap();
    let keys = path("keys/witness-2.keys");
    run(&["key", "new", &keys, "--name", "witness"]);
    let shown: Value = serde_json::from_str(&run(&["key", "show", &keys, "--vkey", NAME])).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    drop(port);
    let text = format!(
        "genesis = \"genesis.cbor\"\ngenesis_digest = \"{}\"\nkey_file = \"keys/witness-2.keys\"\n\
         passphrase_file = \"keys/witness-2.passphrase\"\ndata = \"data/witness-2\"\n\
         listen = \"{address}\"\n\n[witness]\nkey = \"witness\"\nname = \"{NAME}\"\n",
        network.text("genesis.digest"),
    );
    let config = path("witness-2.toml");
    fs::write(&config, text).unwrap();
    run(&["witness", "--config", &config, "--init"]);
    let gate = network.path("gate.toml");
    let text = fs::read_to_string(&gate).unwrap();
    let row = format!("[successors]\n\"{NAME}\" = \"http://{address}\"\n\n[boards]");
    fs::write(&gate, text.replace("[boards]", &row)).unwrap();
    shown[0]["witness_vkey"].as_str().unwrap().to_owned()
}

fn begin_successor(network: &Network) -> Running {
    let mut process = Command::new(BINARY);
    process
        .args(["witness", "--tied", "--config"])
        .arg(network.path("witness-2.toml"))
        .stdout(Stdio::null())
        .stderr(network.log());
    Running::start(&mut process)
}

/// A board without a witness.
fn leave_the_witness_out(network: &Network) {
    let config = network.path("witness.toml");
    let text = fs::read_to_string(&config).unwrap();
    let (before, rest) = text.split_once("[witness]").unwrap();
    let (_, board) = rest.split_once("[board]").unwrap();
    fs::write(config, format!("{before}[board]{board}")).unwrap();
}

/// Whose cosignature stands on the newest checkpoint.
fn cosigned_by(network: &Network) -> String {
    let client = network.text("client.toml");
    let gate = client.lines().find(|line| line.starts_with("gate = "));
    let gate = gate.unwrap().split('"').nth(1).unwrap();
    let (url, patience) = (format!("{gate}/log/checkpoint"), Duration::from_secs(5));
    let reply = Web::new().get(&url, &[], 1 << 16, patience).unwrap();
    let note = String::from_utf8(reply.body).unwrap();
    let last = note.lines().last().unwrap_or_default();
    last.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// Two administrators put the successor in the place of the witness.
fn rotate(network: &Network, vkey: &str) {
    let status = network.call(&["GET", "/v1/status"]);
    let kind = json!({
        "type": "rotate", "replaces": status["in_force"]["witnesses"],
        "keys": { "of": "witnesses", "witnesses": { "vkeys": [vkey], "faulty": 0, "quorum": 1 } },
    });
    let file = network.path("rotate.json");
    fs::write(&file, kind.to_string()).unwrap();
    let answer = network.call(&["--as", "administrator-1", "--act", file.to_str().unwrap()]);
    let act = answer["digest"].as_str().unwrap();
    network.until("the proposal in the approver's own view", |network| {
        let listed = run(&["approve", "--dir", network.dir()]);
        listed.contains(act).then_some(())
    });
    let (dir, short) = (network.dir(), &act[..8]);
    let args = [
        "approve",
        "--dir",
        dir,
        "--as",
        "administrator-2",
        act,
        "--yes",
        short,
    ];
    run(&args);
    until_stage(network, act, "done");
}

fn until_stage(network: &Network, act: &str, stage: &str) {
    network.until(stage, |network| (network.stage(act) == stage).then_some(()));
}

/// A withdrawal that arrives; its act.
fn withdraw(network: &Network) -> String {
    let account = network.customer("account");
    let about = network.call(&["--as", "auditor", "GET", &format!("/v1/accounts/{account}")]);
    let to = &about["addresses"][0]["address"];
    let asset = "eip155:31337/slip44:60";
    let kind = json!({ "type": "withdraw", "asset": asset, "to": to, "amount": "1000" });
    let answer = network.customers_act(&kind, &["--debit", "new"]);
    let act = answer["digest"].as_str().unwrap().to_owned();
    until_stage(network, &act, "confirmed");
    act
}

fn shown_by_both_verifiers(network: &Network, act: &str) {
    let path = format!("/v1/acts/{act}/receipt");
    let args = [
        "call",
        "--dir",
        network.dir(),
        "--as",
        "auditor",
        "GET",
        &path,
    ];
    let receipt = network.until("a receipt", |_| {
        let (passed, text) = try_run(&args);
        passed.then_some(text)
    });
    let shown: Value = serde_json::from_str(&receipt).unwrap();
    assert_eq!(shown["handovers"].as_array().unwrap().len(), 1);
    let file = network.path("receipt.json");
    fs::write(&file, receipt).unwrap();
    let (file, digest) = (file.to_str().unwrap(), network.text("genesis.digest"));
    run(&["verify", "receipt", file, "--genesis-digest", &digest]);
    let mut second = second_verifier();
    second.args([file, "--genesis-digest", &digest]);
    system::peer("python3", &mut second);
    // Without what leads to the successor it shows nothing.
    let mut bare = shown;
    bare.as_object_mut().unwrap().remove("handovers");
    fs::write(network.path("bare.json"), bare.to_string()).unwrap();
    let bare = network.path("bare.json");
    let bare = bare.to_str().unwrap();
    let (holds, _) = try_run(&["verify", "receipt", bare, "--genesis-digest", &digest]);
    assert!(!holds);
}

fn verified(network: &Network) {
    network.until("a cosignature over every entry", |network| {
        let (holds, _) = try_run(&["verify", "--dir", network.dir()]);
        holds.then_some(())
    });
}

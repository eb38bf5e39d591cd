//! Another witness, or another key of the journal, takes over, every process for real: those of before may go,
//! whoever begins with an old genesis follows, and receipts, the journal and the commands prove it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use portcullis_core::genesis::Mode;
use portcullis_host::{Http as _, Web};
use portcullis_keys::{KeyFile, NoteKey, Passphrase};
use portcullis_tlog::witness::AddCheckpoint;
use portcullis_tlog::{LogKey, ReadCheckpoint, SignedCheckpoint};
use serde_json::{Value, json};
use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use system::{Anvil, BINARY, Network, Running, Who, run, try_run};

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
    let witnesses = json!({ "vkeys": [vkey], "faulty": 0, "quorum": 1 });
    rotate(
        &network,
        &json!({ "of": "witnesses", "witnesses": witnesses }),
    );
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

#[test]
fn the_journal_signs_by_another_key_and_the_old_one_is_worth_nothing() {
    let Some(anvil) = Anvil::start() else { return };
    let network = Network::init(&anvil, &[]);
    let before = fs::read(network.path("gate.toml")).unwrap();
    let (old, new) = make_log_successor(&network);
    let witness = network.begin(Who::Witness);
    let gate = network.begin(Who::Gate);
    let signer = network.begin(Who::Signer);
    network.until_witnessed();
    run(&["demo", "--dir", network.dir()]);

    assert!(is_signed_by(&network, &old));
    rotate(&network, &json!({ "of": "log", "vkey": new.to_string() }));
    network.until("the successor's word", |network| {
        is_signed_by(network, &new).then_some(())
    });
    assert!(!is_signed_by(&network, &old));
    let act = withdraw(&network);
    shown_by_both_verifiers(&network, &act);
    verified(&network);

    // Whoever has the key of before gets nothing cosigned by it, and shows nobody anything.
    assert_eq!(asked_to_cosign(&network, "log", &old), 403);
    assert_eq!(asked_to_cosign(&network, "log-2", &new), 200);
    let forged = signed(&network, "log", &old);
    let forged = with_cosignatures(&newest(&network), &forged);
    let (file, given) = (network.path("forged"), network.path("given"));
    fs::write(&file, forged).unwrap();
    fs::write(&given, newest(&network)).unwrap();
    let compare = |with: &std::path::Path| {
        let with = with.to_str().unwrap();
        try_run(&["verify", "--dir", network.dir(), "--head", with])
    };
    network.until("the journal on disk", |_| compare(&given).0.then_some(()));
    let (holds, said) = compare(&file);
    assert!(
        !holds && said.contains("no signature by this key"),
        "{said}"
    );

    // A signer that has nothing but genesis comes past the handover, and so does a gate with the new key alone.
    drop(signer);
    fs::remove_dir_all(network.path("data/signer")).unwrap();
    drop(gate);
    let config = network.text("gate.toml");
    let config = config.replace(
        "log_key = \"log\"\nlog_successor = \"log-2\"",
        "log_key = \"log-2\"",
    );
    fs::write(network.path("gate.toml"), config).unwrap();
    let gate = network.begin(Who::Gate);
    network.until_witnessed();
    let signer = network.begin(Who::Signer);
    let act = withdraw(&network);
    shown_by_both_verifiers(&network, &act);
    verified(&network);

    // Whoever was not told of the successor says so, and does not start.
    drop((gate, signer, witness));
    fs::write(network.path("gate.toml"), before).unwrap();
    let config = network.path("gate.toml");
    let (passed, said) = try_run(&["serve", "--config", config.to_str().unwrap()]);
    assert!(!passed && said.contains("log_successor"), "{said}");
    let config = network.path("witness.toml");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("log_keys", "# log_keys")).unwrap();
    let (passed, said) = try_run(&["witness", "--config", config.to_str().unwrap()]);
    assert!(!passed && said.contains("log_keys"), "{said}");
}

/// The journal's next key, named to the gate and to the witness. Gives the old one and it.
fn make_log_successor(network: &Network) -> (LogKey, LogKey) {
    let keys = network.path("keys/gate.keys");
    let keys = keys.to_str().unwrap();
    let log = network.genesis()["log"].clone();
    let origin = log["origin"].as_str().unwrap();
    run(&["key", "new", keys, "--name", "log-2"]);
    let shown: Value =
        serde_json::from_str(&run(&["key", "show", keys, "--vkey", origin])).unwrap();
    let mut shown = shown.as_array().unwrap().iter();
    let new = shown.find(|key| key["name"] == "log-2").unwrap();
    let (old, new) = (
        log["vkey"].as_str().unwrap(),
        new["log_vkey"].as_str().unwrap(),
    );
    let edit = |config: &str, from: &str, to: &str| {
        let text = fs::read_to_string(network.path(config)).unwrap();
        assert!(text.contains(from));
        fs::write(network.path(config), text.replacen(from, to, 1)).unwrap();
    };
    edit(
        "gate.toml",
        "log_key = \"log\"",
        "log_key = \"log\"\nlog_successor = \"log-2\"",
    );
    let row = format!("[witness]\nlog_keys = [\"{old}\", \"{new}\"]");
    edit("witness.toml", "[witness]", &row);
    (old.parse().unwrap(), new.parse().unwrap())
}

/// Whether the newest checkpoint is signed by this key of the journal.
fn is_signed_by(network: &Network, key: &LogKey) -> bool {
    SignedCheckpoint::parse(newest(network).as_bytes(), key).is_ok()
}

/// The newest head, signed by this key of the gate's key file.
fn signed(network: &Network, name: &str, key: &LogKey) -> SignedCheckpoint {
    let passphrase = fs::File::open(network.path("keys/gate.passphrase")).unwrap();
    let passphrase = Passphrase::read_file(passphrase).unwrap();
    let file = network.path("keys/gate.keys");
    let keys = KeyFile::open_for(Mode::Development, &file, &passphrase).unwrap();
    let secret = keys.statement(&name.parse().unwrap()).unwrap();
    let (public, secret) = (key.clone(), Arc::new(secret));
    let head = ReadCheckpoint::parse(newest(network).as_bytes())
        .unwrap()
        .claimed();
    SignedCheckpoint::sign(head, &NoteKey { public, secret }).unwrap()
}

/// What the witness says to the newest head, signed by this key.
fn asked_to_cosign(network: &Network, name: &str, key: &LogKey) -> u16 {
    let witness = network.text("gate.toml");
    let witness = witness
        .lines()
        .find(|line| line.contains("witness.localhost"));
    let witness = witness.unwrap().split('"').nth(3).unwrap();
    let url = format!("{witness}/add-checkpoint");
    // The journal may have grown meanwhile.
    network.until("an answer about the newest", |network| {
        let signed = signed(network, name, key);
        let body = AddCheckpoint::new(signed.head().size, Vec::new(), &signed).to_string();
        let reply = Web::new().post(&url, &[], body.as_bytes(), 1 << 16, Duration::from_secs(5));
        let status = reply.unwrap().status;
        (status != 409).then_some(status)
    })
}

/// A checkpoint with the cosignatures of another of the same head.
fn with_cosignatures(newest: &str, signed: &SignedCheckpoint) -> String {
    let cosignature = newest.lines().last().unwrap();
    format!("{}{cosignature}\n", signed.note())
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
    let note = newest(network);
    let last = note.lines().last().unwrap_or_default();
    last.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// The newest checkpoint.
fn newest(network: &Network) -> String {
    let gate = named(network, "client.toml", "gate");
    let (url, patience) = (format!("{gate}/log/checkpoint"), Duration::from_secs(5));
    let reply = Web::new().get(&url, &[], 1 << 16, patience).unwrap();
    String::from_utf8(reply.body).unwrap()
}

/// What a configuration has under a name.
fn named(network: &Network, config: &str, name: &str) -> String {
    let text = network.text(config);
    let mut lines = text.lines();
    let line = lines.find(|line| line.starts_with(&format!("{name} = ")));
    line.unwrap().split('"').nth(1).unwrap().to_owned()
}

/// Two administrators put these keys in the place of those in force.
fn rotate(network: &Network, keys: &Value) {
    let status = network.call(&["GET", "/v1/status"]);
    let replaces = &status["in_force"][keys["of"].as_str().unwrap()];
    let kind = json!({ "type": "rotate", "replaces": replaces, "keys": keys });
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
    network.shown_by_both(act);
    let shown: Value = serde_json::from_str(&network.text("receipt.json")).unwrap();
    assert_eq!(shown["handovers"].as_array().unwrap().len(), 1);
    let digest = network.text("genesis.digest");
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

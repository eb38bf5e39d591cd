//! The binary as scripts meet it: exit codes, what it writes, what it refuses to write.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_portcullis");
/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

fn run(args: &[&str]) -> Output {
    let command = Command::new(BINARY)
        .args(args)
        .stdin(Stdio::null())
        .output();
    command.unwrap()
}

fn passed(args: &[&str]) -> String {
    let output = run(args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The exit code, and what was said after what was found.
fn failed(args: &[&str]) -> (i32, String) {
    let output = run(args);
    let said = [output.stdout, output.stderr].concat();
    let code = output.status.code();
    (
        code.expect("an exit code"),
        String::from_utf8(said).unwrap(),
    )
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A development network that was never started.
fn network() -> (TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let folder = text(&dir.path().join("net")).to_owned();
    passed(&["init", "--development", &folder, "--node", NOWHERE]);
    (dir, folder)
}

#[test]
fn exit_codes_say_what_happened() {
    let (dir, net) = network();
    let digest = fs::read_to_string(format!("{net}/genesis.digest")).unwrap();
    let receipt = dir.path().join("receipt.json");
    fs::write(&receipt, "{}").unwrap();
    let zeros = "00".repeat(32);
    let empty = dir.path();
    let table: [(i32, &[&str], &str); 8] = [
        (
            2,
            &[
                "verify",
                "journal",
                text(empty),
                "--genesis-digest",
                digest.trim(),
            ],
            "segment",
        ),
        (
            2,
            &[
                "verify",
                "receipt",
                text(&receipt),
                "--genesis-digest",
                &zeros,
            ],
            "no receipt",
        ),
        (
            2,
            &[
                "verify",
                "journal",
                "/no/such/folder",
                "--genesis-digest",
                &zeros,
            ],
            "no folder",
        ),
        (2, &["init", "--development", &net], "has a network already"),
        (2, &["status", "--dir", "/no/such/folder"], "--dir DIR"),
        (
            4,
            &["call", "--dir", &net, "GET", "/v1/status"],
            "no answer",
        ),
        (
            2,
            &["status", "--dir", &net, "--digest", &zeros],
            "not the pinned one",
        ),
        (4, &["status", "--dir", &net], "no answer"),
    ];
    for (code, args, words) in table {
        let (got, said) = failed(args);
        assert_eq!(got, code, "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
    }
}

/// Nothing is sent, or made, for what could not be meant.
#[test]
fn a_command_line_that_cannot_be_meant_is_refused() {
    let (_dir, net) = network();
    let (other, config) = (format!("{net}-other"), format!("{net}/client.toml"));
    let table: [(&[&str], &str); 7] = [
        (
            &["suspend", "everything", "--dir", &net, "--as", "nobody"],
            "--as NAME",
        ),
        (&["lift", "all", "--dir", &net], "all"),
        (
            &["status", "--dir", &net, "--gate", "https://127.0.0.1:1"],
            "http://HOST:PORT",
        ),
        (
            &["call", "--dir", &net, "GET", "v1/status"],
            "begins with a slash",
        ),
        (&["call", "--dir", &net, "GTE", "/v1/status"], "GET or POST"),
        (
            &["status", "--dir", &net, "--test-clock", &config],
            "holds no number",
        ),
        (
            &["init", "--development", &other, "--node", "https://x"],
            "https://x",
        ),
    ];
    for (args, words) in table {
        let (code, said) = failed(args);
        assert!(code == 2 && said.contains(words), "{args:?}: {said}");
    }
    assert!(!Path::new(&other).exists());
}

#[test]
fn a_failure_says_what_happened_and_what_was_kept() {
    let (_dir, net) = network();
    let (_, said) = failed(&["suspend", "everything", "--dir", &net]);
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines[0].starts_with("portcullis: no answer from http://127.0.0.1:"),
        "{said}"
    );
    assert!(lines[1].starts_with("Nothing was sent"), "{said}");
    let next = format!("portcullis suspend everything --dir {net} --to-boards");
    assert!(
        lines[2].starts_with("Next: ") && lines[2].contains(&next),
        "{said}"
    );
}

/// A stop that did not take hold does not read like a process that ended.
#[test]
fn a_signer_that_could_not_be_shut_is_said_to_sign_on() {
    let (_dir, net) = network();
    let config = format!("{net}/signer.toml");
    // What stands in its way, as a full disk would.
    fs::create_dir_all(format!("{net}/data/signer/shut/full")).unwrap();
    let (code, said) = failed(&["signer", "shut", "--config", &config]);
    assert_eq!(code, 4, "{said}");
    assert!(
        said.contains("NOT SHUT, the signer may still sign"),
        "{said}"
    );
    assert!(said.contains("Next: stop its process"), "{said}");
    fs::remove_dir_all(format!("{net}/data/signer/shut")).unwrap();
    let said = passed(&["signer", "shut", "--config", &config]);
    assert!(said.contains("signs nothing more"), "{said}");
}

/// A production genesis the long way: keys made one by one, a draft, three signatures, put together.
#[test]
fn a_production_genesis_is_drafted_signed_and_assembled() {
    let (dir, net) = network();
    let at = |name: &str| text(&dir.path().join(name)).to_owned();
    let mut draft = genesis(&net);
    draft["mode"] = json!("production");
    draft["delay_floor"] = json!(24 * 3600 * 1000);
    for n in 0..3 {
        let file = at(&format!("admin-{n}.keys"));
        let passphrase = at(&format!("admin-{n}.passphrase"));
        fs::write(&passphrase, "six words that nobody would guess\n").unwrap();
        // As `umask 022` leaves it, everybody could read it.
        set_mode(&passphrase, 0o644);
        let (code, said) = failed(&["key", "new", &file]);
        assert!(code == 2 && said.contains("chmod 600"), "{said}");
        set_mode(&passphrase, 0o600);
        let made: Value = serde_json::from_str(&passed(&["key", "new", &file])).unwrap();
        let shown: Value = serde_json::from_str(&passed(&["key", "show", &file])).unwrap();
        assert_eq!(shown, json!([made]));
        draft["administrators"][n]["factors"] = json!([made["factor"]]);
    }
    let path = at("draft.json");
    fs::write(&path, draft.to_string()).unwrap();
    let digest = passed(&["init", "--draft", &path]);

    let signatures: Vec<String> = (0..3).map(|n| at(&format!("signature-{n}"))).collect();
    for (n, out) in signatures.iter().enumerate() {
        let key = at(&format!("admin-{n}.keys"));
        let said = passed(&["init", "--sign", &path, "--key", &key, "--out", out]);
        assert_eq!(said, digest);
    }
    let out = at("genesis.cbor");
    let assemble = |signatures: &[String]| {
        let mut args = vec!["init", "--assemble", &path, "--out", &out, "--signatures"];
        args.extend(signatures.iter().map(String::as_str));
        run(&args)
    };
    let too_few = assemble(&signatures[..2]);
    assert_eq!(too_few.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&too_few.stderr).contains("has not signed"));
    assert!(!Path::new(&out).exists());

    let whole = assemble(&signatures);
    assert_eq!(String::from_utf8(whole.stdout).unwrap(), digest);
    let assembled: Value =
        serde_json::from_str(&fs::read_to_string(at("genesis.json")).unwrap()).unwrap();
    assert_eq!(assembled["genesis"], draft);

    // The same again changes nothing; another genesis never takes its place.
    assert!(assemble(&signatures).status.success());
    fs::write(&out, "another").unwrap();
    let over = assemble(&signatures);
    assert_eq!(over.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&over.stderr).contains("is there already"));
    assert_eq!(fs::read_to_string(&out).unwrap(), "another");

    // Whoever changes the draft after it was signed is found out.
    draft["quorum"] = json!(3);
    fs::write(&path, draft.to_string()).unwrap();
    let changed = assemble(&signatures);
    assert_eq!(changed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&changed.stderr).contains("signs another draft"));
}

/// What somebody did to a draft.
type Spoil = fn(&mut Value);

#[test]
fn a_draft_that_cannot_be_meant_is_refused() {
    let (dir, net) = network();
    let path = dir.path().join("draft.json");
    let faults: [(&str, Spoil, &str); 10] = [
        ("delay", |d| d["mode"] = json!("production"), "delay floor"),
        ("quorum", |d| d["quorum"] = json!(1), "more than half"),
        (
            "origin",
            |d| d["parties"][0]["relying_party"]["origins"] = json!(["ftp://x"]),
            "origin",
        ),
        ("unknown field", |d| d["bonus"] = json!(1), "bonus"),
        ("wallet", |d| d["keepers"] = json!([]), "not a signer"),
        (
            "witnesses' quorum",
            |d| d["witnesses"]["quorum"] = json!(0),
            "(n + f) / 2",
        ),
        (
            "a log's vkey for a witness'",
            |d| d["witnesses"]["vkeys"][0] = d["log"]["vkey"].clone(),
            "witness 1 in the list",
        ),
        ("issuers", |d| d["issuers"] = json!([]), "no ledger issuer"),
        (
            "log's name",
            |d| d["log"]["origin"] = json!("elsewhere.example/log"),
            "origin is not the name",
        ),
        (
            "wallet's chain",
            |d| d["assets"] = json!(["eip155:5/slip44:60"]),
            "one for an asset that the genesis does not name",
        ),
    ];
    for (name, spoil, words) in faults {
        let mut draft = genesis(&net);
        spoil(&mut draft);
        fs::write(&path, draft.to_string()).unwrap();
        for step in ["--draft", "--sign"] {
            let mut args = vec!["init", step, text(&path)];
            let key = format!("{net}/keys/administrator-1.keys");
            if step == "--sign" {
                args.extend(["--key", &key]);
            }
            let (code, said) = failed(&args);
            assert_eq!(code, 2, "{name}: {said}");
            assert!(said.contains(words), "{name}: {said}");
        }
    }
}

fn set_mode(path: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A process, its configuration, what stands there, what somebody wrote instead, and what is said of it.
const MISCONFIGURED: [(&str, &str, &str, &str, &str); 13] = [
    (
        "serve",
        "gate.toml",
        "authorities = [",
        "authorities = [] #",
        "authorities names nothing",
    ),
    (
        "serve",
        "gate.toml",
        "[chains.\"eip155:31337\"]",
        "[chains.\"eip155:1\"]",
        "no wallet on eip155:1",
    ),
    (
        "serve",
        "gate.toml",
        "listen = \"127.0.0.1",
        "listen = \"192.0.2.1",
        "cannot listen",
    ),
    (
        "witness",
        "witness.toml",
        "listen = \"127.0.0.1",
        "listen = \"192.0.2.1",
        "cannot listen",
    ),
    (
        "witness",
        "witness.toml",
        "key = \"board\"",
        "key = \"witness\"",
        "no stop board with this key",
    ),
    (
        "signer",
        "signer.toml",
        "confirmations = 1",
        "confirmations = 0",
        "confirmations",
    ),
    (
        "signer",
        "signer.toml",
        "asset = \"eip155:31337",
        "asset = \"eip155:1",
        "no asset of the genesis",
    ),
    (
        "serve",
        "gate.toml",
        "\"witness.localhost\" =",
        "\"witnes\" =",
        "names no witness witnes",
    ),
    (
        "serve",
        "gate.toml",
        "[boards]\n",
        "[boards]\n#",
        "names stop board",
    ),
    (
        "serve",
        "gate.toml",
        "\"witness.localhost\" = \"http:",
        "\"witness.localhost\" = \"https:",
        "http://HOST:PORT",
    ),
    (
        "signer",
        "signer.toml",
        "gate = \"http:",
        "gate = \"https:",
        "http://HOST:PORT",
    ),
    (
        "signer",
        "signer.toml",
        "passphrase_file = \"",
        "passphrase_file = \"no/",
        "cannot read",
    ),
    (
        "witness",
        "witness.toml",
        "passphrase_file = \"",
        "passphrase_file = \"no/",
        "no/keys",
    ),
];

/// A process of a configuration that cannot be used: it ends at once, with 2, and takes nothing.
#[test]
fn a_configuration_that_cannot_be_used_is_refused_before_anything_is_taken() {
    let (_dir, net) = network();
    for (command, file, right, wrong, words) in MISCONFIGURED {
        let path = format!("{net}/{file}");
        let before = fs::read_to_string(&path).unwrap();
        assert!(before.contains(right), "{file} has {right}");
        fs::write(&path, before.replace(right, wrong)).unwrap();
        let (code, said) = failed(&[command, "--config", &path]);
        assert_eq!(code, 2, "{wrong}: {said}");
        assert!(
            said.contains(words) && said.contains("Nothing was done"),
            "{wrong}: {said}"
        );
        fs::write(&path, before).unwrap();
    }
    // A journal's folder is made to be locked; nothing is in it.
    assert!(!Path::new(&format!("{net}/data/journal/segment")).exists());
    let record = format!("{net}/data/witness");
    fs::rename(&record, format!("{record}.lost")).unwrap();
    let (code, said) = failed(&["witness", "--config", &format!("{net}/witness.toml")]);
    assert!(code == 2 && said.contains("is missing"), "{said}");
    assert!(!Path::new(&format!("{net}/data/signer")).exists());
}

/// What cannot start is not started for ever.
#[test]
fn a_supervisor_gives_up_what_cannot_start() {
    let (_dir, net) = network();
    let path = format!("{net}/gate.toml");
    let config = fs::read_to_string(&path).unwrap();
    fs::write(&path, config.replace("witness.localhost", "elsewhere")).unwrap();
    let (code, said) = failed(&["serve", "--all", "--dir", &net]);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("portcullis serve cannot start"), "{said}");
}

/// A vkey of the wrong kind would make a genesis that nobody can use.
#[test]
fn a_vkey_is_shown_by_what_its_key_is_for() {
    let (_dir, net) = network();
    let shown = |name: &str| -> Value {
        let file = format!("{net}/keys/{name}.keys");
        let args = [
            "key",
            "show",
            &file,
            "--vkey",
            "example.com/x",
            "--chain",
            "eip155:5",
        ];
        serde_json::from_str(&passed(&args)).unwrap()
    };
    let of = |keys: &Value, name: &str| {
        let all = keys.as_array().unwrap();
        all.iter().find(|key| key["name"] == name).unwrap().clone()
    };
    let log = of(&shown("gate"), "log");
    assert!(log["log_vkey"].is_string() && log.get("witness_vkey").is_none());
    let keys = shown("witness");
    let witness = of(&keys, "witness");
    assert!(witness["witness_vkey"].is_string() && witness.get("log_vkey").is_none());
    let board = of(&keys, "board");
    assert!(board.get("witness_vkey").is_none() && board.get("log_vkey").is_none());
    let signer = format!("{net}/keys/signer.keys");
    let keys: Value =
        serde_json::from_str(&passed(&["key", "show", &signer, "--chain", "eip155:5"])).unwrap();
    let wallet = of(&keys, "wallet")["address"].as_str().unwrap().to_owned();
    assert!(wallet.starts_with("eip155:5:0x"), "{wallet}");
    // Enrolled as a request key, a passkey's would be taken for what it is not.
    let customer = format!("{net}/keys/customer.keys");
    let keys: Value = serde_json::from_str(&passed(&["key", "show", &customer])).unwrap();
    assert!(of(&keys, "passkey").get("factor").is_none(), "{keys}");
    let (code, said) = failed(&["key", "show", &signer, "--vkey", "x"]);
    assert!(code == 2 && said.contains("named log or witness"), "{said}");
}

fn genesis(net: &str) -> Value {
    let text = fs::read_to_string(format!("{net}/genesis.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["genesis"].clone()
}

/// The supervisor: all start, one that dies comes back, all end together.
#[test]
fn processes_are_kept_running_and_end_together() {
    let (_dir, net) = network();
    let log = fs::File::create(format!("{net}/log")).unwrap();
    let child = Command::new(BINARY)
        .args(["serve", "--all", "--dir", &net])
        .stdout(fs::File::create(format!("{net}/out")).unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut all = Supervisor { child, net };
    all.until("ready", |all| all.read("out").contains("ready\n"));
    let before = all.children();
    assert_eq!(before.len(), 3, "{before:?}");

    for pid in &before {
        signal(*pid, rustix::process::Signal::KILL);
    }
    all.until("three new processes", |all| {
        let now = all.children();
        now.len() == 3 && now.iter().all(|pid| !before.contains(pid))
    });
    all.until("an answer", |all| {
        run(&["status", "--dir", &all.net]).status.success()
    });

    let last = all.children();
    signal(all.child.id(), rustix::process::Signal::TERM);
    assert_eq!(all.child.wait().unwrap().code(), Some(0));
    all.until("an end", |_| {
        last.iter()
            .all(|pid| !Path::new(&format!("/proc/{pid}")).exists())
    });
    // Ready is said once.
    assert_eq!(all.read("out"), "ready\n");
}

/// A supervisor whose children die with it is not orphaning anybody.
#[test]
fn a_lost_supervisor_takes_its_processes_with_it() {
    let (_dir, net) = network();
    let child = Command::new(BINARY)
        .args(["serve", "--all", "--dir", &net])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut all = Supervisor { child, net };
    all.until("three processes", |all| all.children().len() == 3);
    // Long enough for each to have tied itself.
    all.until("an answer", |all| {
        run(&["status", "--dir", &all.net]).status.success()
    });
    let children = all.children();
    signal(all.child.id(), rustix::process::Signal::KILL);
    all.child.wait().unwrap();
    let is_gone = |pid: &u32| !Path::new(&format!("/proc/{pid}")).exists();
    all.until("an end", |_| children.iter().all(is_gone));
}

fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = rustix::process::kill_process(pid, signal);
}

struct Supervisor {
    child: Child,
    net: String,
}

impl Supervisor {
    fn read(&self, name: &str) -> String {
        fs::read_to_string(format!("{}/{name}", self.net)).unwrap_or_default()
    }

    /// The processes that it has started, as the kernel lists them.
    fn children(&self) -> Vec<u32> {
        let id = self.child.id();
        let list = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let list = list.unwrap_or_default();
        list.split_whitespace()
            .map(|pid| pid.parse().unwrap())
            .collect()
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let end = Instant::now() + Duration::from_mins(1);
        while !is_so(self) {
            assert!(
                Instant::now() < end,
                "waited in vain for {what}\n{}",
                self.read("log")
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        signal(self.child.id(), rustix::process::Signal::TERM);
        let _ = self.child.wait();
    }
}

/// A root signs on a machine that has no network: the act's own file is all that it is given.
#[test]
fn a_root_attests_offline_what_it_is_shown() {
    let (dir, net) = network();
    let at = |name: &str| text(&dir.path().join(name)).to_owned();
    let keys = at("root.keys");
    fs::write(at("root.passphrase"), "six random words or a few more\n").unwrap();
    set_mode(&at("root.passphrase"), 0o600);
    let made: Value =
        serde_json::from_str(&passed(&["key", "new", &keys, "--name", "root"])).unwrap();
    assert_eq!(made["name"], "root");
    let act = json!({
        "genesis": "00".repeat(32), "realm": "staff", "principal": "01".repeat(16),
        "id": "02".repeat(16), "checkpoint": "03".repeat(32), "expires": 1_800_000_000_000_u64,
        "kind": {"type": "veto", "act": "04".repeat(32)},
    });
    let file = dir.path().join("act.json");
    fs::write(&file, act.to_string()).unwrap();
    let attest = [
        "key",
        "attest",
        &keys,
        "--name",
        "root",
        "--act",
        text(&file),
    ];
    let said = passed(&[&attest[..], &["--claim", "root"]].concat());
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["statement"]["claim"]["claim"], "root");
    assert_eq!(said["statement"]["expires"], act["expires"]);
    // Whose word it is otherwise, nobody can guess.
    let (code, _) = failed(&[&attest[..], &["--claim", "identity"]].concat());
    assert_eq!(code, 2);
    // `call` takes it along.
    let attestation = dir.path().join("attestation.json");
    fs::write(&attestation, said.to_string()).unwrap();
    let body = passed(&[
        "call",
        "--dir",
        &net,
        "--as",
        "operator",
        "--dry-run",
        "--act",
        text(&file),
        "--attestation",
        text(&attestation),
    ]);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["evidence"]["attestations"][0], said);
}

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
    let table: [(i32, &[&str], &str); 9] = [
        (
            1,
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
            1,
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
        (2, &["status", "--dir", "/no/such/folder"], "client.toml"),
        (
            2,
            &["status", "--dir", &net, "--digest", &zeros],
            "not the pinned one",
        ),
        (
            2,
            &["suspend", "everything", "--dir", &net, "--as", "nobody"],
            "passphrase",
        ),
        (2, &["lift", "all", "--dir", &net], "all"),
        (4, &["status", "--dir", &net], "no answer"),
    ];
    for (code, args, words) in table {
        let (got, said) = failed(args);
        assert_eq!(got, code, "{args:?}: {said}");
        assert!(said.contains(words), "{args:?}: {said}");
    }
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
    assert!(lines[1].starts_with("Nothing is lost"), "{said}");
    assert!(lines[2].starts_with("Next: "), "{said}");
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
        fs::write(
            at(&format!("admin-{n}.passphrase")),
            "six words that nobody would guess\n",
        )
        .unwrap();
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
    let faults: [(&str, Spoil, &str); 5] = [
        ("delay", |d| d["mode"] = json!("production"), "delay floor"),
        ("quorum", |d| d["quorum"] = json!(1), "more than half"),
        (
            "origin",
            |d| d["parties"][0]["relying_party"]["origins"] = json!(["ftp://x"]),
            "origin",
        ),
        ("unknown field", |d| d["bonus"] = json!(1), "bonus"),
        ("wallet", |d| d["keepers"] = json!([]), "not a signer"),
    ];
    for (name, spoil, words) in faults {
        let mut draft = genesis(&net);
        spoil(&mut draft);
        fs::write(&path, draft.to_string()).unwrap();
        let (code, said) = failed(&["init", "--draft", text(&path)]);
        assert_eq!(code, 2, "{name}");
        assert!(said.contains(words), "{name}: {said}");
    }
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

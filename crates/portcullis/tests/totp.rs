//! A network with a herald, every process for real, and a customer with nothing but an authenticator app at
//! hand: a small withdrawal goes out on a code, another code freezes the account.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use portcullis_contact::Seed;
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use system::{Anvil, BINARY, Network, peer, run, second_verifier, try_run};

const URI: &str = "otpauth://totp/Bank:a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Bank";

/// Takes every mail and looks at none (RFC 5321): what is in it, tests/herald.rs looks at.
fn mail_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Ends with the process of the test.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || take_mail(stream));
        }
    });
    address
}

fn take_mail(stream: TcpStream) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    out.write_all(b"220 localhost\r\n")?;
    let mut is_data = false;
    for line in BufReader::new(stream).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).trim_end().to_owned();
        let answer = match (is_data, &*line) {
            (true, ".") => "250 taken",
            (true, _) => continue,
            (false, "DATA") => "354 go on",
            (false, "QUIT") => "221 bye",
            (false, _) => "250 fine",
        };
        is_data = line == "DATA";
        out.write_all(format!("{answer}\r\n").as_bytes())?;
    }
    Ok(())
}

/// The digits that an authenticator app shows now, so many steps on. Whoever sees that they are about to
/// change waits for the next ones.
fn digits(ahead: u64) -> String {
    let now = || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.unwrap().as_secs()
    };
    while now() % 30 > 20 {
        thread::sleep(Duration::from_millis(100));
    }
    let step = u32::try_from(now() / 30 + ahead).unwrap();
    Seed::of_uri(URI).unwrap().digits(step).text().to_string()
}

/// `portcullis call` as the back end, with something on standard input.
fn call(network: &Network, kind: &Value, more: &[&str], input: &str) -> (bool, Value) {
    let file: PathBuf = network.path("act.json");
    fs::write(&file, kind.to_string()).unwrap();
    let mut child = Command::new(BINARY)
        .args(["call", "--dir", network.dir(), "--as", "back-end", "--act"])
        .arg(file)
        .args(["--customer", "customer"])
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    let done = child.wait_with_output().unwrap();
    let answer = serde_json::from_slice(&done.stdout).unwrap_or_default();
    (done.status.success(), answer)
}

/// The digest of an act by code, which waits for the herald.
fn held(network: &Network, kind: &Value, more: &[&str], digits: &str) -> String {
    let (passed, answer) = call(network, kind, more, digits);
    assert!(passed, "{answer}");
    assert_eq!(answer["decision"]["decision"], "hold", "{answer}");
    let needs = answer["decision"]["needs"].as_array().unwrap();
    assert!(needs.contains(&json!({ "need": "totp" })), "{answer}");
    answer["digest"].as_str().unwrap().to_owned()
}

/// The customer's authenticator app, enrolled by the passkey and sealed to the herald.
fn enrol(network: &Network) -> String {
    let uri = network.path("app.uri");
    fs::write(&uri, URI).unwrap();
    let principal = network.customer("principal");
    let kind = json!({ "type": "enrol-factor", "principal": principal });
    network.customers_act(&kind, &["--totp-seed", uri.to_str().unwrap()]);
    let account = network.customer("account");
    network.until("the app", |network| {
        let path = format!("/v1/accounts/{account}");
        let about = network.call(&["--as", "auditor", "GET", &path]);
        let factors = about["holders"][0]["factors"].as_array()?.clone();
        let app = factors
            .into_iter()
            .find(|factor| factor["kind"] == "totp")?;
        app["available_at"].is_number().then_some(())?;
        Some(app["id"].as_str()?.to_owned())
    })
}

#[test]
fn a_code_sends_a_little_and_freezes() {
    let Some(anvil) = Anvil::start() else { return };
    let mail = mail_server().to_string();
    let mut network = Network::init_with(&anvil, &[], &["--herald", &mail]);
    network.start();
    let told = run(&["demo", "--dir", network.dir()]);
    assert!(told.contains("stage         confirmed"), "{told}");
    let app = enrol(&network);
    let account = network.customer("account");
    let path = format!("/v1/accounts/{account}");
    let about = network.call(&["--as", "auditor", "GET", &path]);
    let to = about["addresses"][0]["address"]
        .as_str()
        .unwrap()
        .to_owned();
    let by_code = ["--totp", &app];

    // The address has to have stood in the book for seven floors: until then the gate says so.
    let payee = to.rsplit(':').next().unwrap();
    let before = anvil.wei(payee);
    let kind = json!({ "type": "withdraw", "asset": "eip155:31337/slip44:60", "to": to, "amount": "7000" });
    let paid = ["--totp", &app, "--debit", "new"];
    let small = network.until("the address to be old enough", |network| {
        let (passed, answer) = call(network, &kind, &paid, &digits(0));
        if !passed {
            // Not yet, or the app does not count yet.
            assert!(
                [582, 309].contains(&answer["reason"].as_u64().unwrap()),
                "{answer}"
            );
            return None;
        }
        Some(answer["digest"].as_str().unwrap().to_owned())
    });
    network.until("the withdrawal", |network| {
        (network.stage(&small) == "confirmed").then_some(())
    });
    assert_eq!(anvil.wei(payee) - before, 7_000);
    receipt_verifies(&network, &small);

    // Too much for a code.
    let large = json!({ "type": "withdraw", "asset": "eip155:31337/slip44:60", "to": to, "amount": "100000000000000001" });
    let (passed, answer) = call(&network, &large, &paid, &digits(1));
    assert!(!passed);
    assert_eq!(answer["reason"], 581, "{answer}");

    a_code_freezes_once(&network, &by_code);
    let about = network.call(&["--as", "auditor", "GET", &path]);
    assert_eq!(about["frozen"], true);
    network.stop();
    let journal = network.path("data/journal");
    let digest = network.text("genesis.digest");
    let journal = journal.to_str().unwrap();
    run(&[
        "verify",
        "journal",
        journal,
        "--genesis-digest",
        &digest,
        "--allow-unwitnessed",
    ]);
}

/// The next code freezes; the same one again is wrong.
fn a_code_freezes_once(network: &Network, by_code: &[&str]) {
    let next = digits(1);
    let freeze = held(network, &json!({ "type": "freeze" }), by_code, &next);
    network.until("the freeze", |network| {
        (network.stage(&freeze) == "done").then_some(())
    });
    let again = held(network, &json!({ "type": "freeze" }), by_code, &next);
    network.until("the end of the other", |network| {
        (network.stage(&again) == "returned").then_some(())
    });
}

fn receipt_verifies(network: &Network, act: &str) {
    let path = format!("/v1/acts/{act}/receipt");
    let file = network.path("receipt.json");
    let digest = network.text("genesis.digest");
    let report = network.until("the receipt", |network| {
        let args = [
            "call",
            "--dir",
            network.dir(),
            "--as",
            "auditor",
            "GET",
            &path,
        ];
        let (passed, text) = try_run(&args);
        fs::write(&file, passed.then_some(text)?).unwrap();
        let args = [
            "verify",
            "receipt",
            file.to_str()?,
            "--genesis-digest",
            &digest,
        ];
        let (holds, report) = try_run(&args);
        holds.then_some(report)
    });
    assert!(report.contains("7000"), "{report}");
    let mut second = second_verifier();
    second.arg(&file).args(["--genesis-digest", &digest]);
    peer("docs/spec/verify.py", &mut second);
}

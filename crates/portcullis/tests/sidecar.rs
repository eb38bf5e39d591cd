//! The sidecar for real: what it passes on, what it keeps from the gate, and whom it believes.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use portcullis_host::{Headed, Http as _, Web};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::Duration;
use system::{Anvil, BINARY, Network, Running, run, try_run};

const ETH: &str = "eip155:31337/slip44:60";

/// A sidecar of a network, with its token.
struct Sidecar {
    _process: Running,
    url: String,
    token: String,
}

/// An answer, read.
struct Answer {
    status: u16,
    said: Value,
    retry_after: Option<String>,
    content_type: Option<String>,
}

impl Sidecar {
    fn start(network: &Network, more: &[&str]) -> Self {
        let mut command = Command::new(BINARY);
        command
            .args([
                "sidecar",
                "--tied",
                "--listen",
                "127.0.0.1:0",
                "--dir",
                network.dir(),
            ])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(network.log());
        let mut process = Running::start(&mut command);
        let mut line = String::new();
        let mut output = BufReader::new(process.0.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let url = line.strip_prefix("sidecar").unwrap().trim().to_owned();
        Self {
            _process: process,
            url,
            token: network.text("sidecar.token"),
        }
    }

    fn ask(&self, path: &str, body: Option<&Value>, more: &[(&str, &str)]) -> Answer {
        let token = format!("Bearer {}", self.token);
        let mut headers = vec![("authorization", token.as_str())];
        if body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let body = body.map(|body| body.to_string().into_bytes());
        self.raw(path, body.as_deref(), &[&headers, more].concat())
    }

    fn get(&self, path: &str) -> Answer {
        self.ask(path, None, &[])
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask(path, Some(body), &[])
    }

    fn raw(&self, path: &str, body: Option<&[u8]>, headers: &[(&str, &str)]) -> Answer {
        let url = format!("{}{path}", self.url);
        let wait = Duration::from_mins(1);
        let answer = Web::default().ask(&url, headers, body, 1 << 20, wait);
        let Headed {
            reply,
            content_type,
            retry_after,
        } = answer.unwrap();
        Answer {
            status: reply.status,
            said: serde_json::from_slice(&reply.body).unwrap_or_default(),
            retry_after,
            content_type,
        }
    }
}

impl Answer {
    /// It is the sidecar's own refusal by this name, and nothing went to the gate.
    #[track_caller]
    fn is_kept_back(&self, status: u16, name: &str) {
        assert_eq!(self.status, status, "{}", self.said);
        assert_eq!(self.said["type"], format!("urn:portcullis:sidecar:{name}"));
        assert_eq!(self.said["sent"], false);
        let detail = self.said["detail"].as_str().unwrap();
        assert!(
            detail.ends_with("Nothing was sent to the gate."),
            "{detail}"
        );
        assert_eq!(
            self.content_type.as_deref(),
            Some("application/problem+json")
        );
    }
}

/// What `call` would send: an act with the evidence of a development customer.
fn made(network: &Network, kind: &Value, more: &[&str]) -> Value {
    let file = network.path("act.json");
    fs::write(&file, kind.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let args = ["--as", "back-end", "--act", file, "--dry-run"];
    network.call(&[&args, more].concat())
}

/// Where the demonstration's customer is paid.
fn own_address(network: &Network) -> Value {
    let account = format!("/v1/accounts/{}", network.customer("account"));
    let answer = network.call(&["--as", "auditor", "GET", &account]);
    answer["addresses"][0]["address"].clone()
}

#[test]
fn it_passes_on_what_a_back_end_asks_and_nothing_else() {
    let Some(anvil) = Anvil::start() else { return };
    let mut network = Network::init(&anvil, &[]);
    network.start();
    run(&["demo", "--dir", network.dir()]);
    let sidecar = Sidecar::start(&network, &[]);

    who_may_call(&sidecar);
    what_is_passed_on(&network, &sidecar);
    a_draft_is_an_act(&network, &sidecar);
    a_withdrawal_goes_out_once(&network, &sidecar);
    what_lacks_is_brought_later(&network, &sidecar);

    network.stop();
    let read = sidecar.get("/v1/status");
    assert_eq!((read.status, &read.said["sent"]), (504, &json!(false)));
    let freeze = made_by_hand(&network);
    let sent = sidecar.post("/v1/acts", &freeze);
    assert_eq!(
        (sent.status, &sent.said["sent"]),
        (504, &json!(true)),
        "{}",
        sent.said
    );
    assert!(sent.said["detail"].as_str().unwrap().contains("not known"));
    let log = network.text("log");
    assert!(log.contains("passed on") && !log.contains(&sidecar.token));
}

fn who_may_call(sidecar: &Sidecar) {
    let good = format!("Bearer {}", sidecar.token);
    let token = ("authorization", good.as_str());
    sidecar
        .raw("/v1/status", None, &[])
        .is_kept_back(401, "token");
    let wrong = ("authorization", "Bearer 00000000000000000000000000000000");
    sidecar
        .raw("/v1/status", None, &[wrong])
        .is_kept_back(401, "token");
    let host = ("host", "gate.evil.example");
    sidecar
        .raw("/v1/status", None, &[token, host])
        .is_kept_back(421, "host");
    let origin = ("origin", "http://localhost:7500");
    sidecar
        .raw("/v1/status", None, &[token, origin])
        .is_kept_back(403, "browser");
    // Whom the door keeps out learns nothing of what is behind it.
    sidecar
        .raw("/v1/nowhere", None, &[origin])
        .is_kept_back(403, "browser");
    assert_eq!(sidecar.get("/v1/status").status, 200);
}

fn what_is_passed_on(network: &Network, sidecar: &Sidecar) {
    for path in [
        "/",
        "/metrics",
        "/log/checkpoint",
        "/v1/events/stream",
        "/v1/acts:other",
    ] {
        sidecar.get(path).is_kept_back(404, "path");
    }
    sidecar
        .post("/v1/statements", &json!({}))
        .is_kept_back(404, "path");
    sidecar.get("/v1/acts").is_kept_back(405, "method");
    let token = format!("Bearer {}", sidecar.token);
    let headers = [("authorization", token.as_str())];
    let form = [headers[0], ("content-type", "text/plain")];
    sidecar
        .raw("/v1/acts", Some(b"{}"), &form)
        .is_kept_back(415, "media-type");
    let typed = [headers[0], ("content-type", "application/json")];
    sidecar
        .raw("/v1/acts", Some(&vec![b' '; 200_000]), &typed)
        .is_kept_back(413, "too-large");
    let deep = "[".repeat(100_000);
    for body in ["", "{", "[]", "{}", "\u{feff}{}", deep.as_str()] {
        sidecar
            .raw("/v1/acts", Some(body.as_bytes()), &typed)
            .is_kept_back(400, "malformed");
    }

    what_an_act_has_to_be(network, sidecar);
}

fn what_an_act_has_to_be(network: &Network, sidecar: &Sidecar) {
    let good = made(
        network,
        &json!({ "type": "freeze" }),
        &["--passkey", "customer"],
    );
    let mut other = good.clone();
    other["act"]["genesis"] = json!("11".repeat(32));
    sidecar
        .post("/v1/acts", &other)
        .is_kept_back(400, "network");
    let mut stray = good.clone();
    stray["more"] = json!(1);
    sidecar
        .post("/v1/acts", &stray)
        .is_kept_back(400, "malformed");
    // The assertion is over what the customer saw.
    let mut changed = good.clone();
    changed["act"]["id"] = json!("22".repeat(16));
    sidecar
        .post("/v1/acts", &changed)
        .is_kept_back(422, "assertion");
    let keys = [("idempotency-key", "")];
    sidecar
        .ask("/v1/acts", Some(&good), &keys)
        .is_kept_back(400, "idempotency-key");
    // What takes people takes keys of theirs.
    let mut suspends = good.clone();
    suspends["act"]["realm"] = json!("staff");
    suspends["act"]["kind"] = json!({ "type": "suspend", "scope": { "scope": "everything" } });
    sidecar
        .post("/v1/acts", &suspends)
        .is_kept_back(403, "kind");
    suspends["act"]["kind"] = json!({ "type": "freeze" });
    sidecar
        .post("/v1/acts", &suspends)
        .is_kept_back(403, "principal");
}

fn a_draft_is_an_act(network: &Network, sidecar: &Sidecar) {
    let (principal, account) = (network.customer("principal"), network.customer("account"));
    let said = json!({ "principal": principal, "account": account, "kind": { "type": "freeze" } });
    let drafted = sidecar.post("/v1/acts:draft", &said);
    assert_eq!(drafted.status, 200, "{}", drafted.said);
    let act = &drafted.said["act"];
    assert_eq!(
        (&act["realm"], &act["principal"]),
        (&json!("customers"), &json!(principal))
    );
    let tried = sidecar.post("/v1/acts:simulate", &json!({ "act": act }));
    assert_eq!(tried.status, 200, "{}", tried.said);
    assert_eq!(tried.said["digest"], drafted.said["digest"]);
    assert_eq!(
        tried.said["options"]["challenge"],
        drafted.said["challenge"]
    );
    let headers = headers_of(sidecar, "/v1/acts:draft", &said);
    assert!(headers.contains("portcullis-act: "), "{headers}");
    let challenge = headers.split("portcullis-challenge: ").nth(1).unwrap();
    assert_eq!(challenge.lines().next().unwrap().len(), 43, "{headers}");
    // Without a principal, the back end asks by itself.
    let own = json!({ "account": account, "kind": { "type": "freeze" } });
    let own = sidecar.post("/v1/acts:draft", &own).said;
    assert_eq!(own["act"]["realm"], "staff");
    let proposal = json!({ "kind": { "type": "approve", "act": "00".repeat(32) } });
    sidecar
        .post("/v1/acts:draft", &proposal)
        .is_kept_back(403, "kind");
    sidecar
        .post("/v1/acts:draft", &json!({ "principal": 7 }))
        .is_kept_back(400, "malformed");
}

/// The headers of an answer.
fn headers_of(sidecar: &Sidecar, path: &str, body: &Value) -> String {
    let host = sidecar.url.strip_prefix("http://").unwrap();
    let (token, body) = (&sidecar.token, body.to_string());
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
        .split("\r\n\r\n")
        .next()
        .unwrap()
        .to_ascii_lowercase()
}

fn a_withdrawal_goes_out_once(network: &Network, sidecar: &Sidecar) {
    let kind =
        json!({ "type": "withdraw", "asset": ETH, "to": own_address(network), "amount": "1000" });
    let body = made(network, &kind, &["--passkey", "customer", "--debit", "new"]);
    let sent = sidecar.post("/v1/acts", &body);
    assert_eq!(
        (sent.status, &sent.said["decision"]["decision"]),
        (200, &json!("release")),
        "{}",
        sent.said
    );
    let again = sidecar.post("/v1/acts", &body);
    assert_eq!(
        (again.status, &again.said["entry"]),
        (200, &sent.said["entry"]),
        "{}",
        again.said
    );
    let act = sent.said["digest"].as_str().unwrap();
    network.until("the money", |_| {
        let standing = sidecar.get(&format!("/v1/acts/{act}"));
        (standing.said["stage"] == "confirmed").then_some(())
    });
    // The gate's refusals come as they are.
    let none = sidecar.get(&format!("/v1/acts/{}", "00".repeat(32)));
    assert_eq!(none.status, 404);
    assert_eq!(
        none.said["type"], "urn:portcullis:reason:905",
        "{}",
        none.said
    );
}

fn what_lacks_is_brought_later(network: &Network, sidecar: &Sidecar) {
    let kind =
        json!({ "type": "withdraw", "asset": ETH, "to": own_address(network), "amount": "1000" });
    let body = made(network, &kind, &["--passkey", "customer"]);
    let held = sidecar.post("/v1/acts", &body);
    assert_eq!(
        (held.status, &held.said["decision"]["needs"][0]["need"]),
        (202, &json!("debit"))
    );
    assert!(held.retry_after.is_some());
    let act = held.said["digest"].as_str().unwrap();
    let path = format!("/v1/acts/{act}/evidence");
    let debit = network.call(&[
        "--as",
        "back-end",
        "POST",
        &path,
        "--debit",
        "new",
        "--dry-run",
    ]);
    let brought = network.until("the act in the journal", |_| {
        let brought = sidecar.post(&path, &debit);
        (brought.said["title"] != "no-act").then_some(brought)
    });
    assert_eq!(
        (brought.status, &brought.said["digest"]),
        (200, &json!(act)),
        "{}",
        brought.said
    );

    // A proposal of staff waits for evidence, too: none that this key signs.
    let file = network.path("role.json");
    let genesis = network.genesis();
    let mut staff = genesis["staff"].as_array().unwrap().iter();
    let approver = staff.find(|member| member["roles"][0] == "approver");
    let principal = &approver.unwrap()["principal"];
    let kind = json!({ "type": "grant-role", "principal": principal, "role": "auditor" });
    fs::write(&file, kind.to_string()).unwrap();
    let proposed = network.call(&["--as", "administrator-1", "--act", file.to_str().unwrap()]);
    let path = format!("/v1/acts/{}/evidence", proposed["digest"].as_str().unwrap());
    let refused = network.until("the proposal in the journal", |_| {
        let refused = sidecar.post(&path, &json!({}));
        (refused.said["title"] != "no-act").then_some(refused)
    });
    refused.is_kept_back(403, "kind");
}

/// A freeze that nobody has to be asked about: its checkpoint is any.
fn made_by_hand(network: &Network) -> Value {
    json!({ "act": {
        "genesis": network.text("genesis.digest"), "realm": "customers",
        "principal": network.customer("principal"), "account": network.customer("account"),
        "id": "44".repeat(16), "checkpoint": "55".repeat(32), "expires": 4_000_000_000_000_u64,
        "kind": { "type": "freeze" },
    } })
}

/// A gate in somebody else's hands: whatever it is asked, it answers for another act.
fn lying_gate() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut seen = Vec::new();
            let mut bytes = [0; 4096];
            while !seen.ends_with(b"}") && !seen.ends_with(b"\r\n\r\n") {
                let read = stream.read(&mut bytes).unwrap();
                if read == 0 {
                    break;
                }
                seen.extend_from_slice(&bytes[..read]);
            }
            let body = json!({ "digest": "66".repeat(32), "entry": 7, "time": 8,
                "decision": { "decision": "release" } });
            let body = body.to_string();
            let length = body.len();
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
            write!(stream, "{head}content-length: {length}\r\n\r\n{body}").unwrap();
        }
    });
    url
}

#[test]
fn it_believes_no_gate_and_starts_for_nobody_else() {
    let Some(anvil) = Anvil::start() else { return };
    let network = Network::init(&anvil, &[]);
    let sidecar = Sidecar::start(&network, &["--gate", &lying_gate()]);
    let answer = sidecar.post("/v1/acts", &made_by_hand(&network));
    assert_eq!(
        (answer.status, &answer.said["title"]),
        (502, &json!("untrue")),
        "{}",
        answer.said
    );
    assert_eq!(answer.said["sent"], true);

    let refused = |more: &[&str]| {
        let (started, said) = try_run(&[&["sidecar", "--dir", network.dir()], more].concat());
        assert!(!started, "{more:?}");
        said
    };
    assert!(refused(&["--listen", "0.0.0.0:0"]).contains("not of this host alone"));
    assert!(refused(&["--as", "administrator-1"]).contains("an administrator's key"));
    assert!(refused(&["--allow", "withdraw,approve"]).contains("takes a key of theirs"));
    let token = network.path("open.token");
    fs::write(&token, "0123456789abcdef0123456789abcdef").unwrap();
    let said = refused(&[
        "--listen",
        "127.0.0.1:0",
        "--token",
        token.to_str().unwrap(),
    ]);
    assert!(said.contains("others than its owner"), "{said}");
}

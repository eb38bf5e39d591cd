//! The link in a mail, with every process for real: opened by a scanner, which stops nothing, and pressed by whoever
//! reads it, in a browser, while the gate runs and while it does not.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod mail;
mod system;

use mail::{MailServer, sign_as_the_server_knows};
use portcullis_core::id::{AccountId, KeeperId};
use portcullis_core::link::Link;
use portcullis_core::signature::Signature;
use portcullis_host::{Http as _, Web};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use system::{Anvil, Network, Running, Who, run};

/// A link, in the parts that it is made of.
struct Opened {
    url: String,
    /// The board behind it.
    board: String,
    link: Link,
    signature: Signature,
}

impl Opened {
    /// The one in a mail's text.
    fn of(body: &str) -> Self {
        let mut lines = body.lines().map(str::trim);
        let url = lines.find(|line| line.contains("/stop#")).unwrap();
        let (board, fragment) = url.split_once("/stop#").unwrap();
        let (link, signature) = Link::read(fragment).unwrap();
        Self {
            url: url.to_owned(),
            board: board.to_owned(),
            link,
            signature,
        }
    }

    /// Post what its page does; the answer.
    fn post(&self, network: &Network, link: &Link) -> (u16, Value) {
        let genesis = network.text("genesis.digest").parse().unwrap();
        let posting = link.posting(genesis, herald(network), self.signature);
        let body = serde_json::to_vec(&posting).unwrap();
        let (url, headers) = (
            format!("{}/postings", self.board),
            [("content-type", "application/json")],
        );
        let wait = Duration::from_secs(10);
        let reply = Web::default().post(&url, &headers, &body, 1 << 16, wait);
        let reply = reply.unwrap();
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }
}

fn herald(network: &Network) -> KeeperId {
    let genesis = network.genesis();
    let keepers = genesis["keepers"].as_array().unwrap();
    let herald = keepers.iter().find(|keeper| keeper["kind"] == "herald");
    herald.unwrap()["id"].as_str().unwrap().parse().unwrap()
}

fn is_frozen(network: &Network) -> bool {
    let account = network.customer("account");
    let answer = network.call(&["--as", "auditor", "GET", &format!("/v1/accounts/{account}")]);
    answer["frozen"].as_bool().unwrap()
}

fn until_frozen(network: &Network) {
    network.until("the freeze", |network| is_frozen(network).then_some(()));
}

fn unfreeze(network: &Network) {
    network.customers_act(&json!({ "type": "unfreeze" }), &[]);
    network.until("the end of it", |network| {
        (!is_frozen(network)).then_some(())
    });
}

/// An answer of the board's host, with its headers, as a scanner gets it.
fn ask(board: &str, method: &str, path: &str) -> String {
    let host = board.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// It opens all that there is, in every way but the one.
fn scan(board: &str) {
    let page = ask(board, "GET", "/stop");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let headers = page.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
    for said in [
        "content-security-policy: default-src 'none'; script-src 'self';",
        "frame-ancestors 'none'",
        "referrer-policy: no-referrer",
        "x-content-type-options: nosniff",
        "cache-control: no-store",
    ] {
        assert!(headers.contains(said), "{said} in {headers}");
    }
    for path in ["/stop.js", "/stop.css", "/stop?x=1"] {
        assert!(
            ask(board, "GET", path).starts_with("HTTP/1.1 200"),
            "{path}"
        );
    }
    assert!(ask(board, "HEAD", "/stop").starts_with("HTTP/1.1 200"));
    assert!(ask(board, "POST", "/stop").starts_with("HTTP/1.1 405"));
}

/// What the page says before its button is pressed, and after. Without a browser it is posted as the page does.
fn press(network: &Network, opened: &Opened) {
    let Some(chromium) = chromium() else {
        println!("skipped: no Chromium; the link was posted without a browser");
        assert_eq!(opened.post(network, &opened.link).0, 201);
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/browser/press.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg(chromium).arg(&opened.url);
    let pictures = std::env::var_os("PORTCULLIS_PICTURES");
    let ran = command.args(pictures).output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    let fault = String::from_utf8_lossy(&ran.stderr).into_owned();
    let said: Value = serde_json::from_str(&said).map_err(|_| fault).unwrap();
    let text = |name: &str| said[name].as_str().unwrap().to_owned();
    assert!(text("before").contains("Development"), "{said}");
    assert!(text("before").contains("Freeze your account?"), "{said}");
    assert!(text("after").contains("The stop is on its way"), "{said}");
    assert_eq!(said["errors"], json!([]), "{said}");
    // Nothing but the board is asked, and nobody is sent what stands behind "#".
    let asked: Vec<&str> = said["asked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    let board = &opened.board;
    let expected = [
        format!("GET {board}/stop"),
        format!("GET {board}/stop.css"),
        format!("GET {board}/stop.js"),
        format!("POST {board}/postings"),
    ];
    assert_eq!(asked, expected);
}

fn chromium() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let runs = |name: &&str| {
        let ran = Command::new(name).arg("--version").output();
        ran.is_ok_and(|ran| ran.status.success())
    };
    names.into_iter().find(runs)
}

/// A network that has done one withdrawal, all of it told.
fn begun(anvil: &Anvil, mail: &MailServer) -> Network {
    let server = format!("127.0.0.1:{}", mail.port);
    let network = Network::init_with(anvil, &[], &["--herald", &server]);
    sign_as_the_server_knows(&network, mail);
    network
}

#[test]
fn whoever_reads_the_mail_stops_it_with_one_press() {
    let Some(anvil) = Anvil::start() else { return };
    let Some(mut mail) = MailServer::start() else {
        return;
    };
    let mut network = begun(&anvil, &mail);
    network.start();
    run(&["demo", "--dir", network.dir()]);
    let opened = Opened::of(&mail.about("a new address").body);
    let other = Opened::of(&mail.about("a withdrawal").body);

    // Opened by whoever filters the mail, it has stopped nothing: the board has no posting.
    scan(&opened.board);
    assert!(!is_frozen(&network));
    // For another account, or with another's signature, it is nobody's word; the board decides nothing.
    let elsewhere = Link {
        account: AccountId([7; 16]),
        ..opened.link.clone()
    };
    assert_eq!(opened.post(&network, &elsewhere).0, 201);
    assert_eq!(opened.post(&network, &other.link).0, 201);

    press(&network, &opened);
    until_frozen(&network);
    assert_eq!(mail.about("is frozen").to, "customer@localhost");
    // What came before it on the board was looked at before it, and is in no journal.
    let genesis = network.text("genesis.digest").parse().unwrap();
    let known = |link: &Link| {
        let act = link.act(genesis, herald(&network)).digest();
        let path = format!("/v1/acts/{act}");
        let args = [
            "call",
            "--dir",
            network.dir(),
            "--as",
            "auditor",
            "GET",
            &path,
        ];
        system::try_run(&args).0
    };
    assert!(known(&opened.link));
    assert!(!known(&elsewhere) && !known(&other.link));

    // The customer's passkey gives it back, and the same link stops nothing more.
    unfreeze(&network);
    let again = Opened::of(&mail.about("no longer frozen").body);
    let (status, stamp) = opened.post(&network, &opened.link);
    assert_eq!(status, 201);
    assert_eq!(opened.post(&network, &opened.link).1, stamp, "one stamp");
    // That notice's own link does.
    assert!(!is_frozen(&network));
    assert_eq!(again.post(&network, &again.link).0, 201);
    until_frozen(&network);

    network.stop();
    let journal = network.path("data/journal");
    let digest = network.text("genesis.digest");
    run(&[
        "verify",
        "journal",
        journal.to_str().unwrap(),
        "--genesis-digest",
        &digest,
    ]);
}

#[test]
fn a_press_binds_while_the_gate_is_down_and_is_journaled_once_it_is_back() {
    let Some(anvil) = Anvil::start() else { return };
    let Some(mut mail) = MailServer::start() else {
        return;
    };
    let network = begun(&anvil, &mail);
    let others = [Who::Witness, Who::Signer, Who::Herald].map(|who| network.begin(who));
    let mut gate: Running = network.begin(Who::Gate);
    network.until_witnessed();
    run(&["demo", "--dir", network.dir()]);
    let opened = Opened::of(&mail.about("a withdrawal").body);
    gate.end();

    press(&network, &opened);
    let act = opened.link.act(
        network.text("genesis.digest").parse().unwrap(),
        herald(&network),
    );
    let act = act.digest().to_string();
    network.until("signer and herald, which are bound by it", |network| {
        let log = network.text("log");
        let mut lines = log
            .lines()
            .filter(|line| line.contains("a posting binds") && line.contains(&act));
        lines.nth(1).map(|_| ())
    });

    let _gate = network.begin(Who::Gate);
    network.until_witnessed();
    until_frozen(&network);
    mail.about("is frozen");
    drop(others);
}

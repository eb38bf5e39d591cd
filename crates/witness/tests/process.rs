//! The process itself: configuration, files, sockets, signals.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test"
)]

mod common;

use common::log::TestLog;
use common::network::{
    BOARD, BOARD_SEED, LOG_SEED, ORIGIN, WITNESS_SEED, genesis_bytes, key, log_signer, network,
    witness_key,
};
use common::postings::{by_keeper, json, suspend};
use portcullis_core::board::{MAX_POSTING, PAGE_FRESH, SignedPage};
use portcullis_core::evidence::Stamp;
use portcullis_core::signature::Strict;
use portcullis_core::{Span, Time};
use portcullis_host::{Clock as _, SystemClock};
use portcullis_keys::{Cost, KeyFile, Kind, Passphrase, StatementKey as _};
use portcullis_tlog::NoteSignature;
use portcullis_tlog::witness::{Answer, MAX_REQUEST_BYTES, SIZE_CONTENT_TYPE};
use portcullis_witness::{Config, ConfigError, Error, init, run};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use zeroize::Zeroizing;

/// A folder with everything that a witness and board need, as an operator would lay it out.
struct Folder {
    root: tempfile::TempDir,
    address: SocketAddr,
}

impl Folder {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        // Free a moment ago.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
        let folder = Self {
            root,
            address: address.unwrap(),
        };
        std::fs::write(folder.path("genesis.cbor"), genesis_bytes()).unwrap();
        std::fs::write(folder.path("passphrase"), "correct horse\n").unwrap();
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(folder.path("passphrase"), private).unwrap();
        folder.make_keys();
        let config = folder.text();
        std::fs::write(folder.path("witness.toml"), config).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn text(&self) -> String {
        format!(
            "genesis = \"genesis.cbor\"\n\
             genesis_digest = \"{}\"\n\
             key_file = \"keys\"\n\
             passphrase_file = \"passphrase\"\n\
             data = \"data\"\n\
             listen = \"{}\"\n\
             [witness]\nkey = \"witness\"\n\
             [board]\nkey = \"board\"\n",
            network().digest(),
            self.address
        )
    }

    fn config(&self) -> Config {
        Config::read(&self.path("witness.toml")).unwrap()
    }

    fn make_keys(&self) {
        let passphrase = Zeroizing::new(b"correct horse".to_vec());
        let passphrase = Passphrase::new(passphrase).unwrap();
        let mut file = KeyFile::create(&self.path("keys"), &passphrase, Cost::DEVELOPMENT).unwrap();
        for (name, seed) in [("witness", WITNESS_SEED), ("board", BOARD_SEED)] {
            let secret = Zeroizing::new(seed);
            file.import(Kind::Ed25519, name.parse().unwrap(), &secret)
                .unwrap();
        }
    }

    fn start(&self) -> JoinHandle<Result<(), Error>> {
        let config = self.config();
        let process = thread::spawn(move || run(&config));
        for _ in 0..200 {
            if TcpStream::connect(self.address).is_ok() {
                return process;
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("it does not listen: {:?}", process.join());
    }

    fn ask(&self, method: &str, target: &str, body: &[u8]) -> Answered {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: witness\r\nOrigin: https://evil.example\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        // A body that is refused early may not be read to its end.
        let _ = stream.write_all(body);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Answered::parse(&bytes)
    }
}

struct Answered {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answered {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            status,
            head: head.to_lowercase(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    fn is(&self, status: u16, content_type: &str) {
        assert_eq!(self.status, status, "{}", self.head);
        let expected = format!("content-type: {content_type}");
        assert!(self.head.contains(&expected), "{}", self.head);
        assert!(!self.head.contains("access-control"), "{}", self.head);
    }
}

/// The signal is the process' own, so there is one test.
#[test]
fn it_serves_both_roles_stops_when_told_and_remembers() {
    let folder = Folder::new();
    let config = folder.config();
    let error = run(&config).unwrap_err().to_string();
    assert!(error.contains("--init"), "{error}");
    init(&config).unwrap();
    assert!(init(&config).is_err(), "once in a key's life");

    let process = folder.start();
    assert!(matches!(init(&config), Err(Error::InUse(_))));
    assert!(matches!(run(&config), Err(Error::InUse(_))));
    let lock = std::fs::metadata(config.data.join("lock")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(&lock.permissions());
    assert_eq!(mode & 0o077, 0, "nobody else can take the lock");
    let log = TestLog::new(20);
    cosigns(&folder, &log);
    takes_postings(&folder);
    refuses(&folder);
    let lingering = TcpStream::connect(folder.address).unwrap();
    tell_to_stop(&process);
    process.join().unwrap().unwrap();
    drop(lingering);

    let process = folder.start();
    let other = TestLog::forked_at(20, 3).request(0, 8, &log_signer());
    let answer = folder.ask("POST", "/add-checkpoint", &other);
    answer.is(409, SIZE_CONTENT_TYPE);
    assert_eq!(Answer::parse(409, &answer.body), Answer::At(8));
    assert_eq!(folder.ask("GET", "/postings?from=1", b"").status, 200);
    tell_to_stop(&process);
    process.join().unwrap().unwrap();

    let folder = Folder::new();
    init(&folder.config()).unwrap();
    let process = folder.start();
    a_foreign_client_agrees(&folder);
    tell_to_stop(&process);
    process.join().unwrap().unwrap();
}

fn cosigns(folder: &Folder, log: &TestLog) {
    let answer = folder.ask("POST", "/add-checkpoint", &log.request(0, 8, &log_signer()));
    answer.is(200, "text/plain");
    let lines = NoteSignature::parse_lines(&answer.body).unwrap();
    let checkpoint = log.signed(8, &log_signer());
    let cosignature = witness_key().verify_answer(&checkpoint, &lines).unwrap();
    let age = SystemClock
        .now()
        .since(Time::from_unix_seconds(cosignature.time().unix()));
    assert!(age < Span::seconds(60), "{age:?}");
}

/// A log's client that others wrote, on a witness that has just begun.
fn a_foreign_client_agrees(folder: &Folder) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let peers = std::env::var_os("PEERS").map_or_else(|| root.join(".peers"), PathBuf::from);
    let python = peers.join("tlog/bin/python");
    if !python.exists() {
        println!(
            "skipped: {} is missing; run tests/peers/tlog/install",
            python.display()
        );
        return;
    }
    let seed = hex::encode(LOG_SEED);
    let output = Command::new(python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign_client.py"))
        .args([
            format!("http://{}", folder.address),
            witness_key().to_string(),
        ])
        .args([ORIGIN, &seed])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    assert!(said.starts_with("ok: 12 cosignatures"), "{said}");
}

fn takes_postings(folder: &Folder) {
    let expires = SystemClock.now().after(Span::hours(1));
    let posting = by_keeper(suspend(network().digest(), 1, expires));
    let answer = folder.ask("POST", "/postings", &json(&posting));
    answer.is(201, "application/json");
    let stamp: Stamp = serde_json::from_slice(&answer.body).unwrap();
    let board_key = key(BOARD_SEED).public_key().clone();
    assert!(stamp.is_of(posting.act.digest(), &board_key, &Strict));

    let answer = folder.ask("GET", "/postings?from=0", b"");
    answer.is(200, "application/cbor");
    let asked = (network().digest(), BOARD, 0);
    let page = SignedPage::open(&answer.body, asked, &board_key, &Strict).unwrap();
    assert_eq!(page.postings.len(), 1);
    assert!(SystemClock.now().since(page.time) < PAGE_FRESH);
}

fn refuses(folder: &Folder) {
    const PROBLEM: &str = "application/problem+json";
    let ask = |method, target, body: &[u8]| folder.ask(method, target, body);
    ask("POST", "/add-checkpoint", b"garbage").is(400, PROBLEM);
    ask(
        "POST",
        "/add-checkpoint",
        &vec![b'a'; MAX_REQUEST_BYTES + 1],
    )
    .is(413, PROBLEM);
    ask("POST", "/postings", b"{}").is(400, PROBLEM);
    ask("POST", "/postings", &vec![b' '; MAX_POSTING + 1]).is(413, PROBLEM);
    ask("GET", "/postings", b"").is(400, PROBLEM);
    ask("GET", "/postings?from=-1", b"").is(400, PROBLEM);
    ask("GET", "/postings?from=0&from=1", b"").is(400, PROBLEM);
    ask("GET", "/postings?from=99", b"").is(404, PROBLEM);
    ask("GET", "/elsewhere", b"").is(404, PROBLEM);
    assert_eq!(ask("GET", "/add-checkpoint", b"").status, 405);
    assert_eq!(ask("OPTIONS", "/postings", b"").status, 405);
    assert_eq!(ask("GET", "/health", b"").body, b"ok\n");
}

fn tell_to_stop(process: &JoinHandle<Result<(), Error>>) {
    assert!(!process.is_finished());
    let me = std::process::id().to_string();
    let told = Command::new("kill").args(["-TERM", &me]).status();
    assert!(told.unwrap().success());
}

#[test]
fn a_configuration_says_what_is_wrong_with_it() {
    let folder = Folder::new();
    let read = |text: &str| {
        let path = folder.path("other.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path)
    };
    let good = folder.text();
    assert_eq!(read(&good).unwrap().data, folder.path("data"));
    let (shared, _) = good.split_once("[witness]").unwrap();
    assert!(matches!(read(shared), Err(ConfigError::NoRole)));
    let error = read(&format!("colour = 1\n{good}"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("colour"), "{error}");
    let missing = Config::read(Path::new("/nowhere/witness.toml"));
    assert!(missing.unwrap_err().to_string().contains("/nowhere"));
}

#[test]
fn what_does_not_fit_together_does_not_start() {
    let folder = Folder::new();
    let begin = |change: &dyn Fn(&mut Config)| {
        let mut config = folder.config();
        change(&mut config);
        init(&config).unwrap_err()
    };
    let error = begin(&|config| config.genesis_digest.0[0] ^= 1);
    assert!(matches!(error, Error::Genesis(_)), "{error}");
    let error = begin(&|config| config.witness.as_mut().unwrap().key = "board".into());
    assert!(matches!(error, Error::NotAWitness(_)), "{error}");
    let error = begin(&|config| {
        config.witness = None;
        config.board.as_mut().unwrap().key = "witness".into();
    });
    assert!(matches!(error, Error::Board(_)), "{error}");
    let error = begin(&|config| config.board.as_mut().unwrap().key = "nobody's".into());
    assert!(matches!(error, Error::KeyName(_)), "{error}");
    let error = begin(&|config| config.passphrase_file = folder.path("genesis.cbor"));
    assert!(
        matches!(error, Error::Keys(_) | Error::Passphrase(_)),
        "{error}"
    );
}

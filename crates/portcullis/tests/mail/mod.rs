//! A real mail server, for the tests of a network with a herald.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part"
)]

use crate::system::{Network, peers};
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// tests/peers/mail/server.py, for as long as this lives.
pub struct MailServer {
    folder: tempfile::TempDir,
    child: Child,
    stdin: Option<ChildStdin>,
    /// A line for each mail. They are read as they come: a server that nobody reads takes no more once the pipe is full.
    says: Receiver<String>,
    pub port: String,
}

/// A mail that it took.
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub body: String,
    /// Its Message-ID.
    pub id: String,
}

impl MailServer {
    pub fn start() -> Option<Self> {
        let peer = peers().join("mail");
        if !peer.join("stamp").exists() {
            println!("skipped: no mail server (run tests/peers/mail/install)");
            return None;
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/mail/server.py");
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(peer.join("bin/python"))
            .arg(script)
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (line, says) = channel();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap();
        let port = port.strip_prefix("port ").unwrap().to_owned();
        std::thread::spawn(move || {
            for said in lines.map_while(Result::ok) {
                // Whoever is gone wants no more, and the server has to be read on.
                let _ = line.send(said);
            }
        });
        let stdin = child.stdin.take();
        Some(Self {
            folder,
            child,
            stdin,
            says,
            port,
        })
    }

    /// The next mail, whose signature dkimpy found good: to whom, and its subject.
    pub fn next(&mut self) -> (String, String) {
        let mail = self.read();
        assert!(mail.body.contains("code"), "{}", mail.body);
        (mail.to, mail.subject)
    }

    /// The next mail that is about something; the others before it are passed over.
    pub fn about(&mut self, what: &str) -> Mail {
        loop {
            let mail = self.read();
            if mail.subject.contains(what) {
                return mail;
            }
        }
    }

    fn read(&mut self) -> Mail {
        let line = self.says.recv().unwrap();
        let mail: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(mail["dkim"], true, "{mail}");
        let headers = mail["headers"].as_array().unwrap();
        let header = |name: &str| &headers.iter().find(|pair| pair[0] == name).unwrap()[1];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Mail {
            to: text(&mail["to"]),
            subject: text(header("Subject")),
            id: text(header("Message-ID")),
            body: text(&mail["body"]),
        }
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

/// Sign with the key of which the server knows the public half.
pub fn sign_as_the_server_knows(network: &Network, mail: &MailServer) {
    let file = network.path("herald.toml");
    let key = mail.folder.path().join("ed25519.pem");
    let text = fs::read_to_string(&file).unwrap();
    let text = text
        .replace("domain = \"localhost\"", "domain = \"bank.example\"")
        .replace("selector = \"development\"", "selector = \"ed25519\"")
        .replace("keys/herald-dkim.pem", key.to_str().unwrap());
    fs::write(file, text).unwrap();
}

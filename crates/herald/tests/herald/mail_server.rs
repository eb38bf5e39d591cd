//! The herald's mail at a real server (aiosmtpd), its signatures judged by dkimpy.

use crate::bench::{Bench, FakePost};
use portcullis_contact::Reach;
use portcullis_core::Digest;
use portcullis_core::Time;
use portcullis_herald::{Letter, Mailer, Outcome, Post};
use portcullis_keeper::testkit::World;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;

/// The peer, for as long as this lives: it ends with its standard input.
struct Server {
    folder: tempfile::TempDir,
    child: Child,
    stdin: Option<ChildStdin>,
    says: BufReader<ChildStdout>,
    port: u16,
}

/// Nothing, and a word why, where the peer is not installed.
fn server(more: &[&str]) -> Option<Server> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let peers = std::env::var("PEERS").map_or_else(|_| root.join(".peers"), PathBuf::from);
    let peer = peers.join("mail");
    let python = peer.join("bin/python");
    if !peer.join("stamp").exists() {
        println!("skipped: no mail server: tests/peers/mail/install puts one into .peers/mail");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(python)
        .arg(root.join("tests/peers/mail/server.py"))
        .arg(folder.path())
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut says = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    says.read_line(&mut line).unwrap();
    let port = line.trim().strip_prefix("port ").unwrap().parse().unwrap();
    Some(Server {
        folder,
        stdin: child.stdin.take(),
        child,
        says,
        port,
    })
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}

impl Server {
    fn mailer(&self, key: &str, security: &str) -> Mailer {
        let (port, folder) = (self.port, self.folder.path().display());
        let server = if security == "starttls" {
            "localhost"
        } else {
            "127.0.0.1"
        };
        let authority = match security {
            "starttls" => format!("authority = \"{folder}/tls.pem\""),
            _ => String::new(),
        };
        let text = format!(
            r#"
            server = "{server}"
            port = {port}
            security = "{security}"
            from = "notices@bank.example"
            greeting = "herald.bank.example"
            {authority}

            [dkim]
            domain = "bank.example"
            selector = "{key}"
            key_file = "{folder}/{key}.pem"
            "#
        );
        Mailer::new(&toml::from_str(&text).unwrap(), "Bänk \"& Söhne\"").unwrap()
    }

    /// The next message that the server has taken.
    fn taken(&mut self) -> Value {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

fn letter(to: &str) -> Letter {
    Letter {
        id: Digest([7; 32]),
        reach: Reach::Mail(to.into()),
        kind: "address-added",
        act: Digest([8; 32]),
        entry: 9,
        time: World::START,
        subject: "Bänk: eine neue Adresse, und ein langer Betreff, der über die Zeile geht".into(),
        body: format!("Grüße\n.\n..\n{}\nFrom me\n", "x".repeat(2000)),
    }
}

fn header(mail: &Value, name: &str) -> Vec<String> {
    let all = mail["headers"].as_array().unwrap().iter();
    let named = all.filter(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name));
    named
        .map(|pair| pair[1].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_stranger_finds_every_signature_good_and_the_text_whole() {
    let Some(mut server) = server(&[]) else {
        return;
    };
    for key in ["rsa", "ed25519"] {
        let letter = letter("a@customer.example");
        let mailer = server.mailer(key, "plaintext-loopback");
        assert_eq!(mailer.deliver(&letter, World::START), Outcome::Accepted);
        let mail = server.taken();
        assert_eq!(mail["dkim"], true, "{key}");
        assert_eq!(mail["from"], "notices@bank.example");
        assert_eq!(header(&mail, "subject"), [letter.subject]);
        assert_eq!(header(&mail, "auto-submitted"), ["auto-generated"]);
        assert_eq!(header(&mail, "to"), ["a@customer.example"]);
        let id = format!("<{}@bank.example>", Digest([7; 32]));
        assert_eq!(header(&mail, "message-id"), [id]);
        let body = mail["body"].as_str().unwrap().replace("\r\n", "\n");
        assert_eq!(body.trim_end(), letter.body.trim_end());
    }
}

#[test]
fn without_the_right_certificate_nothing_is_sent() {
    let Some(mut server) = server(&["--tls"]) else {
        return;
    };
    let mailer = server.mailer("rsa", "starttls");
    assert_eq!(
        mailer.deliver(&letter("a@customer.example"), World::START),
        Outcome::Accepted
    );
    let mail = server.taken();
    assert_eq!(
        (&mail["tls"], &mail["dkim"]),
        (&Value::Bool(true), &Value::Bool(true))
    );
    // The server demands TLS; and another authority's word counts for nothing.
    let plain = server.mailer("rsa", "plaintext-loopback");
    let refused = plain.deliver(&letter("b@customer.example"), World::START);
    assert_ne!(refused, Outcome::Accepted);
    let other = server_of_another_authority(&server);
    let refused = other.deliver(&letter("c@customer.example"), World::START);
    assert!(matches!(refused, Outcome::Later(_)), "{refused:?}");
}

/// A mailer that trusts a certificate which is not the server's.
fn server_of_another_authority(here: &Server) -> Mailer {
    let other = server(&["--tls"]).unwrap();
    std::fs::copy(
        other.folder.path().join("tls.pem"),
        here.folder.path().join("tls.pem"),
    )
    .unwrap();
    here.mailer("rsa", "starttls")
}

#[test]
fn what_the_server_says_is_what_becomes_of_a_letter() {
    let Some(mut server) = server(&[]) else {
        return;
    };
    let mailer = server.mailer("rsa", "plaintext-loopback");
    let send = |to| mailer.deliver(&letter(to), World::START);
    // The number alone: the server repeats the address, and this goes into logs.
    let said = "the mail server answers 550";
    let refused = Outcome::Refused(said.into());
    assert_eq!(send("bounce@customer.example"), refused);
    // A refusal of whoever sends says nothing about the mailbox.
    let blocked = send("blocked@customer.example");
    assert_eq!(
        blocked,
        Outcome::Later("the mail server answers 554".into())
    );
    assert!(matches!(send("grey@customer.example"), Outcome::Later(why) if why.contains("451")));
    assert_eq!(send("grey@customer.example"), Outcome::Accepted);
    // Taken, and nobody says so: it is sent again, and the id is the same.
    assert!(matches!(
        send("hang-up@customer.example"),
        Outcome::Later(_)
    ));
    assert_eq!(server.taken()["to"], "grey@customer.example");
    assert_eq!(server.taken()["to"], "hang-up@customer.example");
    let port = server.port;
    drop(server);
    let down = mailer.deliver(&letter("a@customer.example"), World::START);
    assert!(matches!(down, Outcome::Later(_)), "{port}: {down:?}");
}

/// From the journal to the mailbox, and back to the journal.
#[test]
fn an_address_ages_from_the_moment_that_the_mail_server_took_the_notice() {
    let Some(mut server) = server(&[]) else {
        return;
    };
    let mailer: Arc<dyn Post> = Arc::new(server.mailer("rsa", "plaintext-loopback"));
    let mut bench = Bench::with(mailer, FakePost::default());
    bench.run(15);
    let opened = server.taken();
    assert_eq!(opened["dkim"], true);
    let act = bench.add_address(0x22);
    assert_eq!(bench.available(0x22), None::<Time>);
    bench.run(3);
    let mail = server.taken();
    assert_eq!(mail["to"], crate::bench::FIRST);
    assert_eq!(mail["dkim"], true);
    let body = mail["body"].as_str().unwrap();
    assert!(body.contains("Your own code: blue heron") && body.contains(&act.to_string()));
    assert!(bench.available(0x22).is_some());
}

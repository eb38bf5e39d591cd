//! What a client makes is what the core accepts, and what it is answered it does not believe.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use portcullis_client::{
    ActBuilder, DevelopmentPasskey, Gate, GateError, Issuer, Machine, PasskeyError, Question,
    RequestSigner, Unsigned,
};
use portcullis_core::act::{Act, ActKind, Withdraw};
use portcullis_core::evidence::Claim;
use portcullis_core::genesis::Mode;
use portcullis_core::id::{AccountId, IssuerId, LedgerEntryId, PrincipalId};
use portcullis_core::passkey::{self, Credential, RelyingParty, challenge_for};
use portcullis_core::request::{self, Received};
use portcullis_core::signature::{Strict, Verify as _};
use portcullis_core::{Digest, Evidence, Reason, Time};
use portcullis_host::{Clock, Dir, Disk, Http, HttpError, Reply, SystemRandom};
use portcullis_keys::StatementKey;
use portcullis_keys::software::SoftwareStatement;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use zeroize::Zeroizing;

const NOW: Time = Time(1_700_000_000_000);

fn ed25519(n: u8) -> Arc<dyn StatementKey> {
    Arc::new(SoftwareStatement::ed25519(&Zeroizing::new([n; 32])).unwrap())
}

fn p256(n: u8) -> Arc<dyn StatementKey> {
    Arc::new(SoftwareStatement::p256(&Zeroizing::new([n; 32])).unwrap())
}

fn act() -> Act {
    let kind = ActKind::Withdraw(Withdraw {
        asset: "eip155:31337/slip44:60".parse().unwrap(),
        to: "eip155:31337:0x00000000000000000000000000000000000000aa"
            .parse()
            .unwrap(),
        amount: "7".parse().unwrap(),
    });
    ActBuilder::new(Digest([1; 32]), Digest([2; 32]), NOW, &SystemRandom).by_customer(
        PrincipalId([3; 16]),
        AccountId([4; 16]),
        kind,
    )
}

fn header<'a>(headers: &'a [(&'static str, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(known, _)| *known == name)?;
    Some(&found.1)
}

#[test]
fn two_acts_never_share_an_id() {
    let (one, other) = (act(), act());
    assert_ne!(one.id, other.id);
    assert_ne!(one.digest(), other.digest());
}

/// A server that rebuilds the base from what it received finds a signature that holds.
#[test]
fn signed_requests_are_of_the_profile() {
    let digest = act().digest();
    let table: [(&str, &str, &[u8], Option<Digest>); 4] = [
        ("GET", "/v1/status", b"", None),
        ("GET", "/log/follow?from=1&wait=2", b"", None),
        ("POST", "/v1/acts", b"{}", Some(digest)),
        ("POST", "/postings", b"", Some(digest)),
    ];
    for (key, name) in [(ed25519(1), "ed25519"), (p256(1), "p256")] {
        let signer = RequestSigner::new(key);
        for (method, target, body, act) in table {
            let authority = "127.0.0.1:7400";
            let unsigned = Unsigned {
                method,
                authority,
                target,
                body,
                act,
            };
            let signed = signer.sign(&unsigned, NOW, &SystemRandom).unwrap();
            let headers = signed.headers();
            let (path, query) = match target.split_once('?') {
                Some((path, query)) => (path, Some(query)),
                None => (target, None),
            };
            let received = Received {
                method,
                authority,
                path,
                query,
                body,
                content_digest: header(&headers, "content-digest"),
                portcullis_act: header(&headers, "portcullis-act"),
                signature_input: header(&headers, "signature-input").unwrap(),
                signature: header(&headers, "signature").unwrap(),
            };
            let rebuilt = received.signed_request().unwrap();
            assert_eq!(rebuilt, signed.evidence(), "{name} {method} {target}");
            let factor = signer.factor();
            let checked = request::check(&rebuilt, factor.key().unwrap(), &Strict).unwrap();
            let parts = checked.parts();
            assert_eq!(parts.key_id, signer.id().to_string());
            assert_eq!(parts.act, act.map(|digest| digest.0));
            assert_eq!(parts.created, NOW.0 / 1000);
        }
    }
}

fn party() -> RelyingParty {
    RelyingParty {
        rp_ids: vec!["localhost".into()],
        origins: vec!["http://localhost:7400".into()],
        top_origins: vec![],
    }
}

fn passkey(disk: &Arc<dyn Disk>) -> DevelopmentPasskey {
    let disk = Arc::clone(disk);
    DevelopmentPasskey::open(p256(9), Mode::Development, disk, "counter".into()).unwrap()
}

#[test]
fn the_development_passkey_is_a_passkey() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(Dir::open(dir.path()).unwrap());
    let (party, digest) = (party(), act().digest());
    let mut known = 0;
    // Opened anew each time: the counter outlives the process.
    for _ in 0..3 {
        let passkey = passkey(&disk);
        let factor = passkey.factor("localhost");
        let assertion = passkey
            .assert(digest, "localhost", "http://localhost:7400")
            .unwrap();
        let credential = Credential {
            key: factor.key().unwrap(),
            counter: known,
        };
        let challenge = challenge_for(&digest.0);
        let verified = passkey::check(&assertion, &credential, &party, &challenge, &Strict);
        let verified = verified.unwrap();
        assert_eq!(
            portcullis_core::factor::factor_id(&assertion.credential.0),
            factor.id()
        );
        assert!(verified.counter() > known);
        known = verified.counter();
        let other = challenge_for(&[0; 32]);
        assert!(passkey::check(&assertion, &credential, &party, &other, &Strict).is_err());
    }
}

#[test]
fn the_development_passkey_stays_in_development() {
    let dir = tempfile::tempdir().unwrap();
    let disk: Arc<dyn Disk> = Arc::new(Dir::open(dir.path()).unwrap());
    let open =
        |key, mode| DevelopmentPasskey::open(key, mode, Arc::clone(&disk), "counter".into()).err();
    let production = open(p256(9), Mode::Production);
    assert!(matches!(production, Some(PasskeyError::NotDevelopment)));
    let wrong_key = open(ed25519(9), Mode::Development);
    assert!(matches!(wrong_key, Some(PasskeyError::NotP256)));
    disk.replace("counter", b"many").unwrap();
    let wrong_counter = open(p256(9), Mode::Development);
    assert!(matches!(wrong_counter, Some(PasskeyError::Counter(_))));
}

#[test]
fn attestations_are_over_the_act_and_hold() {
    let (key, digest, until) = (ed25519(5), act().digest(), Time(NOW.0 + 1));
    let issuer = Issuer::new(IssuerId([6; 16]), Arc::clone(&key));
    let entry = LedgerEntryId([7; 16]);
    for (made, claim) in [
        (issuer.onboarding(digest, until).unwrap(), Claim::Onboarding),
        (
            issuer.debit(digest, entry, until).unwrap(),
            Claim::LedgerDebit { entry },
        ),
    ] {
        assert_eq!(made.statement.claim, claim);
        assert_eq!(made.statement.act, digest);
        let bytes = made.statement.signed_bytes();
        assert!(Strict.verify(key.public_key(), &bytes, &made.signature));
    }
}

/// A URL and the headers that went with it.
type Sent = (String, Vec<(String, String)>);

/// A gate that answers what it is told to, and remembers what it was sent.
#[derive(Default)]
struct Scripted {
    status: u16,
    body: String,
    sent: Mutex<Vec<Sent>>,
}

impl Scripted {
    fn answer(&self, url: &str, headers: &[(&str, &str)]) -> Reply {
        let headers = headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
        self.sent
            .lock()
            .unwrap()
            .push((url.to_owned(), headers.collect()));
        Reply {
            status: self.status,
            body: self.body.clone().into_bytes(),
        }
    }
}

impl Http for Scripted {
    fn get(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        _: u64,
        _: Duration,
    ) -> Result<Reply, HttpError> {
        Ok(self.answer(url, headers))
    }

    fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        _: &[u8],
        _: u64,
        _: Duration,
    ) -> Result<Reply, HttpError> {
        Ok(self.answer(url, headers))
    }
}

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Time {
        NOW
    }
}

fn gate(status: u16, body: String) -> (Gate, Arc<Scripted>) {
    let scripted = Arc::new(Scripted {
        status,
        body,
        ..Scripted::default()
    });
    let machine = Machine {
        clock: Arc::new(Stopped),
        random: Arc::new(SystemRandom),
        http: Arc::clone(&scripted) as Arc<dyn Http>,
    };
    (
        Gate::new("http://gate.example:7400".parse().unwrap(), machine),
        scripted,
    )
}

#[test]
fn an_answer_about_another_act_is_refused() {
    let (signer, act) = (RequestSigner::new(ed25519(1)), act());
    let answer = |digest: Digest| format!(r#"{{"digest":"{digest}","entry":4,"time":5}}"#);
    let (honest, scripted) = gate(200, answer(act.digest()));
    let accepted = honest.submit(&signer, &act, &Evidence::default()).unwrap();
    assert_eq!((accepted.entry, accepted.time), (4, Time(5)));
    let sent = scripted.sent.lock().unwrap();
    let (url, headers) = &sent[0];
    assert_eq!(url, "http://gate.example:7400/v1/acts");
    let has = |name: &str, value: &str| headers.contains(&(name.to_owned(), value.to_owned()));
    assert!(has("portcullis-act", &act.digest().to_string()));
    assert!(has("idempotency-key", &act.id.to_string()));
    assert!(headers.iter().any(|(name, _)| name == "signature"));

    let (lying, _) = gate(200, answer(Digest([9; 32])));
    let fault = lying
        .submit(&signer, &act, &Evidence::default())
        .unwrap_err();
    assert!(matches!(fault, GateError::OtherAct { .. }), "{fault}");
}

#[test]
fn a_refusal_carries_its_reason() {
    let body = r#"{"type":"urn:portcullis:reason:404","title":"debit-consumed","status":422,
        "detail":"The ledger entry already paid.","reason":404,"retry":"never"}"#;
    let (gate, _) = gate(422, body.into());
    let fault = gate.status().unwrap_err();
    assert_eq!(fault.reason(), Some(Reason::DebitConsumed));
    assert!(fault.to_string().contains("404 debit-consumed"), "{fault}");
}

#[test]
fn what_cannot_be_read_says_so() {
    for (status, body) in [(200, "<html>"), (502, "Bad Gateway"), (200, "{}")] {
        let (gate, _) = gate(status, body.to_owned());
        let fault = gate.checkpoint().unwrap_err();
        assert!(
            matches!(fault, GateError::Unreadable { status: s, .. } if s == status),
            "{fault}"
        );
    }
}

#[test]
fn what_is_public_is_asked_without_a_signature() {
    let (gate, scripted) = gate(200, "{}".into());
    let question = Question {
        method: "GET",
        target: "/healthz",
        body: &[],
        act: None,
        once: None,
    };
    gate.send(None, &question).unwrap();
    assert_eq!(scripted.sent.lock().unwrap()[0].1, []);
}

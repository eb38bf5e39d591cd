//! Assertions by an authenticator that we did not write, judged twice: by us and by python-fido2.

use crate::authenticator::Browser;
use crate::device::{ACT, ORIGIN, RP_ID, UP, UV, party};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::passkey::{
    Assertion, Credential, CredentialId, PasskeyFault, challenge_for, check,
};
use portcullis_core::signature::{PublicKey, Signature, Strict};
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

const ES256: i64 = -7;
const EDDSA: i64 = -8;

/// What a client returned, and what it was asked for.
#[derive(Clone)]
struct Returned {
    what: String,
    key: PublicKey,
    challenge: [u8; 32],
    credential: Vec<u8>,
    authenticator_data: Vec<u8>,
    client_data: Vec<u8>,
    signature: Vec<u8>,
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn register(browser: &mut Browser, algorithm: i64) -> PublicKey {
    let options = json!({
        "rp": { "id": RP_ID, "name": "Bank" },
        "user": { "id": base64url(&[1; 16]), "name": "c", "displayName": "C" },
        "challenge": base64url(&[2; 32]),
        "pubKeyCredParams": [{ "type": "public-key", "alg": algorithm }],
    });
    let created = browser.create(ORIGIN, &options);
    let spki = created.response.public_key.unwrap().to_vec();
    if algorithm == ES256 {
        PublicKey::p256(*spki.last_chunk().unwrap()).unwrap()
    } else {
        PublicKey::ed25519(*spki.last_chunk().unwrap()).unwrap()
    }
}

fn assert_over(browser: &mut Browser, key: &PublicKey, act: &[u8; 32]) -> Returned {
    let challenge = challenge_for(act);
    let options = json!({
        "challenge": base64url(&challenge),
        "rpId": RP_ID,
        "userVerification": "required",
    });
    let asserted = browser.get(ORIGIN, &options);
    Returned {
        what: String::new(),
        key: key.clone(),
        challenge,
        credential: asserted.raw_id.to_vec(),
        authenticator_data: asserted.response.authenticator_data.to_vec(),
        client_data: asserted.response.client_data_json.to_vec(),
        signature: asserted.response.signature.to_vec(),
    }
}

impl Returned {
    fn judged_by_us(&self, known: u32) -> Result<u32, PasskeyFault> {
        let signature = Signature::from_client(&self.key, &self.signature)
            .map_err(|_| PasskeyFault::Signature)?;
        let assertion = Assertion {
            credential: CredentialId(self.credential.clone()),
            authenticator_data: self.authenticator_data.clone(),
            client_data: self.client_data.clone(),
            signature,
        };
        let credential = Credential {
            key: &self.key,
            counter: known,
        };
        let party = party();
        check(&assertion, &credential, &party, &self.challenge, &Strict).map(|v| v.counter())
    }

    fn for_the_second_judge(&self) -> Value {
        json!({
            "what": self.what,
            "kind": if matches!(self.key, PublicKey::P256(_)) { "p256" } else { "ed25519" },
            "key": base64url(self.key.as_bytes()),
            "rp_id": RP_ID,
            "origin": ORIGIN,
            "challenge": base64url(&self.challenge),
            "authenticator_data": base64url(&self.authenticator_data),
            "client_data": base64url(&self.client_data),
            "signature": base64url(&self.signature),
            "expect": self.judged_by_us(0).is_ok(),
        })
    }
}

/// The assertion itself, and all that one can easily do to it.
fn variants(good: &Returned, other_key: &PublicKey) -> Vec<Returned> {
    let changed = |what: &str, change: &dyn Fn(&mut Returned)| {
        let mut changed = Returned {
            what: what.into(),
            ..good.clone()
        };
        change(&mut changed);
        changed
    };
    let mut all = vec![
        changed("as returned", &|_| ()),
        changed("another act", &|r| r.challenge = challenge_for(&[0xad; 32])),
        changed("another key", &|r| r.key = other_key.clone()),
        changed("not verified", &|r| r.authenticator_data[32] &= !UV),
        changed("not present", &|r| r.authenticator_data[32] &= !UP),
        changed("another relying party", &|r| r.authenticator_data[0] ^= 1),
        changed("another counter", &|r| r.authenticator_data[36] ^= 2),
        changed("another type", &|r| {
            replace(r, "webauthn.get", "webauthn.create");
        }),
        changed("another origin", &|r| replace(r, "app.bank", "app.tank")),
        changed("a foreign frame", &|r| replace(r, "false", "true")),
        changed("no signature", &|r| r.signature.clear()),
    ];
    for byte in 0..good.signature.len() {
        all.push(changed(&format!("signature byte {byte}"), &|r| {
            r.signature[byte] ^= 1;
        }));
    }
    all
}

fn replace(returned: &mut Returned, from: &str, to: &str) {
    let text = String::from_utf8(returned.client_data.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    returned.client_data = text.replace(from, to).into_bytes();
}

#[test]
fn two_judges_agree_on_a_foreign_authenticator() {
    let mut lines = Vec::new();
    for (algorithm, other) in [(ES256, EDDSA), (EDDSA, ES256)] {
        let mut browser = Browser::new(true, false);
        let key = register(&mut browser, algorithm);
        let other_key = register(&mut Browser::new(true, false), other);
        let good = assert_over(&mut browser, &key, &ACT);
        assert_eq!(good.judged_by_us(0), Ok(0));
        let variants = variants(&good, &other_key);
        let accepted = variants.iter().filter(|v| v.judged_by_us(0).is_ok());
        assert_eq!(
            accepted.map(|v| v.what.as_str()).collect::<Vec<_>>(),
            ["as returned"]
        );
        lines.extend(variants.iter().map(Returned::for_the_second_judge));
    }
    ask_fido2(&lines);
}

#[test]
fn a_counting_authenticator_is_followed() {
    let mut browser = Browser::new(true, true);
    let key = register(&mut browser, ES256);
    let first = assert_over(&mut browser, &key, &ACT);
    let second = assert_over(&mut browser, &key, &ACT);
    let counted = first.judged_by_us(0).unwrap();
    assert!(counted > 0);
    assert!(second.judged_by_us(counted).unwrap() > counted);
    assert_eq!(first.judged_by_us(counted), Err(PasskeyFault::Counter));
}

/// Fails where python-fido2 disagrees; says so where it is not installed.
fn ask_fido2(lines: &[Value]) {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let peers = std::env::var("PEERS").map_or_else(|_| root.join(".peers"), PathBuf::from);
    let python = peers.join("fido/bin/python");
    if !python.exists() {
        println!("skipped: no fido2 (run tests/peers/fido/install)");
        return;
    }
    let mut judge = Command::new(python)
        .arg(root.join("tests/peers/fido/judge.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = judge.stdin.take().unwrap();
    for line in lines {
        writeln!(stdin, "{line}").unwrap();
    }
    drop(stdin);
    let output = judge.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains(&format!(
            "{} assertions judged, 0 disagreements",
            lines.len()
        )),
        "{said}"
    );
}

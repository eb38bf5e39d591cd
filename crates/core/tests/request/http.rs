//! The HTTP edge: what a client sends is what a server rebuilds.

use crate::client::{Client, parts};
use portcullis_core::request::{Base, Headers, Parts, Received, RequestFault, check, headers_for};
use portcullis_core::signature::Strict;
use sha2::{Digest as _, Sha256};

const BODY: &[u8] = br#"{"act":"..."}"#;

/// A request on the wire; `received` borrows from it.
struct Wire {
    parts: Parts,
    headers: Headers,
    body: Vec<u8>,
}

impl Wire {
    fn of(client: &Client) -> Self {
        let digest = Sha256::digest(BODY).into();
        Self::with(
            client,
            Parts {
                content_digest: Some(digest),
                ..client.parts()
            },
            BODY,
        )
    }

    fn with(client: &Client, parts: Parts, body: &[u8]) -> Self {
        let base = Base::new(parts.clone()).unwrap();
        let headers = headers_for(&base, &client.sign(&base.to_bytes()));
        Self {
            parts,
            headers,
            body: body.to_vec(),
        }
    }

    fn received(&self) -> Received<'_> {
        Received {
            method: &self.parts.method,
            authority: &self.parts.authority,
            path: &self.parts.path,
            query: self.parts.query.as_deref(),
            body: &self.body,
            content_digest: self.headers.content_digest.as_deref(),
            portcullis_act: self.headers.portcullis_act.as_deref(),
            signature_input: &self.headers.signature_input,
            signature: &self.headers.signature,
        }
    }
}

#[test]
fn what_was_signed_is_what_is_rebuilt() {
    for client in [Client::Ed25519, Client::P256] {
        let wire = Wire::of(&client);
        let request = wire.received().signed_request().unwrap();
        assert_eq!(
            check(&request, &client.key(), &Strict).unwrap().parts(),
            &wire.parts
        );
    }
    let bare = Parts {
        query: None,
        content_digest: None,
        act: None,
        expires: None,
        ..parts()
    };
    let wire = Wire::with(&Client::Ed25519, bare.clone(), &[]);
    let request = wire.received().signed_request().unwrap();
    assert_eq!(
        check(&request, &Client::Ed25519.key(), &Strict)
            .unwrap()
            .parts(),
        &bare
    );
}

#[test]
fn the_headers_read_as_the_specification_says() {
    let Headers {
        content_digest,
        portcullis_act,
        signature_input,
        signature,
    } = Wire::of(&Client::Ed25519).headers;
    assert!(content_digest.unwrap().starts_with("sha-256=:"));
    assert_eq!(portcullis_act.unwrap(), "ac".repeat(32));
    assert!(signature_input.starts_with("portcullis=(\"@method\" "));
    assert!(signature.starts_with("portcullis=:") && signature.ends_with("==:"));
}

#[test]
fn a_host_in_capitals_and_a_label_of_their_own_are_fine() {
    let wire = Wire::of(&Client::Ed25519);
    let authority = wire.parts.authority.to_uppercase();
    let (input, signature) = (
        wire.headers
            .signature_input
            .replacen("portcullis=", "sig1=", 1),
        wire.headers.signature.replacen("portcullis=", "sig1=", 1),
    );
    let received = Received {
        authority: &authority,
        signature_input: &input,
        signature: &signature,
        ..wire.received()
    };
    let request = received.signed_request().unwrap();
    assert!(check(&request, &Client::Ed25519.key(), &Strict).is_ok());
}

#[test]
fn another_request_under_the_same_headers_does_not_hold() {
    let wire = Wire::of(&Client::Ed25519);
    let received = wire.received();
    let other_act = "ab".repeat(32);
    let rows = [
        (
            "method",
            Received {
                method: "PUT",
                ..received
            },
        ),
        (
            "authority",
            Received {
                authority: "other.example",
                ..received
            },
        ),
        (
            "path",
            Received {
                path: "/v1/act",
                ..received
            },
        ),
        (
            "query",
            Received {
                query: Some("wait=false"),
                ..received
            },
        ),
        (
            "act",
            Received {
                portcullis_act: Some(&other_act),
                ..received
            },
        ),
    ];
    for (what, received) in rows {
        let request = received.signed_request().unwrap();
        let got = check(&request, &Client::Ed25519.key(), &Strict);
        assert_eq!(got, Err(RequestFault::Signature), "{what}");
    }
}

#[test]
fn every_fault_of_the_signature_headers_has_a_row() {
    let wire = Wire::of(&Client::Ed25519);
    let (input, signature) = (&wire.headers.signature_input, &wire.headers.signature);
    let changed = |from: &str, to: &str| input.replacen(from, to, 1);
    let covered = RequestFault::Component("Signature-Input");
    let long = format!("portcullis={}", "a".repeat(4096));
    let unparameterised = changed(";created", "\0")
        .split('\0')
        .next()
        .unwrap()
        .to_string();
    #[rustfmt::skip]
    let inputs = [
        (long.clone(), RequestFault::Size),
        (String::new(), RequestFault::Header("Signature-Input")),
        (format!("{input}, {input}"), RequestFault::Header("Signature-Input")),
        (changed("portcullis=", "Portcullis="), RequestFault::Header("Signature-Input")),
        (changed("\"@path\"", "\"@path\" \"date\""), covered),
        (changed(" \"@query\"", ""), covered),
        (changed("\"@method\" \"@authority\"", "\"@authority\" \"@method\""), covered),
        (unparameterised, RequestFault::Parameter("created")),
        (changed("=1618884473", "=01618884473"), RequestFault::NotCanonical),
        (changed("portcullis=", "other="), RequestFault::Label),
    ];
    for (input, fault) in inputs {
        let received = Received {
            signature_input: &input,
            ..wire.received()
        };
        assert_eq!(received.signed_request(), Err(fault), "{input}");
    }
    let signatures = [
        (long, RequestFault::Size),
        (String::new(), RequestFault::Header("Signature")),
        (
            "portcullis=:AAAA:".into(),
            RequestFault::Header("Signature"),
        ),
        (
            signature.replace(':', ""),
            RequestFault::Header("Signature"),
        ),
        (
            format!("{signature}, {signature}"),
            RequestFault::Header("Signature"),
        ),
    ];
    for (signature, fault) in signatures {
        let received = Received {
            signature: &signature,
            ..wire.received()
        };
        assert_eq!(received.signed_request(), Err(fault), "{signature}");
    }
}

#[test]
fn every_fault_of_the_rest_of_a_request_has_a_row() {
    let wire = Wire::of(&Client::Ed25519);
    let good = wire.received();
    let covered = RequestFault::Component("Signature-Input");
    let digest = RequestFault::Header("Content-Digest");
    let sha512 = Some("sha-512=:AA==:");
    #[rustfmt::skip]
    let rows = [
        (Received { query: None, ..good }, covered),
        (Received { portcullis_act: None, ..good }, covered),
        (Received { portcullis_act: Some("AC"), ..good }, RequestFault::Value("portcullis-act")),
        (Received { content_digest: None, ..good }, digest),
        (Received { body: &[], ..good }, digest),
        (Received { content_digest: None, body: &[], ..good }, covered),
        (Received { body: b"{}", ..good }, RequestFault::ContentDigest),
        (Received { content_digest: sha512, ..good }, RequestFault::Value("content-digest")),
        (Received { path: "/a b", ..good }, RequestFault::Value("@path")),
        (Received { method: "post", ..good }, RequestFault::Value("@method")),
    ];
    for (received, fault) in rows {
        assert_eq!(received.signed_request(), Err(fault), "{received:?}");
    }
}

#[test]
fn a_foreign_client_s_high_s_is_made_low() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let wire = Wire::of(&Client::P256);
    let low = wire.received().signed_request().unwrap().signature;
    let high = with_other_s(*low.as_bytes());
    let signature = format!("portcullis=:{}:", STANDARD.encode(high));
    let received = Received {
        signature: &signature,
        ..wire.received()
    };
    assert_eq!(received.signed_request().unwrap().signature, low);
}

/// `r ‖ n - s`, by two's complement.
fn with_other_s(mut signature: [u8; 64]) -> [u8; 64] {
    let n =
        hex::decode("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").unwrap();
    let mut carry = 1;
    for i in (0..32).rev() {
        let sum = u16::from(n[i]) + u16::from(!signature[32 + i]) + carry;
        signature[32 + i] = sum.to_be_bytes()[1];
        carry = sum >> 8;
    }
    signature
}

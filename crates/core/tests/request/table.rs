//! The signature base: what the profile takes, and one row per fault.

use crate::client::{Client, parts};
use RequestFault::{Component, NotCanonical, NotText, Parameter, Value};
use portcullis_core::request::{
    Algorithm, Base, Parts, RequestFault, SignedRequest, check, parse_base,
};
use portcullis_core::signature::{Signature, Strict};

#[test]
fn every_shape_of_request_is_read_back() {
    let plain = Parts {
        query: None,
        content_digest: None,
        act: None,
        expires: None,
        ..parts()
    };
    let rows = [
        parts(),
        plain.clone(),
        Parts {
            method: "GET".into(),
            path: "/".into(),
            ..plain.clone()
        },
        Parts {
            query: Some(String::new()),
            ..plain.clone()
        },
        Parts {
            query: Some("a=/?&b=%2F".into()),
            ..plain.clone()
        },
        Parts {
            content_digest: Some([1; 32]),
            ..plain.clone()
        },
        Parts {
            act: Some([1; 32]),
            ..plain.clone()
        },
        Parts {
            authority: "[::1]:7000".into(),
            created: 0,
            expires: Some(1),
            ..plain.clone()
        },
        Parts {
            algorithm: Algorithm::EcdsaP256Sha256,
            key_id: "k/1:(x)=~".into(),
            ..plain
        },
    ];
    for parts in rows {
        let base = Base::new(parts.clone()).unwrap();
        let read = parse_base(&base.to_bytes()).unwrap();
        assert_eq!(read.parts(), &parts);
    }
}

#[test]
fn the_base_reads_as_the_specification_says() {
    let text = String::from_utf8(Base::new(parts()).unwrap().to_bytes()).unwrap();
    let lines: Vec<_> = text.split('\n').collect();
    assert_eq!(
        lines,
        [
            r#""@method": POST"#,
            r#""@authority": gate.example:8443"#,
            r#""@path": /v1/acts"#,
            r#""@query": ?wait=true"#,
            r#""content-digest": sha-256=:zc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc3Nzc0=:"#,
            r#""portcullis-act": acacacacacacacacacacacacacacacacacacacacacacacacacacacacacacacac"#,
            concat!(
                r#""@signature-params": ("@method" "@authority" "@path" "@query" "content-digest" "portcullis-act")"#,
                r#";created=1618884473;expires=1618884533;nonce="b3k2pp5k7z-50gnwp_yemd";keyid="test-key";alg="ed25519";tag="portcullis""#,
            ),
        ]
    );
}

/// One change to good parts.
type Change = fn(&mut Parts);

const OUTSIDE: &[(Change, RequestFault)] = &[
    (|p| p.method = "post".into(), RequestFault::Value("@method")),
    (|p| p.method = String::new(), RequestFault::Value("@method")),
    (
        |p| p.method = "A".repeat(17),
        RequestFault::Value("@method"),
    ),
    (
        |p| p.authority = "Gate.example".into(),
        RequestFault::Value("@authority"),
    ),
    (
        |p| p.authority = "gate\n".into(),
        RequestFault::Value("@authority"),
    ),
    (
        |p| p.authority = "a".repeat(256),
        RequestFault::Value("@authority"),
    ),
    (|p| p.path = "v1".into(), RequestFault::Value("@path")),
    (|p| p.path = "/a b".into(), RequestFault::Value("@path")),
    (|p| p.path = "/a?b".into(), RequestFault::Value("@path")),
    (|p| p.path = "/é".into(), RequestFault::Value("@path")),
    (
        |p| p.path = "/\n\"@query\": ?".into(),
        RequestFault::Value("@path"),
    ),
    (
        |p| p.query = Some("a#b".into()),
        RequestFault::Value("@query"),
    ),
    (
        |p| p.query = Some("a".repeat(2049)),
        RequestFault::Value("@query"),
    ),
    (
        |p| p.created = 1_000_000_000_000_000,
        RequestFault::Value("created"),
    ),
    (
        |p| p.expires = Some(u64::MAX),
        RequestFault::Value("expires"),
    ),
    (|p| p.expires = Some(p.created), RequestFault::Expires),
    (|p| p.nonce = "a".repeat(15), RequestFault::Value("nonce")),
    (|p| p.nonce = "a".repeat(65), RequestFault::Value("nonce")),
    (
        |p| p.nonce = "0123456789abcde=".into(),
        RequestFault::Value("nonce"),
    ),
    (|p| p.key_id = String::new(), RequestFault::Value("keyid")),
    (|p| p.key_id = "a".repeat(129), RequestFault::Value("keyid")),
    (|p| p.key_id = "a\"b".into(), RequestFault::Value("keyid")),
    (|p| p.key_id = "a;b".into(), RequestFault::Value("keyid")),
    (|p| p.key_id = "a,b".into(), RequestFault::Value("keyid")),
];

#[test]
fn parts_outside_the_profile_make_no_base() {
    for (change, fault) in OUTSIDE {
        let mut changed = parts();
        change(&mut changed);
        assert_eq!(Base::new(changed.clone()), Err(*fault), "{changed:?}");
    }
    let (path, query) = (format!("/{}", "a".repeat(2047)), Some("a".repeat(2048)));
    assert_eq!(
        Base::new(Parts {
            path,
            query,
            ..parts()
        }),
        Err(RequestFault::Size)
    );
}

/// What is replaced in a good base, once, by what; and the fault.
#[rustfmt::skip]
const FAULTS: &[(&str, &str, RequestFault)] = &[
    ("\"@method\": POST\n", "", Component("@method")),
    ("\"@method\"", "\"@status\"", Component("@method")),
    ("\"@method\": POST", "\"@method\":POST", Component("@method")),
    ("\"@authority\": gate.example:8443\n", "", Component("@authority")),
    ("\"@path\": /v1/acts\n", "", Component("@path")),
    ("\"@query\": ?wait=true\n", "\"date\": now\n", Component("@signature-params")),
    ("\"@signature-params\"", "\"@params\"", Component("@signature-params")),
    ("\")", "\"", Component("@signature-params")),
    ("?wait", "wait", Value("@query")),
    ("sha-256=:", "sha-512=:", Value("content-digest")),
    ("zc0=:", "zc0:", Value("content-digest")),
    ("zc0=:", "zc1=:", Value("content-digest")),
    ("act\": ac", "act\": AC", Value("portcullis-act")),
    ("act\": ac", "act\": ", Value("portcullis-act")),
    (";created=1618884473", "", Parameter("created")),
    ("created=1618884473", "created=-1", Value("created")),
    ("created=1618884473", "created=", Value("created")),
    ("created=1618884473", "created=1e9", Value("created")),
    (";expires", ";nonce=\"0123456789abcdef\";expires", Parameter("keyid")),
    (";nonce=\"b3k2pp5k7z-50gnwp_yemd\"", "", Parameter("nonce")),
    ("nonce=\"b", "nonce=b", Value("nonce")),
    (";keyid=\"test-key\"", "", Parameter("keyid")),
    (";alg=\"ed25519\"", "", Parameter("alg")),
    ("\"ed25519\"", "\"rsa-pss-sha512\"", Value("alg")),
    (";tag=\"portcullis\"", "", Parameter("tag")),
    ("\"portcullis\"", "\"other\"", Value("tag")),
    (" \"@path\"", "", NotCanonical),
    ("(\"@method\"", "(\"@method\";req", NotCanonical),
    ("created=1618884473", "created=01618884473", NotCanonical),
    ("\"portcullis\"", "\"portcullis\";x", NotCanonical),
    ("\"portcullis\"", "\"portcullis\";tag=\"portcullis\"", NotCanonical),
    ("POST", "POST ", Value("@method")),
    ("POST\n", "POST\r\n", Value("@method")),
    ("POST", "PÖST", NotText),
];

#[test]
fn every_fault_of_a_base_has_a_row() {
    let good = String::from_utf8(Base::new(parts()).unwrap().to_bytes()).unwrap();
    for (from, to, fault) in FAULTS {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert_eq!(parse_base(bad.as_bytes()), Err(*fault), "{from} → {to}");
    }
    assert_eq!(
        parse_base(format!("{good}\n").as_bytes()).err(),
        Some(RequestFault::Value("tag"))
    );
    assert_eq!(parse_base(&vec![b'a'; 4097]), Err(RequestFault::Size));
    assert_eq!(parse_base(&[0xff]), Err(RequestFault::NotText));
    assert_eq!(parse_base(&[]), Err(RequestFault::Component("@method")));
}

#[test]
fn a_request_is_good_under_its_own_key_only() {
    for (client, other) in [
        (Client::Ed25519, Client::P256),
        (Client::P256, Client::Ed25519),
    ] {
        let request = client.request();
        let verified = check(&request, &client.key(), &Strict).unwrap();
        assert_eq!(verified.parts(), &client.parts());
        assert_eq!(
            check(&request, &other.key(), &Strict),
            Err(RequestFault::Algorithm)
        );

        let forged = SignedRequest {
            signature: Signature::from_bytes([1; 64]),
            ..request
        };
        assert_eq!(
            check(&forged, &client.key(), &Strict),
            Err(RequestFault::Signature)
        );
    }
}

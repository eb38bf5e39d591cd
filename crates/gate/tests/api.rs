//! The API over real HTTP: what is malformed, oversized, unsigned, stale, re-targeted or repeated gets
//! its number and changes nothing.

#![allow(
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a table of faults is read best in one piece; helpers of tests may unwrap"
)]

mod harness;

use harness::Gate;
use harness::http::{refused, serve};
use portcullis_core::evidence::Stamp;
use portcullis_core::id::BoardId;
use portcullis_core::{Act, Evidence, Reason};
use portcullis_host::Clock as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};

#[test]
fn every_bad_request_gets_its_number_and_changes_nothing() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let (other, _) = gate.withdrawal(&customer, 1, 2_000);
    let served = serve(gate);
    let before = served.shared.state().digest();
    let good = || served.submission(&act, &evidence);

    // The bytes.
    let mut request = good();
    request.body = b"{}".to_vec();
    request.parts.content_digest = Some(Sha256::digest(&request.body).into());
    refused(served.send(request), Reason::Malformed);
    let mut request = good();
    request.parts.act = Some(other.digest().0);
    refused(served.send(request), Reason::DigestMismatch);
    let padded = [served.submission(&act, &evidence).body, vec![b' '; 200_000]].concat();
    let request = served.request("POST", "/v1/acts", Some(act.digest()), padded);
    refused(served.send(request), Reason::TooLarge);

    // The request's signature.
    let mut request = good();
    request.more = vec![("signature", String::new())];
    refused(served.send(request), Reason::RequestMissing);
    let mut request = good();
    request.body.push(b' ');
    refused(served.send(request), Reason::RequestInvalid);
    let mut request = good();
    request.parts.authority = "elsewhere.example".into();
    refused(served.send(request), Reason::RequestInvalid);
    let mut request = good();
    request.parts.created -= 301;
    refused(served.send(request), Reason::RequestStale);
    let mut request = good();
    request.parts.created += 60;
    refused(served.send(request), Reason::RequestStale);

    // A stamp by a board that nobody knows, under no evidence at all, is not worth an entry.
    let stamp = Stamp {
        board: BoardId([9; 16]),
        time: served.clock.now(),
        signature: evidence.assertions[0].signature,
    };
    let stamped = Evidence {
        posted: Some(stamp),
        ..Evidence::default()
    };
    refused(
        served.send(served.submission(&act, &stamped)),
        Reason::StampInvalid,
    );

    // The evidence.
    let none = Evidence {
        assertions: Vec::new(),
        ..evidence.clone()
    };
    refused(
        served.send(served.submission(&act, &none)),
        Reason::FactorMissing,
    );
    refused(
        served.send(served.submission(&other, &evidence)),
        Reason::PasskeyChallenge,
    );
    let mut flipped = evidence.clone();
    flipped.assertions[0].authenticator_data[36] ^= 1;
    refused(
        served.send(served.submission(&act, &flipped)),
        Reason::PasskeySignature,
    );

    assert_eq!(served.shared.state().digest(), before);
    assert_eq!(served.send(good()).0, 200);
    let (status, again) = served.send(good());
    assert_eq!((status, &again["stage"]), (200, &json!("released")));
}

#[test]
fn an_idempotency_key_gives_the_same_answer_and_is_never_burnt_by_a_failure() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let (other, others) = gate.withdrawal(&customer, 1, 2_000);
    let served = serve(gate);
    let keyed = |act: &Act, evidence: &Evidence| {
        let mut request = served.submission(act, evidence);
        request.more = vec![("idempotency-key", "order-4711".into())];
        request
    };
    let bad = Evidence {
        assertions: Vec::new(),
        ..evidence.clone()
    };
    refused(served.send(keyed(&act, &bad)), Reason::FactorMissing);
    let (status, first) = served.send(keyed(&act, &evidence));
    assert_eq!(status, 200, "{first}");
    assert_eq!(served.send(keyed(&act, &evidence)), (200, first));
    refused(served.send(keyed(&other, &others)), Reason::KeyReused);
}

#[test]
fn reads_are_signed_and_what_is_not_there_is_not_found() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let served = serve(gate);
    let account = format!("/v1/accounts/{}", customer.account);
    refused(
        served.raw("GET", &account, &[], &[]),
        Reason::RequestMissing,
    );
    let (status, found) = served.send(served.request("GET", &account, None, Vec::new()));
    assert_eq!((status, &found["frozen"]), (200, &json!(false)));
    let unknown = format!("/v1/acts/{}", "0".repeat(64));
    refused(
        served.send(served.request("GET", &unknown, None, Vec::new())),
        Reason::NotFound,
    );
    for path in [
        "/log/tile/0/x",
        "/log/tile/9/000",
        "/log/tile/entries/000.p/200",
    ] {
        refused(served.raw("GET", path, &[], &[]), Reason::NotFound);
    }
    refused(
        served.raw("POST", "/v1/statements", &[], b"\xff"),
        Reason::Malformed,
    );
    refused(served.raw("GET", "/v1/nothing", &[], &[]), Reason::NotFound);
    refused(
        served.raw("GET", "/log/follow?from=x", &[], &[]),
        Reason::Malformed,
    );
    for path in ["/v1/status", "/v1/checkpoint", "/openapi.json"] {
        assert_eq!(served.raw("GET", path, &[], &[]).0, 200, "{path}");
    }
}

//! The API over real HTTP: what is malformed, oversized, unsigned, stale, re-targeted or repeated gets
//! its number and changes nothing.

#![allow(
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a table of faults is read best in one piece; helpers of tests may unwrap"
)]

mod harness;

use harness::Gate;
use portcullis_core::board::Posting;
use portcullis_core::evidence::Stamp;
use portcullis_core::id::BoardId;
use portcullis_core::request::{Algorithm, Base, Parts, headers_for};
use portcullis_core::{Act, Digest, Evidence, Reason};
use portcullis_gate::sequencer::Shared;
use portcullis_gate::server::Api;
use portcullis_host::{Clock, Http, Reply, SystemRandom, Web};
use portcullis_keeper::testkit::{HandClock, World};
use portcullis_keys::StatementKey;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// A gate that answers on a port.
struct Served {
    authority: String,
    clock: HandClock,
    shared: Arc<Shared>,
    nonce: std::cell::Cell<u64>,
}

fn serve(mut gate: Gate) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let authority = listener.local_addr().unwrap().to_string();
    let (queue, commands) = sync_channel(16);
    let (clock, shared) = (gate.clock.clone(), Arc::clone(&gate.shared));
    let api_clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let random = Arc::new(SystemRandom);
    let api = Api::new(
        Arc::clone(&shared),
        queue,
        api_clock,
        random,
        vec![authority.clone()],
    );
    std::thread::spawn(move || {
        while let Ok(command) = commands.recv() {
            gate.sequencer
                .step(vec![command], gate.clock.now())
                .unwrap();
            gate.cosign();
        }
    });
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, api.router()).await.unwrap();
        });
    });
    Served {
        authority,
        clock,
        shared,
        nonce: std::cell::Cell::new(0),
    }
}

/// What a back end signs, to be spoilt before it is.
struct Request {
    parts: Parts,
    body: Vec<u8>,
    more: Vec<(&'static str, String)>,
}

impl Served {
    fn request(&self, method: &str, path: &str, act: Option<Digest>, body: Vec<u8>) -> Request {
        self.nonce.set(self.nonce.get() + 1);
        let key = World::key(&World::BACK_END.0);
        let factor = portcullis_core::factor::NewFactor::RequestKey {
            key: key.public_key().clone(),
        };
        let digest = (!body.is_empty()).then(|| Sha256::digest(&body).into());
        let parts = Parts {
            method: method.into(),
            authority: self.authority.clone(),
            path: path.into(),
            query: None,
            content_digest: digest,
            act: act.map(|act| act.0),
            created: self.clock.now().0 / 1000,
            expires: None,
            nonce: format!("nonce-number-{:08}", self.nonce.get()),
            key_id: factor.id().to_string(),
            algorithm: Algorithm::of(key.public_key()),
        };
        Request {
            parts,
            body,
            more: Vec::new(),
        }
    }

    fn submission(&self, act: &Act, evidence: &Evidence) -> Request {
        // The back end's signature of the test kit makes room for that of this very request.
        let evidence = Evidence {
            requests: Vec::new(),
            ..evidence.clone()
        };
        let posting = Posting {
            act: act.clone(),
            evidence,
        };
        let body = serde_json::to_vec(&posting).unwrap();
        self.request("POST", "/v1/acts", Some(act.digest()), body)
    }

    fn send(&self, request: Request) -> (u16, Value) {
        let Request { parts, body, more } = request;
        let (method, path) = (parts.method.clone(), parts.path.clone());
        let base = Base::new(parts).unwrap();
        let signature = World::key(&World::BACK_END.0)
            .sign(&base.to_bytes())
            .unwrap();
        let signed = headers_for(&base, &signature);
        let mut headers = vec![
            ("signature-input", signed.signature_input),
            ("signature", signed.signature),
        ];
        headers.extend(
            signed
                .content_digest
                .map(|digest| ("content-digest", digest)),
        );
        headers.extend(signed.portcullis_act.map(|act| ("portcullis-act", act)));
        for (name, value) in more {
            headers.retain(|(known, _)| *known != name);
            headers.push((name, value));
        }
        headers.retain(|(_, value)| !value.is_empty());
        let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        self.raw(&method, &path, &headers, &body)
    }

    fn raw(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Value) {
        let (url, patience) = (
            format!("http://{}{path}", self.authority),
            Duration::from_secs(10),
        );
        let reply = match method {
            "GET" => Web::new().get(&url, headers, 1 << 20, patience),
            _ => Web::new().post(&url, headers, body, 1 << 20, patience),
        };
        let Reply { status, body } = reply.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
    }
}

#[track_caller]
fn refused((status, problem): (u16, Value), reason: Reason) {
    assert_eq!(problem["reason"], reason.number(), "{status} {problem}");
    assert_eq!(problem["type"], reason.problem_type());
    assert_eq!(problem["status"], status);
    assert!(status >= 400);
}

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
    refused(served.send(good()), Reason::Replayed);
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

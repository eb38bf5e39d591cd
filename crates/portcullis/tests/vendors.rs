//! A screening vendor for real: the gate's own question to a real HTTP server, and what becomes of a
//! withdrawal that waits for its answer.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod system;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis_client::Issuer;
use portcullis_core::act::Keys;
use portcullis_core::evidence::Finding;
use portcullis_core::genesis::{Genesis, Issuer as InGenesis, IssuerKind};
use portcullis_core::id::{AttestationId, IssuerId};
use portcullis_core::signature::{PublicKey, Signature, Strict, Verify as _};
use portcullis_core::{Act, Digest, Network as Statement, SignedGenesis};
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};
use system::{Anvil, Network, run, try_run};

const VENDOR: IssuerId = IssuerId([0x64; 16]);
const ETH: &str = "eip155:31337/slip44:60";

/// What the vendor does when it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// It says that its answer comes later.
    Later,
    /// It answers with what is no attestation.
    Babbles,
    /// It attests another act.
    OfAnother,
    Finds(Finding),
}

/// The vendor, which takes only what the journal's key has signed.
struct Vendor {
    gate: PublicKey,
    issuer: Issuer,
    mood: Mutex<Mood>,
    /// How often each act was asked about, by the id of the question.
    asked: Mutex<BTreeMap<(Digest, String), u32>>,
}

impl Vendor {
    fn new(network: &Network) -> Arc<Self> {
        let signed: SignedGenesis = serde_json::from_str(&network.text("genesis.json")).unwrap();
        let statement = Statement::new(signed, &Strict).unwrap();
        let gate = PublicKey::ed25519(*statement.log().public()).unwrap();
        let issuer = Issuer::new(VENDOR, Arc::new(World::key(&VENDOR.0)));
        let (mood, asked) = (Mutex::new(Mood::Later), Mutex::default());
        Arc::new(Self {
            gate,
            issuer,
            mood,
            asked,
        })
    }

    /// Serve on a port, for as long as the runtime lives.
    fn serve(self: &Arc<Self>) -> (String, tokio::runtime::Runtime) {
        let router = Router::new()
            .route("/screen", post(screen))
            .with_state(Arc::clone(self));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.unwrap();
        let url = format!("http://{}/screen", listener.local_addr().unwrap());
        runtime.spawn(async move { axum::serve(listener, router).await });
        (url, runtime)
    }

    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// How often it was asked about an act, and by how many ids.
    fn asked(&self, act: &str) -> (u32, usize) {
        let act: Digest = act.parse().unwrap();
        let asked = self.asked.lock().unwrap();
        let about = || asked.iter().filter(|((of, _), _)| *of == act);
        (about().map(|(_, count)| count).sum(), about().count())
    }

    fn answer(&self, act: &Act) -> Response {
        let id = AttestationId(act.id.0);
        let report = Digest::plain(b"a report about somebody");
        let attest = |of, finding| {
            let attestation = self
                .issuer
                .screening(of, id, (finding, report), act.expires);
            axum::Json(attestation.unwrap()).into_response()
        };
        match *self.mood.lock().unwrap() {
            Mood::Later => StatusCode::ACCEPTED.into_response(),
            Mood::Babbles => "{\"statement\":".into_response(),
            Mood::OfAnother => attest(Digest([0; 32]), Finding::Pass),
            Mood::Finds(finding) => attest(act.digest(), finding),
        }
    }
}

async fn screen(State(vendor): State<Arc<Vendor>>, headers: HeaderMap, body: Bytes) -> Response {
    let Some((id, asked)) = signed(&vendor.gate, &headers, &body) else {
        return StatusCode::FORBIDDEN.into_response();
    };
    assert_eq!(asked["type"], "attestation.wanted");
    assert_eq!(asked["data"]["need"], json!({ "need": "screening" }));
    assert_eq!(asked["data"]["issuer"], json!(VENDOR));
    // Whoever asks may lie: what is attested is the digest of the act that was read.
    let act: Act = serde_json::from_value(asked["data"]["act"].clone()).unwrap();
    assert_eq!(asked["data"]["digest"], json!(act.digest()));
    let mut count = vendor.asked.lock().unwrap();
    *count.entry((act.digest(), id)).or_default() += 1;
    drop(count);
    vendor.answer(&act)
}

/// The question's id and body, if the key signed it (Standard Webhooks, v1a).
fn signed(key: &PublicKey, headers: &HeaderMap, body: &[u8]) -> Option<(String, Value)> {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let (id, sent) = (header("webhook-id")?, header("webhook-timestamp")?);
    let signature = header("webhook-signature")?.strip_prefix("v1a,")?;
    let signature: [u8; 64] = BASE64.decode(signature).ok()?.try_into().ok()?;
    let message = [format!("{id}.{sent}.").as_bytes(), body].concat();
    let holds = Strict.verify(key, &message, &Signature::from_bytes(signature));
    let asked = serde_json::from_slice(body).ok()?;
    holds.then_some((id.to_owned(), asked))
}

#[test]
fn a_withdrawal_waits_for_its_screening() {
    let Some(anvil) = Anvil::start() else { return };
    let mut network = Network::init(&anvil, &[]);
    let vendor = Vendor::new(&network);
    let (url, _runtime) = vendor.serve();
    let file = network.path("gate.toml");
    let config = fs::read_to_string(&file).unwrap();
    let more = format!("\n[issuers]\n{VENDOR} = \"{url}\"\n");
    fs::write(&file, config + &more).unwrap();
    network.start();
    run(&["demo", "--dir", network.dir()]);
    name_the_vendor(&network);
    want_its_word(&network);

    // It answers later, with nonsense, and about something else: the act goes on waiting.
    let held = withdraw(&network, "2000");
    assert_eq!(held["decision"]["needs"], json!([{ "need": "screening" }]));
    let act = held["digest"].as_str().unwrap().to_owned();
    for mood in [Mood::Later, Mood::Babbles, Mood::OfAnother] {
        vendor.is(mood);
        let (before, _) = vendor.asked(&act);
        // A gate that starts again asks again, from state alone.
        network.stop();
        network.start();
        network.until_witnessed();
        network.until("a question", |_| {
            (vendor.asked(&act).0 > before).then_some(())
        });
        assert_eq!(network.stage(&act), "held", "{mood:?}");
    }
    vendor.is(Mood::Finds(Finding::Pass));
    until_stage(&network, &act, "confirmed");
    assert_eq!(vendor.asked(&act).1, 1, "one question has one id");

    a_block_ends_and_what_is_small_is_not_asked_about(&network, &vendor);
    what_stood_is_shown(&network, &act);
    network.stop();
}

fn a_block_ends_and_what_is_small_is_not_asked_about(network: &Network, vendor: &Vendor) {
    vendor.is(Mood::Finds(Finding::Block));
    let blocked = withdraw(network, "2001");
    let blocked = blocked["digest"].as_str().unwrap().to_owned();
    until_stage(network, &blocked, "returned");
    let small = withdraw(network, "7");
    let small = small["digest"].as_str().unwrap().to_owned();
    until_stage(network, &small, "confirmed");
    assert_eq!(vendor.asked(&small), (0, 0));
}

/// By both verifiers; and the whole journal decides the same again.
fn what_stood_is_shown(network: &Network, act: &str) {
    let said = network.shown_by_both(act);
    assert!(said.contains("screening     pass"), "{said}");
    network.until("a cosignature over every entry", |network| {
        let (holds, _) = try_run(&["verify", "--dir", network.dir()]);
        holds.then_some(())
    });
}

/// Two administrators put the vendor beside the issuers of genesis.
fn name_the_vendor(network: &Network) {
    let genesis: Genesis = serde_json::from_value(network.genesis()).unwrap();
    let mut issuers = genesis.issuers;
    let in_force = Keys::Issuers {
        issuers: issuers.clone(),
    };
    issuers.push(InGenesis {
        id: VENDOR,
        kind: IssuerKind::Screening,
        key: World::key(&VENDOR.0).public_key().clone(),
    });
    let kind = json!({
        "type": "rotate", "replaces": in_force.digest(), "keys": Keys::Issuers { issuers },
    });
    let file = network.path("rotate.json");
    fs::write(&file, kind.to_string()).unwrap();
    let file = file.to_str().unwrap();
    let answer = network.call(&["--as", "administrator-1", "--act", file]);
    approve(network, answer["digest"].as_str().unwrap());
}

/// And a policy that wants its word above a thousand wei.
fn want_its_word(network: &Network) {
    let policy = network.path("policy.toml");
    let text = include_str!("../../../policies/screened.toml")
        .replace("eip155:1/", "eip155:31337/")
        .replace("\"1000000000000000000\"", "\"1000\"");
    fs::write(&policy, text).unwrap();
    let policy = policy.to_str().unwrap();
    let said = run(&["policy", "propose", policy, "--dir", network.dir()]);
    let act = said.split("act ").nth(1).unwrap();
    approve(network, act.split_whitespace().next().unwrap());
    // The travel rule wants an issuer that this network does not have.
    let said = run(&["policy", "check", policy, "--dir", network.dir()]);
    assert!(
        said.contains("`very-large-travel-rule` waits for"),
        "{said}"
    );
    assert!(!said.contains("`large-screened` waits for"), "{said}");
    // Nor one who would say that a customer is who it says it is.
    let staff = "there is no issuer of kind identity: 1 of 1 customers";
    assert!(said.contains(staff), "{said}");
}

fn approve(network: &Network, act: &str) {
    // An approver believes only what the witnesses have cosigned, which comes a moment later.
    network.until("the proposal in the approver's own view", |network| {
        let listed = run(&["approve", "--dir", network.dir()]);
        listed.contains(act).then_some(())
    });
    run(&[
        "approve",
        "--dir",
        network.dir(),
        "--as",
        "administrator-2",
        act,
        "--yes",
        &act[..8],
    ]);
    until_stage(network, act, "done");
}

fn until_stage(network: &Network, act: &str, stage: &str) {
    network.until(stage, |network| (network.stage(act) == stage).then_some(()));
}

fn withdraw(network: &Network, amount: &str) -> Value {
    let account = format!("/v1/accounts/{}", network.customer("account"));
    let answer = network.call(&["--as", "auditor", "GET", &account]);
    let to = answer["addresses"][0]["address"].clone();
    let kind = json!({ "type": "withdraw", "asset": ETH, "to": to, "amount": amount });
    network.customers_act(&kind, &["--debit", "new"])
}

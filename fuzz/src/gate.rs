//! Bodies that reach the gate over HTTP, in requests that its back end has signed: behind the
//! signature nobody is trusted any more than before it.

use crate::cbor::says_the_same_in_json;
use crate::world::{posting, state, world};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use portcullis_core::board::Posting;
use portcullis_core::codec::encode;
use portcullis_core::factor::NewFactor;
use portcullis_core::request::{Algorithm, Base, Parts, headers_for};
use portcullis_core::{Digest, State};
use portcullis_gate::sequencer::Sequencer;
use portcullis_gate::server::{Api, MAX_BODY};
use portcullis_gate::{FeeTable, Index};
use portcullis_host::{Clock, Disk, SystemRandom};
use portcullis_journal::{Directory, Journal};
use portcullis_keeper::testkit::{CrashDisk, Dice, HandClock, World};
use portcullis_keys::StatementKey as _;
use std::collections::BTreeMap;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, OnceLock};
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const AUTHORITY: &str = "gate.example";
/// Where bodies go; the first byte of the input chooses.
const PLACES: [&str; 6] = [
    "/v1/acts",
    "/v1/acts/1111111111111111111111111111111111111111111111111111111111111111/evidence",
    "/v1/registrations/options",
    "/v1/registrations",
    "/v1/statements",
    "/v1/acts/%",
];

/// A gate whose sequencer is away: what passes every check is answered with 503.
struct Gate {
    router: Router,
    runtime: Runtime,
}

/// A body is refused with a numbered reason, or passes; it never breaks the gate.
pub(crate) fn http(bytes: &[u8]) -> bool {
    let Some((place, body)) = bytes.split_first() else {
        return false;
    };
    let path = PLACES[usize::from(*place) % PLACES.len()];
    let gate = gate();
    let (status, answer) = gate.runtime.block_on(async {
        let answer = gate.router.clone().oneshot(signed(path, body)).await;
        let answer = answer.expect("a router answers");
        let status = answer.status().as_u16();
        let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await;
        (status, body.expect("a whole answer"))
    });
    if status >= 400 {
        let problem: serde_json::Value = serde_json::from_slice(&answer).expect("a problem");
        assert_eq!(problem["status"], status);
        assert!(problem["reason"].as_u64().is_some_and(|reason| reason > 0));
        assert!(status < 500 || status == 503, "{problem}");
    }
    assert!(body.len() <= MAX_BODY || status == 413);
    status == 503 || status < 300
}

fn signed(path: &str, body: &[u8]) -> Request<Body> {
    let key = World::key(&World::BACK_END.0);
    let factor = NewFactor::RequestKey {
        key: key.public_key().clone(),
    };
    let act = serde_json::from_slice::<Posting>(body).ok();
    let base = Base::new(Parts {
        method: "POST".into(),
        authority: AUTHORITY.into(),
        path: path.into(),
        query: None,
        content_digest: (!body.is_empty()).then(|| Digest::plain(body).0),
        act: act.map(|posting| posting.act.digest().0),
        created: World::START.0 / 1000,
        expires: None,
        nonce: "0123456789abcdef".into(),
        key_id: factor.id().to_string(),
        algorithm: Algorithm::of(key.public_key()),
    });
    let base = base.expect("a good request");
    let signature = key.sign(&base.to_bytes()).expect("a key signs");
    let sent = headers_for(&base, &signature);
    let mut request = Request::post(path).header(header::HOST, AUTHORITY);
    for (name, value) in [
        ("content-digest", sent.content_digest),
        ("portcullis-act", sent.portcullis_act),
        ("signature-input", Some(sent.signature_input)),
        ("signature", Some(sent.signature)),
    ] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    request.body(Body::from(body.to_vec())).expect("a request")
}

fn gate() -> &'static Gate {
    static GATE: OnceLock<Gate> = OnceLock::new();
    GATE.get_or_init(|| {
        let disk: Arc<dyn Disk> = Arc::new(CrashDisk::default());
        let (store, recovered) =
            Directory::open(disk.clone(), 1 << 16, Arc::new(SystemRandom)).expect("a journal");
        let journal = Journal::open(store, &recovered, disk.clone(), 0).expect("a journal");
        let fees = FeeTable::new(&BTreeMap::new());
        let sequencer = Sequencer::new(journal, State::clone(state()), Index::default(), fees);
        let (queue, commands) = sync_channel(1);
        drop(commands);
        let clock: Arc<dyn Clock> = Arc::new(HandClock::at(World::START));
        let random = Arc::new(Dice::default());
        let api = Api::new(
            sequencer.shared(),
            queue,
            clock,
            random,
            disk,
            vec![AUTHORITY.into()],
        );
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Gate {
            router: api.router(),
            runtime: runtime.expect("a runtime"),
        }
    })
}

/// JSON is a spelling of the act, and leads to its one digest.
pub(crate) fn posting_json(bytes: &[u8]) -> bool {
    let Ok(posting) = serde_json::from_slice::<Posting>(bytes) else {
        return false;
    };
    says_the_same_in_json(&posting);
    let again =
        portcullis_core::codec::decode::<portcullis_core::Act>(&encode(&posting.act), usize::MAX);
    assert_eq!(again.map(|act| act.digest()), Ok(posting.act.digest()));
    true
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let posting = posting();
    let json = serde_json::to_vec(&posting).expect("JSON");
    let evidence = serde_json::to_vec(&posting.evidence).expect("JSON");
    let party = &world().network.genesis().parties;
    let rp_id = party.first().map_or("bank.example", |party| {
        party.relying_party.rp_ids[0].as_str()
    });
    let options = serde_json::json!({
        "realm": "customers", "rp_id": rp_id, "rp_name": "A bank", "user": "AAAA", "user_name": "a",
    });
    let at = |place: u8, body: &[u8]| [&[place][..], body].concat();
    vec![
        at(0, &json),
        at(1, &evidence),
        at(2, options.to_string().as_bytes()),
        json,
    ]
}

//! Label sets at the gate: bytes come piece by piece from an administrator, only sets are kept, an act that
//! names others is not journaled, and everybody fetches what is there.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod harness;

use harness::Gate;
use harness::http::{Served, listen, refused, serve};
use portcullis_core::act::{ActKind, LabelsOffered, SetLabels};
use portcullis_core::id::PrincipalId;
use portcullis_core::labels::ListKind;
use portcullis_core::policy::Name;
use portcullis_core::{Digest, Domain, Reason};
use portcullis_host::{Http as _, Web};
use portcullis_keeper::testkit::World;
use portcullis_labels::{Category, Date, Draft, Header, Key, Kind, LabelSet, Rating, Risk};
use serde_json::{Value, json};
use std::time::Duration;

const PIECE: usize = 96 * 1024;

fn set(labels: u32) -> LabelSet {
    let mut draft = Draft::new();
    let rating = Rating {
        risk: Risk::MAX,
        category: Category::Sanction,
    };
    for number in 0..labels {
        let mut address = [0xcc; 20];
        address[..4].copy_from_slice(&number.to_be_bytes());
        let payee = portcullis_chains::Address::Evm { chain: 1, address };
        draft
            .add(Key::try_from(payee).unwrap(), rating, "a case")
            .unwrap();
    }
    let header = Header::new(Kind::Authority, Date::from_days(1).unwrap(), "a court").unwrap();
    draft.build(&header)
}

fn named(set: &LabelSet) -> Digest {
    Digest(set.digest().0)
}

fn put(
    served: &Served,
    who: PrincipalId,
    digest: Digest,
    (from, last): (usize, bool),
    bytes: &[u8],
) -> (u16, Value) {
    let path = format!("/v1/labels/{digest}");
    let mut request = served.request("POST", &path, None, bytes.to_vec());
    request.parts.query = Some(format!("from={from}&last={last}"));
    served.send_as(who, request)
}

fn put_all(served: &Served, digest: Digest, bytes: &[u8]) -> (u16, Value) {
    let mut from = 0;
    loop {
        let rest = &bytes[from..];
        let piece = rest.get(..PIECE).unwrap_or(rest);
        let last = piece.len() == rest.len();
        let answer = put(served, World::administrator(0), digest, (from, last), piece);
        if last {
            return answer;
        }
        from += piece.len();
        assert_eq!(answer, (200, json!({ "next": from, "whole": false })));
    }
}

/// Bytes as they come over the wire.
fn fetch(served: &Served, digest: Digest, from: usize) -> (u16, Vec<u8>) {
    let url = format!("http://{}/v1/labels/{digest}?from={from}", served.authority);
    let reply = Web::new().get(&url, &[], 1 << 20, Duration::from_secs(10));
    let reply = reply.unwrap();
    (reply.status, reply.body)
}

#[test]
fn what_an_administrator_puts_everybody_fetches_in_pieces() {
    let served = serve(Gate::new());
    let set = set(20_000);
    let (digest, bytes) = (named(&set), set.as_bytes());
    assert_eq!(fetch(&served, digest, 0).0, 404);
    assert_eq!(put_all(&served, digest, bytes).1["whole"], true);
    let mut fetched = Vec::new();
    loop {
        let (status, piece) = fetch(&served, digest, fetched.len());
        assert_eq!(status, 200);
        fetched.extend_from_slice(&piece);
        if piece.len() < portcullis_core::follow::LABELS_PIECE {
            break;
        }
    }
    assert_eq!(fetched, bytes);
    assert_eq!(fetch(&served, digest, bytes.len() + 1).0, 404);
    // Put again, it is there already.
    let again = put(&served, World::administrator(0), digest, (0, false), b"x");
    assert_eq!(again.1["whole"], true);
}

#[test]
fn hostile_bytes_are_not_kept() {
    let served = serve(Gate::new());
    let set = set(10);
    let garbage = b"no set at all".to_vec();
    let of_garbage = Digest::of(Domain::Labels, &garbage);
    refused(
        put_all(&served, of_garbage, &garbage),
        Reason::LabelsMalformed,
    );
    refused(
        put_all(&served, named(&set), &garbage),
        Reason::LabelsMalformed,
    );
    for digest in [of_garbage, named(&set)] {
        assert_eq!(fetch(&served, digest, 0).0, 404);
    }
    let by_others = put(
        &served,
        World::BACK_END,
        named(&set),
        (0, true),
        set.as_bytes(),
    );
    refused(by_others, Reason::RoleMissing);
    // A piece out of its order says where to go on.
    let early = put(
        &served,
        World::administrator(0),
        named(&set),
        (5, true),
        b"x",
    );
    assert_eq!(early, (200, json!({ "next": 0, "whole": false })));
}

fn proposal(set: &LabelSet, kind: ListKind) -> ActKind {
    ActKind::SetLabels(SetLabels {
        name: Name("court".into()),
        replaces: None,
        set: Some(LabelsOffered {
            digest: named(set),
            kind,
            from: 0,
            source: "a court".into(),
            labels: u32::try_from(set.len()).unwrap(),
            rejected: Vec::new(),
        }),
    })
}

/// The bytes come first; what the act says of them must be so.
#[test]
fn an_act_without_its_bytes_is_not_journaled() {
    let mut gate = Gate::new();
    let set = set(10);
    let waiting = gate.shared.state().facts().held.len();
    let (served, _commands) = listen(&gate);
    let mut submit = |kind: ActKind| {
        let act = gate.ledger.act(World::administrator(0), kind);
        let evidence = gate.ledger.staffs_evidence(&act);
        gate.submit(act, evidence)
    };
    let lacking = submit(proposal(&set, ListKind::Authority));
    assert_eq!(lacking.unwrap_err(), Reason::LabelsNotHere);
    put_all(&served, named(&set), set.as_bytes());
    let false_kind = submit(proposal(&set, ListKind::Community));
    assert_eq!(false_kind.unwrap_err(), Reason::LabelsNotHere);
    assert!(submit(proposal(&set, ListKind::Authority)).is_ok());
    assert_eq!(gate.shared.state().facts().held.len(), waiting + 1);
    assert_eq!(served.get("/v1/labels").1, json!({ "lists": {} }));
}

/// Sets that nobody proposes give way to later ones; one that an act names stays.
#[test]
fn what_nobody_proposes_gives_way() {
    let served = serve(Gate::new());
    let sets: Vec<LabelSet> = (1..=6).map(set).collect();
    for set in &sets {
        put_all(&served, named(set), set.as_bytes());
    }
    let there = |set: &LabelSet| fetch(&served, named(set), 0).0 == 200;
    let kept: Vec<bool> = sets.iter().map(there).collect();
    assert_eq!(kept, [false, false, true, true, true, true]);
}

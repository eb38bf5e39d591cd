//! Events are what the journal did, in order, for whoever comes back with a cursor; and an act can be tried
//! out before anybody signs it.

#![allow(clippy::unwrap_used, reason = "helpers of tests may unwrap")]

mod harness;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use harness::Gate;
use harness::http::{Served, listen, refused, serve};
use portcullis_core::act::{ActKind, AddAddress, Cancel, Import, RevokeRole};
use portcullis_core::passkey::challenge_for;
use portcullis_core::realm::Role;
use portcullis_core::{Act, Digest, Evidence, Reason, Span};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Customer, World};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};

/// Every event from the entry after this one on, page by page of so many entries.
fn events(served: &Served, after: Option<u64>, limit: u64) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), after);
    loop {
        let after_that = after.map_or(String::new(), |entry| format!("&after={entry}"));
        let mut request = served.request("GET", "/v1/events", None, Vec::new());
        request.parts.query = Some(format!("limit={limit}{after_that}"));
        let (status, page) = served.send(request);
        assert_eq!(status, 200, "{page}");
        all.extend(page["events"].as_array().unwrap().iter().cloned());
        if page["more"] == json!(false) {
            return all;
        }
        assert!(page["next"].as_u64() > after, "{page}");
        after = page["next"].as_u64();
    }
}

/// What became of an act, entry by entry.
fn course(events: &[Value], act: &Act) -> Vec<String> {
    let digest = json!(act.digest());
    let stages = events.iter().flat_map(|event| {
        let own = (event["act"] == digest).then(|| &event["stage"]);
        let others = event["others"].as_array().into_iter().flatten();
        let others = others.filter(|other| other["act"] == digest);
        own.into_iter().chain(others.map(|other| &other["stage"]))
    });
    let stages = stages.filter_map(Value::as_str);
    stages.map(str::to_owned).collect()
}

/// Two withdrawals: one arrives, one is withheld by a freeze after it was signed.
fn story() -> (Gate, Act, Act) {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (arrives, evidence) = gate.withdrawal(&customer, 1, 1_000);
    gate.submit(arrives.clone(), evidence).unwrap();
    gate.pass(Span::seconds(2));
    gate.signed(arrives.digest());
    gate.arrives(arrives.digest());
    let (frozen, evidence) = gate.withdrawal(&customer, 1, 2_000);
    gate.submit(frozen.clone(), evidence).unwrap();
    gate.pass(Span::seconds(2));
    gate.sync();
    let freeze = gate.ledger.customers_act(&customer, ActKind::Freeze);
    let evidence = gate.ledger.customers_evidence(&customer, &freeze);
    gate.submit(freeze, evidence).unwrap();
    gate.pass(Span::seconds(2));
    (gate, arrives, frozen)
}

#[test]
fn every_stage_of_every_act_is_told_once_and_in_order() {
    for restarted in [false, true] {
        let (mut gate, arrives, frozen) = story();
        if restarted {
            gate.restart();
        }
        let served = serve(gate);
        for limit in [1, 3, 1_000] {
            let all = events(&served, None, limit);
            assert_eq!(course(&all, &arrives), ["released", "signed", "confirmed"]);
            // What was taken back is given up: the entry that plans that says so too.
            let course = course(&all, &frozen);
            assert_eq!(course, ["released", "withheld", "withheld"]);
            let entries: Vec<_> = all.iter().map(|e| e["entry"].as_u64().unwrap()).collect();
            assert!(entries.is_sorted_by(|a, b| a < b));
        }
    }
}

#[test]
fn whoever_comes_back_gets_what_came_since() {
    let (gate, _, frozen) = story();
    let served = serve(gate);
    let all = events(&served, None, 1_000);
    let released = all.iter().find(|e| e["act"] == json!(frozen.digest()));
    let at = released.unwrap()["entry"].as_u64().unwrap();
    let since = events(&served, Some(at), 1_000);
    assert_eq!(course(&since, &frozen), ["withheld", "withheld"]);
    let last = all.last().unwrap()["entry"].as_u64().unwrap();
    assert_eq!(events(&served, Some(last + 10), 1_000), Vec::<Value>::new());
}

#[test]
fn a_stream_tells_the_same_with_the_entry_as_its_id() {
    let (gate, arrives, _) = story();
    let served = serve(gate);
    let all = events(&served, None, 1_000);
    let request = served.request("GET", "/v1/events/stream", None, Vec::new());
    let lines = BufReader::new(served.begin(request)).lines();
    let lines: Vec<String> = lines
        .map(Result::unwrap)
        .filter(|line| line.starts_with("id:") || line.starts_with("data:"))
        .take(2 * all.len())
        .collect();
    let told: Vec<(u64, Value)> = lines
        .chunks(2)
        .map(|pair| {
            let (id, data) = match pair[0].strip_prefix("id:") {
                Some(id) => (id, &pair[1]),
                None => (pair[1].strip_prefix("id:").unwrap(), &pair[0]),
            };
            let data = data.strip_prefix("data:").unwrap();
            (
                id.trim().parse().unwrap(),
                serde_json::from_str(data).unwrap(),
            )
        })
        .collect();
    assert!(told.iter().all(|(id, event)| event["entry"] == json!(id)));
    let told: Vec<Value> = told.into_iter().map(|(_, event)| event).collect();
    assert_eq!(told, all);
    assert_eq!(course(&told, &arrives).len(), 3);
}

/// Whoever loses the role while a stream is open reads nothing of what comes after.
#[test]
fn a_stream_ends_with_the_right_to_read() {
    let (mut gate, ..) = story();
    let (served, _commands) = listen(&gate);
    let told = events(&served, None, 1_000).len();
    let request = served.request("GET", "/v1/events/stream", None, Vec::new());
    let lines = BufReader::new(served.begin(request)).lines();
    let mut data = lines
        .map(Result::unwrap)
        .filter(|line| line.starts_with("data:"));
    assert_eq!(data.by_ref().take(told).count(), told);
    gate.sync();
    let revoke = ActKind::RevokeRole(RevokeRole {
        principal: World::BACK_END,
        role: Role::BackEnd,
    });
    let revoke = gate.ledger.act(World::administrator(0), revoke);
    let evidence = gate.ledger.staffs_evidence(&revoke);
    gate.submit(revoke, evidence).unwrap();
    gate.pass(Span::seconds(2));
    assert_eq!(data.next(), None);
}

fn tried(served: &Served, act: &Act, evidence: &Evidence) -> (u16, Value) {
    let mut request = served.submission(act, evidence);
    request.parts.path = "/v1/acts:simulate".into();
    served.send(request)
}

/// Without any evidence the answer says what to ask for, and nothing is used up by asking.
#[test]
fn an_act_is_tried_out_before_anybody_signs_it() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let served = serve(gate);
    let size = served.shared.state().size();
    let (status, trial) = tried(&served, &act, &Evidence::default());
    assert_eq!(status, 200, "{trial}");
    assert_eq!(trial["supposes"], "passkey");
    assert_eq!(trial["decision"]["decision"], "hold");
    assert_eq!(trial["decision"]["needs"], json!([{ "need": "debit" }]));
    let (challenge, id) = (challenge_for(&act.digest().0), &customer.credential);
    let options = json!({
        "challenge": BASE64.encode(challenge), "rpId": "bank.example", "userVerification": "required",
        "allowCredentials": [{ "type": "public-key", "id": BASE64.encode(id) }], "timeout": 300_000,
    });
    assert_eq!(
        trial["options"], options,
        "ready for the customer's browser"
    );
    let (_, trial) = tried(&served, &act, &evidence);
    assert_eq!(trial["decision"], json!({ "decision": "release" }));
    assert_eq!(trial["supposes"], Value::Null);
    assert_eq!(trial["options"], Value::Null, "it has been asserted");
    assert_eq!(served.shared.state().size(), size);
    assert_eq!(served.send(served.submission(&act, &evidence)).0, 200);
    let (_, trial) = tried(&served, &act, &evidence);
    assert_eq!(trial["decision"]["reason"], "replayed");
}

/// Whoever was imported with two passkeys may take either.
#[test]
fn each_imported_passkey_is_asked_for() {
    let mut gate = Gate::new();
    let customer = Customer::number(1);
    let other = customer.with_new_passkey(9);
    gate.sync();
    let imported = Import {
        source: "legacy".into(),
        exported: World::START,
        record: Digest([0x4e; 32]),
        also: vec![other.factor()],
    };
    gate.open(&customer, Some(imported));
    let address = World::address(1);
    let add = ActKind::AddAddress(AddAddress { address });
    let act = gate.ledger.customers_act(&customer, add);
    let served = serve(gate);
    let (status, trial) = tried(&served, &act, &Evidence::default());
    assert_eq!(status, 200, "{trial}");
    let allowed = trial["options"]["allowCredentials"].as_array().unwrap();
    assert_eq!(allowed.len(), 2, "{trial}");
    for passkey in [&customer, &other] {
        let id = json!(BASE64.encode(&passkey.credential));
        assert!(allowed.iter().any(|one| one["id"] == id), "{trial}");
    }
}

/// A gate that was only asked what would be has nothing that it could journal.
#[test]
fn a_trial_is_no_evidence() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let now = gate.clock.now();
    let asked = World::request_to("/v1/acts:simulate", World::BACK_END, &act, now);
    let evidence = Evidence {
        requests: vec![asked],
        ..evidence
    };
    let outcome = gate.submit(act, evidence);
    assert_eq!(outcome.unwrap_err(), Reason::RequestInvalid);
}

#[test]
fn only_staff_reads_events_and_tries_acts_out() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let served = serve(gate);
    for path in ["/v1/events", "/v1/events/stream"] {
        refused(served.raw("GET", path, &[], &[]), Reason::RequestMissing);
    }
    let other = Act {
        kind: ActKind::Cancel(Cancel { act: act.digest() }),
        ..act.clone()
    };
    let mut request = served.submission(&act, &evidence);
    request.parts.path = "/v1/acts:simulate".into();
    request.parts.act = Some(other.digest().0);
    refused(served.send(request), Reason::DigestMismatch);
}

//! An act that was accepted is answered with where it stands, whoever asks again, however late.

#![allow(
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "every stage stands in one journal; helpers of tests may unwrap"
)]

mod harness;

use harness::Gate;
use harness::http::{Request, Served, listen, refused, serve};
use portcullis_core::act::{ActKind, Approve, Cancel};
use portcullis_core::evidence::Claim;
use portcullis_core::statement::Says;
use portcullis_core::{Act, Digest, Evidence, Reason, Span};
use portcullis_keeper::testkit::World;
use serde_json::{Value, json};

fn keyed(served: &Served, act: &Act, evidence: &Evidence) -> Request {
    let mut request = served.submission(act, evidence);
    request.more = vec![("idempotency-key", "order-4711".into())];
    request
}

fn stage(served: &Served, act: Digest) -> Value {
    let (status, standing) = served.get(&format!("/v1/acts/{act}"));
    assert_eq!(status, 200, "{standing}");
    standing["stage"].clone()
}

/// A withdrawal without its debit: it is held.
fn unpaid(gate: &mut Gate) -> (Act, Evidence) {
    let customer = gate.customer(1);
    let (act, mut evidence) = gate.withdrawal(&customer, 1, 1_000);
    let is_debit = |claim: &Claim| matches!(claim, Claim::LedgerDebit { .. });
    evidence
        .attestations
        .retain(|a| !is_debit(&a.statement.claim));
    (act, evidence)
}

#[test]
fn an_accepted_act_that_has_expired_is_never_answered_as_if_it_were_new() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let digest = act.digest();
    // The answer was lost, and so was the memory of keys.
    let taken = gate.submit(act.clone(), evidence.clone()).unwrap();
    gate.pass(Span::seconds(2));
    gate.restart();
    let served = serve(gate);
    served.clock.pass(Span::hours(25));
    for request in [
        served.submission(&act, &evidence),
        keyed(&served, &act, &evidence),
    ] {
        let (status, answer) = served.send(request);
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["digest"], json!(digest));
        assert_eq!(answer["entry"], json!(taken.entry));
        assert_eq!(answer["stage"], "released");
        assert_eq!(answer["decision"]["decision"], "release");
    }
}

#[test]
fn a_held_act_that_is_sent_again_is_still_held() {
    let mut gate = Gate::new();
    let (act, evidence) = unpaid(&mut gate);
    let served = serve(gate);
    assert_eq!(served.send(served.submission(&act, &evidence)).0, 202);
    let (status, again) = served.send(served.submission(&act, &evidence));
    assert_eq!((status, &again["stage"]), (202, &json!("held")));
}

/// Whoever asks again under the same key must not be told to bring what it has brought since.
#[test]
fn the_same_key_tells_where_the_act_stands_by_now() {
    let mut gate = Gate::new();
    let (act, evidence) = unpaid(&mut gate);
    let debit = Evidence {
        attestations: vec![gate.ledger.debit(&act)],
        ..Evidence::default()
    };
    let served = serve(gate);
    let (status, first) = served.send(keyed(&served, &act, &evidence));
    assert_eq!((status, &first["stage"]), (202, &Value::Null));
    let path = format!("/v1/acts/{}/evidence", act.digest());
    let paid = serde_json::to_vec(&debit).unwrap();
    let (status, answer) = served.send(served.request("POST", &path, Some(act.digest()), paid));
    assert_eq!(status, 200, "{answer}");
    // It goes out with the next tick.
    let (status, again) = (0..10_000)
        .map(|_| served.send(keyed(&served, &act, &evidence)))
        .find(|(_, again)| again["stage"] == "released")
        .unwrap();
    assert_eq!((&again["entry"], status), (&first["entry"], 200), "{again}");
}

/// A refusal on record is final: whoever asks again gets it again, and nothing is journaled for it.
#[test]
fn an_act_that_was_refused_on_record_is_refused_for_the_same_reason_for_ever() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (act, evidence) = gate.withdrawal(&customer, 1, u128::from(u64::MAX) * 1_000);
    let refusal = gate.submit(act.clone(), evidence.clone()).unwrap_err();
    assert_eq!(refusal, Reason::OverHourLimit);
    gate.pass(Span::seconds(2));
    gate.restart();
    let served = serve(gate);
    for _ in 0..2 {
        let size = served.shared.state().size();
        refused(served.send(served.submission(&act, &evidence)), refusal);
        assert_eq!(served.shared.state().size(), size);
        served.clock.pass(Span::hours(25));
    }
    let (_, standing) = served.get(&format!("/v1/acts/{}", act.digest()));
    assert_eq!(
        (&standing["stage"], &standing["reason"]),
        (&json!("refused"), &json!("over-hour-limit"))
    );
}

/// Hung up on, the gate still works: the key is not free while the sequencer may journal the act.
#[test]
fn a_client_that_hangs_up_does_not_free_its_key() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let (served, commands) = listen(&gate);
    let stream = served.begin(keyed(&served, &act, &evidence));
    let command = commands.recv().unwrap();
    drop(stream);
    // However soon the gate notices that the client has gone.
    for _ in 0..20 {
        let again = served.send(keyed(&served, &act, &evidence));
        refused(again, Reason::InProgress);
    }
    gate.take(command);
    let last = (0..1_000)
        .map(|_| served.send(keyed(&served, &act, &evidence)))
        .find(|(status, _)| *status == 200);
    let (_, answer) = last.unwrap();
    assert_eq!(answer["decision"]["decision"], "release");
    assert_eq!(answer["stage"], "released");
}

#[test]
fn a_key_is_its_callers_own_and_stands_for_the_whole_payload() {
    let mut gate = Gate::new();
    let (act, evidence) = unpaid(&mut gate);
    let served = serve(gate);
    let (status, first) = served.send(keyed(&served, &act, &evidence));
    assert_eq!(status, 202, "{first}");
    let (status, again) = served.send(keyed(&served, &act, &evidence));
    assert_eq!((status, &again["entry"]), (202, &first["entry"]));
    assert_eq!(again["stage"], "held");
    // The same act with other evidence is another payload.
    refused(
        served.send(keyed(&served, &act, &Evidence::default())),
        Reason::KeyReused,
    );
    // Another caller knows nothing of this one's keys.
    let by_another = served.send_as(World::OPERATOR, keyed(&served, &act, &evidence));
    assert_eq!(
        (by_another.0, &by_another.1["stage"]),
        (202, &json!("held"))
    );
}

#[test]
fn evidence_that_is_sent_again_under_its_key_is_taken_once() {
    let mut gate = Gate::new();
    let (act, evidence) = unpaid(&mut gate);
    let digest = act.digest();
    let debit = Evidence {
        attestations: vec![gate.ledger.debit(&act)],
        ..Evidence::default()
    };
    gate.submit(act, evidence).unwrap();
    let served = serve(gate);
    let path = format!("/v1/acts/{digest}/evidence");
    let request = || {
        let body = serde_json::to_vec(&debit).unwrap();
        let mut request = served.request("POST", &path, Some(digest), body);
        request.more = vec![("idempotency-key", "debit-4711".into())];
        request
    };
    let (status, first) = served.send(request());
    assert_eq!(status, 200, "{first}");
    let size = served.shared.state().size();
    assert_eq!(served.send(request()), (200, first));
    assert_eq!(served.shared.state().size(), size);
    let mut other = request();
    other.body = b"{}".to_vec();
    let other = Request {
        more: other.more,
        ..served.request("POST", &path, Some(digest), other.body)
    };
    refused(served.send(other), Reason::KeyReused);
}

/// Every stage, as it is, after a day when state has forgotten it, and after a restart.
#[test]
fn where_an_act_stands_is_known_for_ever() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let mut expected: Vec<(Digest, &str)> = Vec::new();
    let mut withdraw = |gate: &mut Gate, paid: bool, stage| {
        let (act, mut evidence) = gate.withdrawal(&customer, 1, 1_000);
        if !paid {
            evidence.attestations.clear();
        }
        let digest = act.digest();
        gate.submit(act, evidence).unwrap();
        expected.push((digest, stage));
        digest
    };
    withdraw(&mut gate, false, "held");
    withdraw(&mut gate, true, "released");
    let signed = withdraw(&mut gate, true, "signed");
    gate.signed(signed);
    let arrived = withdraw(&mut gate, true, "confirmed");
    let transaction = gate.arrives(arrived);
    let reverted = withdraw(&mut gate, true, "returned");
    let by = gate.signed(reverted);
    gate.say(Says::Reverted {
        act: reverted,
        transaction: by,
        block: 8,
        block_hash: Digest([8; 32]),
    });
    let cancelled = withdraw(&mut gate, false, "returned");
    gate.sync();
    let cancel = ActKind::Cancel(Cancel { act: cancelled });
    let cancel = gate.ledger.customers_act(&customer, cancel);
    let evidence = gate.ledger.customers_evidence(&customer, &cancel);
    expected.push((cancel.digest(), "done"));
    gate.submit(cancel, evidence).unwrap();
    // Refused, and journaled, since somebody asked for it; what it names stays unknown.
    let unknown = Digest([7; 32]);
    gate.sync();
    let approve = ActKind::Approve(Approve { act: unknown });
    let approve = gate.ledger.act(World::administrator(0), approve);
    let evidence = gate.ledger.staffs_evidence(&approve);
    expected.push((approve.digest(), "refused"));
    let refusal = gate.submit(approve.clone(), evidence).unwrap_err();
    assert_eq!(refusal, Reason::ActUnknown);

    let check = |mut gate: Gate| {
        gate.pass(Span::seconds(2));
        let served = serve(gate);
        for (act, expected) in &expected {
            assert_eq!(stage(&served, *act), *expected, "{act}");
        }
        let (_, standing) = served.get(&format!("/v1/acts/{arrived}"));
        assert_eq!(standing["transactions"], json!([transaction]));
        let (_, standing) = served.get(&format!("/v1/acts/{}", approve.digest()));
        assert_eq!(standing["reason"], "act-unknown");
        refused(served.get(&format!("/v1/acts/{unknown}")), Reason::NotFound);
        served.shared.state().facts().ended.len()
    };
    let (world, disk) = (gate.ledger.world.clone(), gate.disk.clone());
    let clock = gate.clock.clone();
    assert!(check(gate) > 0);
    clock.pass(Span::hours(25));
    let mut later = Gate::again(&world, &disk, &clock);
    later.customer(2);
    let known = check(later);
    assert_eq!(known, 0, "state remembers still: this shows nothing");
}

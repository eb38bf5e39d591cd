//! The API over real HTTP: what is malformed, oversized, unsigned, stale, re-targeted or repeated gets
//! its number and changes nothing.

#![allow(
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a table of faults is read best in one piece; helpers of tests may unwrap"
)]

mod harness;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use harness::Gate;
use harness::http::{Served, listen, refused, serve};
use portcullis_core::act::{ActKind, Cancel, RaiseEpoch, RevokeRole, Scope, SetLimits};
use portcullis_core::board::Posting;
use portcullis_core::evidence::Stamp;
use portcullis_core::id::BoardId;
use portcullis_core::limits::Limits;
use portcullis_core::realm::{Realm, Role};
use portcullis_core::statement::Says;
use portcullis_core::{Act, Digest, Evidence, Reason, Span};
use portcullis_gate::sequencer::body_digest;
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;
use serde_json::{Value, json};
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
    let answer = served.send(request);
    // Which member it is stands beside the number.
    assert!(
        answer.1["at"]
            .as_str()
            .unwrap()
            .contains("missing field `act`"),
        "{}",
        answer.1
    );
    refused(answer, Reason::Malformed);
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
    let answer = served.send(request);
    // Which rule it breaks stands beside the number.
    let at = answer.1["at"].as_str().unwrap();
    assert!(at.contains("Content-Digest"), "{at}");
    refused(answer, Reason::RequestInvalid);
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
    let (status, mut again) = served.send(keyed(&act, &evidence));
    let stage = again.as_object_mut().unwrap().remove("stage");
    assert_eq!((status, again), (200, first));
    assert_eq!(stage, Some(json!("released")));
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
    assert_eq!(found["holders"][0]["factors"][0]["counts"], json!(true));
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

/// An idle gate journals the newest head where a posting on a board names it. Anybody who could say so
/// over HTTP could have an entry for every head.
#[test]
fn a_stamp_over_http_is_no_posting_and_journals_no_checkpoint() {
    let mut gate = Gate::new();
    let unknown = Digest([7; 32]);
    let cancel = ActKind::Cancel(Cancel { act: unknown });
    let cancel = gate.ledger.act(World::BACK_END, cancel);
    let served = serve(gate);
    let newest = served.shared.published.newest().unwrap();
    let act = Act {
        checkpoint: body_digest(&newest.note).unwrap(),
        ..cancel
    };
    let known = |act: &Act| {
        let state = served.shared.state();
        state.facts().checkpoints.contains_key(&act.checkpoint)
    };
    assert!(!known(&act));
    let time = served.clock.now();
    let bytes = Stamp::signed_bytes(World::BOARD, act.digest(), time);
    let stamped = Evidence {
        posted: Some(Stamp {
            board: World::BOARD,
            time,
            signature: World::key(&World::BOARD.0).sign(&bytes).unwrap(),
        }),
        ..Evidence::default()
    };
    let size = served.shared.state().size();
    let request = served.submission(&act, &stamped);
    refused(served.send(request), Reason::StampInvalid);
    assert_eq!(served.shared.state().size(), size);
    let path = format!("/v1/acts/{unknown}/evidence");
    let body = serde_json::to_vec(&stamped).unwrap();
    let request = served.request("POST", &path, Some(unknown), body);
    refused(served.send(request), Reason::StampInvalid);
}

/// Whoever saw a signed request, refused or not, gains nothing by sending it again.
#[test]
fn a_signed_request_counts_once_and_only_while_it_is_fresh() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    // An act that takes away is decided again, so its refusal would be journaled again.
    let cancel = ActKind::Cancel(Cancel {
        act: Digest([7; 32]),
    });
    let cancel = gate.ledger.act(World::BACK_END, cancel);
    let served = serve(gate);
    let refusable = served.submission(&cancel, &Evidence::default());
    refused(served.send(refusable.clone()), Reason::ActUnknown);
    let size = served.shared.state().size();
    refused(served.send(refusable), Reason::RequestReplayed);
    assert_eq!(served.shared.state().size(), size);
    // Signed anew it is decided anew.
    let anew = served.submission(&cancel, &Evidence::default());
    refused(served.send(anew), Reason::ActUnknown);
    assert_eq!(served.shared.index().act(cancel.digest()).len(), 2);

    let account = format!("/v1/accounts/{}", customer.account);
    let read = || served.request("GET", &account, None, Vec::new());
    assert_eq!(served.send(read()).0, 200);
    let mut ahead = read();
    ahead.parts.created += 31;
    refused(served.send(ahead), Reason::RequestStale);
    let mut old = read();
    old.parts.created -= 301;
    refused(served.send(old), Reason::RequestStale);
    let mut expired = read();
    expired.parts.created -= 20;
    expired.parts.expires = Some(expired.parts.created + 10);
    refused(served.send(expired), Reason::RequestStale);
}

/// The gate comes back at the wrong moment, and somebody has to stop withdrawals.
#[test]
fn a_gate_that_starts_while_the_witnesses_are_silent_can_be_stopped() {
    let mut gate = Gate::new();
    gate.customer(1);
    gate.sync();
    gate.restart_in_silence();
    let (suspend, evidence) = gate.ledger.suspension(Scope::Withdrawals);
    let (served, _commands) = listen(&gate);
    let (status, named) = served.raw("GET", "/v1/checkpoint", &[], &[]);
    assert_eq!(
        (status, &named["digest"]),
        (200, &json!(suspend.checkpoint))
    );
    gate.submit(suspend, evidence).unwrap();
    assert_eq!(gate.shared.state().facts().suspensions.len(), 1);
}

/// A revoked role leaves the factor, whose signature still holds.
#[test]
fn whoever_has_lost_every_role_reads_nothing() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let digest = act.digest();
    gate.submit(act, evidence).unwrap();
    let revoke = ActKind::RevokeRole(RevokeRole {
        principal: World::BACK_END,
        role: Role::BackEnd,
    });
    gate.sync();
    let act = gate.ledger.act(World::administrator(0), revoke);
    let evidence = gate.ledger.staffs_evidence(&act);
    gate.submit(act, evidence).unwrap();
    let served = serve(gate);
    for path in [
        format!("/v1/accounts/{}", customer.account),
        format!("/v1/acts/{digest}"),
        format!("/v1/acts/{digest}/receipt"),
    ] {
        let request = served.request("GET", &path, None, Vec::new());
        refused(served.send(request), Reason::RoleMissing);
    }
}

/// One that an epoch ended was available once, and never counts again.
#[test]
fn an_account_says_which_factors_count_no_more() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let raise = ActKind::RaiseEpoch(RaiseEpoch {
        realm: Realm::Customers,
        factors: None,
    });
    let act = gate.ledger.act(World::administrator(0), raise);
    let evidence = gate.ledger.staffs_evidence(&act);
    gate.submit(act, evidence).unwrap();
    let served = serve(gate);
    let (status, found) = served.get(&format!("/v1/accounts/{}", customer.account));
    let factor = &found["holders"][0]["factors"][0];
    assert_eq!((status, &factor["counts"]), (200, &json!(false)));
    assert!(factor["available_at"].is_u64(), "{factor}");
}

#[test]
fn an_act_has_a_cap_of_its_own() {
    let mut gate = Gate::new();
    gate.customer(1);
    gate.sync();
    let rule = gate.ledger.state.facts().limits.rules[0].clone();
    let limits = |count| Limits {
        rules: vec![rule.clone(); count],
    };
    let set = |count| {
        ActKind::SetLimits(SetLimits {
            replaces: limits(1).digest(),
            limits: limits(count),
        })
    };
    let act = gate.ledger.act(World::administrator(0), set(450));
    assert!(act.is_too_large());
    let evidence = gate.ledger.staffs_evidence(&act);
    let served = serve(gate);
    let posting = serde_json::to_vec(&Posting {
        act: act.clone(),
        evidence,
    });
    let posting = posting.unwrap();
    assert!(posting.len() < 128 * 1024);
    let request = served.request("POST", "/v1/acts", Some(act.digest()), posting);
    refused(served.send(request), Reason::TooLarge);
}

#[test]
fn a_registration_is_excluded_conveyed_and_refused_by_number() {
    let mut gate = Gate::new();
    gate.customer(1);
    let served = serve(gate);
    let post = |path: &str, body: Value| {
        let body = serde_json::to_vec(&body).unwrap();
        served.send(served.request("POST", path, None, body))
    };
    let ask = json!({
        "realm": "customers", "rp_id": "bank.example", "rp_name": "Bank", "user": "AQID",
        "user_name": "someone", "exclude": ["BAUG"], "attestation": "direct",
    });
    let (status, options) = post("/v1/registrations/options", ask);
    assert_eq!(status, 200, "{options}");
    assert_eq!(options["excludeCredentials"][0]["id"], "BAUG");
    assert_eq!(options["attestation"], "direct");
    let challenge = options["challenge"].as_str().unwrap();
    let client_data = format!(
        "{{\"type\":\"webauthn.create\",\"challenge\":\"{challenge}\",\
         \"origin\":\"https://elsewhere.example\",\"crossOrigin\":false}}"
    );
    let finish = |challenge: &str| {
        let response = json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(&client_data), "attestationObject": "AQID",
        });
        json!({ "challenge": challenge, "credential": { "rawId": "BAUG", "response": response } })
    };
    refused(
        post("/v1/registrations", finish(challenge)),
        Reason::PasskeyOrigin,
    );
    // A challenge serves once.
    refused(
        post("/v1/registrations", finish(challenge)),
        Reason::PasskeyChallenge,
    );
}

/// What a suspension has stopped, and what it came too late for.
#[test]
fn status_tells_of_each_suspension_who_has_it_and_what_was_signed_earlier() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let out = act.digest();
    gate.submit(act, evidence).unwrap();
    gate.signed(out);
    gate.sync();
    let (act, evidence) = gate.ledger.suspension(Scope::Withdrawals);
    let by = act.digest();
    gate.submit(act, evidence).unwrap();
    let look =
        |served: &Served| served.raw("GET", "/v1/status", &[], &[]).1["suspensions"][0].clone();
    let (served, _commands) = listen(&gate);
    let now = look(&served);
    assert_eq!(now["state"], "recorded");
    assert_eq!(now["missing"], json!([World::KEEPER]));
    assert_eq!(now["signed_earlier"], json!([out]));
    assert_eq!(now["signed_earlier_count"], 1);
    // Without the keeper's word every lease runs out.
    gate.cosign();
    gate.pass(Span::seconds(8));
    let now = look(&served);
    assert_eq!(
        (&now["state"], &now["missing"]),
        (&json!("stopped"), &json!([World::KEEPER]))
    );
    gate.say(Says::Stopped { suspension: by });
    assert_eq!(look(&served)["missing"], json!([]));
    // Another scope takes in nothing of it.
    gate.sync();
    let (act, evidence) = gate.ledger.suspension(Scope::Asset(World::TOKEN));
    let by = json!(act.digest());
    gate.submit(act, evidence).unwrap();
    let (_, status) = served.raw("GET", "/v1/status", &[], &[]);
    let all = status["suspensions"].as_array().unwrap();
    let withheld = json!([{ "act": out, "why": "suspended" }]);
    assert_eq!(
        (&status["withheld"], &status["withheld_count"]),
        (&withheld, &json!(1))
    );
    let metrics = served.plain(served.request("GET", "/metrics", None, Vec::new()));
    assert!(
        metrics.contains("\nportcullis_releases_withheld 1\n"),
        "{metrics}"
    );
    let other = all.iter().find(|one| one["by"] == by).unwrap();
    assert_eq!(other["signed_earlier"], json!([]));
}

/// One operator's key makes suspensions without end; what anybody may ask for stays small.
#[test]
fn status_lists_so_many_suspensions_and_releases_and_counts_the_rest() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let out: Vec<Digest> = (0..12)
        .map(|_| {
            let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
            let digest = act.digest();
            gate.submit(act, evidence).unwrap();
            gate.signed(digest);
            gate.sync();
            digest
        })
        .collect();
    for _ in 0..101 {
        let (act, evidence) = gate.ledger.suspension(Scope::Account(customer.account));
        gate.submit(act, evidence).unwrap();
    }
    let (served, _commands) = listen(&gate);
    let (_, status) = served.raw("GET", "/v1/status", &[], &[]);
    assert_eq!(status["suspensions_count"], 101);
    let listed = status["suspensions"].as_array().unwrap();
    assert_eq!(listed.len(), 100);
    for suspension in listed {
        assert_eq!(suspension["signed_earlier_count"], out.len());
        assert_eq!(suspension["signed_earlier"].as_array().unwrap().len(), 10);
    }
    assert_eq!(status["withheld_count"], out.len());
    assert_eq!(status["withheld"].as_array().unwrap().len(), out.len());
}

//! What was lost and came back, as the gate serves it: recoveries settle by themselves, receipts that rest
//! on them hold, and status shows how far re-enrolment has come.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod harness;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use harness::Gate;
use harness::http::{listen, serve};
use portcullis_core::act::{
    ActKind, AddAddress, Approve, Cancel, EnrolFactor, Keys, RaiseEpoch, Recover, Rotate,
};
use portcullis_core::evidence::{Attestation, AttestationStatement, Claim};
use portcullis_core::genesis::{Issuer, IssuerKind, Member};
use portcullis_core::id::{IssuerId, PrincipalId};
use portcullis_core::passkey::challenge_for;
use portcullis_core::realm::{Realm, Role};
use portcullis_core::receipt::{Receipt, verify};
use portcullis_core::signature::Strict;
use portcullis_core::{Act, Digest, Span};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Customer, World, id};
use portcullis_keys::StatementKey as _;
use serde_json::{Value, json};

const SUPPORT: [u8; 2] = [0x22, 0x23];
const FRESH: u8 = 0xe1;

fn gate() -> Gate {
    Gate::of(World::with(|genesis| {
        genesis.issuers.push(Issuer {
            id: IssuerId(id(0x63)),
            kind: IssuerKind::Identity,
            key: World::key(&id(0x63)).public_key().clone(),
        });
        genesis.staff.extend(SUPPORT.map(|seed| Member {
            principal: PrincipalId(id(seed)),
            roles: vec![Role::Support],
            factors: vec![portcullis_core::factor::NewFactor::RequestKey {
                key: World::key(&id(seed)).public_key().clone(),
            }],
        }));
    }))
}

fn staff(gate: &mut Gate, who: PrincipalId, kind: ActKind) -> Digest {
    gate.sync();
    let act = gate.ledger.act(who, kind);
    let evidence = gate.ledger.staffs_evidence(&act);
    let digest = act.digest();
    gate.submit(act, evidence).unwrap();
    digest
}

fn recovery(gate: &mut Gate, who: PrincipalId, customer: &Customer, next: &Customer) -> Act {
    gate.sync();
    let kind = ActKind::Recover(Recover {
        principal: customer.principal,
        factor: next.factor(),
    });
    let mut act = gate.ledger.act(who, kind);
    act.account = Some(customer.account);
    act
}

fn identified(gate: &Gate, act: &Act) -> Attestation {
    let statement = AttestationStatement {
        issuer: IssuerId(id(0x63)),
        act: act.digest(),
        expires: gate.clock.now().after(Span::hours(1)),
        claim: Claim::Identity,
    };
    let key = World::key(&id(0x63));
    let signature = key.sign(&statement.signed_bytes()).unwrap();
    Attestation {
        statement,
        signature,
    }
}

/// The customer pays, and its receipt is checked from the genesis digest alone.
fn pays(gate: &mut Gate, customer: &Customer, to: u8) {
    gate.sync();
    let (act, evidence) = gate.withdrawal(customer, to, 1_000);
    let digest = act.digest();
    gate.submit(act, evidence).unwrap();
    gate.pass(Span::seconds(1));
    gate.arrives(digest);
    gate.pass(Span::seconds(1));
    gate.sync();
    let pinned = gate.ledger.world.digest();
    let served = serve(core::mem::replace(gate, Gate::new()));
    let (status, body) = served.get(&format!("/v1/acts/{digest}/receipt"));
    assert_eq!(status, 200, "{body}");
    let receipt: Receipt = serde_json::from_value(body).unwrap();
    let shown = verify(&receipt, pinned, &Strict).unwrap();
    assert_eq!(shown.act, digest);
}

#[test]
fn a_recovered_customer_has_receipts() {
    for attested in [true, false] {
        let mut gate = gate();
        let customer = gate.customer(1);
        let next = customer.with_new_passkey(9);
        let who = if attested {
            World::BACK_END
        } else {
            PrincipalId(id(SUPPORT[0]))
        };
        let act = recovery(&mut gate, who, &customer, &next);
        let mut evidence = gate.ledger.staffs_evidence(&act);
        if attested {
            evidence.attestations.push(identified(&gate, &act));
        }
        let digest = act.digest();
        gate.submit(act, evidence).unwrap();
        if !attested {
            let approve = ActKind::Approve(Approve { act: digest });
            staff(&mut gate, PrincipalId(id(SUPPORT[1])), approve);
        }
        // Nobody settles it but the gate itself.
        gate.pass(Span::seconds(14));
        assert!(gate.shared.state().facts().held.contains_key(&digest));
        gate.pass(Span::seconds(4));
        assert!(!gate.shared.state().facts().held.contains_key(&digest));
        // Its old address waits anew.
        gate.pass(Span::seconds(8));
        pays(&mut gate, &next, 1);
    }
}

/// A freeze ends what waits at once, not when its delay would have run.
#[test]
fn a_freeze_ends_a_recovery_at_once() {
    let mut gate = gate();
    let customer = gate.customer(1);
    let act = recovery(
        &mut gate,
        World::BACK_END,
        &customer,
        &customer.with_new_passkey(9),
    );
    let mut evidence = gate.ledger.staffs_evidence(&act);
    evidence.attestations.push(identified(&gate, &act));
    let digest = act.digest();
    gate.submit(act, evidence).unwrap();
    gate.pass(Span::seconds(3));
    let mut freeze = gate.ledger.act(World::OPERATOR, ActKind::Freeze);
    freeze.account = Some(customer.account);
    let evidence = gate.ledger.staffs_evidence(&freeze);
    gate.submit(freeze, evidence).unwrap();
    gate.pass(Span::seconds(1));
    let state = gate.shared.state();
    assert!(!state.facts().held.contains_key(&digest));
    assert!(state.facts().recovering.is_empty());
}

/// The administrators put another key in the place of an issuer's.
fn rotate_issuers(gate: &mut Gate, kind: IssuerKind) -> Digest {
    gate.sync();
    let mut issuers = gate.ledger.state.issuers().to_vec();
    let replaces = Keys::Issuers {
        issuers: issuers.clone(),
    };
    for issuer in issuers.iter_mut().filter(|i| i.kind == kind) {
        issuer.key = World::key(&id(FRESH)).public_key().clone();
    }
    let rotate = ActKind::Rotate(Rotate {
        replaces: replaces.digest(),
        keys: Keys::Issuers { issuers },
    });
    let act = staff(gate, World::administrator(0), rotate);
    let approve = ActKind::Approve(Approve { act });
    staff(gate, World::administrator(1), approve);
    act
}

/// The ledger's key was rotated: what its successor attests is shown with the rotation.
#[test]
fn a_rotated_ledger_has_receipts() {
    let mut gate = gate();
    let customer = gate.customer(1);
    gate.sync();
    rotate_issuers(&mut gate, IssuerKind::Ledger);
    gate.pass(Span::seconds(8));
    gate.sync();
    let (act, mut evidence) = gate.withdrawal(&customer, 1, 1_000);
    assert!(gate.submit(act, evidence.clone()).is_err());
    let (act, other) = gate.withdrawal(&customer, 1, 1_000);
    evidence = other;
    let debit = &mut evidence.attestations[0];
    let signature = World::key(&id(FRESH)).sign(&debit.statement.signed_bytes());
    debit.signature = signature.unwrap();
    let digest = act.digest();
    gate.submit(act, evidence).unwrap();
    gate.pass(Span::seconds(1));
    gate.arrives(digest);
    gate.pass(Span::seconds(1));
    let pinned = gate.ledger.world.digest();
    let served = serve(gate);
    let (status, body) = served.get(&format!("/v1/acts/{digest}/receipt"));
    assert_eq!(status, 200, "{body}");
    let receipt: Receipt = serde_json::from_value(body).unwrap();
    assert!(verify(&receipt, pinned, &Strict).is_ok());
}

/// What came back is what the holder's browser is asked for, in whatever entry it stands; what was lost is not.
#[test]
fn a_held_act_asks_for_the_passkey_that_counts_now() {
    let mut gate = gate();
    let customer = gate.customer(1);
    let (act, mut evidence) = gate.withdrawal(&customer, 1, 1_000);
    evidence.attestations.clear();
    let digest = act.digest();
    gate.submit(act, evidence).unwrap();
    let raise = RaiseEpoch {
        realm: Realm::Customers,
        factors: None,
    };
    staff(&mut gate, World::OPERATOR, ActKind::RaiseEpoch(raise));
    let next = customer.with_new_passkey(9);
    let recover = recovery(&mut gate, World::BACK_END, &customer, &next);
    let mut evidence = gate.ledger.staffs_evidence(&recover);
    evidence.attestations.push(identified(&gate, &recover));
    gate.submit(recover, evidence).unwrap();
    gate.pass(Span::seconds(2));
    let path = format!("/v1/acts/{digest}");
    let assertion = |standing: &Value| {
        let needs = standing["needs"].as_array().unwrap().iter();
        let mut wanted = needs.filter(|need| need["need"] == "assertion");
        wanted.next().cloned().unwrap()
    };
    let (served, _commands) = listen(&gate);
    let (_, before) = served.get(&path);
    let none = json!({ "need": "assertion" });
    assert_eq!(assertion(&before), none, "no passkey counts");
    gate.pass(Span::seconds(24));
    let (_, after) = served.get(&path);
    let options = &assertion(&after)["options"];
    let id = BASE64.encode(&next.credential);
    let allowed = json!([{ "type": "public-key", "id": id }]);
    assert_eq!(options["allowCredentials"], allowed, "{after}");
    assert_eq!(options["rpId"], "bank.example");
    let challenge = BASE64.encode(challenge_for(&digest.0));
    assert_eq!(options["challenge"], json!(challenge));
}

#[test]
fn status_shows_how_far_re_enrolment_has_come() {
    let mut gate = gate();
    let first = gate.customer(1);
    gate.customer(2);
    let raise = RaiseEpoch {
        realm: Realm::Customers,
        factors: None,
    };
    staff(&mut gate, World::OPERATOR, ActKind::RaiseEpoch(raise));
    let act = recovery(
        &mut gate,
        World::BACK_END,
        &first,
        &first.with_new_passkey(9),
    );
    let mut evidence = gate.ledger.staffs_evidence(&act);
    evidence.attestations.push(identified(&gate, &act));
    gate.submit(act, evidence).unwrap();
    gate.pass(Span::seconds(18));
    let served = serve(gate);
    let (_, status) = served.get("/v1/status");
    assert_eq!(status["holders"]["count"], 2);
    assert_eq!(status["holders"]["with_factor"], 1);
    let campaign = &status["re_enrolment"];
    assert_eq!(campaign["revoked"], 2);
    assert_eq!(campaign["holders"], 2);
    assert_eq!(campaign["enrolled"], 1);
    assert_eq!(campaign["factors"], Value::Null);
}

/// Somebody with an account asks for what is not theirs to ask, and is refused on record, so many times.
fn heckles(gate: &mut Gate, heckler: &Customer, act: Digest, times: usize) {
    for _ in 0..times {
        gate.sync();
        let kind = ActKind::Cancel(Cancel { act });
        let cancel = gate.ledger.customers_act(heckler, kind);
        let evidence = gate.ledger.customers_evidence(heckler, &cancel);
        gate.submit(cancel, evidence).unwrap_err();
    }
}

/// Refused words about a withdrawal are no part of what it rests on: so many would leave it without a receipt.
#[test]
fn whoever_is_refused_takes_nobodys_receipt_away() {
    let mut gate = gate();
    let customer = gate.customer(1);
    let heckler = gate.customer(2);
    gate.sync();
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let digest = act.digest();
    gate.submit(act, evidence).unwrap();
    gate.pass(Span::seconds(1));
    gate.arrives(digest);
    heckles(&mut gate, &heckler, digest, 64);
    gate.pass(Span::seconds(1));
    let served = serve(gate);
    let (status, body) = served.get(&format!("/v1/acts/{digest}/receipt"));
    assert_eq!(status, 200, "{body}");
}

/// Nor of a rotation, on which every later withdrawal rests.
#[test]
fn whoever_is_refused_takes_everybodys_receipts_away() {
    let mut gate = gate();
    let customer = gate.customer(1);
    let heckler = gate.customer(2);
    gate.sync();
    let act = rotate_issuers(&mut gate, IssuerKind::Identity);
    gate.pass(Span::seconds(8));
    heckles(&mut gate, &heckler, act, 64);
    pays(&mut gate, &customer, 1);
}

/// Enrolling asks for no possession, so that a stranger may have enrolled the same passkey since.
#[test]
fn whoever_enrols_anothers_passkey_takes_no_receipts_away() {
    let mut gate = gate();
    let customer = gate.customer(1);
    let thief = gate.customer(2);
    gate.sync();
    let kind = ActKind::EnrolFactor(EnrolFactor {
        principal: thief.principal,
        factor: customer.factor(),
    });
    let enrol = gate.ledger.customers_act(&thief, kind);
    let evidence = gate.ledger.customers_evidence(&thief, &enrol);
    gate.submit(enrol, evidence).unwrap();
    gate.pass(Span::seconds(1));
    // The customer's next address, and a withdrawal there.
    gate.sync();
    let add = ActKind::AddAddress(AddAddress {
        address: World::address(77),
    });
    let add = gate.ledger.customers_act(&customer, add);
    let evidence = gate.ledger.customers_evidence(&customer, &add);
    gate.submit(add, evidence).unwrap();
    gate.pass(Span::seconds(8));
    pays(&mut gate, &customer, 77);
}

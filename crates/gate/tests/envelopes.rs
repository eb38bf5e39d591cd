//! Sealed contacts at the gate: only what the journal commits to, kept until the herald says that it has it.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod harness;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use harness::Gate;
use harness::http::{Request, Served, refused, serve};
use portcullis_core::act::{ActKind, ChangeContact, Import, OpenAccount};
use portcullis_core::codec::encode;
use portcullis_core::factor::NewFactor;
use portcullis_core::id::{AccountId, KeeperId};
use portcullis_core::kept::{Kept, SignedKept};
use portcullis_core::{Digest, Domain, Reason, Span, Time};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Customer, World};
use portcullis_keys::StatementKey as _;
use serde_json::{Value, json};

/// The gate opens none, so any bytes will do.
const FIRST: &[u8] = &[1; 304];
const SECOND: &[u8] = &[2; 560];
const SEED: &[u8] = &[4; 304];

fn commitment(envelope: &[u8]) -> Digest {
    Digest::of(Domain::Contact, envelope)
}

/// A gate with one account that commits to the first envelope, and a change to the second that waits.
fn gate() -> (Served, AccountId) {
    let mut gate = Gate::with_a_herald();
    let customer = Customer::number(1);
    gate.sync();
    let open = OpenAccount {
        subject: customer.subject,
        principal: customer.principal,
        factor: customer.factor(),
        delay: None,
        contact: Some(commitment(FIRST)),
        imported: Some(Import {
            source: "legacy".into(),
            exported: World::START,
            record: Digest([0x4e; 32]),
            also: vec![NewFactor::Totp {
                seed: commitment(SEED),
            }],
        }),
    };
    let mut act = gate.ledger.act(World::BACK_END, ActKind::OpenAccount(open));
    act.account = Some(customer.account);
    let mut evidence = gate.ledger.staffs_evidence(&act);
    evidence.attestations.push(gate.ledger.onboarding(&act));
    let opened = act.digest();
    gate.submit(act, evidence).unwrap();
    gate.heralds(opened);
    gate.pass(Span::seconds(4));
    gate.pass(Span::seconds(8));
    gate.sync();
    let contact = commitment(SECOND);
    let kind = ActKind::ChangeContact(ChangeContact { contact });
    let act = gate.ledger.customers_act(&customer, kind);
    let evidence = gate.ledger.customers_evidence(&customer, &act);
    gate.submit(act, evidence).unwrap();
    (serve(gate), customer.account)
}

/// A TOTP seed goes the same way: a factor of the account commits to it.
#[test]
fn a_sealed_seed_waits_for_the_herald_like_a_contact() {
    let (served, account) = gate();
    let other = AccountId([9; 16]);
    let not_found = Reason::NotFound;
    refused(served.send(sending(&served, other, SEED)), not_found);
    assert_eq!(served.send(sending(&served, account, SEED)).0, 202);
    assert_eq!(read(&served, SEED), 200);
}

fn sending(served: &Served, account: AccountId, envelope: &[u8]) -> Request {
    let body = json!({ "account": account, "envelope": BASE64.encode(envelope) });
    served.request("POST", "/v1/envelopes", None, body.to_string().into_bytes())
}

fn read(served: &Served, envelope: &[u8]) -> u16 {
    let path = format!("/v1/envelopes/{}", commitment(envelope));
    served.raw("GET", &path, &[], &[]).0
}

fn word(keeper: KeeperId, time: Time, envelopes: &[&[u8]]) -> SignedKept {
    let kept = Kept {
        genesis: World::with_a_herald().digest(),
        keeper,
        time,
        contacts: envelopes.iter().map(|e| commitment(e)).collect(),
    };
    let signature = World::key(&keeper.0).sign(&kept.signed_bytes()).unwrap();
    SignedKept { kept, signature }
}

fn say(served: &Served, word: &SignedKept) -> (u16, Value) {
    served.raw("POST", "/v1/envelopes/kept", &[], &encode(word))
}

#[test]
fn an_envelope_is_kept_until_the_herald_has_it() {
    let (served, account) = gate();
    for envelope in [FIRST, SECOND] {
        assert_eq!(read(&served, envelope), 404);
        assert_eq!(served.send(sending(&served, account, envelope)).0, 202);
        assert_eq!(read(&served, envelope), 200);
    }
    let now = served.clock.now();
    assert_eq!(say(&served, &word(World::HERALD, now, &[FIRST])).0, 204);
    assert_eq!((read(&served, FIRST), read(&served, SECOND)), (404, 200));
    // A lost one comes again.
    assert_eq!(served.send(sending(&served, account, FIRST)).0, 202);
    assert_eq!(read(&served, FIRST), 200);
    // Also from whoever gives an account its contact.
    let request = sending(&served, account, FIRST);
    assert_eq!(served.send_as(World::administrator(0), request).0, 202);
}

#[test]
fn what_nobody_commits_to_is_not_taken() {
    let (served, account) = gate();
    let stranger = [3; 304];
    let not_found = Reason::NotFound;
    refused(served.send(sending(&served, account, &stranger)), not_found);
    let other = AccountId([9; 16]);
    refused(served.send(sending(&served, other, FIRST)), not_found);
    let large = vec![1; 2000];
    refused(
        served.send(sending(&served, account, &large)),
        Reason::TooLarge,
    );
    let request = sending(&served, account, FIRST);
    refused(
        served.send_as(World::OPERATOR, request),
        Reason::RoleMissing,
    );
    let path = "/v1/envelopes/..%2Fhead";
    refused(served.raw("GET", path, &[], &[]), not_found);
    assert_eq!(read(&served, FIRST), 404);
}

#[test]
fn only_the_heralds_own_fresh_word_has_one_forgotten() {
    let (served, account) = gate();
    served.send(sending(&served, account, FIRST));
    let now = served.clock.now();
    let good = word(World::HERALD, now, &[FIRST]);
    let mut altered = good.clone();
    altered.kept.contacts.push(commitment(SECOND));
    let mut elsewhere = word(World::HERALD, now, &[FIRST]);
    elsewhere.kept.genesis = Digest([9; 32]);
    let wrong = [
        ("a signer's", word(World::KEEPER, now, &[FIRST])),
        (
            "old",
            word(World::HERALD, now.before(Span::seconds(61)), &[FIRST]),
        ),
        (
            "ahead",
            word(World::HERALD, now.after(Span::seconds(61)), &[FIRST]),
        ),
        ("altered", altered),
        ("another network's", elsewhere),
    ];
    for (name, word) in wrong {
        let (status, problem) = say(&served, &word);
        assert_eq!(problem["reason"], 908, "{name}: {status}");
        assert_eq!(read(&served, FIRST), 200, "{name}");
    }
    assert_eq!(say(&served, &good).0, 204);
}

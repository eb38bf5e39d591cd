//! What the API says of what the policy wants and refuses.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod harness;

use harness::Gate;
use harness::http::{Served, refused, serve};
use portcullis_core::act::{ActKind, EnrolFactor};
use portcullis_core::evidence::{Attestation, AttestationStatement, Claim, Finding};
use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::{Issuer, IssuerKind};
use portcullis_core::id::{AttestationId, IssuerId};
use portcullis_core::policy::Policy;
use portcullis_core::{Act, Digest, Evidence, Reason, Span};
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey as _;
use serde_json::{Value, json};

const VENDOR: IssuerId = IssuerId([0x64; 16]);

/// A gate with a screening vendor, whose policy permits everything but this.
fn gate(forbids: &str) -> Gate {
    let permit = "@id(\"permit\") permit (principal, action, resource);";
    let policy = Policy {
        cedar: format!("{permit} {forbids}"),
        tiers: Vec::new(),
        lists: Vec::new(),
        rates: None,
    };
    Gate::of(World::with(|genesis| {
        genesis.issuers.push(Issuer {
            id: VENDOR,
            kind: IssuerKind::Screening,
            key: World::key(&VENDOR.0).public_key().clone(),
        });
        genesis.policy = Some(policy);
    }))
}

#[test]
fn a_refusal_by_policy_names_the_statements() {
    for (forbids, reason, statements) in [
        (
            "@id(\"shut\") forbid (principal, action == Action::\"withdraw\", resource);",
            Reason::Forbidden,
            json!(["shut"]),
        ),
        (
            "@id(\"errs\") forbid (principal, action == Action::\"withdraw\", resource)
             when { context.tier + 9223372036854775807 < 0 };",
            Reason::PolicyFails,
            json!(["errs"]),
        ),
    ] {
        let mut gate = gate(forbids);
        let customer = gate.customer(1);
        let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
        let served = serve(gate);
        let answer = served.send(served.submission(&act, &evidence));
        assert_eq!(answer.1["statements"], statements);
        refused(answer, reason);
    }
    // What core refuses was no statement's doing.
    let mut gate = gate("");
    let customer = gate.customer(1);
    let (act, evidence) = gate.withdrawal(&customer, 1, 0);
    let served = serve(gate);
    let answer = served.send(served.submission(&act, &evidence));
    assert!(answer.1.get("statements").is_none(), "{}", answer.1);
    refused(answer, Reason::AmountZero);
}

/// A new key, and at once to a new address.
#[test]
fn what_holds_beside_others_is_said_in_words() {
    let mut gate = gate(
        "@id(\"odd\") @needs(\"approvals\")
         forbid (principal, action == Action::\"withdraw-beside-others\", resource)
         when { context.score >= 15 && context.approvals < 1 };",
    );
    let customer = gate.customer(1);
    let principal = customer.principal;
    let key = World::key(&principal.0).public_key().clone();
    let factor = NewFactor::RequestKey { key };
    let kind = ActKind::EnrolFactor(EnrolFactor { principal, factor });
    let act = gate.ledger.customers_act(&customer, kind);
    let evidence = gate.ledger.customers_evidence(&customer, &act);
    gate.submit(act, evidence).unwrap();
    gate.pass(Span::seconds(8));
    gate.sync();
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let served = serve(gate);
    assert_eq!(served.send(served.submission(&act, &evidence)).0, 202);
    let standing = served.get(&format!("/v1/acts/{}", act.digest())).1;
    assert_eq!(standing["statements"], json!(["odd"]));
    let text = "to a fresh address, 0 hours after a change of the account's own factor or contact";
    let own = json!([{ "sign": "own", "points": 15, "text": text }]);
    assert_eq!(standing["beside"], own);
}

fn screening(act: &Act, id: u8, finding: Finding) -> Evidence {
    let statement = AttestationStatement {
        issuer: VENDOR,
        act: act.digest(),
        expires: act.expires,
        claim: Claim::Screening {
            id: AttestationId([id; 16]),
            finding,
            report: Digest([id; 32]),
        },
    };
    let signature = World::key(&VENDOR.0).sign(&statement.signed_bytes());
    Evidence {
        attestations: vec![Attestation {
            statement,
            signature: signature.unwrap(),
        }],
        ..Evidence::default()
    }
}

fn bring(served: &Served, act: &Act, evidence: &Evidence) -> (u16, Value) {
    let path = format!("/v1/acts/{}/evidence", act.digest());
    let body = serde_json::to_vec(evidence).unwrap();
    served.send(served.request("POST", &path, Some(act.digest()), body))
}

/// Late, doubled or contradicting, a vendor's word has a plain answer.
#[test]
fn a_vendors_word_comes_by_the_back_end() {
    let wants = "@id(\"screened\") @needs(\"screening\")
        forbid (principal, action == Action::\"withdraw\", resource)
        when { context.screening == \"none\" };";
    let mut gate = gate(wants);
    let customer = gate.customer(1);
    let [passes, blocks] = [1_000, 1_001].map(|amount| {
        gate.sync();
        gate.withdrawal(&customer, 1, amount)
    });
    let served = serve(gate);
    for (act, evidence) in [&passes, &blocks] {
        let (status, answer) = served.send(served.submission(act, evidence));
        assert_eq!(status, 202);
        assert_eq!(
            answer["decision"]["needs"],
            json!([{ "need": "screening" }])
        );
    }
    let (passes, blocks) = (passes.0, blocks.0);
    let standing = |act: &Act| served.get(&format!("/v1/acts/{}", act.digest())).1;
    assert_eq!(standing(&passes)["statements"], json!(["screened"]));

    let word = screening(&passes, 1, Finding::Pass);
    assert_eq!(bring(&served, &passes, &word).0, 200);
    refused(bring(&served, &passes, &word), Reason::AttestationUsed);
    let another = screening(&passes, 2, Finding::Pass);
    refused(bring(&served, &passes, &another), Reason::NothingNew);
    let of_another = screening(&passes, 3, Finding::Pass);
    refused(
        bring(&served, &blocks, &of_another),
        Reason::AttestationForAnotherAct,
    );

    assert_eq!(
        bring(&served, &blocks, &screening(&blocks, 4, Finding::Block)).0,
        200
    );
    let ended = standing(&blocks);
    assert_eq!(ended["stage"], "returned");
    assert_eq!(ended["reason"], "screening-blocks");
    let late = screening(&blocks, 5, Finding::Pass);
    refused(bring(&served, &blocks, &late), Reason::ActGone);
}

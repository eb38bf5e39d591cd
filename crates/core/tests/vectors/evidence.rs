//! Attestations, stamps, and evidence as a whole.

use crate::holder::{Holder, Kind};
use crate::{acts, and, vector};

use portcullis_core::act::{Act, ActKind, root_id};
use portcullis_core::evidence::{
    Attestation, AttestationStatement, Claim, Evidence, Finding, Stamp,
};
use portcullis_core::id::{AccountId, ActId, AttestationId, IssuerId, LedgerEntryId};
use portcullis_core::link::{Link, Stops, signed_bytes};
use portcullis_core::{Digest, Span};
use portcullis_keeper::testkit::{World, id};
use portcullis_keys::StatementKey as _;
use serde_json::{Value, json};

pub(crate) fn document() -> Value {
    let act = acts::of(ActKind::Freeze);
    let entry = LedgerEntryId([0x1e; 16]);
    let onboarding = attest(World::ONBOARDING, &act, Claim::Onboarding);
    let debit = attest(World::LEDGER, &act, Claim::LedgerDebit { entry });
    let identity = attest(IssuerId(id(0x63)), &act, Claim::Identity);
    let root = root(&act);
    let (number, report) = (AttestationId([0xa7; 16]), Digest([0x4e; 32]));
    let screening = |finding| {
        let claim = Claim::Screening {
            id: number,
            finding,
            report,
        };
        attest(IssuerId(id(0x64)), &act, claim)
    };
    let message = Claim::TravelRule {
        id: number,
        message: Digest([0x1f; 32]),
    };
    let travel_rule = attest(IssuerId(id(0x66)), &act, message);
    let stamp = stamp(&act);
    let stamped = Stamp::signed_bytes(stamp.board, act.digest(), stamp.time);
    let full = Evidence {
        attestations: vec![onboarding.clone(), debit.clone()],
        posted: Some(stamp.clone()),
        ..Holder::new(Kind::PasskeyEd25519).evidence(&act, World::BACK_END, World::START)
    };
    json!({
        "act": act.digest(),
        "keys": {
            "onboarding": World::key(&World::ONBOARDING.0).public_key(),
            "ledger": World::key(&World::LEDGER.0).public_key(),
            "board": World::key(&World::BOARD.0).public_key(),
            "identity": World::key(&id(0x63)).public_key(),
            "root": World::key(&id(0xd1)).public_key(),
            "screening": World::key(&id(0x64)).public_key(),
            "travel_rule": World::key(&id(0x66)).public_key(),
        },
        "attestations": [
            attestation("onboarding", &onboarding),
            attestation("a ledger's debit", &debit),
            attestation("who brings the factor is the holder", &identity),
            attestation("a root's word", &root),
            attestation("a screening that passes", &screening(Finding::Pass)),
            attestation("a screening that refers", &screening(Finding::Refer)),
            attestation("a screening that blocks", &screening(Finding::Block)),
            attestation("the travel rule's message", &travel_rule),
        ],
        "stamp": and(vector("a stamp", &stamp), json!({ "signed_bytes": hex::encode(stamped) })),
        "evidence": [
            vector("nothing", &Evidence::default()),
            vector("all there is", &full),
            vector("a TOTP code", &crate::totp::by_code(&act)),
            vector("a recovery code", &crate::totp::by_recovery_code(&act)),
        ],
        "links": links(act.genesis),
    })
}

/// One of each kind, as it stands in a notice and as its page posts it.
fn links(genesis: Digest) -> Vec<Value> {
    let stopped = Digest([0x57; 32]);
    let all = [
        ("a link that freezes", Stops::Everything),
        ("a link that vetoes a recovery", Stops::Recovery(stopped)),
        ("a link that cancels an act", Stops::Act(stopped)),
    ];
    let of = |(what, stops)| {
        let link = Link {
            account: AccountId([0xac; 16]),
            id: ActId([0x1d; 16]),
            expires: World::START.after(Span::hours(7 * 24)),
            stops,
        };
        let herald = World::key(&World::HERALD.0);
        let signed = signed_bytes(link.act(genesis, World::HERALD).digest());
        let signature = herald.sign(&signed).unwrap();
        let posting = link.posting(genesis, World::HERALD, signature);
        json!({
            "what": what,
            "fragment": link.fragment(&signature),
            "key": herald.public_key(),
            "act": vector("its act", &posting.act),
            "digest": posting.act.digest(),
            "signed_bytes": hex::encode(signed),
            "evidence": vector("its evidence", &posting.evidence),
        })
    };
    all.map(of).to_vec()
}

fn attest(issuer: IssuerId, act: &Act, claim: Claim) -> Attestation {
    let statement = AttestationStatement {
        issuer,
        act: act.digest(),
        expires: World::START.after(Span::hours(1)),
        claim,
    };
    let signature = World::key(&issuer.0).sign(&statement.signed_bytes());
    Attestation {
        statement,
        signature: signature.unwrap(),
    }
}

/// A root attests under the id of its key.
fn root(act: &Act) -> Attestation {
    let key = World::key(&id(0xd1));
    let statement = AttestationStatement {
        issuer: root_id(key.public_key()),
        act: act.digest(),
        expires: World::START.after(Span::hours(1)),
        claim: Claim::Root,
    };
    let signature = key.sign(&statement.signed_bytes()).unwrap();
    Attestation {
        statement,
        signature,
    }
}

/// The board's word that it took the act.
fn stamp(act: &Act) -> Stamp {
    let (board, time) = (World::BOARD, World::START);
    let bytes = Stamp::signed_bytes(board, act.digest(), time);
    let signature = World::key(&board.0).sign(&bytes).unwrap();
    Stamp {
        board,
        time,
        signature,
    }
}

fn attestation(what: &str, attestation: &Attestation) -> Value {
    let bytes = hex::encode(attestation.statement.signed_bytes());
    and(vector(what, attestation), json!({ "signed_bytes": bytes }))
}

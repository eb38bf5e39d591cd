//! Receipts of withdrawals that vendors looked at.

use super::draft::Draft;
use crate::holder::{Holder, Kind};
use crate::story::Story;
use portcullis_core::entry::{Body, Supplement};
use portcullis_core::evidence::{Attestation, AttestationStatement, Claim, Evidence, Finding};
use portcullis_core::genesis::{Genesis, Issuer, IssuerKind};
use portcullis_core::id::{AttestationId, IssuerId};
use portcullis_core::{Act, Digest, Span, Time};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{World, id};
use portcullis_keys::StatementKey as _;

const SCREENING: u8 = 0x64;
const TRAVEL_RULE: u8 = 0x66;
/// Where the vendors' word stands in `shown`.
const WORD: usize = 4;

fn vendors(genesis: &mut Genesis) {
    let of = |seed, kind| Issuer {
        id: IssuerId(id(seed)),
        kind,
        key: World::key(&id(seed)).public_key().clone(),
    };
    genesis.issuers.push(of(SCREENING, IssuerKind::Screening));
    genesis
        .issuers
        .push(of(TRAVEL_RULE, IssuerKind::TravelRule));
}

fn screening(number: u8, finding: Finding) -> Claim {
    Claim::Screening {
        id: AttestationId([number; 16]),
        finding,
        report: Digest([number; 32]),
    }
}

fn message(number: u8) -> Claim {
    Claim::TravelRule {
        id: AttestationId([number; 16]),
        message: Digest([number; 32]),
    }
}

fn attest(act: &Act, claim: Claim, expires: Time) -> Attestation {
    let seed = match claim {
        Claim::TravelRule { .. } => TRAVEL_RULE,
        _ => SCREENING,
    };
    let statement = AttestationStatement {
        issuer: IssuerId(id(seed)),
        act: act.digest(),
        expires,
        claim,
    };
    let signature = World::key(&id(seed)).sign(&statement.signed_bytes());
    Attestation {
        statement,
        signature: signature.unwrap(),
    }
}

impl Draft {
    /// A withdrawal that vendors looked at while it waited for its debit, which came six seconds later.
    /// Their word counts for so many seconds.
    fn screened_for(seconds: u64) -> Self {
        let mut story = Story::begin_in(World::with(vendors), Holder::new(Kind::PasskeyP256));
        let opening = story.open();
        story.age();
        let address = story.add_address();
        story.age();
        let asked = story.withdraw(World::ETHER, 1_000_000, false);
        let act = asked.act.digest();
        let expires = story.ledger.clock.now().after(Span::seconds(seconds));
        let claims = [screening(1, Finding::Pass), message(2)];
        let evidence = Evidence {
            attestations: claims
                .map(|claim| attest(&asked.act, claim, expires))
                .into(),
            ..Evidence::default()
        };
        let word = story.enter(Body::Evidence(Box::new(Supplement { act, evidence })));
        story.age();
        let debit = story.debit(&asked.act);
        let settled = story.settle(act);
        let statement = story.say(story.signed(act));
        Self {
            shown: vec![
                0,
                opening,
                address,
                asked.entry,
                word,
                debit,
                settled,
                statement,
            ],
            story,
            named: act,
            opening,
            address,
            withdrawal: asked.entry,
            statement,
            act: asked.act,
        }
    }

    pub(crate) fn screened() -> Self {
        Self::screened_for(3600)
    }

    /// By the release nothing of what was said counts.
    pub(crate) fn screened_no_more() -> Self {
        Self::screened_for(3)
    }

    /// Vendors had said this besides, or in its place, behind everybody's back.
    fn said(mut self, change: impl FnOnce(&mut Vec<Attestation>, &Act)) -> Self {
        let (at, act) = (self.shown[WORD], self.act.clone());
        self.entry(at, |entry| match &mut entry.body {
            Body::Evidence(supplement) => change(&mut supplement.evidence.attestations, &act),
            other => panic!("{other:?}"),
        });
        self
    }

    pub(crate) fn blocked() -> Self {
        let block = |all: &mut Vec<Attestation>, act: &Act| {
            let expires = all[0].statement.expires;
            all.push(attest(act, screening(3, Finding::Block), expires));
        };
        Self::screened().said(block)
    }

    /// A block counts for ever, whenever it expires.
    pub(crate) fn blocked_before() -> Self {
        let block = |all: &mut Vec<Attestation>, act: &Act| {
            let expires = all[0].statement.expires;
            *all = vec![attest(act, screening(3, Finding::Block), expires)];
        };
        Self::screened_no_more().said(block)
    }

    pub(crate) fn with_two_messages() -> Self {
        let another = |all: &mut Vec<Attestation>, act: &Act| {
            let expires = all[0].statement.expires;
            all.push(attest(act, message(3), expires));
        };
        Self::screened().said(another)
    }

    /// A block that is signed by nobody's key who may say so: it is none.
    pub(crate) fn blocked_by_nobody() -> Self {
        let block = |all: &mut Vec<Attestation>, act: &Act| {
            let expires = all[0].statement.expires;
            let mut forged = attest(act, screening(3, Finding::Block), expires);
            forged.statement.issuer = World::LEDGER;
            all.push(forged);
        };
        Self::screened().said(block)
    }
}

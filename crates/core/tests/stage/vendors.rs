//! The stage with vendors: two who screen, one who exchanges the travel rule's messages, and a policy that
//! wants their word.

use super::{PAYEE, Stage, ether};
use portcullis_chains::Amount;
use portcullis_core::act::{Act, ActKind, SetPolicy};
use portcullis_core::evidence::{Attestation, Claim, Finding};
use portcullis_core::genesis::{Genesis, Issuer, IssuerKind};
use portcullis_core::id::{AttestationId, IssuerId};
use portcullis_core::policy::{Policy, Tiers};
use portcullis_core::state::said::Said;
use portcullis_core::{Digest, Evidence, Span};
use portcullis_keeper::testkit::{Customer, HandClock, Ledger, World};
use portcullis_keys::StatementKey as _;
use std::sync::OnceLock;

pub(crate) const SCREENING: IssuerId = issuer(0x64);
pub(crate) const SCREENING_2: IssuerId = issuer(0x65);
pub(crate) const TRAVEL_RULE: IssuerId = issuer(0x66);

const fn issuer(seed: u8) -> IssuerId {
    let mut id = World::LEDGER.0;
    id[0] = seed;
    IssuerId(id)
}

/// Above 100 an amount is screened, and a referral looked at; above 500 the travel rule holds, too.
pub(crate) const LARGE: u128 = 101;
pub(crate) const VERY_LARGE: u128 = 501;

const POLICY: &str = r#"
@id("permit") permit (principal, action, resource);
@id("screened") @needs("screening")
forbid (principal, action == Action::"withdraw", resource)
when { context.tier >= 1 && context.screening == "none" };
@id("referred") @needs("approvals") @count("1")
forbid (principal, action == Action::"withdraw", resource)
when { context.screening == "refer" && context.approvals < 1 };
@id("travel-rule") @needs("travel-rule")
forbid (principal, action == Action::"withdraw", resource)
when { context.tier >= 2 && !context.attested.contains("travel-rule") };
"#;

pub(crate) fn policy(cedar: &str) -> Policy {
    Policy {
        cedar: cedar.to_owned(),
        tiers: vec![Tiers {
            asset: World::ETHER,
            above: vec![Amount(LARGE - 1), Amount(VERY_LARGE - 1)],
        }],
        lists: Vec::new(),
        rates: None,
    }
}

pub(crate) fn genesis(genesis: &mut Genesis) {
    let of = |id: IssuerId, kind| Issuer {
        id,
        kind,
        key: World::key(&id.0).public_key().clone(),
    };
    genesis.issuers.extend([
        of(SCREENING, IssuerKind::Screening),
        of(SCREENING_2, IssuerKind::Screening),
        of(TRAVEL_RULE, IssuerKind::TravelRule),
    ]);
    genesis.policy = Some(policy(POLICY));
}

/// What a vendor says, by the number of its own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Found(IssuerId, u8, Finding),
    Message(u8, u8),
}

impl Word {
    pub(crate) const fn pass(number: u8) -> Self {
        Self::Found(SCREENING, number, Finding::Pass)
    }

    pub(crate) const fn refer(number: u8) -> Self {
        Self::Found(SCREENING, number, Finding::Refer)
    }

    pub(crate) const fn block(number: u8) -> Self {
        Self::Found(SCREENING, number, Finding::Block)
    }

    pub(crate) fn claim(self) -> (IssuerId, Claim) {
        match self {
            Self::Found(issuer, number, finding) => {
                let (id, report) = (AttestationId([number; 16]), report(number));
                let claim = Claim::Screening {
                    id,
                    finding,
                    report,
                };
                (issuer, claim)
            }
            Self::Message(number, message) => {
                let (id, message) = (AttestationId([number; 16]), Digest([message; 32]));
                (TRAVEL_RULE, Claim::TravelRule { id, message })
            }
        }
    }
}

/// The report of the screening with this number.
pub(crate) fn report(number: u8) -> Digest {
    Digest([number; 32])
}

impl Stage {
    /// The stage, with vendors and a policy that wants their word.
    pub(crate) fn with_vendors() -> Self {
        static SET: OnceLock<Ledger> = OnceLock::new();
        let ledger = SET.get_or_init(|| Self::build_on(World::with(genesis)).ledger);
        let mut stage = Self {
            ledger: ledger.clone(),
            customer: Customer::number(1),
        };
        stage.ledger.clock = HandClock::at(stage.now());
        stage
    }

    /// Another policy, by two administrators.
    pub(crate) fn put(&mut self, cedar: &str) {
        let replaces = self.facts().policy().digest();
        let policy = policy(cedar);
        self.propose(ActKind::SetPolicy(SetPolicy { replaces, policy }));
    }

    /// A vendor's word of an act, for an hour.
    pub(crate) fn word(&self, act: &Act, word: Word) -> Attestation {
        self.word_for(act, word, Span::hours(1))
    }

    pub(crate) fn word_for(&self, act: &Act, word: Word, span: Span) -> Attestation {
        let (issuer, claim) = word.claim();
        Self::attest_until(self.now().after(span), issuer, act, claim)
    }

    /// Words and nothing else, as a vendor answers.
    pub(crate) fn words(&self, act: &Act, words: &[Word]) -> Evidence {
        Evidence {
            attestations: words.iter().map(|word| self.word(act, *word)).collect(),
            ..Evidence::default()
        }
    }

    /// All that an honest client sends with a withdrawal, and these words.
    pub(crate) fn prove_with(&self, act: &Act, words: &[Word]) -> Evidence {
        let mut evidence = self.prove(act);
        evidence
            .attestations
            .extend(self.words(act, words).attestations);
        evidence
    }

    /// A withdrawal of so much that waits, with these words.
    pub(crate) fn waiting(&mut self, amount: u128, words: &[Word]) -> Act {
        let act = self.customers(ether(PAYEE, amount));
        let evidence = self.prove_with(&act, words);
        self.submit_with(act.clone(), evidence);
        act
    }

    /// What is said of a held act.
    pub(crate) fn said(&self, act: &Act) -> Said {
        self.facts().held[&act.digest()].said.unwrap_or_default()
    }
}

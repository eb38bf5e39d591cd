//! The stage on which things are lost: an identity vendor, three roots of which two recover, two members
//! with role support, and budgets small enough to meet.

use super::{APPROVERS, AUDITOR, SUPPORT, Stage, request_key};
use portcullis_core::act::{
    Act, ActKind, EnrolFactor, GrantRole, NewAdministrator, RaiseEpoch, Recover,
    RecoverAdministrators, Veto, root_id,
};
use portcullis_core::evidence::{Attestation, AttestationStatement, Claim};
use portcullis_core::factor::{FactorKind, NewFactor};
use portcullis_core::genesis::{Genesis, Issuer, IssuerKind, RecoveryBounds};
use portcullis_core::id::{AccountId, IssuerId, PrincipalId};
use portcullis_core::realm::{Realm, Role};
use portcullis_core::state::account::Owner;
use portcullis_core::{Digest, Evidence, Span};
use portcullis_keeper::testkit::{Customer, HandClock, Ledger, World, id};
use portcullis_keys::StatementKey as _;
use std::sync::OnceLock;

/// The identity vendor.
pub(crate) const VENDOR: IssuerId = IssuerId({
    let mut id = World::LEDGER.0;
    id[0] = 0x63;
    id
});
pub(crate) const SUPPORT_2: PrincipalId = PrincipalId([0x26; 16]);
pub(crate) const SUPPORT_3: PrincipalId = PrincipalId([0x27; 16]);
/// Seeds of the roots' keys.
pub(crate) const ROOTS: [u8; 3] = [0xd1, 0xd2, 0xd3];
pub(crate) const BOUNDS: RecoveryBounds = RecoveryBounds {
    per_agent: 2,
    per_platform: 3,
    vouched: 2,
    divisor: 10,
};
/// Three delay floors of the development genesis.
pub(crate) const DELAY: Span = Span::seconds(15);

pub(crate) fn genesis(genesis: &mut Genesis) {
    genesis.issuers.push(Issuer {
        id: VENDOR,
        kind: IssuerKind::Identity,
        key: World::key(&VENDOR.0).public_key().clone(),
    });
    genesis.roots = ROOTS
        .map(|seed| World::key(&id(seed)).public_key().clone())
        .to_vec();
    genesis.recovery = Some(BOUNDS);
}

impl Stage {
    /// The stage, with everybody who can recover something.
    pub(crate) fn lost() -> Self {
        static SET: OnceLock<Ledger> = OnceLock::new();
        let ledger = SET.get_or_init(|| {
            let mut stage = Self::build_on(World::with(genesis));
            stage.employ(SUPPORT_2, Role::Support);
            stage.employ(SUPPORT_3, Role::Support);
            stage.ledger
        });
        let mut stage = Self {
            ledger: ledger.clone(),
            customer: Customer::number(1),
        };
        stage.ledger.clock = HandClock::at(stage.now());
        stage
    }

    /// A stage with a herald, with somebody in every role, and a customer who has a request key besides.
    pub(crate) fn staffed_with_a_herald() -> Self {
        static SET: OnceLock<Ledger> = OnceLock::new();
        let ledger = SET.get_or_init(|| {
            let mut stage = Self::with_a_herald();
            let staff = [
                (APPROVERS[0], Role::Approver),
                (SUPPORT, Role::Support),
                (AUDITOR, Role::Auditor),
            ];
            for (principal, role) in staff {
                let factor = Some(request_key(principal));
                let grant = GrantRole {
                    principal,
                    role,
                    factor,
                };
                let grant = stage.propose(ActKind::GrantRole(grant));
                stage.heralds(grant);
            }
            let (principal, factor) = (
                stage.customer.principal,
                request_key(stage.customer.principal),
            );
            let enrol = stage.customers(ActKind::EnrolFactor(EnrolFactor { principal, factor }));
            let enrol = stage.submit(enrol);
            stage.heralds(enrol);
            stage.pass(Span::seconds(6));
            stage.ledger
        });
        let mut stage = Self {
            ledger: ledger.clone(),
            customer: Customer::number(1),
        };
        stage.ledger.clock = HandClock::at(stage.now());
        stage
    }

    pub(crate) fn holder(&self) -> Owner {
        Owner::Holder {
            account: self.customer.account,
            principal: self.customer.principal,
        }
    }

    /// The customer's next passkey, which nobody has seen yet.
    pub(crate) fn next_passkey(&self) -> Customer {
        self.customer.with_new_passkey(0x77)
    }

    pub(crate) fn recovery(&self) -> ActKind {
        ActKind::Recover(Recover {
            principal: self.customer.principal,
            factor: self.next_passkey().factor(),
        })
    }

    /// Somebody of staff brings the customer's next passkey.
    pub(crate) fn recovery_by(&mut self, who: PrincipalId) -> Act {
        let kind = self.recovery();
        self.staffs_about(who, kind)
    }

    /// A recovery that the identity vendor attests, journaled.
    pub(crate) fn begin(&mut self) -> Digest {
        let act = self.recovery_by(World::BACK_END);
        let evidence = self.prove_attested(&act);
        self.submit_with(act, evidence)
    }

    /// The word of those who vouch for an act: the vendor for what a back end brings, the roots.
    pub(super) fn vouchers(&self, act: &Act) -> Vec<Attestation> {
        let has_vendor = self.state().issuer(VENDOR, IssuerKind::Identity).is_some();
        match &act.kind {
            ActKind::Recover(_) if act.principal == World::BACK_END && has_vendor => {
                vec![self.attest(VENDOR, act, Claim::Identity)]
            }
            ActKind::RecoverAdministrators(_) if !self.state().roots().keys.is_empty() => ROOTS
                [..2]
                .iter()
                .map(|root| self.root(*root, act))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// All evidence for an act, and the identity vendor's word.
    pub(crate) fn prove_attested(&self, act: &Act) -> Evidence {
        let mut evidence = self.prove(act);
        evidence.attestations = vec![self.attest(VENDOR, act, Claim::Identity)];
        evidence
    }

    /// The holder's own word by a request key, and by nothing else.
    pub(crate) fn vouch(&mut self) -> (Act, Evidence) {
        let kind = self.recovery();
        let act = self.customers(kind);
        let evidence = self.prove_by_request_key(&act);
        (act, evidence)
    }

    /// The customer objects, by its passkey.
    pub(crate) fn veto(&mut self, act: Digest) -> Act {
        self.customers(ActKind::Veto(Veto { act }))
    }

    pub(crate) fn raise(&mut self, factors: Option<FactorKind>) {
        let realm = Realm::Customers;
        let kind = ActKind::RaiseEpoch(RaiseEpoch { realm, factors });
        let act = self.staffs(World::OPERATOR, kind);
        self.submit(act);
    }

    pub(crate) fn has_factor(&self, factor: &NewFactor) -> bool {
        self.facts().factor(self.holder(), factor.id()).is_some()
    }

    pub(crate) fn open_another(&mut self, number: u8) -> AccountId {
        let customer = Customer::number(number);
        self.ledger.open(&customer);
        customer.account
    }

    // Administrators.

    /// New administrators in the place of all of those there are.
    pub(crate) fn new_administration(&self, seeds: &[u8], quorum: u32) -> RecoverAdministrators {
        let administrators = seeds.iter().map(|seed| {
            let principal = PrincipalId(id(*seed));
            NewAdministrator {
                principal,
                factors: vec![request_key(principal)],
            }
        });
        RecoverAdministrators {
            replaces: self.state().administration().digest(),
            administrators: administrators.collect(),
            quorum,
        }
    }

    /// A member of staff brings the act, and these roots stand behind it.
    pub(crate) fn rooted(&mut self, act: &Act, roots: &[u8]) -> Evidence {
        let mut evidence = self.prove(act);
        evidence.attestations = roots.iter().map(|root| self.root(*root, act)).collect();
        evidence
    }

    fn root(&self, seed: u8, act: &Act) -> Attestation {
        let key = World::key(&id(seed));
        let statement = AttestationStatement {
            issuer: root_id(key.public_key()),
            act: act.digest(),
            expires: self.now().after(Span::hours(1)),
            claim: Claim::Root,
        };
        let signature = key.sign(&statement.signed_bytes()).unwrap();
        Attestation {
            statement,
            signature,
        }
    }

    /// A support agent's member act that brings the roots' word, journaled.
    pub(crate) fn begin_administrators(&mut self, new: RecoverAdministrators) -> Digest {
        let act = self.staffs(SUPPORT, ActKind::RecoverAdministrators(new));
        let evidence = self.rooted(&act, &ROOTS[..2]);
        self.submit_with(act, evidence)
    }
}

//! A customer with an authenticator app, on a network with a herald.

use crate::stage::{PAYEE, Stage, add, ether};
use portcullis_chains::Amount;
use portcullis_contact::{Algorithm, Digits, SealingSecret, Seed, seal_code};
use portcullis_core::act::{ActKind, EnrolFactor};
use portcullis_core::apply::Applied;
use portcullis_core::code::{Code, step_at};
use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::{Genesis, Keeper, KeeperKind, SealingKey};
use portcullis_core::id::{FactorId, KeeperId};
use portcullis_core::limits::{Bounds, Limit};
use portcullis_core::policy::Policy;
use portcullis_core::state::account::Owner;
use portcullis_core::statement::Says;
use portcullis_core::{Act, Digest, Evidence, Span};
use portcullis_keeper::testkit::{Customer, HandClock, Ledger, World};
use portcullis_keys::StatementKey as _;
use std::sync::{Arc, OnceLock};

/// What a code lets out in one transaction, and in a day.
pub(crate) const MOST: u128 = 100;
pub(crate) const DAY: u128 = 150;

/// What the journal holds in the place of the seed.
pub(crate) const SEED: Digest = Digest([0x5e; 32]);
/// A network of which the herald is somebody.
const SECRET: [u8; 32] = [0x77; 32];

fn genesis(genesis: &mut Genesis) {
    genesis.keepers.push(Keeper {
        id: World::HERALD,
        kind: KeeperKind::Herald,
        key: World::key(&World::HERALD.0).public_key().clone(),
        sealing: Some(SealingKey(World::SEALING)),
    });
    genesis.limits.rules.push(Limit {
        asset: World::ETHER,
        bounds: Bounds::Code,
        per_transaction: Some(Amount(MOST)),
        hour: None,
        day: Some(Amount(DAY)),
        week: None,
        approval: None,
    });
}

impl Stage {
    /// A customer whose authenticator app counts, and whose address has stood in the book for seven floors.
    pub(crate) fn with_codes() -> Self {
        static SET: OnceLock<Ledger> = OnceLock::new();
        let ledger = SET.get_or_init(|| Self::young().ledger).clone();
        let mut stage = Self {
            ledger,
            customer: Customer::number(1),
        };
        stage.ledger.clock = HandClock::at(stage.now());
        stage.pass(Span::seconds(40));
        stage
    }

    /// The same a few seconds after the address was added.
    pub(crate) fn young() -> Self {
        Self::founded(World::with(genesis))
    }

    /// The same under a policy.
    pub(crate) fn with_policy(policy: Policy) -> Self {
        Self::founded(World::with(|founding| {
            genesis(founding);
            founding.policy = Some(policy);
        }))
    }

    fn founded(world: World) -> Self {
        let clock = HandClock::at(World::START);
        let mut stage = Self {
            ledger: Ledger::new(Arc::new(world), clock),
            customer: Customer::number(1),
        };
        stage.ledger.open(&stage.customer);
        let opened = stage.facts().untold.acts().next().unwrap().1;
        stage.heralds(opened);
        stage.pass(Span::seconds(6));
        let principal = stage.customer.principal;
        let factor = NewFactor::Totp { seed: SEED };
        let enrol = stage.customers(ActKind::EnrolFactor(EnrolFactor { principal, factor }));
        let enrol = stage.submit(enrol);
        let address = stage.customers(add(PAYEE));
        let address = stage.submit(address);
        stage.heralds(enrol);
        stage.heralds(address);
        stage.pass(Span::seconds(6));
        stage
    }

    #[allow(clippy::unused_self, reason = "it is the customer's")]
    pub(crate) fn app(&self) -> FactorId {
        NewFactor::Totp { seed: SEED }.id()
    }

    pub(crate) fn owner(&self) -> Owner {
        Owner::Holder {
            account: self.customer.account,
            principal: self.customer.principal,
        }
    }

    /// The step that served last.
    pub(crate) fn served(&self) -> u32 {
        let factor = self.facts().factor(self.owner(), self.app());
        factor.unwrap().counter
    }

    /// The present step.
    pub(crate) fn step(&self) -> u32 {
        step_at(self.now())
    }

    /// A withdrawal of ether with a code, its debit and the back end's relay.
    pub(crate) fn small(&mut self, amount: u128) -> (Act, Evidence) {
        let act = self.customers(ether(PAYEE, amount));
        let evidence = self.with_code(&act);
        (act, evidence)
    }

    /// What an act comes with where a code is to prove it. Core never opens it, so which one it is only
    /// the herald's word says.
    pub(crate) fn with_code(&self, act: &Act) -> Evidence {
        let mut evidence = self.prove(act);
        evidence.assertions.clear();
        evidence.code = Some(self.code(act, "000000"));
        evidence
    }

    fn code(&self, act: &Act, digits: &str) -> Code {
        let factor = self.app();
        let sealed = seal_code(
            &Digits::parse(digits).unwrap(),
            SealingSecret::new(&SECRET).unwrap().public(),
            act.genesis,
            (act.digest(), factor),
            |bytes| bytes.fill(9),
        );
        Code::Totp {
            factor,
            sealed: sealed.unwrap(),
        }
    }

    /// A freeze by code waits.
    pub(crate) fn freeze_by_code(&mut self) -> Digest {
        let act = self.customers(ActKind::Freeze);
        let evidence = self.with_code(&act);
        self.submit_with(act, evidence)
    }

    pub(crate) fn says_by(&mut self, keeper: KeeperId, says: Says) -> Applied {
        let signed = self.signed_by(keeper, says);
        self.ledger
            .enter(portcullis_core::Body::Statement(Box::new(signed)))
    }

    /// The herald says that a code is right, of a step.
    pub(crate) fn right(&mut self, act: Digest, step: u32) -> Applied {
        let factor = self.app();
        self.says_by(World::HERALD, Says::CodeRight { act, factor, step })
    }

    pub(crate) fn wrong(&mut self, act: Digest) -> Applied {
        let factor = self.app();
        self.says_by(World::HERALD, Says::CodeWrong { act, factor })
    }
}

/// A seed as any app has one.
pub(crate) fn seed() -> Seed {
    Seed::of_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", Algorithm::Sha1, 6).unwrap()
}

//! What the tests of decisions play on: a network with somebody in every role, limits in force, and a
//! customer who could withdraw this very moment.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "each test binary uses its own part; a helper that fails is a test that fails"
)]

pub(crate) mod rates;

pub(crate) mod lost;

pub(crate) mod vendors;

use portcullis_chains::Amount;
use portcullis_chains::caip::{Address, AssetId};
use portcullis_chains::ethereum::Fees;
use portcullis_core::act::{
    ActKind, AddAddress, Approve, EnrolFactor, GrantRole, SetLimits, Withdraw,
};
use portcullis_core::apply::Applied;
use portcullis_core::decide::{Decided, decide, settle};
use portcullis_core::entry::{Body, Entry, Settlement, Submission, Supplement};
use portcullis_core::evidence::{Attestation, AttestationStatement, Claim, Stamp};
use portcullis_core::factor::NewFactor;
use portcullis_core::id::{IssuerId, KeeperId, LedgerEntryId, PrincipalId};
use portcullis_core::limits::{ApprovalAbove, Bounds, Limit, Limits};
use portcullis_core::realm::{Realm, Role};
use portcullis_core::signature::Strict;
use portcullis_core::state::Facts;
use portcullis_core::state::release::{End, Release};
use portcullis_core::statement::{Says, SignedStatement, Statement};
use portcullis_core::{Act, Decision, Digest, Evidence, ReadEntry, Reason, Span, State, Time};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Customer, HandClock, Ledger, World, id};
use portcullis_keys::{StatementKey as _, WalletKey as _};
use std::sync::{Arc, OnceLock};

/// A member of each role that the bare network has nobody in.
pub(crate) const APPROVERS: [PrincipalId; 3] = [
    PrincipalId([0x21; 16]),
    PrincipalId([0x24; 16]),
    PrincipalId([0x25; 16]),
];
pub(crate) const SUPPORT: PrincipalId = PrincipalId([0x22; 16]);
pub(crate) const AUDITOR: PrincipalId = PrincipalId([0x23; 16]);

/// Where the customer's money may go.
pub(crate) const PAYEE: Address = World::address(0xaa);
/// Where it may not.
pub(crate) const STRANGER: Address = World::address(0xbb);

/// The limits in force for the customer's ether: one transaction, an hour, a day, a week.
pub(crate) const MOST: [u128; 4] = [1_000, 2_000, 3_000, 4_000];
/// More than this takes two approvals.
pub(crate) const UNAPPROVED: u128 = 800;

pub(crate) struct Stage {
    pub(crate) ledger: Ledger,
    pub(crate) customer: Customer,
}

impl Stage {
    /// The same stage every time. Building it takes a hundred signatures, so it is built once.
    pub(crate) fn new() -> Self {
        static SET: OnceLock<Ledger> = OnceLock::new();
        let ledger = SET.get_or_init(|| Self::build().ledger).clone();
        Self {
            ledger,
            customer: Customer::number(1),
        }
        .with_its_own_clock()
    }

    /// A stage on a network with a herald: a customer whose passkey counts, and nothing else.
    pub(crate) fn with_a_herald() -> Self {
        Self::told_on(World::with_a_herald())
    }

    /// The same on another network that has a herald.
    pub(crate) fn told_on(world: World) -> Self {
        let clock = HandClock::at(World::START);
        let mut stage = Self {
            ledger: Ledger::new(Arc::new(world), clock),
            customer: Customer::number(1),
        };
        stage.ledger.open(&stage.customer);
        let opened = stage.facts().untold.acts().next().unwrap().1;
        assert_eq!(stage.heralds(opened).void, None);
        stage.pass(Span::seconds(6));
        stage
    }

    /// A copy that goes on by itself.
    pub(crate) fn branch(&self) -> Self {
        Self {
            ledger: self.ledger.branch(),
            customer: Customer::number(1),
        }
        .with_its_own_clock()
    }

    fn with_its_own_clock(mut self) -> Self {
        self.ledger.clock = HandClock::at(self.now());
        self
    }

    fn build() -> Self {
        Self::build_on(World::new())
    }

    /// The same in a network of another genesis.
    pub(crate) fn build_on(world: World) -> Self {
        let clock = HandClock::at(World::START);
        let mut stage = Self {
            ledger: Ledger::new(Arc::new(world), clock),
            customer: Customer::number(1),
        };
        stage.ledger.open(&stage.customer);
        stage.ledger.add_address(&stage.customer, PAYEE);
        for approver in APPROVERS {
            stage.employ(approver, Role::Approver);
        }
        stage.employ(SUPPORT, Role::Support);
        stage.employ(AUDITOR, Role::Auditor);
        stage.propose(limits_of(MOST));
        stage.pass(Span::seconds(6));
        stage
    }

    pub(crate) fn now(&self) -> Time {
        self.ledger.clock.now()
    }

    pub(crate) fn state(&self) -> &State {
        &self.ledger.state
    }

    pub(crate) fn facts(&self) -> &Facts {
        self.ledger.state.facts()
    }

    /// Time passes; the gate journals what the witnesses cosigned before and after.
    pub(crate) fn pass(&mut self, span: Span) {
        self.ledger.settle_clocks();
        self.ledger.clock.pass(span);
        self.ledger.settle_clocks();
    }

    // Acts.

    /// The customer asks.
    pub(crate) fn customers(&mut self, kind: ActKind) -> Act {
        self.ledger.customers_act(&self.customer, kind)
    }

    /// A member of staff asks.
    pub(crate) fn staffs(&mut self, who: PrincipalId, kind: ActKind) -> Act {
        self.ledger.act(who, kind)
    }

    /// A member of staff asks about the customer's account.
    pub(crate) fn staffs_about(&mut self, who: PrincipalId, kind: ActKind) -> Act {
        let mut act = self.ledger.act(who, kind);
        act.account = Some(self.customer.account);
        act
    }

    /// The customer asks for ether.
    pub(crate) fn withdrawal(&mut self, amount: u128) -> Act {
        self.customers(ether(PAYEE, amount))
    }

    // Evidence.

    /// All that an honest client sends with the act.
    pub(crate) fn prove(&self, act: &Act) -> Evidence {
        let customers = act.realm == Realm::Customers || act.principal == self.customer.principal;
        let mut evidence = if customers {
            self.ledger.customers_evidence(&self.customer, act)
        } else {
            self.ledger.staffs_evidence(act)
        };
        let onboards = match &act.kind {
            ActKind::OpenAccount(_) => true,
            ActKind::EnrolFactor(enrol) => enrol.principal != act.principal,
            _ => false,
        };
        if onboards {
            evidence.attestations.push(self.ledger.onboarding(act));
        }
        if matches!(act.kind, ActKind::Withdraw(_)) {
            evidence.attestations.push(self.ledger.debit(act));
        }
        evidence.attestations.extend(self.vouchers(act));
        evidence
    }

    /// All but the ledger's word.
    pub(crate) fn prove_without_debit(&self, act: &Act) -> Evidence {
        let mut evidence = self.prove(act);
        evidence.attestations.clear();
        evidence
    }

    /// An issuer says something for an hour.
    pub(crate) fn attest(&self, issuer: IssuerId, act: &Act, claim: Claim) -> Attestation {
        Self::attest_until(self.now().after(Span::hours(1)), issuer, act, claim)
    }

    pub(crate) fn attest_until(
        expires: Time,
        issuer: IssuerId,
        act: &Act,
        claim: Claim,
    ) -> Attestation {
        let statement = AttestationStatement {
            issuer,
            act: act.digest(),
            expires,
            claim,
        };
        let signature = World::key(&issuer.0).sign(&statement.signed_bytes());
        Attestation {
            signature: signature.unwrap(),
            statement,
        }
    }

    /// The ledger says that this entry of its own paid.
    pub(crate) fn debit_of(&self, act: &Act, entry: u8) -> Attestation {
        let entry = LedgerEntryId([entry; 16]);
        self.attest(World::LEDGER, act, Claim::LedgerDebit { entry })
    }

    /// The stop board took the act at a time.
    pub(crate) fn stamp(act: &Act, time: Time) -> Stamp {
        let bytes = Stamp::signed_bytes(World::BOARD, act.digest(), time);
        Stamp {
            board: World::BOARD,
            time,
            signature: World::key(&World::BOARD.0).sign(&bytes).unwrap(),
        }
    }

    // What becomes of them.

    pub(crate) fn decided(&self, act: &Act, evidence: &Evidence) -> Decided {
        decide(self.state(), act, evidence, self.now(), &Strict)
    }

    pub(crate) fn decide(&self, act: &Act, evidence: &Evidence) -> Decision {
        self.decided(act, evidence).decision().clone()
    }

    /// Why the act is refused as an honest client would send it.
    pub(crate) fn refusal(&self, act: &Act) -> Option<Reason> {
        match self.decide(act, &self.prove(act)) {
            Decision::Refuse { reason } => Some(reason),
            _ => None,
        }
    }

    /// Journal an act, which is not refused.
    pub(crate) fn submit(&mut self, act: Act) -> Digest {
        let evidence = self.prove(&act);
        self.ledger.submit(act, evidence)
    }

    pub(crate) fn submit_with(&mut self, act: Act, evidence: Evidence) -> Digest {
        self.ledger.submit(act, evidence)
    }

    /// Journal a refusal as the gate does.
    pub(crate) fn journal_refusal(&mut self, act: Act, evidence: Evidence) -> Applied {
        let submission = self.ledger.submission(act, evidence);
        assert!(matches!(submission.decision, Decision::Refuse { .. }));
        self.ledger.enter(Body::Act(Box::new(submission)))
    }

    /// More evidence for a held or released act.
    pub(crate) fn supplement(&mut self, act: Digest, evidence: Evidence) -> Applied {
        let supplement = Supplement { act, evidence };
        self.ledger.enter(Body::Evidence(Box::new(supplement)))
    }

    /// Whether more evidence would be taken, and if not, why.
    pub(crate) fn would_supplement(&self, act: Digest, evidence: Evidence) -> Result<(), String> {
        let body = Body::Evidence(Box::new(Supplement { act, evidence }));
        let entry = Entry::new(self.now(), body);
        let judged = self.state().judge(&ReadEntry::written(entry).0, &Strict);
        judged.map(|_| ()).map_err(|why| why.to_string())
    }

    /// What a held act would come to now.
    pub(crate) fn settles(&self, act: Digest) -> Decision {
        settle(self.state(), act, self.now()).decision().clone()
    }

    /// Journal what a held act comes to now; it waits no more.
    pub(crate) fn settle(&mut self, act: Digest) {
        self.ledger.witness(act);
        assert!(
            !matches!(self.settles(act), Decision::Hold { .. }),
            "it waits on"
        );
        self.ledger.settle(act);
    }

    /// An entry that says something of its own choosing about how a held act was settled.
    pub(crate) fn settle_as(&mut self, act: Digest, decision: Decision) -> Applied {
        let plan = settle(self.state(), act, self.now())
            .payment()
            .map(|payment| payment.plan(fees()).unwrap());
        self.ledger.enter(Body::Settle(Box::new(Settlement {
            act,
            decision,
            plan,
            beside: portcullis_core::entry::Beside::default(),
        })))
    }

    /// An act with a decision of the entry's own choosing: what an honest gate never writes.
    pub(crate) fn enter_as(&mut self, act: Act, evidence: Evidence, decision: Decision) -> Applied {
        let submission = Submission {
            decision,
            ..self.ledger.submission(act, evidence)
        };
        self.ledger.enter(Body::Act(Box::new(submission)))
    }

    pub(crate) fn release(&self, act: Digest) -> &Release {
        &self.facts().releases[&act]
    }

    pub(crate) fn end(&self, act: Digest) -> Option<End> {
        self.facts().ended.get(&act).map(|ended| ended.end)
    }

    // Staff together.

    /// Two administrators do it, at once or after its delay.
    pub(crate) fn propose(&mut self, kind: ActKind) -> Digest {
        let act = self.staffs(World::administrator(0), kind);
        self.propose_act(act)
    }

    pub(crate) fn propose_act(&mut self, act: Act) -> Digest {
        let digest = self.submit(act);
        self.approve(World::administrator(1), digest);
        if matches!(self.settles(digest), Decision::Hold { .. }) {
            self.pass(Span::seconds(6));
        }
        self.settle(digest);
        digest
    }

    pub(crate) fn approve(&mut self, who: PrincipalId, act: Digest) -> Digest {
        let approval = self.staffs(who, ActKind::Approve(Approve { act }));
        self.submit(approval)
    }

    pub(crate) fn employ(&mut self, principal: PrincipalId, role: Role) {
        let factor = Some(request_key(principal));
        self.propose(ActKind::GrantRole(GrantRole {
            principal,
            role,
            factor,
        }));
        self.pass(Span::seconds(6));
    }

    // The customer's affairs.

    pub(crate) fn add_address(&mut self, address: Address) {
        self.ledger.add_address(&self.customer, address);
    }

    /// The customer gets another factor, which counts after the delay.
    pub(crate) fn enrol(&mut self, factor: NewFactor) {
        let principal = self.customer.principal;
        let act = self.customers(ActKind::EnrolFactor(EnrolFactor { principal, factor }));
        self.submit(act);
    }

    /// The customer gets a request key, and it counts.
    pub(crate) fn enrol_request_key(&mut self) {
        self.enrol(request_key(self.customer.principal));
        self.pass(Span::seconds(6));
    }

    /// The customer's word by its request key, through the back end.
    pub(crate) fn prove_by_request_key(&self, act: &Act) -> Evidence {
        let mut evidence = self.prove(act);
        evidence.assertions.clear();
        let own = World::request(act.principal, act, self.now());
        evidence.requests.push(own);
        evidence
    }

    // The signer.

    pub(crate) fn says(&mut self, says: Says) -> Applied {
        let signed = self.signed(says);
        self.ledger.enter(Body::Statement(Box::new(signed)))
    }

    /// The herald says that it has told of what an act began and waits for that.
    pub(crate) fn heralds(&mut self, act: Digest) -> Applied {
        let entry = self.untold(act).unwrap();
        self.heralds_of(entry, act)
    }

    /// The herald says that it has told of this entry.
    pub(crate) fn heralds_of(&mut self, entry: u64, act: Digest) -> Applied {
        let signed = self.signed_by(World::HERALD, Says::Told { act, entry });
        self.ledger.enter(Body::Statement(Box::new(signed)))
    }

    /// The entry with which an act began what waits for the herald's word.
    pub(crate) fn untold(&self, act: Digest) -> Option<u64> {
        let mut waiting = self.facts().untold.acts();
        waiting.find(|(_, of)| *of == act).map(|(entry, _)| entry)
    }

    pub(crate) fn signed(&self, says: Says) -> SignedStatement {
        self.signed_by(World::KEEPER, says)
    }

    pub(crate) fn signed_by(&self, keeper: KeeperId, says: Says) -> SignedStatement {
        let statement = Statement {
            genesis: self.ledger.world.digest(),
            keeper,
            says,
        };
        let signature = World::key(&keeper.0).sign(&statement.signed_bytes());
        SignedStatement {
            signature: signature.unwrap(),
            statement,
        }
    }

    /// The signer signs the newest plan and says so. Gives the transaction's hash.
    pub(crate) fn sign(&mut self, act: Digest) -> Digest {
        let says = self.says_signed(act);
        let Says::Signed { transaction, .. } = &says else {
            unreachable!()
        };
        let hash = portcullis_chains::ethereum::SignedTx::from_bytes(transaction)
            .unwrap()
            .hash();
        assert_eq!(self.says(says).void, None);
        Digest(hash)
    }

    /// What the signer says once it has signed the newest plan.
    pub(crate) fn says_signed(&self, act: Digest) -> Says {
        let release = self.release(act);
        let plan = release.plans.last().unwrap();
        let transaction = self.transaction(&plan.unsigned);
        Says::Signed {
            act,
            entry: release.entry,
            effects: release.effects,
            plan: plan.digest(),
            transaction,
        }
    }

    /// The wallet's signature under some bytes.
    pub(crate) fn transaction(&self, unsigned: &[u8]) -> Vec<u8> {
        use portcullis_chains::ethereum::{SignedTx, UnsignedTx};
        let unsigned = UnsignedTx::from_bytes(unsigned).unwrap();
        let signature = self.ledger.world.wallet.sign(&unsigned.sighash()).unwrap();
        SignedTx::assemble(unsigned, signature).to_bytes()
    }
}

/// Ether to somebody.
pub(crate) fn ether(to: Address, amount: u128) -> ActKind {
    ActKind::Withdraw(Withdraw {
        asset: World::ETHER,
        to,
        amount: Amount(amount),
    })
}

pub(crate) fn add(address: Address) -> ActKind {
    ActKind::AddAddress(AddAddress { address })
}

/// The request key of whoever has this id.
pub(crate) fn request_key(who: PrincipalId) -> NewFactor {
    NewFactor::RequestKey {
        key: World::key(&who.0).public_key().clone(),
    }
}

/// An act that replaces the limits in force on the stage by these for ether.
fn limits_of(most: [u128; 4]) -> ActKind {
    let replaces = World::new().network.genesis().limits.digest();
    let ether = limit(Bounds::Account, most);
    let limits = Limits {
        rules: vec![ether, unbounded(World::TOKEN)],
    };
    ActKind::SetLimits(SetLimits { replaces, limits })
}

/// A rule for ether: the most in a transaction, an hour, a day and a week, and from when on it is approved.
pub(crate) fn limit(bounds: Bounds, most: [u128; 4]) -> Limit {
    let [per_transaction, hour, day, week] = most.map(|amount| Some(Amount(amount)));
    Limit {
        asset: World::ETHER,
        bounds,
        per_transaction,
        hour,
        day,
        week,
        approval: Some(ApprovalAbove {
            above: Amount(UNAPPROVED),
            count: 2,
        }),
    }
}

/// A rule that lets everything through.
pub(crate) fn unbounded(asset: AssetId) -> Limit {
    Limit {
        asset,
        bounds: Bounds::Account,
        per_transaction: None,
        hour: None,
        day: None,
        week: None,
        approval: None,
    }
}

/// The fees that the test kit plans with.
pub(crate) fn fees() -> Fees {
    Fees::new(20_000_000_000, 1_000_000_000, 100_000).unwrap()
}

/// Fees that take the place of those.
pub(crate) fn higher_fees() -> Fees {
    Fees::new(30_000_000_000, 2_000_000_000, 100_000).unwrap()
}

/// An id that nothing has.
pub(crate) fn nobody() -> [u8; 16] {
    id(0xfe)
}

/// State without what every entry changes: time, the running digest, the tree.
pub(crate) fn standing(facts: &Facts) -> Facts {
    let mut facts = facts.clone();
    facts.time = Time(0);
    facts.effects = Digest([0; 32]);
    facts.log = portcullis_core::state::log::LogTail::new();
    facts
}

/// The signer saw the transaction in the chain.
pub(crate) fn confirmed(act: Digest, transaction: Digest) -> Says {
    Says::Confirmed {
        act,
        transaction,
        block: 7,
        block_hash: Digest([7; 32]),
    }
}

/// The signer saw in the chain that the transaction moved nothing.
pub(crate) fn reverted(act: Digest, transaction: Digest) -> Says {
    Says::Reverted {
        act,
        transaction,
        block: 7,
        block_hash: Digest([7; 32]),
    }
}

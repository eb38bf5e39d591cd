use super::clock::HandClock;
use super::customer::Customer;
use super::world::{World, fees};
use portcullis_chains::Amount;
use portcullis_chains::caip::{Address, AssetId};
use portcullis_chains::ethereum::Fees;
use portcullis_core::act::{
    ActKind, AddAddress, Approve, Keys, Lift, LiftTarget, OpenAccount, Rotate, Scope, Suspend,
    Withdraw,
};
use portcullis_core::apply::Applied;
use portcullis_core::decide::{self, settle};
use portcullis_core::entry::{Body, Entry, Replacement, Settlement, Submission};
use portcullis_core::evidence::{Attestation, AttestationStatement, Claim, Evidence};
use portcullis_core::genesis::Witnesses;
use portcullis_core::id::{ActId, IssuerId, LedgerEntryId, PrincipalId};
use portcullis_core::plan::Plan;
use portcullis_core::realm::Realm;
use portcullis_core::signature::Strict;
use portcullis_core::{Act, Decision, Digest, Span, State, Time};
use portcullis_host::Clock as _;
use portcullis_keys::StatementKey as _;
use portcullis_tlog::witness::{AddCheckpoint, decide as witness};
use portcullis_tlog::{
    Frontier, LogSigner, SignedCheckpoint, Signer as _, Timestamp, TreeHead, WitnessSigner,
};
use std::sync::Arc;

/// How old the journaled checkpoint may be behind which an honest gate settles.
const RENEW: Span = Span::seconds(60);

/// A journal that is written entry by entry, honestly or not.
#[derive(Clone)]
pub struct Ledger {
    /// The keys.
    pub world: Arc<World>,
    /// The clock that gate and witnesses share.
    pub clock: HandClock,
    /// What the journal says.
    pub state: State,
    /// Its entries.
    pub entries: Vec<Vec<u8>>,
    /// The newest cosigned checkpoint.
    pub note: Vec<u8>,
    acts: u32,
    series: u8,
}

impl Ledger {
    /// A journal of which the genesis is cosigned, and that cosigned checkpoint journaled.
    #[must_use]
    pub fn new(world: Arc<World>, clock: HandClock) -> Self {
        let state = State::new(world.network.clone());
        let mut ledger = Self {
            world,
            clock,
            state,
            entries: Vec::new(),
            note: Vec::new(),
            acts: 0,
            series: 0,
        };
        let genesis = ledger.world.network.signed().clone();
        ledger.enter(Body::Genesis(Box::new(genesis)));
        ledger.cosign();
        ledger.journal_checkpoint();
        ledger.cosign();
        ledger
    }

    /// Another journal of the same network, whose acts have other ids: to fork with.
    #[must_use]
    pub fn branch(&self) -> Self {
        let mut branch = self.clone();
        branch.series = branch.series.wrapping_add(1);
        branch
    }

    fn now(&self) -> Time {
        self.clock.now()
    }

    /// An entry, whatever it does.
    pub fn enter(&mut self, body: Body) -> Applied {
        let time = self.now().max(self.state.facts().time);
        self.enter_bytes(Entry::new(time, body).to_bytes())
    }

    /// Bytes that may be no entry.
    pub fn enter_bytes(&mut self, bytes: Vec<u8>) -> Applied {
        let applied = self.state.apply(&bytes, &Strict);
        self.entries.push(bytes);
        applied
    }

    /// Cosign the journal as it is, at the clock's time; where others take over from the witnesses, the last
    /// that those cosign until the journal has it.
    pub fn cosign(&mut self) {
        let log = &self.state.facts().log;
        let last = self.state.handing_over();
        let last = last.and_then(|last| log.head_at(last));
        self.note = self.note_of(last.unwrap_or(log.head()), self.now());
    }

    /// A checkpoint of this head, cosigned by every witness in force there at this time. Real witnesses check
    /// consistency; these sign what the test wants.
    #[must_use]
    pub fn note_of(&self, head: TreeHead, time: Time) -> Vec<u8> {
        let quorum = self.state.quorum_at(head.size);
        let all = (0x91..=0xaf).map(World::witness);
        let witnesses = all.filter(|signer| quorum.witnesses().contains(signer.key()));
        self.note_by(head, time, &witnesses.collect::<Vec<_>>())
    }

    /// The same by these witnesses, whoever they are.
    #[must_use]
    pub fn note_by(&self, head: TreeHead, time: Time, witnesses: &[WitnessSigner]) -> Vec<u8> {
        let in_force = self.state.signatories_at(head.size).log();
        let mut logs = (0x80..=0x8f).map(World::log);
        let log = logs.find(|log| log.key() == in_force).unwrap();
        Self::note_signed(head, time, &log, witnesses)
    }

    /// The same by this key of the journal, too.
    #[must_use]
    pub fn note_signed(
        head: TreeHead,
        time: Time,
        log: &LogSigner,
        witnesses: &[WitnessSigner],
    ) -> Vec<u8> {
        let mut signed = SignedCheckpoint::sign(head, log).unwrap();
        let time = Timestamp::from_unix(time.0 / 1000).unwrap();
        for key in witnesses {
            let request = AddCheckpoint::new(head.size, Vec::new(), &signed);
            let accepted = witness(Some(head), request, log.key()).unwrap();
            signed.add_cosignature(accepted.cosign(time, key).unwrap());
        }
        signed.note().to_string().into_bytes()
    }

    /// The head at an earlier size.
    #[must_use]
    pub fn head_at(&self, size: usize) -> TreeHead {
        let mut frontier = Frontier::new();
        for entry in &self.entries[..size] {
            frontier.append(portcullis_tlog::Hash::leaf(entry));
        }
        frontier.head()
    }

    /// The newest cosigned checkpoint becomes an entry, which starts the clocks of what it contains.
    pub fn journal_checkpoint(&mut self) {
        let applied = self.enter(Body::Checkpoint(self.note.clone()));
        assert_eq!(applied.void, None);
    }

    /// Cosign, journal that, cosign again: every clock so far runs.
    pub fn settle_clocks(&mut self) {
        self.cosign();
        self.journal_checkpoint();
        self.cosign();
    }

    /// An act of a member of staff, or of a customer with `realm` and `account` set after.
    pub fn act(&mut self, principal: PrincipalId, kind: ActKind) -> Act {
        self.acts += 1;
        let mut id = [self.series; 16];
        id[1..5].copy_from_slice(&self.acts.to_be_bytes());
        let newest = self.state.facts().checkpoints.iter().max_by_key(|c| c.1);
        Act {
            genesis: self.world.digest(),
            realm: Realm::Staff,
            principal,
            account: None,
            id: ActId(id),
            checkpoint: *newest.unwrap().0,
            expires: self.now().after(Span::hours(2)),
            kind,
        }
    }

    /// A customer's act.
    pub fn customers_act(&mut self, customer: &Customer, kind: ActKind) -> Act {
        let mut act = self.act(customer.principal, kind);
        act.realm = Realm::Customers;
        act.account = Some(customer.account);
        act
    }

    /// What a customer's act comes with: the assertion, and the back end's request.
    #[must_use]
    pub fn customers_evidence(&self, customer: &Customer, act: &Act) -> Evidence {
        Evidence {
            requests: vec![World::request(World::BACK_END, act, self.now())],
            assertions: vec![customer.assertion(act)],
            ..Evidence::default()
        }
    }

    /// What a member's act comes with.
    #[must_use]
    pub fn staffs_evidence(&self, act: &Act) -> Evidence {
        Evidence {
            requests: vec![World::request(act.principal, act, self.now())],
            ..Evidence::default()
        }
    }

    fn attest(&self, issuer: IssuerId, act: &Act, claim: Claim) -> Attestation {
        let statement = AttestationStatement {
            issuer,
            act: act.digest(),
            expires: self.now().after(Span::hours(1)),
            claim,
        };
        let signature = World::key(&issuer.0).sign(&statement.signed_bytes());
        Attestation {
            signature: signature.unwrap(),
            statement,
        }
    }

    /// The ledger's word for an act.
    #[must_use]
    pub fn debit(&self, act: &Act) -> Attestation {
        let entry = LedgerEntryId(act.id.0);
        self.attest(World::LEDGER, act, Claim::LedgerDebit { entry })
    }

    /// The onboarding key's word for an act.
    #[must_use]
    pub fn onboarding(&self, act: &Act) -> Attestation {
        self.attest(World::ONBOARDING, act, Claim::Onboarding)
    }

    /// What an honest gate would journal for an act.
    #[must_use]
    pub fn submission(&self, act: Act, evidence: Evidence) -> Submission {
        let decided = decide::decide(&self.state, &act, &evidence, self.now(), &Strict);
        let plan = decided.payment().map(|p| p.plan(fees()).unwrap());
        Submission {
            decision: decided.decision().clone(),
            act,
            evidence,
            plan,
        }
    }

    /// Journal an act as an honest gate would. Returns its digest.
    pub fn submit(&mut self, act: Act, evidence: Evidence) -> Digest {
        let digest = act.digest();
        let submission = self.submission(act, evidence);
        if let Decision::Refuse { reason } = submission.decision {
            panic!("the gate refuses: {reason}");
        }
        let applied = self.enter(Body::Act(Box::new(submission)));
        assert_eq!(applied.void, None);
        digest
    }

    /// Open the customer's account, with the passkey counting.
    pub fn open(&mut self, customer: &Customer) {
        let open = OpenAccount {
            subject: customer.subject,
            principal: customer.principal,
            factor: customer.factor(),
            delay: None,
            contact: self.contact_of(customer),
            imported: None,
        };
        let mut act = self.act(World::BACK_END, ActKind::OpenAccount(open));
        act.account = Some(customer.account);
        let mut evidence = self.staffs_evidence(&act);
        evidence.attestations.push(self.onboarding(&act));
        self.submit(act, evidence);
        self.settle_clocks();
        self.clock.pass(Span::seconds(6));
        self.cosign();
    }

    /// What a new account commits to: something of its own, where the network has a herald.
    fn contact_of(&self, customer: &Customer) -> Option<Digest> {
        let contact = Digest::plain(&customer.account.0);
        self.world.network.herald().map(|_| contact)
    }

    /// Add an address and let its delay run.
    pub fn add_address(&mut self, customer: &Customer, address: Address) {
        let kind = ActKind::AddAddress(AddAddress { address });
        let act = self.customers_act(customer, kind);
        let evidence = self.customers_evidence(customer, &act);
        self.submit(act, evidence);
        self.settle_clocks();
        self.clock.pass(Span::seconds(6));
        self.cosign();
    }

    /// A withdrawal and all its evidence, not journaled.
    pub fn withdrawal(
        &mut self,
        customer: &Customer,
        asset: AssetId,
        to: Address,
        amount: u128,
    ) -> (Act, Evidence) {
        let amount = Amount(amount);
        let kind = ActKind::Withdraw(Withdraw { asset, to, amount });
        let act = self.customers_act(customer, kind);
        let mut evidence = self.customers_evidence(customer, &act);
        evidence.attestations.push(self.debit(&act));
        (act, evidence)
    }

    /// Journal a withdrawal of ether that is released at once.
    pub fn withdraw(&mut self, customer: &Customer, to: Address, amount: u128) -> Digest {
        let (act, evidence) = self.withdrawal(customer, World::ETHER, to, amount);
        let digest = self.submit(act, evidence);
        assert!(self.state.facts().releases.contains_key(&digest), "held");
        digest
    }

    /// An operator's suspension with its evidence, not journaled.
    pub fn suspension(&mut self, scope: Scope) -> (Act, Evidence) {
        let act = self.act(World::OPERATOR, ActKind::Suspend(Suspend { scope }));
        let evidence = self.staffs_evidence(&act);
        (act, evidence)
    }

    /// Journal a member's act.
    pub fn staff(&mut self, who: PrincipalId, kind: ActKind) -> Digest {
        let act = self.act(who, kind);
        let evidence = self.staffs_evidence(&act);
        self.submit(act, evidence)
    }

    /// A quorum lifts.
    pub fn lift(&mut self, target: LiftTarget) {
        let (first, second) = (World::administrator(0), World::administrator(1));
        let act = self.staff(first, ActKind::Lift(Lift { target }));
        self.staff(second, ActKind::Approve(Approve { act }));
        self.settle(act);
    }

    /// See that a journaled checkpoint contains a held act, and is not an old one: nothing comes of it
    /// before.
    pub fn witness(&mut self, act: Digest) {
        let held = self.state.facts().held.get(&act);
        let awaits = held.is_some_and(|held| held.available.time().is_none());
        if awaits || self.now().since(self.state.witnessed()) > RENEW {
            self.settle_clocks();
        }
    }

    /// A quorum puts other witnesses in the place of those in force. Those have yet to cosign that.
    pub fn rotate_witnesses(&mut self, witnesses: Witnesses) {
        self.rotate(Keys::Witnesses { witnesses });
    }

    /// A quorum puts the key of this seed in the place of the journal's, which has yet to sign that.
    pub fn rotate_log(&mut self, seed: u8) {
        self.rotate(World::log_keys(seed));
    }

    /// A quorum puts keys in the place of those in force.
    pub fn rotate(&mut self, keys: Keys) {
        self.rotate_at_once(&[keys]);
    }

    /// The same of several, which take effect one right after the other.
    pub fn rotate_at_once(&mut self, all: &[Keys]) {
        let acts: Vec<Digest> = all.iter().map(|keys| self.agree_on(keys)).collect();
        self.settle_clocks();
        self.clock.pass(Span::seconds(6));
        self.settle_clocks();
        for act in acts {
            self.settle(act);
        }
    }

    /// A quorum agrees on a rotation, which has yet to wait.
    fn agree_on(&mut self, keys: &Keys) -> Digest {
        let replaces = self.state.keys_in_place_of(keys).unwrap().digest();
        let keys = keys.clone();
        let rotate = Rotate { replaces, keys };
        let (first, second) = (World::administrator(0), World::administrator(1));
        let act = self.staff(first, ActKind::Rotate(rotate));
        self.staff(second, ActKind::Approve(Approve { act }));
        act
    }

    /// Decide a held act again and journal what comes of it.
    pub fn settle(&mut self, act: Digest) {
        self.witness(act);
        let decided = settle(&self.state, act, self.now());
        let plan = decided.payment().map(|p| p.plan(fees()).unwrap());
        let decision = decided.decision().clone();
        let settlement = Settlement {
            act,
            decision,
            plan,
            beside: portcullis_core::entry::Beside::default(),
        };
        let applied = self.enter(Body::Settle(Box::new(settlement)));
        assert_eq!(applied.void, None);
    }

    /// Give a withheld release up by a plan that outbids.
    pub fn submit_with_fees(&mut self, act: Act, evidence: Evidence, fees: Fees) -> Digest {
        let mut submission = self.submission(act, evidence);
        let digest = submission.act.digest();
        let time = self.now();
        let (act, evidence) = (&submission.act, &submission.evidence);
        let decided = decide::decide(&self.state, act, evidence, time, &Strict);
        submission.plan = decided.payment().map(|p| p.plan(fees).unwrap());
        let applied = self.enter(Body::Act(Box::new(submission)));
        assert_eq!(applied.void, None);
        digest
    }

    /// Another plan for a release.
    pub fn replace(&mut self, act: Digest, plan: Plan) -> Applied {
        self.enter(Body::Replace(Box::new(Replacement { act, plan })))
    }
}

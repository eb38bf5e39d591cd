//! What people may expect of the journal, in a model too small to be wrong in the same way.
//!
//! It reads entries, asks the truth who really signed, and keeps its own book, its own windows and its
//! own count of members. It calls nothing of `decide` or `apply`.

mod codes;
mod contacts;
mod delays;
mod handovers;
mod keys;
mod payments;
mod people;
mod policy;
mod proofs;
mod recovery;

pub(crate) use handovers::{Speaker, Speakers};
pub use payments::{Payment, Planned};
pub use policy::Rate;
pub use proofs::Proof;

use crate::chronicle::Chronicle;
use crate::hosts::Common;
use crate::setting::{self, HOUR_LIMIT};
use crate::truth::Truth;
use codes::Codes;
use contacts::Contacts;
use delays::{Delays, own_delay};
use keys::InForce;
use policy::Rules;
use portcullis_chains::caip::{Address, AssetId};
use portcullis_core::act::{Act, ActKind, Scope};
use portcullis_core::entry::{Settlement, Submission};
use portcullis_core::evidence::Evidence;
use portcullis_core::factor::FactorKind;
use portcullis_core::id::{AccountId, FactorId, KeeperId, LedgerEntryId, PrincipalId};
use portcullis_core::limits::Limits;
use portcullis_core::policy::Policy;
use portcullis_core::realm::Role;
use portcullis_core::statement::{Says, Statement};
use portcullis_core::{Body, Decision, Digest, Entry, Span, Time};
use portcullis_keeper::testkit::World;
use portcullis_tlog::{Hash, Note};
use recovery::Recoveries;
use std::collections::{BTreeMap, BTreeSet};

/// A stop as the journal has it.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    /// What is shut.
    pub scope: Scope,
    /// By which entry.
    pub entry: u64,
    /// When the signer's own word that it has it was read in the journal.
    pub stated: Option<Time>,
}

/// A customer's factor.
#[derive(Clone, Copy)]
struct Factor {
    /// Since when it is enrolled, by the true clock.
    since: Time,
    /// By which entry.
    entry: u64,
    kind: FactorKind,
    /// Of which account, where it is a customer's.
    account: Option<AccountId>,
    /// How long it waits.
    delay: Span,
}

/// An address in an account's book.
#[derive(Clone, Copy)]
struct Booked {
    /// Since when, by the true clock.
    since: Time,
    /// By which entry it came, or was recovered.
    entry: u64,
}

/// An act that waits.
struct Waiting {
    act: Act,
    /// Who approved, and by which entry.
    approvals: BTreeMap<PrincipalId, u64>,
    proof: Option<Proof>,
    /// By which entry it was asked for.
    entry: u64,
    debit: bool,
}

/// The model.
pub struct Model {
    chronicle: Chronicle,
    truth: Truth,
    wallet: [u8; 20],
    counted: BTreeSet<Digest>,
    about: Vec<Vec<Digest>>,
    checkpoints: BTreeMap<Digest, u64>,
    roles: BTreeMap<PrincipalId, BTreeSet<Role>>,
    /// How many administrators loosen together.
    quorum: usize,
    /// By which entry somebody came to staff, and how long that waits.
    newcomers: BTreeMap<PrincipalId, (u64, Span)>,
    book: BTreeMap<(AccountId, Address), Booked>,
    factors: BTreeMap<FactorId, Factor>,
    delays: Delays,
    contacts: Contacts,
    codes: Codes,
    in_force: InForce,
    /// Who speaks for the journal.
    pub(crate) speakers: Speakers,
    rules: Rules,
    recoveries: Recoveries,
    frozen: BTreeSet<AccountId>,
    /// By which entry an account was frozen last, whether it is or not.
    frozen_by: BTreeMap<AccountId, u64>,
    /// By which entry a member of staff lost its factor.
    staff_revoked: BTreeMap<PrincipalId, u64>,
    /// Assertions that have proven an act.
    spent: BTreeSet<(Digest, [u8; 64])>,
    /// Suspensions in force.
    pub stops: BTreeMap<Digest, Stop>,
    waiting: BTreeMap<Digest, Waiting>,
    debits: BTreeMap<LedgerEntryId, Digest>,
    limits: Limits,
    next_nonce: u64,
    /// By nonce.
    payments: BTreeMap<u64, Payment>,
    /// By what is signed.
    planned: BTreeMap<[u8; 32], Planned>,
    given_up: BTreeSet<Digest>,
    /// Acts of which the signer said that the chain has reverted them.
    reverted: BTreeSet<Digest>,
    /// Releases of which the act, or what it rests on, was taken back and that nobody has resumed since:
    /// by which entry.
    taken_back: BTreeMap<Digest, u64>,
    /// The one suspension that void entries share, by the newest of them.
    void_stop: Option<Digest>,
    /// Keepers' latches that a quorum cleared.
    pub cleared: BTreeSet<(KeeperId, Digest)>,
    /// Latches that keepers stated.
    pub latched: BTreeSet<(KeeperId, Digest)>,
}

impl Model {
    pub(crate) fn new(common: &Common, truth: &Truth) -> Self {
        let genesis = common.world.network.genesis();
        let heralds = common.is_whole.then_some([
            (PrincipalId(World::HERALD.0), Role::Keeper),
            (setting::SUPPORTERS[1], Role::Support),
        ]);
        let policy = genesis.policy.clone();
        let policy = policy.unwrap_or_else(|| Policy::default_of_core().clone());
        let roles = [
            (World::OPERATOR, Role::Operator),
            (World::BACK_END, Role::BackEnd),
            (setting::SUPPORT, Role::Support),
            (setting::APPROVERS[0], Role::Approver),
            (setting::APPROVERS[1], Role::Approver),
            (PrincipalId(World::KEEPER.0), Role::Keeper),
        ];
        let administrators = (0..3).map(|n| (World::administrator(n), Role::Administrator));
        let heralds = heralds.into_iter().flatten();
        let roles = roles.into_iter().chain(administrators).chain(heralds);
        let roles = roles.map(|(who, role)| (who, BTreeSet::from([role])));
        Self {
            chronicle: common.chronicle.clone(),
            truth: truth.clone(),
            wallet: genesis.wallets[0].address.evm().unwrap_or_default(),
            quorum: 2,
            newcomers: BTreeMap::new(),
            delays: Delays::new(common.is_whole),
            contacts: Contacts::default(),
            codes: Codes::default(),
            in_force: InForce::of(genesis),
            speakers: Speakers::of(genesis),
            rules: Rules::begin(policy),
            recoveries: Recoveries::default(),
            counted: BTreeSet::new(),
            about: Vec::new(),
            checkpoints: BTreeMap::new(),
            roles: roles.collect(),
            book: BTreeMap::new(),
            factors: BTreeMap::new(),
            frozen: BTreeSet::new(),
            frozen_by: BTreeMap::new(),
            staff_revoked: BTreeMap::new(),
            spent: BTreeSet::new(),
            stops: BTreeMap::new(),
            waiting: BTreeMap::new(),
            debits: BTreeMap::new(),
            limits: common.limits(HOUR_LIMIT),
            next_nonce: 0,
            payments: BTreeMap::new(),
            planned: BTreeMap::new(),
            given_up: BTreeSet::new(),
            reverted: BTreeSet::new(),
            taken_back: BTreeMap::new(),
            void_stop: None,
            cleared: BTreeSet::new(),
            latched: BTreeSet::new(),
        }
    }

    /// The acts that an entry speaks of.
    pub(crate) fn about(&self, entry: u64) -> &[Digest] {
        let entry = usize::try_from(entry)
            .ok()
            .and_then(|at| self.about.get(at));
        entry.map_or(&[], Vec::as_slice)
    }

    pub(crate) fn checkpoint_entry(&self, digest: Digest) -> Option<u64> {
        self.checkpoints.get(&digest).copied()
    }

    /// Whether the act was taken, however it ended.
    #[must_use]
    pub fn has_counted(&self, act: Digest) -> bool {
        self.counted.contains(&act)
    }

    /// Take the next entry in, if it counts by what the auditor's core says.
    pub(crate) fn take(&mut self, index: u64, entry: Option<&Entry>, leaf: Hash, now: Time) {
        self.about.push(entry.map(acts_of).unwrap_or_default());
        let Some(entry) = entry else {
            return self.stop_everything(Digest(*leaf.as_bytes()), index);
        };
        match &entry.body {
            Body::Act(submission) => self.take_act(index, submission, entry.time, now),
            Body::Settle(settlement) => self.take_settlement(settlement, index, entry.time, now),
            Body::Evidence(supplement) => {
                self.check_attestations(&supplement.evidence);
                self.check_factors("evidence", &supplement.evidence, entry.time);
                if !self.truth.has_relayed(supplement.act, &supplement.evidence) {
                    self.violated("the back end relays further evidence", supplement.act);
                }
                let debited = !supplement.evidence.attestations.is_empty();
                self.pay(supplement.act, &supplement.evidence);
                if let Some(waiting) = self.waiting.get_mut(&supplement.act) {
                    waiting.debit |= debited;
                }
                self.prove_again(supplement.act, &supplement.evidence, index);
            }
            Body::Replace(replacement) => {
                self.replan(replacement.act, &replacement.plan);
            }
            Body::Checkpoint(note) => {
                self.check_checkpoint(note);
                self.start_clocks(note);
                if let Ok(note) = Note::parse(note) {
                    let digest = Digest::plain(note.text().as_bytes());
                    self.checkpoints.entry(digest).or_insert(index);
                }
            }
            Body::Statement(signed) => {
                let keeper = signed.statement.keeper;
                self.check_keeper(keeper, &signed.signature);
                self.take_statement(&signed.statement, index, now);
            }
            Body::Genesis(_) => {}
        }
    }

    /// Void entries share one suspension: it goes on under the newest one's name.
    fn stop_everything(&mut self, by: Digest, index: u64) {
        let known = self.void_stop.replace(by);
        let stop = known.and_then(|known| self.stops.remove(&known));
        let stop = stop.unwrap_or(Stop {
            scope: Scope::Everything,
            entry: index,
            stated: None,
        });
        self.stops.insert(by, stop);
    }

    fn take_statement(&mut self, statement: &Statement, index: u64, now: Time) {
        let said = Digest::plain(&statement.signed_bytes());
        if !self.truth.facts().said.contains(&said) {
            let what = statement.says.name();
            self.violated("no statement that its keeper has not signed", what);
        }
        match &statement.says {
            Says::Stopped { suspension } if statement.keeper == World::KEEPER => {
                if let Some(stop) = self.stops.get_mut(suspension) {
                    stop.stated.get_or_insert(now);
                }
            }
            Says::Reverted { act, .. } => {
                self.reverted.insert(*act);
            }
            Says::Told { act, entry } => self.take_told((*entry, *act), index),
            Says::CodeRight { act, factor, step } => self.take_right(*act, *factor, *step),
            Says::Latched { latch, condition }
                if self.latched.insert((statement.keeper, *latch)) =>
            {
                let kind = format!("latch: {}", condition.name());
                self.chronicle.note(&kind, latch);
            }
            _ => {}
        }
    }

    fn take_act(&mut self, index: u64, submission: &Submission, time: Time, now: Time) {
        let Submission {
            act,
            evidence,
            decision,
            plan,
        } = submission;
        if matches!(decision, Decision::Refuse { .. }) {
            return;
        }
        let digest = act.digest();
        if !self.counted.insert(digest) {
            self.violated(
                "each act counts once",
                format!("{} {digest}", act.kind.name()),
            );
        }
        self.check_authority(digest, act, evidence, now);
        self.take_code(digest, (act, evidence), decision, time);
        if !act.kind.is_restricting() {
            self.check_attestations(evidence);
            self.check_factors(act.kind.name(), evidence, time);
        }
        self.check_newcomer(act, time);
        self.pay(digest, evidence);
        let debit = !evidence.attestations.is_empty();
        let waiting = Waiting {
            act: act.clone(),
            approvals: BTreeMap::new(),
            proof: self.proof(evidence, index),
            entry: index,
            debit,
        };
        self.spend(digest, evidence);
        if matches!(decision, Decision::Hold { .. }) {
            return self.hold(digest, waiting, evidence, time);
        }
        match (&act.kind, plan) {
            (ActKind::Withdraw(_), Some(plan)) => {
                self.check_release(digest, &waiting, plan, time, index);
            }
            (ActKind::Void(void), Some(plan)) => {
                self.given_up.insert(void.release);
                self.replan(void.release, plan);
            }
            (ActKind::Approve(approve), _) => {
                if let Some(waiting) = self.waiting.get_mut(&approve.act) {
                    waiting.approvals.insert(act.principal, index);
                }
            }
            (ActKind::Resume(resume), _) => self.resume(resume.release),
            _ => {
                self.check_alone(digest, act);
                self.carry_out(digest, act, (index, time), now);
            }
        }
    }

    fn hold(&mut self, digest: Digest, waiting: Waiting, evidence: &Evidence, time: Time) {
        let act = &waiting.act;
        if own_delay(act).is_some() {
            self.delays.begin(waiting.entry, digest, act);
            self.note_due(waiting.entry, &waiting.act);
        }
        let act = waiting.act.clone();
        match &act.kind {
            ActKind::Recover(_) => self.begin_recovery(digest, &act, evidence, time),
            ActKind::RecoverAdministrators(_) => self.begin_recovery_of_administrators(digest),
            _ => {}
        }
        self.waiting.insert(digest, waiting);
    }

    fn take_settlement(&mut self, settled: &Settlement, index: u64, time: Time, now: Time) {
        if settled.decision == Decision::Release {
            self.check_not_vetoed(settled.act);
        }
        let Some(waiting) = self.waiting.remove(&settled.act) else {
            match &settled.plan {
                Some(plan) => self.give_up(settled.act, plan, time),
                None => self.resume(settled.act),
            }
            return;
        };
        if settled.decision != Decision::Release {
            return;
        }
        match &settled.plan {
            Some(plan) => self.check_release(settled.act, &waiting, plan, time, index),
            None => {
                let kind = &waiting.act.kind;
                self.check_own_delay(settled.act, &waiting.act, waiting.entry, time);
                match kind {
                    kind if codes::is_stop(kind) => self.check_stop_by_code(settled.act),
                    ActKind::Recover(_) => self.check_recovery(settled.act, &waiting),
                    ActKind::ChangeContact(_) => self.check_contact(settled.act, &waiting),
                    ActKind::AddAddress(_) if self.is_by_code(settled.act, waiting.proof) => {
                        self.check_added_by_code(settled.act, waiting.act.account);
                    }
                    ActKind::RecoverAdministrators(_) => {}
                    _ => self.check_quorum(settled.act, &waiting),
                }
                self.carry_out(settled.act, &waiting.act, (index, time), now);
            }
        }
    }

    fn violated(&self, invariant: &'static str, seen: impl std::fmt::Display) {
        self.chronicle.violated(invariant, seen);
    }
}

fn acts_of(entry: &Entry) -> Vec<Digest> {
    match &entry.body {
        Body::Act(submission) => vec![submission.act.digest()],
        Body::Evidence(supplement) => vec![supplement.act],
        Body::Settle(settlement) => vec![settlement.act],
        _ => Vec::new(),
    }
}

/// The contract of a token; the chain's own coin has none.
#[must_use]
pub(crate) fn token_of(asset: AssetId) -> Option<[u8; 20]> {
    match asset {
        AssetId::EvmErc20 { contract, .. } => Some(contract),
        AssetId::EvmNative { .. } | AssetId::Bitcoin(_) | AssetId::Named(_) => None,
    }
}

/// Whether a scope takes a withdrawal in.
#[must_use]
pub(crate) fn is_in(scope: Scope, account: AccountId, token: Option<[u8; 20]>) -> bool {
    match scope {
        Scope::Everything | Scope::Withdrawals => true,
        Scope::Realm(realm) => realm == portcullis_core::realm::Realm::Customers,
        Scope::Account(other) => other == account,
        Scope::Asset(asset) => (asset == World::ETHER) == token.is_none(),
    }
}

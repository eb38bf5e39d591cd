//! The signer: follow, decide again, record, sign, hand out, follow the chain.

use crate::config::Config;
use crate::deliver::{Deliveries, Trouble};
use crate::judge::{Barred, Bench, Candidate, Refusal};
use crate::node::Node;
use crate::record::{Pays, Record, Signed};
use portcullis_chains::caip::Address;
use portcullis_chains::ethereum::SignedTx;
use portcullis_chains::{Amount, AssetId, ChainId};
use portcullis_core::id::WalletId;
use portcullis_core::statement::{Cap, Says};
use portcullis_core::{ActKind, Digest, Network, State};
use portcullis_host::DiskError;
use portcullis_keeper::Machine;
use portcullis_keeper::follow::{Breach, FollowFault, Follower};
use portcullis_keeper::lines::LinesError;
use portcullis_keeper::statements::Statements;
use portcullis_keys::{SignError, StatementKey, WalletKey};
use portcullis_tlog::Cosigned;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Most plans in one durable record.
const BATCH: usize = 256;
/// Most broadcasts, looks and statements in one step, so that none of them holds up a stop.
const SENDS: usize = 32;
const LOOKS: usize = 32;
const STATEMENTS: usize = 256;

/// What a signer is made of.
#[derive(Clone)]
pub struct Parts {
    /// The machine.
    pub machine: Machine,
    /// The network, from the pinned genesis.
    pub network: Arc<Network>,
    /// The configuration; its paths have been read already.
    pub config: Config,
    /// The statement key.
    pub key: Arc<dyn StatementKey>,
    /// The wallets' keys.
    pub wallets: BTreeMap<WalletId, Arc<dyn WalletKey>>,
    /// The signer's own nodes.
    pub nodes: BTreeMap<ChainId, Arc<dyn Node>>,
}

/// The signer.
pub struct Signer {
    machine: Machine,
    config: Config,
    wallets: BTreeMap<WalletId, Arc<dyn WalletKey>>,
    follower: Follower,
    record: Record,
    statements: Statements,
    deliveries: Deliveries,
    /// Plans that this process has let go.
    out: BTreeSet<Digest>,
    has_picked_up: bool,
    complained: BTreeSet<(Digest, &'static str)>,
}

/// Why a signer cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The once-only record.
    #[error(transparent)]
    Record(#[from] LinesError),
}

/// Why a signer cannot go on. It stops, and recovers by opening again.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The statement key.
    #[error(transparent)]
    Key(#[from] SignError),
}

/// What a step did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Whether the gate answered with anything that counts.
    pub heard: bool,
    /// Entries applied.
    pub applied: usize,
    /// Plans signed.
    pub signed: usize,
    /// Plans handed out: stated, and due at the node.
    pub handed_out: usize,
}

impl Signer {
    /// Begin, or go on after a crash.
    pub fn open(parts: Parts) -> Result<Self, OpenError> {
        let machine = parts.machine;
        let record = Record::open(machine.disk.as_ref())?;
        let state = State::new(parts.network.clone());
        let mut follower = Follower::new(machine.clone(), parts.config.gate.clone(), state);
        if let Some(head) = record
            .checkpoint()
            .and_then(|n| cosigned(&parts.network, n))
        {
            let _ = follower.recall(head);
        }
        let (gate, keeper) = (parts.config.gate.clone(), parts.config.keeper);
        let statements = Statements::new(machine.clone(), gate, keeper, parts.key);
        let deliveries = Deliveries::new(&parts.config.chains, parts.nodes);
        Ok(Self {
            machine,
            config: parts.config,
            wallets: parts.wallets,
            follower,
            record,
            statements,
            deliveries,
            out: BTreeSet::new(),
            has_picked_up: false,
            complained: BTreeSet::new(),
        })
    }

    /// Do what there is to do, once. The gate may be waited for so long.
    pub fn step(&mut self, wait: Duration) -> Result<Step, SignerError> {
        let mut step = Step::default();
        match self.follower.step(wait) {
            Ok(seen) => {
                step.heard = true;
                step.applied = seen.len();
            }
            Err(FollowFault::Breach(breach)) => self.breach(breach),
            Err(fault) => tracing::warn!(%fault, "nothing new from the gate"),
        }
        self.sign_what_is_ready(&mut step)?;
        self.deliver()?;
        self.speak()?;
        Ok(step)
    }

    fn breach(&self, breach: Breach) {
        tracing::error!(?breach, "the journal is broken");
    }

    /// The batch: decide, record, sign, keep, hand out. A crash between any two leaves what the next
    /// start finishes by the same path, if nothing bars it by then.
    fn sign_what_is_ready(&mut self, step: &mut Step) -> Result<(), SignerError> {
        let now = self.machine.watch.now();
        let Some(head) = self.follower.acting_head(now).cloned() else {
            return Ok(());
        };
        let (ready, refused) = self.judge_all();
        refused
            .into_iter()
            .for_each(|(act, why)| self.refuse(act, &why));
        self.record_new(&head, &ready)?;
        let signed = self.sign(&ready)?;
        step.signed = signed.len();
        for candidate in &ready {
            step.handed_out += usize::from(self.hand_out(candidate)?);
        }
        Ok(())
    }

    fn judge_all(&self) -> (Vec<Candidate>, Vec<(Digest, Refusal)>) {
        let facts = self.follower.state().facts();
        let bench = self.bench();
        let (mut ready, mut refused) = (Vec::<Candidate>::new(), Vec::new());
        for digest in &facts.unsigned {
            let Some(release) = facts.releases.get(digest) else {
                continue;
            };
            let beside = |asset| spent_beside(&ready, asset);
            match bench.judge(*digest, release, beside) {
                Ok(candidate) if !self.out.contains(&candidate.intent.plan) => {
                    ready.push(candidate)
                }
                Ok(_) | Err(Barred::Wait(_)) => {}
                Err(Barred::Refuse(why)) => refused.push((*digest, why)),
            }
            if ready.len() == BATCH {
                break;
            }
        }
        (ready, refused)
    }

    fn bench(&self) -> Bench<'_> {
        Bench {
            state: self.follower.state(),
            heads: self.follower.heads(),
            record: &self.record,
            config: &self.config,
            wallets: &self.wallets,
            now: self.machine.watch.now(),
        }
    }

    fn refuse(&mut self, act: Digest, why: &Refusal) {
        if self.complained.insert((act, why.alarm())) {
            tracing::error!(%act, %why, alarm = why.alarm(), "not signed");
        }
    }

    fn record_new(&mut self, head: &Cosigned, ready: &[Candidate]) -> Result<(), DiskError> {
        let new = ready.iter().filter(|candidate| candidate.attempt.is_none());
        let intents: Vec<_> = new.map(|candidate| candidate.intent.clone()).collect();
        if intents.is_empty() {
            return Ok(());
        }
        let note = head.signed().note().to_string();
        let next = self.follower.state().size();
        let now = self.machine.watch.now();
        self.record.intend(note.as_bytes(), next, now, intents)
    }

    /// Sign what is recorded and not signed, and keep the bytes before they can leave.
    fn sign(&mut self, ready: &[Candidate]) -> Result<Vec<Signed>, DiskError> {
        let is_open = |c: &&Candidate| {
            let attempt = self.record.attempt(&c.intent);
            attempt.is_some_and(|attempt| attempt.transaction.is_none())
        };
        let open = ready.iter().filter(is_open);
        let signed: Vec<Signed> = open.filter_map(|c| self.sign_one(c)).collect();
        if !signed.is_empty() {
            self.record.signed(signed.clone())?;
        }
        Ok(signed)
    }

    fn sign_one(&self, candidate: &Candidate) -> Option<Signed> {
        let intent = &candidate.intent;
        let tx = candidate.checked.tx();
        let key = self.wallets.get(&intent.wallet)?;
        let signature = match key.sign(&tx.sighash()) {
            Ok(signature) => signature,
            Err(error) => {
                tracing::error!(%error, act = %intent.act, "the wallet's key does not sign");
                return None;
            }
        };
        let transaction = SignedTx::assemble(tx.clone(), signature).to_bytes();
        let (wallet, nonce, plan) = (intent.wallet, intent.nonce, intent.plan);
        Some(Signed {
            wallet,
            nonce,
            plan,
            transaction,
        })
    }

    /// The point of no return: from here the bytes are out.
    fn hand_out(&mut self, candidate: &Candidate) -> Result<bool, SignerError> {
        let intent = &candidate.intent;
        let attempt = self.record.attempt(intent).cloned();
        let Some(transaction) = attempt.and_then(|attempt| attempt.transaction) else {
            return Ok(false);
        };
        self.out.insert(intent.plan);
        let says = Says::Signed {
            act: intent.act,
            entry: candidate.entry,
            effects: candidate.effects,
            plan: intent.plan,
            transaction: transaction.clone(),
        };
        self.statements.say(self.follower.state(), says)?;
        let (wallet, nonce, plan) = (intent.wallet, intent.nonce, intent.plan);
        self.track(
            intent.act,
            &Signed {
                wallet,
                nonce,
                plan,
                transaction,
            },
        );
        Ok(true)
    }

    fn track(&mut self, act: Digest, signed: &Signed) {
        let wallet = self.follower.state().network().wallet(signed.wallet);
        let Some(Address::Evm { address, .. }) = wallet.map(|wallet| wallet.address) else {
            return;
        };
        if let Err(error) = self.deliveries.follow(act, address, signed) {
            tracing::error!(%act, %error, "a signed transaction cannot be followed");
        }
    }

    fn deliver(&mut self) -> Result<(), SignerError> {
        let now = self.machine.watch.now();
        let state = self.follower.state();
        let releases = &state.facts().releases;
        self.deliveries.keep(|act| releases.contains_key(act));
        let may_act = self.follower.acting_head(now).is_some();
        if may_act && !self.has_picked_up {
            self.pick_up();
        }
        let state = self.follower.state();
        let may_leave = |act: &Digest| may_act && !is_suspended(state, act);
        let mut trouble = self.deliveries.send(now, SENDS, may_leave);
        let (says, more) = self.deliveries.look(now, LOOKS);
        trouble.extend(more);
        for says in says {
            self.statements.say(self.follower.state(), says)?;
        }
        trouble.into_iter().for_each(|t| self.complain(t));
        Ok(())
    }

    /// Once caught up, go on following what an earlier process handed out: what the journal has as
    /// signed. What was signed and never left is judged anew like everything else.
    fn pick_up(&mut self) {
        let state = self.follower.state();
        let mut open = Vec::new();
        for (act, release) in &state.facts().releases {
            let attempts = self.record.attempts_for(release);
            let is_out = |signed: &Signed| release.is_signed(signed.plan);
            open.extend(attempts.filter(is_out).map(|signed| (*act, signed)));
        }
        open.iter()
            .for_each(|(act, signed)| self.track(*act, signed));
        self.has_picked_up = true;
    }

    fn complain(&mut self, trouble: Trouble) {
        if self.complained.insert((trouble.act, trouble.name)) {
            let Trouble { act, name, text } = trouble;
            tracing::error!(%act, alarm = name, "{text}");
        }
    }

    fn speak(&mut self) -> Result<(), SignerError> {
        let state = self.follower.state();
        if state.size() > 0 {
            self.statements.say(state, self.caps())?;
        }
        for suspension in state.facts().suspensions.keys() {
            let suspension = *suspension;
            self.statements.say(state, Says::Stopped { suspension })?;
        }
        self.statements.step(state, STATEMENTS);
        Ok(())
    }

    fn caps(&self) -> Says {
        let caps = self.config.caps.iter().map(|cap| Cap {
            asset: cap.asset,
            per_transaction: cap.per_transaction,
            day: cap.day,
        });
        Says::Caps {
            caps: caps.collect(),
        }
    }

    /// The replica, for reading.
    #[must_use]
    pub fn state(&self) -> &State {
        self.follower.state()
    }
}

fn cosigned(network: &Network, note: &[u8]) -> Option<Cosigned> {
    Cosigned::parse(note, network.log(), network.quorum()).ok()
}

fn spent_beside(ready: &[Candidate], asset: AssetId) -> Option<Amount> {
    let new = ready.iter().filter(|candidate| candidate.attempt.is_none());
    let pays = new.filter_map(|candidate| candidate.intent.pays);
    let amounts = pays.filter(|p: &Pays| p.asset == asset).map(|p| p.amount);
    amounts
        .into_iter()
        .try_fold(Amount::ZERO, Amount::checked_add)
}

/// Whether a suspension in force takes a payment in. What gives a release up pays nobody and goes
/// out all the same: it is the way out of a suspension.
fn is_suspended(state: &State, act: &Digest) -> bool {
    let Some(release) = state.facts().releases.get(act) else {
        return false;
    };
    let ActKind::Withdraw(withdraw) = &release.act.kind else {
        return false;
    };
    let reach = portcullis_core::state::Reach::of_withdrawal(release.account, withdraw);
    release.voided_by.is_none() && state.facts().is_suspended(reach)
}

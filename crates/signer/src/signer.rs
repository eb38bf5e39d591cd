//! The signer: follow, decide again, record, sign, hand out, follow the chain.

use crate::bytes::{Checked, CheckedSpend, CheckedTransfer};
use crate::coins::{Coins, Lines};
use crate::config::Config;
use crate::deliver::spends::{SignedSpend, Spends};
use crate::deliver::{Budget, Deliveries, Trouble};
use crate::enrolments::Enrolments;
use crate::judge::{Barred, Bench, Candidate, Refusal, Wait};
use crate::record::{Closed, Pays, Record, Signed, place_of};
use portcullis_chains::bitcoin;
use portcullis_chains::caip::Address;
use portcullis_chains::ethereum::SignedTx;
use portcullis_chains::{Amount, AssetId, ChainId};
use portcullis_core::decide::payment::spend;
use portcullis_core::effect::Effect;
use portcullis_core::genesis::Wallet;
use portcullis_core::id::WalletId;
use portcullis_core::plan::Plan;
use portcullis_core::signature::{Signature, Strict, Verify as _};
use portcullis_core::state::Facts;
use portcullis_core::state::release::Release;
use portcullis_core::statement::{Cap, Says};
use portcullis_core::{Digest, Network, State};
use portcullis_host::DiskError;
use portcullis_keeper::alarms::{Alarm, Courier};
use portcullis_keeper::boards::Bars;
use portcullis_keeper::lines::LinesError;
use portcullis_keeper::{Keeper, KeeperError, KeeperParts, Lease, Machine, News, NoLease, rfc3339};
use portcullis_keys::{SignError, StatementKey, WalletKey};
use portcullis_mandate::Mandate;
use portcullis_node::Node;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// Most plans in one durable record.
const BATCH: usize = 256;
/// Most broadcasts and looks in one step, so that neither holds up a stop.
const SENDS: usize = 64;
const LOOKS: usize = 64;

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
    /// What it spends coins with.
    pub coins: Coins,
}

/// The signer.
pub struct Signer {
    machine: Machine,
    config: Config,
    wallets: BTreeMap<WalletId, Arc<dyn WalletKey>>,
    statement_key: Arc<dyn StatementKey>,
    keeper: Keeper,
    enrolments: Enrolments,
    record: Record,
    deliveries: Deliveries,
    coins: Coins,
    lines: Lines,
    spends: Spends,
    /// The newest plan of each act that this process has handed out.
    out: BTreeMap<Digest, Digest>,
    has_picked_up: bool,
}

/// Why a signer cannot begin or go on. It stops, and recovers by opening again from disk.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The once-only record.
    #[error("the once-only record: {0}")]
    Record(#[from] LinesError),
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// What every keeper needs.
    #[error(transparent)]
    Keeper(#[from] KeeperError),
}

/// What became of the plans that nobody has signed.
#[derive(Default)]
struct Judged {
    ready: Vec<Candidate>,
    refused: Vec<(Digest, Refusal)>,
    /// What is given up and was permitted before.
    permitted: Vec<Digest>,
    /// Batches of which the first input has gone.
    gone: Vec<Digest>,
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
    /// Why nothing at all could be signed.
    pub waits: Option<NoLease>,
}

/// As the keeper's own snapshot had them; one that holds none is from before the first.
fn enrolments(keeper: &Keeper) -> Enrolments {
    Enrolments::from_bytes(keeper.extra()).unwrap_or_default()
}

impl Signer {
    /// Begin, or go on after a crash: by the same path, from what is durable.
    pub fn open(parts: Parts) -> Result<Self, SignerError> {
        let record = Record::open(parts.machine.disk.as_ref())?;
        let statement_key = Arc::clone(&parts.key);
        let lines = Lines::new(&parts.config.chains, &parts.network, &parts.coins);
        let keeper = Keeper::open(
            KeeperParts {
                machine: parts.machine.clone(),
                network: parts.network,
                id: parts.config.keeper,
                gate: parts.config.gate.clone(),
                boards: parts.config.boards.clone(),
                key: parts.key,
                reads: |extra| Enrolments::from_bytes(extra).is_some(),
            },
            record.checkpoint(),
        )?;
        Ok(Self {
            machine: parts.machine,
            deliveries: Deliveries::new(&parts.config.chains, parts.nodes),
            spends: Spends::new(lines.clone()),
            lines,
            coins: parts.coins,
            config: parts.config,
            wallets: parts.wallets,
            statement_key,
            enrolments: enrolments(&keeper),
            keeper,
            record,
            out: BTreeMap::new(),
            has_picked_up: false,
        })
    }

    /// Open again from disk after it has failed, and again for as long as the answer to a failure is to.
    /// What was latched and found no room on the disk holds on.
    pub fn reopen(
        self,
        parts: &Parts,
        mut again: impl FnMut(&SignerError) -> bool,
    ) -> Option<Self> {
        let latches = self.keeper.not_durable();
        drop(self);
        loop {
            match Self::open(parts.clone()) {
                Ok(mut signer) => {
                    signer.keeper.carry(latches);
                    return Some(signer);
                }
                Err(error) if again(&error) => {}
                Err(_) => return None,
            }
        }
    }

    /// Do what there is to do, once. The gate may be waited for so long.
    pub fn step(&mut self, wait: Duration) -> Result<Step, SignerError> {
        let news = self.keeper.look(wait)?;
        let mut step = Step {
            heard: news.heard,
            applied: news.seen.len(),
            ..Step::default()
        };
        self.take_in(&news);
        let bars = self.keeper.bars();
        match self.keeper.lease() {
            Ok(lease) => {
                // First what is out already: what is signed now takes its place, not the other way round.
                if !self.has_picked_up {
                    self.pick_up()?;
                }
                self.sign_what_is_ready(&lease, &bars, &mut step)?;
            }
            Err(why) => step.waits = Some(why),
        }
        self.keeper.say(self.caps())?;
        let enrolments = &self.enrolments;
        // What stops goes out before any node is spoken to, which may take its time.
        self.keeper.finish(|| enrolments.to_bytes())?;
        self.deliver(&bars)?;
        Ok(step)
    }

    fn take_in(&mut self, news: &News) {
        if news.began_again {
            self.enrolments = enrolments(&self.keeper);
            let releases = &self.keeper.state().facts().releases;
            self.deliveries.keep(|act| releases.contains_key(act));
            self.spends.keep(|act| releases.contains_key(act));
            self.out.retain(|act, _| releases.contains_key(act));
        }
        let changes = news.seen.iter().flat_map(|seen| &seen.applied.changes);
        for change in changes {
            if let Effect::End(act, ..) = change {
                self.deliveries.forget(act);
                self.spends.forget(act);
                self.out.remove(act);
            }
        }
        let now = self.machine.watch.now();
        for seen in &news.seen {
            if let Some(slowed) = self.enrolments.take(seen, &self.config.floors, now) {
                let text = format!(
                    "more factors were enrolled on onboarding's word than this signer's cap for a \
                     day; the one of this act counts from {} on",
                    rfc3339(slowed.until)
                );
                self.raise("cap-exceeded", slowed.act, text);
            }
        }
    }

    /// The batch: decide, record, sign, keep, hand out. A crash between any two leaves what the next
    /// start finishes by the same path, if nothing bars it by then.
    fn sign_what_is_ready(
        &mut self,
        lease: &Lease,
        bars: &Bars,
        step: &mut Step,
    ) -> Result<(), SignerError> {
        let Judged {
            ready,
            refused,
            permitted,
            gone,
        } = self.judge_all(bars);
        for (act, why) in refused {
            self.raise(why.alarm(), act, format!("{why}. Nothing was signed."));
        }
        for act in permitted {
            self.follow_superseded(act)?;
        }
        for leader in gone {
            self.decline(leader)?;
        }
        self.record_new(lease, &ready)?;
        // The disk may have taken its time, and somebody on this host may have shut the keeper.
        self.keeper.look_for_shut()?;
        let Ok(lease) = self.keeper.lease() else {
            return Ok(());
        };
        step.signed = self.sign(&lease, &ready)?;
        for candidate in &ready {
            step.handed_out += usize::from(self.hand_out(&lease, candidate)?);
        }
        Ok(())
    }

    fn judge_all(&self, bars: &Bars) -> Judged {
        let facts = self.keeper.state().facts();
        let bench = self.bench(bars);
        let mut judged = Judged::default();
        for digest in unsigned(facts) {
            let Some(release) = facts.releases.get(&digest) else {
                continue;
            };
            let out = self.out.get(&digest);
            if out.is_some() && out == release.plans.last().map(Plan::digest).as_ref() {
                continue;
            }
            let beside = |asset| spent_beside(&judged.ready, asset);
            let verdict = match facts.batch_of(digest) {
                Some(batch) => bench.judge_batch(digest, batch, beside),
                None => bench.judge(digest, release, beside),
            };
            match verdict {
                Ok(candidate) => judged.ready.push(candidate),
                Err(Barred::Wait(Wait::Permitted)) => judged.permitted.push(digest),
                Err(Barred::Wait(Wait::Gone)) => judged.gone.push(digest),
                Err(Barred::Wait(why)) => tracing::debug!(act = %digest, ?why, "waits"),
                Err(Barred::Refuse(why)) => judged.refused.push((digest, why)),
            }
            if judged.ready.len() == BATCH {
                break;
            }
        }
        judged
    }

    fn bench<'a>(&'a self, bars: &'a Bars) -> Bench<'a> {
        Bench {
            state: self.keeper.state(),
            heads: self.keeper.follower().heads(),
            record: &self.record,
            config: &self.config,
            wallets: &self.wallets,
            coins: &self.coins.keys,
            lines: &self.lines,
            watch: &self.machine.watch,
            ask_until: Budget::begin(&self.machine.watch).until(),
            bars,
            enrolments: &self.enrolments,
            now: self.machine.watch.now(),
        }
    }

    /// State that nothing of a batch is signed, once that is durable: all of it returns, so nothing of it may ever be
    /// signed, whatever comes back.
    fn decline(&mut self, leader: Digest) -> Result<(), SignerError> {
        let batch = self.state().facts().batch_of(leader);
        let Some((wallet, number, shared)) = batch.map(|it| (it.wallet, it.number, it.shared))
        else {
            return Ok(());
        };
        let is_news = !self.record.is_closed(wallet, number);
        let closed = Closed {
            act: leader,
            wallet,
            number,
            time: self.machine.watch.now(),
        };
        if !self.record.close(closed)? {
            return Ok(());
        }
        if is_news {
            let text = "what the batch spends first has gone from the chain, and nothing of it was signed: all of \
                        its withdrawals return";
            self.raise("coin-gone", leader, text.to_owned());
        }
        let act = leader;
        Ok(self.keeper.say(Says::Declined { act, shared })?)
    }

    fn record_new(&mut self, lease: &Lease, ready: &[Candidate]) -> Result<(), DiskError> {
        let new = ready.iter().filter(|candidate| !candidate.is_recorded);
        let intents: Vec<_> = new.map(|candidate| candidate.intent.clone()).collect();
        if intents.is_empty() {
            return Ok(());
        }
        let note = lease.head().signed().note().to_string();
        let next = self.keeper.state().size();
        let now = self.machine.watch.now();
        self.record.intend(note.as_bytes(), next, now, intents)
    }

    /// Sign what is recorded and not signed, and keep the bytes before they can leave.
    fn sign(&mut self, lease: &Lease, ready: &[Candidate]) -> Result<usize, DiskError> {
        let is_open = |c: &&Candidate| {
            let attempt = self.record.attempt(&c.intent);
            attempt.is_some_and(|attempt| attempt.transaction.is_none())
        };
        let open = ready.iter().filter(is_open);
        let open = open.take_while(|_| lease.holds(self.machine.watch.now()));
        let signed: Vec<Signed> = open.filter_map(|c| self.sign_one(c)).collect();
        let count = signed.len();
        if count > 0 {
            self.record.signed(signed)?;
        }
        Ok(count)
    }

    fn sign_one(&self, candidate: &Candidate) -> Option<Signed> {
        let intent = &candidate.intent;
        let signed = match &candidate.checked {
            Checked::Transfer(transfer) => self.sign_transfer(intent.wallet, transfer),
            Checked::Mandate(mandate) => self.sign_mandate(mandate.mandate().clone()).map(Some),
            Checked::Spend(spend) => self.sign_spend(intent.wallet, spend),
        };
        let transaction = match signed {
            Ok(transaction) => transaction?,
            Err(error) => {
                tracing::error!(%error, act = %intent.act, "the key does not sign");
                return None;
            }
        };
        Some(Signed {
            wallet: intent.wallet,
            nonce: intent.nonce,
            plan: intent.plan,
            transaction,
        })
    }

    fn sign_transfer(
        &self,
        wallet: WalletId,
        checked: &CheckedTransfer,
    ) -> Result<Option<Vec<u8>>, SignError> {
        let Some(key) = self.wallets.get(&wallet) else {
            return Ok(None);
        };
        let tx = checked.tx();
        let transaction = SignedTx::assemble(tx.clone(), key.sign(&tx.sighash())?);
        self.keeper.memo().signed(&transaction, key.as_ref());
        Ok(Some(transaction.to_bytes()))
    }

    fn sign_spend(
        &self,
        wallet: WalletId,
        checked: &CheckedSpend,
    ) -> Result<Option<Vec<u8>>, SignError> {
        let keys = self.coins.keys.get(&wallet);
        let wallet = self.keeper.state().network().wallet(wallet);
        let (Some(keys), Some(wallet)) = (keys, wallet) else {
            return Ok(None);
        };
        checked.sign(wallet, keys).map(Some)
    }

    fn sign_mandate(&self, mandate: Mandate) -> Result<Vec<u8>, SignError> {
        let signature = self.statement_key.sign(mandate.to_string().as_bytes())?;
        let signature = *signature.as_bytes();
        Ok(portcullis_mandate::Signed { mandate, signature }.to_bytes())
    }

    /// The point of no return: from here the bytes are out.
    fn hand_out(&mut self, lease: &Lease, candidate: &Candidate) -> Result<bool, SignerError> {
        let intent = &candidate.intent;
        let attempt = self.record.attempt(intent);
        let transaction = attempt.and_then(|attempt| attempt.transaction.clone());
        let Some(transaction) = transaction.filter(|_| lease.holds(self.machine.watch.now()))
        else {
            return Ok(false);
        };
        self.out.insert(intent.act, intent.plan);
        let signed = Signed {
            wallet: intent.wallet,
            nonce: intent.nonce,
            plan: intent.plan,
            transaction,
        };
        self.state_signed(intent.act, (candidate.entry, candidate.effects), &signed)?;
        self.track(intent.act, &signed, Follow::Newest);
        self.follow_superseded(intent.act)?;
        Ok(true)
    }

    /// What was signed for the release's nonce by an earlier plan may have left before a crash, or
    /// without the journal's knowing: it is stated, and followed beside the newest.
    fn follow_superseded(&mut self, act: Digest) -> Result<(), SignerError> {
        let facts = self.state().facts();
        let release = facts.releases.get(&act);
        let Some(release) = release.filter(|release| is_led_by(release, act)) else {
            return Ok(());
        };
        let newest = release.plans.last().map(Plan::digest);
        let decided = (release.entry, release.effects);
        let place = place_of(facts, (&act, release));
        let attempts = self.record.attempts_at(place);
        let earlier = attempts.filter(|signed| Some(signed.plan) != newest);
        let earlier: Vec<_> = earlier
            .map(|signed| (release.is_signed(signed.plan), signed))
            .collect();
        for (is_stated, signed) in earlier {
            self.track(act, &signed, Follow::Earlier);
            if !is_stated {
                self.state_signed(act, decided, &signed)?;
            }
        }
        Ok(())
    }

    /// State what is signed, with the entry that decided it and the digest of effects after that.
    fn state_signed(
        &mut self,
        act: Digest,
        (entry, effects): (u64, Digest),
        signed: &Signed,
    ) -> Result<(), KeeperError> {
        self.keeper.say(Says::Signed {
            act,
            entry,
            effects,
            plan: signed.plan,
            transaction: self.with_the_key_in_force(&signed.transaction)?,
        })
    }

    /// A mandate that was signed before the statement key was rotated is stated under the one in force: the same
    /// text, so the same permission. Anything else is stated as it was signed.
    fn with_the_key_in_force(&self, bytes: &[u8]) -> Result<Vec<u8>, KeeperError> {
        let Ok(signed) = portcullis_mandate::Signed::from_bytes(bytes) else {
            return Ok(bytes.to_vec());
        };
        let text = signed.mandate.to_string();
        let signature = Signature::from_bytes(signed.signature);
        let key = self.statement_key.public_key();
        if Strict.verify(key, text.as_bytes(), &signature) {
            return Ok(bytes.to_vec());
        }
        Ok(self.sign_mandate(signed.mandate)?)
    }

    /// A mandate is followed by whoever carries it out.
    fn track(&mut self, act: Digest, signed: &Signed, how: Follow) {
        let wallet = self.keeper.state().network().wallet(signed.wallet);
        let Some(wallet) = wallet.filter(|wallet| wallet.mandate.is_none()) else {
            return;
        };
        let followed = match wallet.address {
            Address::Evm { address, .. } => self.track_transfer(act, address, signed, how),
            Address::Bitcoin(_) => match self.signed_spend(act, wallet, signed) {
                Some(spend) => self.track_spend(act, spend, how),
                None => Err("it is not what is in the journal".to_owned()),
            },
            Address::Named(_) => return,
        };
        if let Err(error) = followed {
            tracing::error!(%act, error, "a signed transaction cannot be followed");
        }
    }

    fn track_transfer(
        &mut self,
        act: Digest,
        wallet: [u8; 20],
        signed: &Signed,
        how: Follow,
    ) -> Result<(), String> {
        let tracked = match how {
            Follow::Newest => self.deliveries.follow(act, wallet, signed),
            Follow::Earlier => self.deliveries.also(act, wallet, signed),
        };
        tracked.map_err(|error| error.to_string())
    }

    fn track_spend(&mut self, act: Digest, spend: SignedSpend, how: Follow) -> Result<(), String> {
        let tracked = match how {
            Follow::Newest => self.spends.follow(act, spend),
            Follow::Earlier => self.spends.also(act, spend),
        };
        tracked.map_err(|error| error.to_string())
    }

    /// What was signed, read with the plan that it is of.
    fn signed_spend(&self, act: Digest, wallet: &Wallet, signed: &Signed) -> Option<SignedSpend> {
        let release = self.state().facts().releases.get(&act)?;
        let mut plans = release.plans.iter();
        let plan = plans.find(|plan| plan.digest() == signed.plan)?;
        let claimed = spend::decode(wallet, plan).ok()?;
        Some(SignedSpend {
            chain: wallet.address.chain(),
            planned: claimed.standing(),
            tx: claimed.signed(&signed.transaction).ok()?,
        })
    }

    /// Broadcast, look at the chain, state what is final.
    ///
    /// Signed bytes leave, for the first time and again, only under a lease and while nothing that
    /// restricts has caught their release: what a chain has cannot be recalled, and what it does not
    /// have is not given to it until the release goes out anew.
    fn deliver(&mut self, bars: &Bars) -> Result<(), SignerError> {
        let now = self.machine.watch.now();
        let lease = self.keeper.lease();
        let state = self.keeper.state();
        let releases = &state.facts().releases;
        let holds = || {
            let holds = |lease: &Lease| lease.holds(self.machine.watch.now());
            lease.as_ref().is_ok_and(holds)
        };
        let may_leave = |act: &Digest, tx: &SignedTx| {
            let release = releases.get(act);
            holds() && release.is_some_and(|r| is_in_force(r, tx) && !bars.bar(act, r))
        };
        let batch_may_leave =
            |act: &Digest, tx: &bitcoin::SignedTx| holds() && goes_out(state, bars, *act, tx);
        let budget = Budget::begin(&self.machine.watch);
        let mut trouble = self.deliveries.send(now, &budget, SENDS, may_leave);
        trouble.extend(self.spends.send(now, &budget, SENDS, batch_may_leave));
        let (says, more) = self.deliveries.look(now, &budget, LOOKS);
        let (says_of_coins, more_of_coins) = self.spends.look(now, &budget, LOOKS);
        trouble.extend(more.into_iter().chain(more_of_coins));
        for says in says.into_iter().chain(says_of_coins) {
            self.keeper.say(says)?;
        }
        for Trouble { act, name, text } in trouble {
            self.raise(name, act, text);
        }
        self.forget()
    }

    /// Forget what has ended: the nonces below every release under way.
    fn forget(&mut self) -> Result<(), SignerError> {
        if !self.has_picked_up || !self.record.is_long() {
            return Ok(());
        }
        let facts = self.keeper.state().facts();
        let mut floors: BTreeMap<WalletId, u64> = BTreeMap::new();
        for (wallet, state) in &facts.wallets {
            floors.insert(*wallet, state.next_nonce);
        }
        let places = facts.releases.iter();
        for (wallet, nonce) in places.filter_map(|release| place_of(facts, release)) {
            let floor = floors.entry(wallet).or_insert(nonce);
            *floor = nonce.min(*floor);
        }
        Ok(self.record.forget(self.machine.disk.as_ref(), floors)?)
    }

    /// Once caught up, go on following what an earlier process handed out: what the journal has as
    /// signed. What was signed and never left is judged anew like everything else.
    fn pick_up(&mut self) -> Result<(), SignerError> {
        let state = self.keeper.state();
        let mut open = Vec::new();
        let releases = state.facts().releases.iter();
        for (act, release) in releases.filter(|(act, release)| is_led_by(release, **act)) {
            let place = place_of(state.facts(), (act, release));
            let attempts = self.record.attempts_at(place);
            let is_out = |signed: &Signed| release.is_signed(signed.plan);
            open.extend(attempts.filter(is_out).map(|signed| (*act, signed)));
        }
        for (act, signed) in &open {
            self.track(*act, signed, Follow::Newest);
        }
        let acts: Vec<Digest> = self.state().facts().releases.keys().copied().collect();
        for act in acts {
            self.follow_superseded(act)?;
        }
        self.has_picked_up = true;
        Ok(())
    }

    fn raise(&mut self, name: &'static str, about: Digest, text: String) {
        self.keeper.raise(&Alarm { name, about, text });
    }

    fn caps(&self) -> Says {
        let caps = self.config.caps.iter().map(|cap| Cap {
            asset: cap.asset,
            per_transaction: cap.per_transaction,
            day: cap.day,
        });
        let caps: Vec<Cap> = caps.collect();
        let known = self.state().facts().caps.get(&self.config.keeper);
        let number = match known {
            Some(known) if known.caps == caps => known.number,
            Some(known) => known.number.saturating_add(1),
            None => 1,
        };
        Says::Caps { caps, number }
    }

    /// Write a snapshot, so that the next start is quick. Called when stopping.
    pub fn save(&mut self) -> Result<(), SignerError> {
        let extra = self.enrolments.to_bytes();
        Ok(self.keeper.save(&extra)?)
    }

    /// Who delivers the alarms, where the configuration names a webhook.
    #[must_use]
    pub fn courier(&self) -> Option<Courier> {
        let url = self.config.alarms.webhook.clone()?;
        self.keeper.courier(url)
    }

    /// What it shares with every keeper, for reading.
    #[must_use]
    pub fn keeper(&self) -> &Keeper {
        &self.keeper
    }

    /// The replica, for reading.
    #[must_use]
    pub fn state(&self) -> &State {
        self.keeper.state()
    }
}

/// How a transaction is followed.
#[derive(Clone, Copy)]
enum Follow {
    /// As what is sent, in the place of what was signed before.
    Newest,
    /// As what may have left, and is never sent again.
    Earlier,
}

/// What nobody has signed: batches by their leaders, each once.
fn unsigned(facts: &Facts) -> BTreeSet<Digest> {
    let leader = |act: &Digest| {
        let release = facts.releases.get(act);
        release.and_then(|release| release.leader).unwrap_or(*act)
    };
    facts.unsigned.iter().map(leader).collect()
}

/// Whether what is signed for the release is stated and followed by it: that of a batch goes by its leader.
fn is_led_by(release: &Release, act: Digest) -> bool {
    release.leader.is_none_or(|leader| leader == act)
}

/// Whether the bytes are those of the plan that the journal has in force for a batch, and nothing bars anybody whom
/// it pays.
fn goes_out(state: &State, bars: &Bars, leader: Digest, tx: &bitcoin::SignedTx) -> bool {
    let facts = state.facts();
    let (Some(batch), Some(plan)) = (facts.batch_of(leader), facts.signable(leader)) else {
        return false;
    };
    let claimed = state.network().wallet(batch.wallet);
    let claimed = claimed.and_then(|wallet| spend::decode(wallet, plan).ok());
    let is_in_force = claimed.is_some_and(|claimed| claimed.txid() == tx.txid());
    is_in_force
        && !facts
            .paid(batch)
            .any(|(act, release)| bars.bar(&act, release))
}

/// Whether the bytes are those of the plan that the journal has in force; one that is withheld has
/// none.
fn is_in_force(release: &Release, tx: &SignedTx) -> bool {
    let plan = release.current_plan();
    plan.is_some_and(|plan| plan.unsigned == tx.unsigned().to_bytes())
}

fn spent_beside(ready: &[Candidate], asset: AssetId) -> Option<Amount> {
    let new = ready.iter().filter(|candidate| !candidate.is_recorded);
    let pays = new.filter_map(|candidate| candidate.intent.pays);
    let amounts = pays.filter(|p: &Pays| p.asset == asset).map(|p| p.amount);
    amounts
        .into_iter()
        .try_fold(Amount::ZERO, Amount::checked_add)
}

//! Whether a release may be signed now, by the keeper's own replica, record, caps and floors.
//!
//! That the act was allowed at its own entry is known already: an entry that this replica decides
//! otherwise is void and releases nothing. What is left is what bars it *now*.

use crate::bytes::{Checked, CheckedMandate, CheckedTransfer, ClaimedSpend, PlanRefused, payment};
use crate::coins::{Lacking, Line, Lines};
use crate::config::{Chain, Config};
use crate::enrolments::Enrolments;
use crate::record::{Conflict, Intent, Pays, Record, Slot};
use portcullis_chains::bitcoin::Txid;
use portcullis_chains::{Amount, AssetId, ChainId};
use portcullis_core::effect::is_late;
use portcullis_core::factor::FactorKind;
use portcullis_core::genesis::Wallet;
use portcullis_core::id::WalletId;
use portcullis_core::plan::Plan;
use portcullis_core::state::Awaiting;
use portcullis_core::state::batch::Batch;
use portcullis_core::state::release::Release;
use portcullis_core::{ActKind, Digest, Span, State, Time};
use portcullis_keeper::Watch;
use portcullis_keeper::boards::Bars;
use portcullis_keeper::follow::Heads;
use portcullis_keys::{CoinKey, WalletKey};
use portcullis_node::bitcoin::{BitcoinNode, Seen};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How far an entry's time may be ahead of the signer's clock.
const AHEAD: Span = Span::seconds(30);

/// Everything that a verdict looks at.
pub(crate) struct Bench<'a> {
    pub(crate) state: &'a State,
    pub(crate) heads: &'a Heads,
    pub(crate) record: &'a Record,
    pub(crate) config: &'a Config,
    pub(crate) wallets: &'a BTreeMap<WalletId, Arc<dyn WalletKey>>,
    pub(crate) coins: &'a BTreeMap<WalletId, Vec<Arc<dyn CoinKey>>>,
    pub(crate) lines: &'a Lines,
    pub(crate) watch: &'a Watch,
    /// Until when nodes may be asked.
    pub(crate) ask_until: Time,
    pub(crate) bars: &'a Bars,
    pub(crate) enrolments: &'a Enrolments,
    pub(crate) now: Time,
}

/// A plan that may be signed, or sent again, now.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) intent: Intent,
    pub(crate) entry: u64,
    pub(crate) effects: Digest,
    pub(crate) checked: Checked,
    /// Whether the record has it, and counts it against the present day's cap.
    pub(crate) is_recorded: bool,
}

/// Why a plan is not signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Barred {
    /// Not yet; it resumes by itself and raises no alarm.
    Wait(Wait),
    /// Not by this signer; an alarm.
    Refuse(Refusal),
}

/// What a plan waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// The state of things: it is withheld, or another signer's.
    NotOurs,
    /// The own clock: the entry is from the future.
    Clock,
    /// The journal: by what was seen, the entry was cosigned too late.
    Late,
    /// A posting on a stop board binds.
    Posting,
    /// The factor, or the address that it brought in, does not count yet for this signer.
    Enrolment,
    /// The mandate has expired before it was signed; the gate plans it afresh.
    Expired,
    /// A mandate was signed for what is to be given up: that is stated instead.
    Permitted,
    /// The own node: it has not shown what the plan spends, or not as confirmed and unspent.
    Coins,
    /// For nothing: what the batch would spend first has gone, and that it is never signed is stated instead.
    Gone,
}

/// What this signer's own configuration or record refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bytes.
    #[error(transparent)]
    Plan(#[from] PlanRefused),
    /// The record.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// No cap is configured for the asset, so none of it is signed.
    #[error("no cap is configured for {0}")]
    NoCap(AssetId),
    /// No chain is configured.
    #[error("{0} is not configured")]
    NoChain(ChainId),
    /// One release above the cap.
    #[error("{amount} of {asset} is above the cap of {cap} for one transaction")]
    OverTransactionCap {
        /// The asset.
        asset: AssetId,
        /// Base units.
        amount: Amount,
        /// The cap.
        cap: Amount,
    },
    /// More within a day than the cap.
    #[error("{amount} of {asset} would pass the cap of {cap} for 24 hours")]
    OverDayCap {
        /// The asset.
        asset: AssetId,
        /// Base units.
        amount: Amount,
        /// The cap.
        cap: Amount,
    },
    /// A weaker factor than the floor.
    #[error("the withdrawal is proven by a {0:?}, weaker than this signer demands")]
    FactorFloor(FactorKind),
    /// A younger address than the floor.
    #[error("the address has not stood in the account's book for as long as this signer demands")]
    AddressFloor,
}

impl Refusal {
    /// The alarm's name.
    #[must_use]
    pub fn alarm(&self) -> &'static str {
        match self {
            Self::Plan(refused) if refused.is_cap() => "cap-exceeded",
            Self::Plan(_) => "plan-differs",
            Self::Conflict(_) => "nonce-conflict",
            _ => "cap-exceeded",
        }
    }
}

impl From<Wait> for Barred {
    fn from(wait: Wait) -> Self {
        Self::Wait(wait)
    }
}

impl From<Refusal> for Barred {
    fn from(refusal: Refusal) -> Self {
        Self::Refuse(refusal)
    }
}

impl From<PlanRefused> for Barred {
    fn from(refused: PlanRefused) -> Self {
        Self::Refuse(refused.into())
    }
}

impl From<Conflict> for Barred {
    fn from(conflict: Conflict) -> Self {
        Self::Refuse(conflict.into())
    }
}

impl Bench<'_> {
    /// Judge one release. `spent_beside` is what this round has set out to sign of the same asset.
    pub(crate) fn judge(
        &self,
        digest: Digest,
        release: &Release,
        spent_beside: impl Fn(AssetId) -> Option<Amount>,
    ) -> Result<Candidate, Barred> {
        let plan = release.current_plan().ok_or(Wait::NotOurs)?;
        let checked = self.check(plan, (digest, release))?;
        self.wait_for_time(digest, release)?;
        if self.bars.bar(&digest, release) {
            return Err(Wait::Posting.into());
        }
        let intent = intent(digest, plan, &checked);
        self.record.check(&intent)?;
        if let Checked::Mandate(mandate) = &checked {
            self.wait_for_mandate(plan, mandate)?;
        }
        let is_recorded = self.record.has(&intent, self.now);
        if let Some(pays) = intent.pays {
            if !self.enrolments.count(release, self.now) {
                return Err(Wait::Enrolment.into());
            }
            self.check_floors(release)?;
            let spent = spent_beside(pays.asset);
            let is_counted = self.record.counts(&intent, self.now);
            self.check_caps(pays, spent, is_counted)?;
        }
        Ok(Candidate {
            intent,
            entry: release.entry,
            effects: release.effects,
            checked,
            is_recorded,
        })
    }

    /// Judge a batch, which is paid by one transaction, from its leader. What it spends is proven last: until then no
    /// node is asked.
    pub(crate) fn judge_batch(
        &self,
        leader: Digest,
        batch: &Batch,
        spent_beside: impl Fn(AssetId) -> Option<Amount>,
    ) -> Result<Candidate, Barred> {
        let facts = self.state.facts();
        let plan = facts.signable(leader).ok_or(Wait::NotOurs)?;
        let release = facts.releases.get(&leader).ok_or(Wait::NotOurs)?;
        let wallet = self.state.network().wallet(plan.wallet);
        let wallet = wallet.ok_or(Wait::NotOurs)?;
        let keys = self.coins.get(&wallet.id).ok_or(Wait::NotOurs)?;
        let chain = self.chain_of(wallet)?;
        let spend = ClaimedSpend::new(self.state, (plan, batch), (wallet, keys), chain)?;
        self.wait_for_batch(batch)?;
        let pays = spend.pays();
        let intent = Intent {
            act: leader,
            plan: plan.digest(),
            wallet: wallet.id,
            nonce: batch.number,
            pays,
            shared: Some(spend.shared()),
        };
        if self.record.is_closed(wallet.id, batch.number) {
            return Err(Wait::Gone.into());
        }
        self.record.check(&intent)?;
        if let Some(pays) = pays {
            self.check_members(batch)?;
            let is_counted = self.record.counts(&intent, self.now);
            self.check_day(pays, spent_beside(pays.asset), is_counted)?;
        }
        let line = self.lines.of(chain.id).ok_or(Wait::Coins)?;
        let shown = line.show(self.watch, self.ask_until, spend.claimed());
        let shown = shown.map_err(|lacking| match lacking {
            Lacking::Shared if self.is_untouched(line, &spend, &intent, release) => Wait::Gone,
            Lacking::Shared | Lacking::Some => Wait::Coins,
        })?;
        let checked = Checked::Spend(Box::new(spend.prove(&shown, chain)?));
        let is_recorded = self.record.has(&intent, self.now);
        Ok(Candidate {
            intent,
            entry: release.entry,
            effects: release.effects,
            checked,
            is_recorded,
        })
    }

    /// Whether nothing was signed for a batch: by the record, and, in case that is not the one which was there when
    /// something was, by the node, which has none of its transactions.
    fn is_untouched(
        &self,
        line: &Line,
        spend: &ClaimedSpend,
        intent: &Intent,
        release: &Release,
    ) -> bool {
        let slot = self.record.slot(intent.wallet, intent.nonce);
        let txids = spend.transactions(release);
        let look =
            |node: &(dyn BitcoinNode + 'static)| node.look(spend.shared().outpoint(), &txids);
        if slot.is_some_and(Slot::is_signed) {
            return false;
        }
        let is_seen = |(_, seen): &(Txid, Seen)| matches!(seen, Seen::Mined { .. } | Seen::Waiting);
        let looked = line.ask(self.now, look);
        looked.is_some_and(|looked| !looked.seen.iter().any(is_seen))
    }

    /// A batch goes when all of those may whom it pays; one that pays nobody, when all may that it gives up.
    fn wait_for_batch(&self, batch: &Batch) -> Result<(), Wait> {
        let facts = self.state.facts();
        let mut waiting: Vec<_> = facts.paid(batch).collect();
        if waiting.is_empty() {
            let members = batch.members.iter();
            let known = members.filter_map(|act| Some((*act, facts.releases.get(act)?)));
            waiting = known.collect();
        }
        for (act, release) in waiting {
            self.wait_for_time(act, release)?;
            if self.bars.bar(&act, release) {
                return Err(Wait::Posting);
            }
        }
        Ok(())
    }

    /// Each of the batch's payments by itself.
    fn check_members(&self, batch: &Batch) -> Result<(), Barred> {
        for (_, release) in self.state.facts().paid(batch) {
            if !self.enrolments.count(release, self.now) {
                return Err(Wait::Enrolment.into());
            }
            self.check_floors(release)?;
            let ActKind::Withdraw(act) = &release.act.kind else {
                return Err(PlanRefused::Amount.into());
            };
            let amount = Amount(payment(release)?.amount().get().into());
            self.check_transaction(Pays {
                asset: act.asset,
                amount,
            })?;
        }
        Ok(())
    }

    fn chain_of(&self, wallet: &Wallet) -> Result<&Chain, Refusal> {
        let chain = wallet.address.chain();
        self.config.chain(chain).ok_or(Refusal::NoChain(chain))
    }

    fn check(&self, plan: &Plan, (digest, release): (Digest, &Release)) -> Result<Checked, Barred> {
        let network = self.state.network();
        let wallet = network.wallet(plan.wallet).ok_or(Wait::NotOurs)?;
        if wallet.mandate.is_some() {
            let is_ours = wallet.keeper == self.config.keeper;
            let release = (digest, release);
            let mandate = || CheckedMandate::new(network, plan, release, wallet);
            return Ok(Checked::Mandate(
                is_ours.then(mandate).ok_or(Wait::NotOurs)??,
            ));
        }
        let key = self.wallets.get(&plan.wallet).ok_or(Wait::NotOurs)?;
        let chain = self.chain_of(wallet)?;
        let checked = CheckedTransfer::new(plan, release, wallet, key.address(), chain)?;
        Ok(Checked::Transfer(checked))
    }

    /// One that has expired serves nobody, one that holds for longer than the wallet's comes from ahead of
    /// time. And nothing takes a signed permission back: who has it, pays.
    fn wait_for_mandate(&self, plan: &Plan, mandate: &CheckedMandate) -> Result<(), Wait> {
        let Some(expires) = mandate.expires() else {
            let slot = self.record.slot(plan.wallet, mandate.number());
            let is_permitted = slot.is_some_and(Slot::has_paid);
            return if is_permitted {
                Err(Wait::Permitted)
            } else {
                Ok(())
            };
        };
        if self.now >= expires {
            return Err(Wait::Expired);
        }
        let wallet = self.state.network().wallet(plan.wallet);
        let holds = wallet.and_then(|wallet| wallet.mandate).unwrap_or_default();
        if expires > self.now.after(holds).after(AHEAD) {
            return Err(Wait::Clock);
        }
        Ok(())
    }

    fn wait_for_time(&self, digest: Digest, release: &Release) -> Result<(), Wait> {
        if release.time > self.now.after(AHEAD) {
            return Err(Wait::Clock);
        }
        // Once a journaled checkpoint contains the entry, state has judged.
        let awaiting = &self.state.facts().awaiting;
        let from = awaiting.partition_point(|row| row.entry < release.entry);
        let mut of_entry = awaiting
            .range(from..)
            .take_while(|row| row.entry == release.entry);
        let is_judged = !of_entry.any(|row| row.what == Awaiting::Release(digest));
        let first = self.heads.first_cosigned(release.entry);
        let in_time = first.is_some_and(|first| !is_late(release.time, first));
        if is_judged || in_time {
            Ok(())
        } else {
            Err(Wait::Late)
        }
    }

    fn check_floors(&self, release: &Release) -> Result<(), Refusal> {
        let floors = &self.config.floors;
        let weakest = release.proofs().map(|proof| proof.kind).min();
        if let Some(weak) = weakest.filter(|kind| *kind < floors.factor) {
            return Err(Refusal::FactorFloor(weak));
        }
        if self.has_aged(release, Span::seconds(floors.address_age_seconds)) {
            Ok(())
        } else {
            Err(Refusal::AddressFloor)
        }
    }

    /// Whether the payee had stood in the book for so long when the release was journaled. The book
    /// says when an address began to count; it was added the account's delay before.
    fn has_aged(&self, release: &Release, age: Span) -> bool {
        let ActKind::Withdraw(withdraw) = &release.act.kind else {
            return false;
        };
        let account = self.state.facts().account(release.account);
        let added = account.and_then(|account| {
            let counts_from = account.address(withdraw.to)?.available.time()?;
            Some(counts_from.before(account.delay))
        });
        added.is_some_and(|added| added.after(age) <= release.time)
    }

    fn check_caps(
        &self,
        pays: Pays,
        spent_beside: Option<Amount>,
        is_counted: bool,
    ) -> Result<(), Refusal> {
        self.check_transaction(pays)?;
        self.check_day(pays, spent_beside, is_counted)
    }

    fn check_transaction(&self, pays: Pays) -> Result<(), Refusal> {
        let (asset, amount) = (pays.asset, pays.amount);
        let cap = self.config.cap(asset).ok_or(Refusal::NoCap(asset))?;
        if amount > cap.per_transaction {
            let cap = cap.per_transaction;
            return Err(Refusal::OverTransactionCap { asset, amount, cap });
        }
        Ok(())
    }

    fn check_day(
        &self,
        pays: Pays,
        spent_beside: Option<Amount>,
        is_counted: bool,
    ) -> Result<(), Refusal> {
        let (asset, amount) = (pays.asset, pays.amount);
        let cap = self.config.cap(asset).ok_or(Refusal::NoCap(asset))?;
        let more = if is_counted { Amount::ZERO } else { amount };
        let total = self
            .record
            .spent(asset, self.now)
            .and_then(|spent| spent.checked_add(spent_beside?))
            .and_then(|spent| spent.checked_add(more));
        if total.is_some_and(|total| total <= cap.day) {
            Ok(())
        } else {
            let cap = cap.day;
            Err(Refusal::OverDayCap { asset, amount, cap })
        }
    }
}

fn intent(act: Digest, plan: &Plan, checked: &Checked) -> Intent {
    Intent {
        act,
        plan: plan.digest(),
        wallet: plan.wallet,
        nonce: checked.nonce(),
        pays: checked.pays(),
        shared: None,
    }
}

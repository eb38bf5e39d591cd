//! Plans from coins: what the gate's own node lists as the wallets', and what a transaction should pay. The gate's
//! word is bounded by the wallet's ceiling in genesis and by the signer's own caps, and every amount is proven anew
//! by the signer.

use crate::config::CoinFees;
use portcullis_chains::Address;
use portcullis_chains::bitcoin::{Coin, FeeRate, OutPoint, Sats, Wallet};
use portcullis_chains::caip::BitcoinAddress;
use portcullis_core::decide::payment::Spend;
use portcullis_core::plan::Plan;
use portcullis_core::{Span, State, genesis};
use portcullis_node::NodeError;
use portcullis_node::bitcoin::{BitcoinNode, Listed, proven};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a node is asked.
const ASK: Duration = Duration::from_secs(5);
/// Smaller outputs cost about as much to spend as they hold.
const LEAST: u64 = 1_000;
/// For how many answers what a batch spent is remembered: a minute, by which nodes know of a block.
const REMEMBERED: u32 = 12;
/// Most of a wallet's coins that are looked at, the largest: several times what plans can spend.
const MAX_COINS: usize = 2_000;

/// What wallets can spend and at what rate, by wallet; somebody else keeps it up to date.
#[derive(Clone, Debug, Default)]
pub struct CoinTable {
    wallets: Arc<Mutex<BTreeMap<BitcoinAddress, Purse>>>,
}

/// One wallet's.
#[derive(Clone, Debug)]
struct Purse {
    fees: CoinFees,
    /// What its node has said last; nothing before it has.
    seen: Option<Seen>,
    /// What batches spend, or spent until a moment ago, with for how many answers of the node that is remembered: no
    /// new batch begins with any of it. Its transaction may be mined and the batch ended before the node says so,
    /// and what begins with a coin that is gone can be neither paid nor given up.
    taken: BTreeMap<OutPoint, u32>,
    /// Why there was no plan the last time; it is told once, however often it is asked for.
    lacking: Option<String>,
    /// The least sum, in satoshis, for which a new batch found no plan since the node's last answer: until the next
    /// one nobody has to try for as much.
    in_vain: Option<u64>,
}

#[derive(Clone, Debug)]
struct Seen {
    rate: FeeRate,
    height: u32,
    coins: Vec<Coin>,
}

impl CoinTable {
    /// For these wallets, of which nothing is known yet.
    #[must_use]
    pub fn new<'a>(wallets: impl Iterator<Item = (&'a Wallet, &'a CoinFees)>) -> Self {
        let purse = |(wallet, fees): (&Wallet, &CoinFees)| {
            let purse = Purse {
                fees: fees.clone(),
                seen: None,
                taken: BTreeMap::new(),
                lacking: None,
                in_vain: None,
            };
            (name(wallet), purse)
        };
        Self {
            wallets: Arc::new(Mutex::new(wallets.map(purse).collect())),
        }
    }

    /// The plan of a payment from what the wallet can spend; why there is none is in the log. Once it is in the
    /// journal, [`Self::note`] has to know.
    #[must_use]
    pub fn plan(&self, spend: &Spend) -> Option<Plan> {
        let mut purses = self.purses();
        let purse = purses.get_mut(&name(spend.wallet()))?;
        let planned = purse.plan(spend);
        purse.tell(planned.as_ref().err());
        if planned.is_err() && spend.replaced().is_none() {
            let least = purse.in_vain.unwrap_or(u64::MAX);
            purse.in_vain = Some(least.min(sum(spend)));
        }
        planned.ok()
    }

    /// Whether a plan for this is worth trying. Hundreds that are due while there is no coin would otherwise be decided,
    /// gathered and planned every second, in front of everything else that the sequencer does.
    #[must_use]
    pub fn may_plan(&self, spend: &Spend) -> bool {
        let purses = self.purses();
        let purse = purses.get(&name(spend.wallet()));
        let in_vain = |purse: &Purse| purse.in_vain.is_some_and(|least| sum(spend) >= least);
        purse.is_some_and(|purse| spend.replaced().is_some() || !in_vain(purse))
    }

    /// How long a wallet's transaction may stay unconfirmed.
    pub(crate) fn bump_after(&self, wallet: &genesis::Wallet) -> Option<Span> {
        let Address::Bitcoin(address) = wallet.address else {
            return None;
        };
        let purses = self.purses();
        let seconds = purses.get(&address)?.fees.bump_after_seconds;
        Some(Span(seconds.saturating_mul(1000)))
    }

    /// Note what batches that have not ended spend: nodes no longer list that once they have the transaction, and for a
    /// moment list it as unspent once it is mined.
    pub fn note(&self, state: &State) {
        let mut purses = self.purses();
        for wallet in &state.network().genesis().wallets {
            if let Address::Bitcoin(address) = wallet.address
                && let Some(purse) = purses.get_mut(&address)
            {
                let batches = state.facts().batches_of(wallet.id);
                let coins = batches.flat_map(|(_, batch)| &batch.coins);
                let standing = coins.map(|coin| (coin.outpoint(), REMEMBERED));
                purse.taken.extend(standing);
            }
        }
    }

    /// What may be spent in the place of a batch's plan, whatever is listed.
    fn begin(&self, wallet: &Wallet) -> BTreeSet<OutPoint> {
        let purses = self.purses();
        let purse = purses.get(&name(wallet)).into_iter();
        purse
            .flat_map(|purse| purse.taken.keys())
            .copied()
            .collect()
    }

    /// What the node has said.
    fn end(&self, wallet: &Wallet, mut seen: Seen) {
        if let Some(purse) = self.purses().get_mut(&name(wallet)) {
            seen.rate = seen.rate.min(purse.fees.max_rate());
            purse.seen = Some(seen);
            purse.in_vain = None;
            purse.taken.retain(|_, answers| {
                *answers = answers.saturating_sub(1);
                *answers > 0
            });
        }
    }

    fn purses(&self) -> MutexGuard<'_, BTreeMap<BitcoinAddress, Purse>> {
        self.wallets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Purse {
    /// A plan that state takes, or why there is none.
    fn plan(&self, spend: &Spend) -> Result<Plan, String> {
        let Some(seen) = &self.seen else {
            return Err("the node has not said yet what the wallet can spend".into());
        };
        let is_new = spend.replaced().is_none();
        let is_free = |coin: &&Coin| !is_new || !self.taken.contains_key(&coin.outpoint());
        let coins = seen.coins.iter().filter(is_free).cloned();
        let plan = spend.plan(coins, seen.rate, seen.height);
        let plan = plan.map_err(|error| error.to_string())?;
        // A going rate that leaves no room is no fault of this gate's, so no entry is made of it.
        spend.check(&plan).map_err(|error| error.to_string())?;
        Ok(plan)
    }

    fn tell(&mut self, lacking: Option<&String>) {
        if self.lacking.as_ref() == lacking {
            return;
        }
        if let Some(why) = lacking {
            tracing::warn!(why, "no plan from the wallet's coins");
        }
        self.lacking = lacking.cloned();
    }
}

/// What a plan pays, in satoshis.
fn sum(spend: &Spend) -> u64 {
    let amounts = spend.payments().iter();
    let amounts = amounts.map(|payment| payment.amount().get());
    amounts.fold(0, u64::saturating_add)
}

fn name(wallet: &Wallet) -> BitcoinAddress {
    BitcoinAddress::new(wallet.chain(), wallet.change())
}

/// Keeps what a wallet can spend up to date from a node. Without an answer the last one stands.
pub struct CoinFollower {
    table: CoinTable,
    wallet: Wallet,
    node: Arc<dyn BitcoinNode>,
    fees: CoinFees,
    is_watching: bool,
}

impl CoinFollower {
    /// For one wallet, with its node.
    #[must_use]
    pub fn new(
        table: CoinTable,
        wallet: Wallet,
        node: Arc<dyn BitcoinNode>,
        fees: CoinFees,
    ) -> Self {
        Self {
            table,
            wallet,
            node,
            fees,
            is_watching: false,
        }
    }

    /// Ask once.
    pub fn ask(&mut self) {
        if let Err(error) = self.try_ask() {
            let chain = self.wallet.chain();
            tracing::warn!(%chain, %error, "a node does not say what a wallet can spend");
        }
    }

    fn try_ask(&mut self) -> Result<(), NodeError> {
        let node = self.node.as_ref();
        if !self.is_watching {
            let locks: Vec<_> = self.wallet.locks().collect();
            node.watch(&locks)?;
            self.is_watching = true;
        }
        let taken = self.table.begin(&self.wallet);
        let height = u32::try_from(node.tip()?.number);
        let rate = node.suggest_rate(self.fees.target_blocks)?;
        let listed = self.listed(&taken)?;
        let (coins, disbelieved) = proven(node, &self.wallet, &listed)?;
        for claim in disbelieved {
            tracing::error!(output = %claim.outpoint, why = %claim.why, "the node lists what is not so");
        }
        let seen = Seen {
            rate,
            height: height.map_err(|_| NodeError::Form("height"))?,
            coins,
        };
        self.table.end(&self.wallet, seen);
        Ok(())
    }

    /// The wallet's largest outputs, and of those that batches spend what the chain still has.
    fn listed(&self, taken: &BTreeSet<OutPoint>) -> Result<Vec<Listed>, NodeError> {
        let least = Sats::new(LEAST).unwrap_or(Sats::ZERO);
        let mut listed = self.node.unspent(self.fees.confirmations, least)?;
        listed.retain(|output| !taken.contains(&output.outpoint));
        listed.sort_by_key(|output| core::cmp::Reverse(output.amount));
        listed.truncate(MAX_COINS);
        let taken: Vec<OutPoint> = taken.iter().copied().collect();
        let still = self.node.in_chain(&taken)?.into_iter().flatten();
        listed.extend(still.map(|output| output.listed));
        Ok(listed)
    }

    /// Ask for ever.
    pub(crate) fn run(mut self) {
        loop {
            self.ask();
            std::thread::sleep(ASK);
        }
    }
}

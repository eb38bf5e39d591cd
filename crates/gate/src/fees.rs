//! Fees: what the sequencer proposes. The gate's word about fees is bounded by the wallet's ceiling in
//! genesis and by the signer's own caps.

use crate::coins::CoinTable;
use crate::config::ChainFees;
use portcullis_chains::ethereum::Fees;
use portcullis_chains::{Amount, AssetId, ChainId};
use portcullis_core::decide::Payment;
use portcullis_core::plan::Plan;
use portcullis_node::Node;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The going rates, by chain; somebody else keeps them up to date.
#[derive(Clone, Debug, Default)]
pub struct FeeTable {
    rates: Arc<Mutex<BTreeMap<ChainId, Rate>>>,
    /// What wallets of coins can spend.
    pub(crate) coins: CoinTable,
}

/// Keeps a chain's rate up to date from a node. Without an answer the last rate stands.
pub struct FeeFollower {
    pub(crate) table: FeeTable,
    pub(crate) chain: ChainId,
    pub(crate) node: Arc<dyn Node>,
    pub(crate) configured: ChainFees,
}

impl FeeFollower {
    /// Ask once.
    pub fn ask(&self) {
        match self.node.suggest_fees() {
            Ok(going) => {
                let (max, tip) = (going.max_fee_per_gas, going.max_priority_fee_per_gas);
                self.table.suggest(self.chain, max, tip, &self.configured);
            }
            Err(error) => tracing::warn!(chain = %self.chain, %error, "a node suggests no fees"),
        }
    }

    /// Ask for ever.
    pub(crate) fn run(self) {
        loop {
            self.ask();
            std::thread::sleep(ASK);
        }
    }
}

/// How often a node is asked for the going rate.
const ASK: Duration = Duration::from_secs(5);

/// What gas costs on a chain.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Per unit of gas, in wei.
    pub max_fee_per_gas: u128,
    /// The tip of that, in wei.
    pub max_priority_fee_per_gas: u128,
    /// The gas limit of a transfer of the chain's own coin.
    pub native_gas: u64,
    /// The gas limit of a token transfer.
    pub token_gas: u64,
    /// Milliseconds after which an unconfirmed release gets higher fees.
    pub bump_after: u64,
}

impl FeeTable {
    /// The configured rates.
    #[must_use]
    pub fn new(chains: &BTreeMap<ChainId, ChainFees>) -> Self {
        let rates = chains
            .iter()
            .map(|(chain, fees)| (*chain, Rate::configured(fees)));
        Self {
            rates: Arc::new(Mutex::new(rates.collect())),
            coins: CoinTable::default(),
        }
    }

    /// The same, with wallets that spend coins.
    #[must_use]
    pub fn with(mut self, coins: CoinTable) -> Self {
        self.coins = coins;
        self
    }

    /// The rate of a chain.
    #[must_use]
    pub fn rate(&self, chain: ChainId) -> Option<Rate> {
        self.rates
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&chain)
            .copied()
    }

    /// The going rate changed; it is never proposed above the configured one.
    pub fn suggest(&self, chain: ChainId, max_fee: u128, tip: u128, configured: &ChainFees) {
        let mut rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(rate) = rates.get_mut(&chain) {
            rate.max_fee_per_gas = max_fee.min(configured.max_fee_per_gas.into());
            let tip = tip.min(configured.max_priority_fee_per_gas.into());
            rate.max_priority_fee_per_gas = tip.min(rate.max_fee_per_gas);
        }
    }

    /// The plan of a payment at the going rate; one that takes another's place outbids it.
    #[must_use]
    pub fn plan(&self, payment: &Payment) -> Option<Plan> {
        if let Some(mandate) = payment.mandate() {
            return Some(mandate.clone());
        }
        if let Some(spend) = payment.spend() {
            return self.coins.plan(spend);
        }
        let asset = payment.asset()?;
        let rate = self.rate(asset.chain())?;
        let gas = match asset {
            AssetId::EvmNative { .. } => rate.native_gas,
            AssetId::EvmErc20 { .. } => rate.token_gas,
            AssetId::Bitcoin(_) | AssetId::Named(_) => return None,
        };
        let going = rate.going(gas)?;
        let fees = match payment.outbids() {
            Some(earlier) => outbid(&earlier, &going, gas, payment.fee_ceiling())?,
            None => going,
        };
        payment.plan(fees).ok().filter(|_| payment.affords(&fees))
    }
}

impl Rate {
    /// The going fees at this gas limit. Nodes take nothing without a tip.
    pub(crate) fn going(&self, gas: u64) -> Option<Fees> {
        let tip = self.max_priority_fee_per_gas.max(1);
        Fees::new(self.max_fee_per_gas.max(tip), tip, gas).ok()
    }

    fn configured(fees: &ChainFees) -> Self {
        Self {
            max_fee_per_gas: fees.max_fee_per_gas.into(),
            max_priority_fee_per_gas: fees.max_priority_fee_per_gas.into(),
            native_gas: fees.native_gas,
            token_gas: fees.token_gas,
            bump_after: fees.bump_after_seconds.saturating_mul(1000),
        }
    }
}

/// Fees that nodes take in the place of earlier ones: a quarter more, or the going rate where that
/// is higher still; where the ceiling has no room for as much, the least that nodes take.
#[must_use]
pub(crate) fn outbid(earlier: &Fees, going: &Fees, gas: u64, ceiling: Amount) -> Option<Fees> {
    let more = |old: u128, now: u128| Some(old.checked_add(old.div_ceil(4).max(1))?.max(now));
    let tip = more(
        earlier.max_priority_fee_per_gas(),
        going.max_priority_fee_per_gas(),
    )?;
    let max = more(earlier.max_fee_per_gas(), going.max_fee_per_gas())?.max(tip);
    let fees = Fees::new(max, tip, gas).ok();
    let least = || {
        let least = earlier.least_above()?;
        let (max, tip) = (least.max_fee_per_gas(), least.max_priority_fee_per_gas());
        Fees::new(max, tip, gas).ok()
    };
    fees.filter(|fees| fees.ceiling() <= ceiling).or_else(least)
}

//! A wallet of coins in other hands than a gate's and a signer's: what it can spend, and plans of whatever payments.

use crate::coins::{CHAIN, Coins};
use crate::error::DrillError;
use portcullis_chains::Amount;
use portcullis_chains::bitcoin::{
    Coin, FeeRate, OutPoint, OwnedKey, Payment, Plan, Sats, Terms, Wallet,
};
use portcullis_chains::caip::BitcoinAddress;
use portcullis_core::id::WalletId;
use portcullis_core::{Network, plan};
use portcullis_node::bitcoin::{BitcoinNode, unspent_coins};

/// Smaller outputs are left alone.
const LEAST: u64 = 1_000;
/// Satoshis per 1,000 virtual bytes that somebody pays who is in no hurry.
const USUAL: u64 = 2_000;

/// What a fee comes to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rate {
    /// What an honest plan pays.
    Usual,
    /// As much as there is a word for.
    Highest,
}

impl Rate {
    fn rate(self) -> FeeRate {
        match self {
            Self::Usual => FeeRate::per_1000_virtual_bytes(USUAL).unwrap_or(FeeRate::MIN),
            Self::Highest => FeeRate::MAX,
        }
    }
}

/// The wallet's public keys and its coins.
pub(crate) struct Purse {
    id: WalletId,
    pub(crate) wallet: Wallet,
    pub(crate) coins: Vec<Coin>,
}

impl Purse {
    /// Of a key that is all that a wallet has, with what its node says that it can spend.
    pub(crate) fn of_key(key: OwnedKey, node: &dyn BitcoinNode) -> Result<Self, DrillError> {
        let wallet = Wallet::new(CHAIN, key, &[]);
        let (coins, _) = unspent_coins(node, &wallet, 1, sats(LEAST)?)?;
        Ok(Self {
            id: WalletId([0; 16]),
            wallet,
            coins,
        })
    }

    /// Of the network's wallet of coins, by its gate's own node.
    pub(crate) fn of_network(network: &Network, coins: &Coins) -> Result<Self, DrillError> {
        let none = || DrillError::Network("it has no wallet of coins".into());
        let wallets = network.genesis().wallets.iter();
        let mut of_coins = wallets.filter_map(|wallet| Some((wallet.id, wallet.bitcoin.as_ref()?)));
        let (id, named) = of_coins.next().ok_or_else(none)?;
        let key = named.change.owned().map_err(|_| none())?;
        Ok(Self {
            id,
            ..Self::of_key(key, &coins.node()?)?
        })
    }

    /// A plan of these payments, as an entry has it.
    pub(crate) fn plan(
        &self,
        pays: &[(BitcoinAddress, Amount)],
        rate: Rate,
    ) -> Result<plan::Plan, DrillError> {
        Ok(plan::Plan {
            wallet: self.id,
            unsigned: self.make(&payments(pays)?, rate)?.to_claims(),
        })
    }

    /// A plan of these payments.
    pub(crate) fn make(&self, payments: &[Payment], rate: Rate) -> Result<Plan, DrillError> {
        let terms = Terms {
            payments,
            rate: rate.rate(),
            ceiling: Sats::MAX,
            lock_height: 0,
            replaced: None,
        };
        let plan = Plan::make(self.coins.iter().cloned(), &self.wallet, &terms);
        plan.map_err(|error| DrillError::Coins(error.to_string()))
    }

    /// Take away what a plan spends, and put in what returns of it.
    pub(crate) fn turn_over(&mut self, spent: &[Coin], returned: Option<Coin>) {
        let spent: Vec<OutPoint> = spent.iter().map(Coin::outpoint).collect();
        self.coins.retain(|coin| !spent.contains(&coin.outpoint()));
        self.coins.extend(returned);
    }
}

/// Payments, in their order.
pub(crate) fn payments(pays: &[(BitcoinAddress, Amount)]) -> Result<Vec<Payment>, DrillError> {
    let payments = pays.iter().map(|(to, amount)| Payment::new(*to, *amount));
    let payments: Result<Vec<Payment>, _> = payments.collect();
    payments.map_err(|error| DrillError::Coins(error.to_string()))
}

/// An amount that can exist.
pub(crate) fn sats(amount: u64) -> Result<Sats, DrillError> {
    Sats::new(amount).map_err(|error| DrillError::Coins(error.to_string()))
}

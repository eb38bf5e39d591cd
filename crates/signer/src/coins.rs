//! A signer's own view of the coins that a plan spends: its keys, its nodes, what those have shown.

use crate::config::Chain;
use crate::rest::Rest;
use portcullis_chains::bitcoin::{Claimed, Lock, OutPoint, OwnedKey, Txid, Wallet};
use portcullis_chains::{Address, ChainId};
use portcullis_core::genesis::{self, CoinKey as PublicKey};
use portcullis_core::id::WalletId;
use portcullis_core::{Network, Time};
use portcullis_keeper::Watch;
use portcullis_keys::CoinKey;
use portcullis_node::NodeError;
use portcullis_node::bitcoin::BitcoinNode;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most bytes of previous transactions that are kept from one step to the next: several plans of the largest
/// previous transactions, or all of many usual ones.
const MAX_KEPT: usize = 32 * 1024 * 1024;
/// How many transactions are asked for before the time is looked at again.
const AT_ONCE: usize = 8;

/// What a signer spends coins with.
#[derive(Clone, Default)]
pub struct Coins {
    /// The keys of each wallet.
    pub keys: BTreeMap<WalletId, Vec<Arc<dyn CoinKey>>>,
    /// The signer's own nodes.
    pub nodes: BTreeMap<ChainId, Arc<dyn BitcoinNode>>,
}

/// The wallet by the signer's own keys; nothing where one that genesis names is not among them. Genesis says only
/// how each key locks, and which of them takes the change.
pub(crate) fn own_wallet(wallet: &genesis::Wallet, keys: &[Arc<dyn CoinKey>]) -> Option<Wallet> {
    let (Some(named), Address::Bitcoin(address)) = (&wallet.bitcoin, wallet.address) else {
        return None;
    };
    let own = |key: &PublicKey| Some(own_key(key, keys)?.0);
    let others: Option<Vec<OwnedKey>> = named.keys.iter().map(own).collect();
    let own = Wallet::new(address.chain(), own(&named.change)?, &others?);
    (own.change() == address.lock()).then_some(own)
}

/// Each key that genesis names for the wallet, with the one of the signer's that it is.
pub(crate) fn signing_keys<'a>(
    wallet: &genesis::Wallet,
    keys: &'a [Arc<dyn CoinKey>],
) -> Vec<(OwnedKey, &'a dyn CoinKey)> {
    let named = wallet.bitcoin.iter();
    let named = named.flat_map(|named| named.keys.iter().chain([&named.change]));
    named.filter_map(|key| own_key(key, keys)).collect()
}

fn own_key<'a>(
    named: &PublicKey,
    keys: &'a [Arc<dyn CoinKey>],
) -> Option<(OwnedKey, &'a dyn CoinKey)> {
    keys.iter().find_map(|key| {
        let point = key.public_key();
        let owned = match named {
            PublicKey::P2wpkh(wanted) if wanted.0 == point => OwnedKey::p2wpkh(&point),
            PublicKey::P2tr(wanted) if wanted.0[..] == point[1..] => OwnedKey::p2tr(&wanted.0),
            _ => return None,
        };
        Some((owned.ok()?, key.as_ref()))
    })
}

/// The nodes, each of which is left alone for a while after an error.
#[derive(Clone, Default)]
pub(crate) struct Lines(BTreeMap<ChainId, Arc<Line>>);

/// A node of a chain of coins.
pub(crate) struct Line {
    node: Arc<dyn BitcoinNode>,
    pub(crate) confirmations: u32,
    /// What the wallets' keys open: what the node has to watch before it can say anything of it.
    locks: Vec<Lock>,
    met: Mutex<Met>,
}

/// What has come of speaking to a node.
#[derive(Default)]
struct Met {
    rest: Rest,
    is_watching: bool,
    /// What batches begin with and the chain does not have, with the highest block when that was first seen.
    missed: BTreeMap<OutPoint, u32>,
    /// Previous transactions that it has shown, by their ids, which prove them.
    previous: BTreeMap<Txid, Vec<u8>>,
    kept: usize,
}

/// What the signer's own node has shown of a plan's inputs, which the chain has, unspent.
pub(crate) struct Shown {
    /// The previous transaction of each input, each once.
    pub(crate) previous: Vec<Vec<u8>>,
    /// The highest block.
    pub(crate) height: u32,
}

/// What a plan cannot spend yet, or any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lacking {
    /// The node has not shown everything, or something is not deep enough in the chain.
    Some,
    /// What every plan of the batch spends first has been missing for as many blocks as make a payment final.
    Shared,
}

impl Lines {
    pub(crate) fn new(chains: &[Chain], network: &Network, coins: &Coins) -> Self {
        let line = |(id, node): (&ChainId, &Arc<dyn BitcoinNode>)| {
            let chain = chains.iter().find(|chain| chain.id == *id)?;
            let wallets = network.genesis().wallets.iter();
            let ours = wallets.filter(|wallet| wallet.address.chain() == *id);
            let keys = ours.filter_map(|wallet| Some((wallet, coins.keys.get(&wallet.id)?)));
            let locks = keys.flat_map(|(wallet, keys)| signing_keys(wallet, keys));
            let line = Line {
                node: Arc::clone(node),
                confirmations: u32::try_from(chain.confirmations).unwrap_or(u32::MAX),
                locks: locks.map(|(key, _)| key.lock()).collect(),
                met: Mutex::default(),
            };
            Some((*id, Arc::new(line)))
        };
        Self(coins.nodes.iter().filter_map(line).collect())
    }

    pub(crate) fn of(&self, chain: ChainId) -> Option<&Arc<Line>> {
        self.0.get(&chain)
    }
}

impl Line {
    /// Ask the node something, unless it is left alone. It is told first what to watch.
    pub(crate) fn ask<T>(
        &self,
        now: Time,
        question: impl FnOnce(&(dyn BitcoinNode + 'static)) -> Result<T, NodeError>,
    ) -> Option<T> {
        if !self.met().rest.is_over(now) {
            return None;
        }
        let answer = self.watch().and_then(|()| question(self.node.as_ref()));
        let mut met = self.met();
        match answer {
            Ok(answer) => {
                met.rest.end();
                Some(answer)
            }
            Err(error) => {
                tracing::warn!(%error, "the node says nothing");
                met.rest.begin(now);
                None
            }
        }
    }

    /// Leave the node alone for a while.
    pub(crate) fn fail(&self, now: Time) {
        self.met().rest.begin(now);
    }

    fn watch(&self) -> Result<(), NodeError> {
        if !self.met().is_watching {
            self.node.watch(&self.locks)?;
            self.met().is_watching = true;
        }
        Ok(())
    }

    /// What the node shows of what a plan spends, once it has shown everything. What it has shown is kept, so that a
    /// plan of many inputs is shown in several steps.
    pub(crate) fn show(
        &self,
        watch: &Watch,
        until: Time,
        claimed: &Claimed,
    ) -> Result<Shown, Lacking> {
        let outputs: Vec<OutPoint> = claimed.spends().collect();
        let now = watch.now();
        let tip = self.ask(now, BitcoinNode::tip).ok_or(Lacking::Some)?;
        let height = u32::try_from(tip.number).map_err(|_| Lacking::Some)?;
        let found = self.ask(now, |node| node.in_chain(&outputs));
        let found = found.filter(|found| found.len() == outputs.len());
        let depths: Vec<Option<u32>> = found
            .ok_or(Lacking::Some)?
            .iter()
            .map(|output| output.as_ref().map(|output| output.confirmations))
            .collect();
        let first = outputs.iter().zip(&depths).next();
        let first = first.ok_or(Lacking::Some)?;
        if self.has_gone(first, height) {
            return Err(Lacking::Shared);
        }
        // What is signed stays valid while its first input does: it has to be as deep as what counts as final.
        let is_deep = *first.1 >= Some(self.confirmations);
        if !is_deep || depths.iter().any(Option::is_none) {
            return Err(Lacking::Some);
        }
        let previous = self.previous(watch, until, &outputs);
        Ok(Shown {
            previous: previous.ok_or(Lacking::Some)?,
            height,
        })
    }

    /// Whether a batch's shared output has been missing for so many blocks that it will not come back. Counted by the
    /// chain, not by a clock: a node that stands still has seen nothing.
    fn has_gone(&self, (shared, depth): (&OutPoint, &Option<u32>), height: u32) -> bool {
        let missed = &mut self.met().missed;
        if depth.is_some() {
            missed.remove(shared);
            return false;
        }
        let since = *missed.entry(*shared).or_insert(height);
        height.saturating_sub(since) >= self.confirmations
    }

    fn previous(&self, watch: &Watch, until: Time, outputs: &[OutPoint]) -> Option<Vec<Vec<u8>>> {
        let mut txids: Vec<Txid> = outputs.iter().map(|output| output.txid).collect();
        txids.sort_unstable();
        txids.dedup();
        let known = |line: &Self, txid: &Txid| line.met().previous.get(txid).cloned();
        let unknown = txids.iter().filter(|txid| known(self, txid).is_none());
        let unknown: Vec<Txid> = unknown.copied().collect();
        for (at, txids) in unknown.chunks(AT_ONCE).enumerate() {
            // Some in every step, or a slow node would never have shown all.
            if at > 0 && watch.now() >= until {
                return None;
            }
            let found = self.ask(watch.now(), |node| node.transactions(txids))?;
            self.met().keep(txids.iter().copied().zip(found));
        }
        txids.iter().map(|txid| known(self, txid)).collect()
    }

    fn met(&self) -> MutexGuard<'_, Met> {
        self.met.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Met {
    /// Ids prove what is kept once it is used, so whatever a node has shown may be.
    fn keep(&mut self, shown: impl Iterator<Item = (Txid, Vec<u8>)>) {
        if self.kept > MAX_KEPT {
            self.previous.clear();
            self.kept = 0;
        }
        for (txid, bytes) in shown {
            self.kept = self.kept.saturating_add(bytes.len());
            self.previous.insert(txid, bytes);
        }
    }
}

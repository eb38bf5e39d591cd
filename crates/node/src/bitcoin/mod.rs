//! The signer's own view of a chain with Bitcoin's rules, and its own way to broadcast.
//!
//! [`BitcoinNode`] is the seam: [`HttpNode`] speaks JSON-RPC to Bitcoin Core. [`Tracker`] is pure:
//! from what was observed it says where a release stands and when the same bytes are to be sent
//! again.
//!
//! What a node lists as unspent is a claim. [`unspent_coins`] brings every claim its whole previous
//! transaction, and [`Coin::prove`] takes those that their ids prove; so a node that lies about an
//! amount, a script or a transaction takes coins away and never adds one.

mod credentials;
mod http;
mod look;
mod rpc;
mod sent;
mod tracker;
mod wire;

#[cfg(any(test, feature = "testkit"))]
pub mod testkit;

#[cfg(test)]
mod tests;

use portcullis_chains::bitcoin::{
    Coin, CoinError, FeeRate, Lock, OutPoint, Sats, SignedTx, Txid, Unspent, Wallet,
};

use super::{Block, NodeError};

pub use http::HttpNode;
pub use look::{Observation, Seen};
pub use sent::Sent;
pub use tracker::{Mined, REBROADCAST, Standing, TrackError, Tracker};

/// What the signer asks of a node.
///
/// **Promises.** Every exchange with the node ends within the implementation's stated time, whatever
/// the other side does. Every answer is about the chain that the implementation was made for. An
/// answer that is not exactly in the form that it should have is an error, never a guess. A
/// transaction that is given out has the id that was asked for.
///
/// **Threads.** Any number of threads may call at once.
///
/// **Not promised.** That what is listed as unspent exists, that two answers were given by one state
/// of the chain, or that a block stays.
pub trait BitcoinNode: Send + Sync {
    /// Has the node watch these locks from now on: of what pays them it then says all that is asked below. What
    /// was paid to them before, it finds only by `rescanblockchain`, which is an operator's to run: it takes long.
    fn watch(&self, locks: &[Lock]) -> Result<(), NodeError>;

    /// The highest block; an error while the node has not caught up.
    fn tip(&self) -> Result<Block, NodeError>;

    /// The outputs of at least `least` that the node says are the wallet's, spent by nothing that it
    /// knows, and at least so many blocks deep. At least one: what is not in a block may be taken
    /// back by whoever made it, and a replacement may spend nothing of the kind (BIP 125, rule 2).
    fn unspent(&self, confirmations: u32, least: Sats) -> Result<Vec<Listed>, NodeError>;

    /// Of each of these outputs what the chain has, whatever waits to be in it; nothing where it is spent there, is
    /// in no block, or may not be spent yet because it is a young block's own reward.
    fn in_chain(&self, outputs: &[OutPoint]) -> Result<Vec<Option<InChain>>, NodeError>;

    /// These transactions, raw, in their order. One that the node does not have is an error.
    fn transactions(&self, txids: &[Txid]) -> Result<Vec<Vec<u8>>, NodeError>;

    /// The rate at which a transaction should be in one of the next so many blocks, as the node
    /// estimates, and never below what it relays. Where it has no estimate, what it relays.
    fn suggest_rate(&self, blocks: u16) -> Result<FeeRate, NodeError>;

    /// Hands transactions to the node to broadcast; what it says to each, in their order. There is no
    /// error: whatever goes wrong, the bytes may be on their way.
    fn send_all(&self, txs: &[&SignedTx]) -> Vec<Sent>;

    /// Hands over one.
    fn send(&self, tx: &SignedTx) -> Sent {
        let said = self.send_all(&[tx]).pop();
        said.unwrap_or(Sent::Unknown(super::rpc::NO_ANSWER))
    }

    /// What became of each of these transactions, which all spend `shared`.
    fn look(&self, shared: OutPoint, txids: &[Txid]) -> Result<Observation, NodeError>;
}

/// What a node says is unspent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which output of which transaction.
    pub outpoint: OutPoint,
    /// What it is said to hold.
    pub amount: Sats,
    /// The script that is said to lock it.
    pub script: Vec<u8>,
}

/// An output that the chain has and nothing in it has spent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InChain {
    /// What it is.
    pub listed: Listed,
    /// How many blocks stand on it, its own counted.
    pub confirmations: u32,
}

/// A claim of a node that is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disbelieved {
    /// Which output.
    pub outpoint: OutPoint,
    /// What is wrong with it.
    pub why: CoinError,
}

/// What the wallet can spend according to a node, as far as the claims are proven; and those that are
/// not, of which an operator should hear.
///
/// Every claim is proven by its previous transaction, also P2TR where the signature would do: a lie
/// then costs nothing, not even a plan that comes to nothing.
pub fn unspent_coins(
    node: &dyn BitcoinNode,
    wallet: &Wallet,
    confirmations: u32,
    least: Sats,
) -> Result<(Vec<Coin>, Vec<Disbelieved>), NodeError> {
    proven(node, wallet, &node.unspent(confirmations, least)?)
}

/// What is proven of a node's claims.
pub fn proven(
    node: &dyn BitcoinNode,
    wallet: &Wallet,
    listed: &[Listed],
) -> Result<(Vec<Coin>, Vec<Disbelieved>), NodeError> {
    let txids: Vec<Txid> = listed.iter().map(|listed| listed.outpoint.txid).collect();
    let previous = node.transactions(&txids)?;
    let (mut coins, mut disbelieved) = (Vec::new(), Vec::new());
    for (listed, previous) in listed.iter().zip(&previous) {
        let claim = Unspent {
            outpoint: listed.outpoint,
            amount: listed.amount.get(),
            script: &listed.script,
            previous: Some(previous),
        };
        match Coin::prove(&claim, wallet) {
            Ok(coin) => coins.push(coin),
            Err(why) => disbelieved.push(Disbelieved {
                outpoint: listed.outpoint,
                why,
            }),
        }
    }
    Ok((coins, disbelieved))
}

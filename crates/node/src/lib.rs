//! The signer's own view of a chain, and its own way to broadcast. Here for chains with Ethereum's
//! rules, in [`bitcoin`] for those with Bitcoin's.
//!
//! [`Node`] is the seam: [`HttpNode`] speaks JSON-RPC to a real node, a simulator takes its place in
//! tests. [`Tracker`] is pure: from what was observed it says where a transaction stands and when the
//! same bytes are to be sent again.
//!
//! Nothing here decides or signs. What a node says is taken for what it is, the word of one machine:
//! it can delay, and it can make the signer believe that something has or has not arrived, but no
//! answer leads to a second signature.

pub mod bitcoin;
mod http;
mod rpc;
mod sent;
#[cfg(feature = "testkit")]
pub mod testkit;
mod tracker;
mod wire;

#[cfg(test)]
mod tests;

use portcullis_chains::Amount;
use portcullis_chains::ethereum::SignedTx;

pub use http::HttpNode;
pub use sent::Sent;
pub use tracker::{Delivery, Mined, Observation, REBROADCAST, Standing, TrackError, Tracker};

/// What the signer asks of a node.
///
/// **Promises.** Every call returns within the implementation's stated time, whatever the other side
/// does. Every answer is about the chain that the implementation was made for. An answer that is not
/// exactly in the form that it should have is an error, never a guess.
///
/// **Threads.** Any number of threads may call at once.
///
/// **Not promised.** That two answers were given by one state of the chain: blocks arrive between
/// them, and may be taken back.
pub trait Node: Send + Sync {
    /// The chain id that the node has now.
    fn chain_id(&self) -> Result<u64, NodeError>;

    /// The latest block.
    fn head(&self) -> Result<Head, NodeError>;

    /// Fees with which a transaction should be taken soon: the tip that the node suggests, and
    /// twice the base fee plus that tip, which lasts six full blocks.
    fn suggest_fees(&self) -> Result<SuggestedFees, NodeError>;

    /// How many transactions an address has sent, which is its next nonce.
    fn nonce(&self, address: [u8; 20], at: At) -> Result<u64, NodeError>;

    /// How much of the chain's own coin an address has, in the latest block.
    fn balance(&self, address: [u8; 20]) -> Result<Amount, NodeError>;

    /// Hands transactions to the node to broadcast; what it says to each, in their order. There is no
    /// error: whatever goes wrong, the bytes may be on their way.
    fn send_all(&self, txs: &[&SignedTx]) -> Vec<Sent>;

    /// Hands over one.
    fn send(&self, tx: &SignedTx) -> Sent {
        let said = self.send_all(&[tx]).pop();
        said.unwrap_or(Sent::Unknown(rpc::NO_ANSWER))
    }

    /// What became of each of these transactions, in their order; `None` while it is in no block of the
    /// node's chain.
    fn receipts(&self, hashes: &[[u8; 32]]) -> Result<Vec<Found>, NodeError>;
}

/// What a node says of one transaction.
pub type Found = Result<Option<Receipt>, NodeError>;

/// At which state a nonce is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// After the latest block.
    Latest,
    /// After what the node has waiting, too.
    Pending,
}

/// A block by number and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// Height above the first block.
    pub number: u64,
    /// Hash, which tells apart two blocks at one height.
    pub hash: [u8; 32],
}

/// The latest block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which block.
    pub block: Block,
    /// What a unit of gas cost in it before any tip, in wei.
    pub base_fee: u128,
}

/// Fees that a node suggests, in wei per unit of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SuggestedFees {
    /// The most that a unit of gas may cost.
    pub max_fee_per_gas: u128,
    /// How much of that is the tip.
    pub max_priority_fee_per_gas: u128,
}

/// What a block says about a transaction in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The transaction.
    pub hash: [u8; 32],
    /// The block that it is in.
    pub block: Block,
    /// Whether it did what it was to do; if not it has cost its fee and moved nothing.
    pub succeeded: bool,
    /// What contracts said while it ran.
    pub logs: Vec<Log>,
}

/// One statement of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Who says it.
    pub contract: [u8; 20],
    /// The event and its indexed values.
    pub topics: Vec<[u8; 32]>,
    /// Its other values.
    pub data: Vec<u8>,
}

/// Why a node gave no answer that counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// The node's address is not one that can be used.
    #[error(
        "`{0}` is no address of a node: use http://HOST:PORT, and a tunnel to a node elsewhere"
    )]
    Address(String),
    /// No connection, or it broke.
    #[error("the node cannot be reached ({0}): is it running?")]
    Unreachable(String),
    /// It did not answer in time.
    #[error("the node did not answer in time: look at its load")]
    TimedOut,
    /// More bytes than any answer has.
    #[error("the node's answer is too large: is it a node?")]
    TooLarge,
    /// An HTTP status other than 200.
    #[error("the node answered with HTTP status {0}: is it a node, and does it let us in?")]
    Status(u16),
    /// Not JSON-RPC, another request's answer, or a value not in its form.
    #[error("the node's answer is not in its form ({0}): is it a node, and of a known version?")]
    Form(&'static str),
    /// The node understood, and said no.
    #[error("the node says: {message} ({code})")]
    Says {
        /// JSON-RPC's code.
        code: i64,
        /// Its words, cut and without control characters.
        message: String,
    },
    /// The node is on another chain.
    #[error("the node is on chain {got}, the wallet on {expected}: configure the right node")]
    WrongChain {
        /// The wallet's chain.
        expected: u64,
        /// The node's.
        got: u64,
    },
    /// The node's first block is that of another chain.
    #[error(
        "the node's chain begins with {got}, the wallet is on {expected}: configure the right node"
    )]
    OtherChain {
        /// The wallet's chain, as in CAIP-2.
        expected: String,
        /// The hash of the node's first block.
        got: String,
    },
    /// The file with user and password cannot be read, or is none.
    #[error(
        "the node's credentials cannot be used ({0}): name its cookie file or one line USER:PASSWORD"
    )]
    Credentials(String),
    /// It has not caught up with its chain.
    #[error("the node is still reading the chain: wait until it has caught up")]
    Syncing,
}

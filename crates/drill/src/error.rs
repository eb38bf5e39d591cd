//! Why a drill could not be held. A check that fails is no error: it is what the drill is for.

use portcullis_chains::{Address, AssetId};
use portcullis_client::{BoardError, GateError, PasskeyError};
use portcullis_keys::SignError;
use portcullis_keys::software::OutOfRange;
use portcullis_node::NodeError;
use std::path::PathBuf;

/// Why a drill could not be held.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// A process of the stage.
    #[error("{name} did not start; its last words are in {log}: {why}")]
    Start {
        /// Which.
        name: String,
        /// Where it logs.
        log: PathBuf,
        /// What is known.
        why: String,
    },
    /// A file of the stage.
    #[error("{0}: {1}")]
    File(PathBuf, std::io::Error),
    /// The network could not be made.
    #[error("the network: {0}")]
    Network(String),
    /// The gate, where it had to answer.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// The stop board.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// A key.
    #[error(transparent)]
    Key(#[from] SignError),
    /// A passkey.
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    /// A secret that no key has: another seed.
    #[error(transparent)]
    Secret(#[from] OutOfRange),
    /// The chain's node.
    #[error("the chain's node: {0}")]
    Node(#[from] NodeError),
    /// An address on another chain than the drill's.
    #[error("{0} is on none of the drill's chains")]
    Elsewhere(Address),
    /// An asset that the drill's chain does not have.
    #[error("{0} is on none of the drill's chains")]
    Unknown(AssetId),
    /// What the chain of coins refuses, in its node's words.
    #[error("the Bitcoin node: {0}")]
    Coins(String),
    /// The token's contract.
    #[error("the token's contract: {0}")]
    Token(String),
    /// The journal, read or written as root on the gate's host would.
    #[error("the journal: {0}")]
    Journal(String),
    /// The platform as it was.
    #[error("the platform as it was: {0}")]
    AsItWas(String),
    /// Something that had to come did not.
    #[error("waited in vain for {0}; the processes' logs are beside the journal")]
    InVain(String),
}

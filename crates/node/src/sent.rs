//! What a node says to a transaction.

use super::NodeError;
use super::wire::Fixed;

/// The answer to a broadcast.
///
/// None of these but a receipt is final. Bytes that a node refused may reach the chain all the same,
/// by a node that saw them and did not say so; so a release is never planned anew because of what
/// stands here. It tells an operator what to do, and the tracker when to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The node has it, and says the hash that it must have.
    Accepted,
    /// The node had it before.
    AlreadyKnown,
    /// The wallet has used the nonce: by this transaction, by another of the same plan, or by a
    /// stranger with the key. The receipts tell.
    NonceTooLow,
    /// The fees are too low for now, or too low to take another transaction's place.
    Underpriced,
    /// The node will not have it as it is: too little money, too little gas. An operator must look.
    Refused {
        /// JSON-RPC's code.
        code: i64,
        /// The node's words.
        message: String,
    },
    /// Nobody can say: no answer, a broken one, or the node's own failure. The same bytes are to be
    /// sent again; no others are to be signed.
    Unknown(NodeError),
}

/// Codes under which a node speaks of itself and not of the transaction: its own failure (JSON-RPC,
/// -32603), a resource that is away, a limit (EIP-1474, -32002 and -32005).
const ABOUT_ITSELF: [i64; 3] = [-32603, -32002, -32005];

const NONCE_TOO_LOW: &[&str] = &["nonce too low", "nonce is too low", "oldnonce"];
const ALREADY_KNOWN: &[&str] = &[
    "already known",
    "alreadyknown",
    "known transaction",
    "already imported",
    "already exists",
];
const UNDERPRICED: &[&str] = &[
    "underpriced",
    "less than block base fee",
    "below current base fee",
    "fee too low",
    "feetoolow",
    "gas price too low",
    "gas price is too low",
    "replacementnotallowed",
];
const PASSING: &[&str] = &[
    "timeout",
    "timed out",
    "deadline exceeded",
    "internal error",
];

impl Sent {
    /// What came of a broadcast that is answered with the transaction's hash.
    pub(super) fn of(answer: Result<Fixed<32>, NodeError>, hash: [u8; 32]) -> Self {
        match answer {
            Ok(Fixed(said)) if said == hash => Self::Accepted,
            Ok(_) => Self::from_error(NodeError::Form("hash of another transaction")),
            Err(error) => Self::from_error(error),
        }
    }

    /// What a node's outcome means. There is no code for these cases, so the words count: those of
    /// geth, which reth, erigon and anvil share, and of Nethermind and Besu.
    pub(super) fn from_error(error: NodeError) -> Self {
        let NodeError::Says { code, message } = error else {
            return Self::Unknown(error);
        };
        let words = message.to_lowercase();
        let says = |known: &[&str]| known.iter().any(|text| words.contains(text));
        if says(NONCE_TOO_LOW) {
            Self::NonceTooLow
        } else if says(ALREADY_KNOWN) {
            Self::AlreadyKnown
        } else if says(UNDERPRICED) {
            Self::Underpriced
        } else if ABOUT_ITSELF.contains(&code) || says(PASSING) {
            Self::Unknown(NodeError::Says { code, message })
        } else {
            Self::Refused { code, message }
        }
    }
}

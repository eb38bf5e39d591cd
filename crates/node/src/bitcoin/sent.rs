//! What a node says to a transaction.

use portcullis_chains::bitcoin::Txid;

use super::NodeError;
use super::rpc::Said;
use super::wire::Digest;

/// The answer to a broadcast.
///
/// None of these but a block is final: bytes that a node refused may reach the chain all the same. So
/// a release is never planned anew because of what stands here. It tells an operator what to do, and
/// the tracker when to try again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The node has it, now or already, and says the id that it must have.
    Accepted,
    /// It is in the chain, and some of what it made is unspent.
    AlreadyMined,
    /// An input is spent, or the node does not know it: by this transaction in a block, by another
    /// of the same release, or by a stranger with the key. A look tells.
    InputsGone,
    /// The fee is too low for now, or too low to take another transaction's place.
    Underpriced,
    /// The node will not have it as it is. An operator must look.
    Refused {
        /// Bitcoin Core's code.
        code: i64,
        /// Its words.
        message: String,
    },
    /// Nobody can say: no answer, a broken one, or the node's own failure. The same bytes are to be
    /// sent again; no others are to be signed.
    Unknown(NodeError),
}

/// Codes of Bitcoin Core (`src/rpc/protocol.h`): verify error, already in the set of outputs.
const VERIFY_ERROR: i64 = -25;
const ALREADY_IN_CHAIN: i64 = -27;
/// Those under which a node speaks of itself: out of memory, database, warming up, not connected,
/// still downloading, internal.
const ABOUT_ITSELF: [i64; 6] = [-7, -20, -28, -9, -10, -32603];

const INPUTS_GONE: &[&str] = &["missingorspent", "missing inputs", "missing-inputs"];
const UNDERPRICED: &[&str] = &[
    "min relay fee not met",
    "mempool min fee not met",
    "mempool full",
    "insufficient fee",
    "replacement-failed",
];

impl Sent {
    /// What came of a broadcast that is answered with the transaction's id.
    pub(super) fn of(said: Said, txid: Txid) -> Self {
        let id = said.and_then(|raw| raw.read::<Digest>()?.txid());
        match id {
            Ok(said) if said == txid => Self::Accepted,
            Ok(_) => Self::Unknown(NodeError::Form("id of another transaction")),
            Err(error) => Self::from_error(error),
        }
    }

    pub(super) fn from_error(error: NodeError) -> Self {
        let NodeError::Says { code, message } = error else {
            return Self::Unknown(error);
        };
        let words = message.to_lowercase();
        let says = |known: &[&str]| known.iter().any(|text| words.contains(text));
        if code == ALREADY_IN_CHAIN {
            Self::AlreadyMined
        } else if code == VERIFY_ERROR && says(INPUTS_GONE) {
            Self::InputsGone
        } else if says(UNDERPRICED) {
            Self::Underpriced
        } else if ABOUT_ITSELF.contains(&code) {
            Self::Unknown(NodeError::Says { code, message })
        } else {
            Self::Refused { code, message }
        }
    }
}

//! What a node says became of the transactions that compete for one output.

use portcullis_chains::bitcoin::{OutPoint, Txid};
use serde_json::{Value, json};

use super::NodeError;
use super::rpc::{Question, Said};
use super::wire::WireTransaction;
use crate::Block;
use crate::rpc::NO_ANSWER;

/// Bitcoin Core's code for a transaction that it does not have (`RPC_INVALID_ADDRESS_OR_KEY`).
const NOT_THERE: i64 = -5;

/// What was seen in one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Whether the shared output is unspent in the chain, whatever waits; asked for before the rest.
    pub shared_unspent: bool,
    /// What was seen of each transaction, in the order of the question.
    pub seen: Vec<(Txid, Seen)>,
}

/// What was seen of one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing: the node never had it, or has dropped it.
    Unknown,
    /// It waits in the node's pool.
    Waiting,
    /// It is in a block of the node's chain.
    Mined {
        /// Which block; its hash in the order in which it is shown.
        block: Block,
        /// How many blocks stand on it, itself counted.
        confirmations: u32,
    },
    /// Something that is in the chain has spent one of its inputs.
    Conflicted {
        /// How many blocks stand on that.
        confirmations: u32,
    },
}

/// The questions of one look. Whether the shared output is spent comes first: were it last, a block in
/// between could make it look spent by nothing of ours.
pub(super) fn questions(shared: OutPoint, txids: &[Txid]) -> Vec<Question> {
    let in_pool_too = false;
    let output = json!([shared.txid.to_string(), shared.vout, in_pool_too]);
    let of_each = txids.iter().flat_map(|txid| {
        let params = json!([txid.to_string()]);
        // The pool first: what leaves it for a block in between is then seen there.
        [
            ("getmempoolentry", params.clone()),
            ("gettransaction", params),
        ]
    });
    core::iter::once(("gettxout", output))
        .chain(of_each)
        .collect()
}

/// What the answers to [`questions`] say.
pub(super) fn observation(said: Vec<Said>, txids: &[Txid]) -> Result<Observation, NodeError> {
    let mut said = said.into_iter();
    let mut next = || said.next().unwrap_or(Err(NO_ANSWER));
    let output: Option<Value> = next()?.read()?;
    if output.as_ref().is_some_and(|output| !output.is_object()) {
        return Err(NodeError::Form("gettxout"));
    }
    let see = |txid: &Txid| {
        let waits = unless_missing(next())?.is_some();
        let found = unless_missing(next())?;
        let found = found.map(|raw| raw.read()).transpose()?;
        Ok((*txid, seen(*txid, waits, found.as_ref())?))
    };
    Ok(Observation {
        shared_unspent: output.is_some(),
        seen: txids.iter().map(see).collect::<Result<_, NodeError>>()?,
    })
}

fn unless_missing(said: Said) -> Result<Option<super::rpc::Raw>, NodeError> {
    match said {
        Err(NodeError::Says { code, .. }) if code == NOT_THERE => Ok(None),
        said => said.map(Some),
    }
}

fn seen(txid: Txid, waits: bool, found: Option<&WireTransaction>) -> Result<Seen, NodeError> {
    let unmined = if waits { Seen::Waiting } else { Seen::Unknown };
    let Some(found) = found else {
        return Ok(unmined);
    };
    if found.txid.txid()? != txid {
        return Err(NodeError::Form("another transaction"));
    }
    let depth = u32::try_from(found.confirmations.unsigned_abs())
        .map_err(|_| NodeError::Form("confirmations"))?;
    match found.confirmations {
        1.. => Ok(Seen::Mined {
            block: found
                .block()
                .ok_or(NodeError::Form("block of a transaction"))?,
            confirmations: depth,
        }),
        0 => Ok(unmined),
        _ => Ok(Seen::Conflicted {
            confirmations: depth,
        }),
    }
}

//! A node's answers, read without a node: for tests that make up the bytes.

use super::rpc::{answers, only};
use super::wire::{Fixed, Quantity, WireHead, WireReceipt};
use super::{Head, NodeError, Receipt, Sent};
use serde::de::DeserializeOwned;

/// What [`HttpNode`](super::HttpNode) would make of a body, asked each of its questions. The first
/// question has id 1; the transaction is the one whose hash is all 0x11.
#[derive(Debug)]
pub struct Read {
    /// A number: a nonce, a balance, a tip.
    pub number: Result<u128, NodeError>,
    /// The latest block.
    pub head: Result<Head, NodeError>,
    /// A receipt.
    pub receipt: Result<Option<Receipt>, NodeError>,
    /// A broadcast.
    pub sent: Sent,
}

/// The hash of the transaction that is asked for.
pub const HASH: [u8; 32] = [0x11; 32];

/// Read a body as every answer that it could be.
#[must_use]
pub fn read(body: &[u8], chain: u64) -> Read {
    let number = answer::<Quantity>(body, 1, chain, "number");
    let head = answer::<WireHead>(body, 1, chain, "head");
    let receipt = answer::<Option<WireReceipt>>(body, 1, chain, "receipt");
    let sent = Sent::of(answer::<Fixed<32>>(body, 1, chain, "hash"), HASH);
    Read {
        number: number.map(|number| number.u128()),
        head: head.and_then(TryInto::try_into),
        receipt: receipt.and_then(|receipt| receipt.map(|receipt| receipt.of(HASH)).transpose()),
        sent,
    }
}

fn answer<T: DeserializeOwned>(
    body: &[u8],
    id: u64,
    chain: u64,
    method: &'static str,
) -> Result<T, NodeError> {
    only(answers(body, id, chain, 1, method)?)
}

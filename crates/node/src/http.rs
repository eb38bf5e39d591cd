//! A node that is reached by JSON-RPC over HTTP.

use std::time::Duration;

use portcullis_chains::Amount;
use portcullis_chains::ethereum::SignedTx;
use serde_json::json;

use super::rpc::Rpc;
use super::wire::{Quantity, WireHead, WireReceipt};
use super::{At, Found, Head, Node, NodeError, Sent, SuggestedFees};

/// A node by its address and the chain that it must be on.
pub struct HttpNode {
    rpc: Rpc,
}

impl HttpNode {
    /// Names a node; nothing is sent yet. `timeout` bounds each call from beginning to end, except
    /// [`Node::suggest_fees`], which asks two questions.
    pub fn new(url: &str, chain: u64, timeout: Duration) -> Result<Self, NodeError> {
        Rpc::new(url, chain, timeout).map(|rpc| Self { rpc })
    }

    fn broadcast(&self, txs: &[&SignedTx]) -> Result<Vec<Sent>, NodeError> {
        let raw = txs.iter().map(|tx| json!([prefixed(&tx.to_bytes())]));
        let raw: Vec<_> = raw.collect();
        let answers = self.rpc.call_all("eth_sendRawTransaction", &raw)?;
        let said = answers.into_iter().zip(txs);
        Ok(said.map(|(hash, tx)| Sent::of(hash, tx.hash())).collect())
    }
}

impl Node for HttpNode {
    fn chain_id(&self) -> Result<u64, NodeError> {
        self.rpc.call::<Quantity>("eth_chainId", &json!([]))?.u64()
    }

    fn head(&self) -> Result<Head, NodeError> {
        let head: WireHead = self
            .rpc
            .call("eth_getBlockByNumber", &json!(["latest", false]))?;
        head.try_into()
    }

    fn suggest_fees(&self) -> Result<SuggestedFees, NodeError> {
        let tip = self
            .rpc
            .call::<Quantity>("eth_maxPriorityFeePerGas", &json!([]))?
            .u128();
        let whole = self
            .head()?
            .base_fee
            .checked_mul(2)
            .and_then(|base| base.checked_add(tip));
        Ok(SuggestedFees {
            max_fee_per_gas: whole.ok_or(NodeError::Form("fees beyond counting"))?,
            max_priority_fee_per_gas: tip,
        })
    }

    fn nonce(&self, address: [u8; 20], at: At) -> Result<u64, NodeError> {
        let at = match at {
            At::Latest => "latest",
            At::Pending => "pending",
        };
        let params = json!([prefixed(&address), at]);
        self.rpc
            .call::<Quantity>("eth_getTransactionCount", &params)?
            .u64()
    }

    fn balance(&self, address: [u8; 20]) -> Result<Amount, NodeError> {
        let params = json!([prefixed(&address), "latest"]);
        let balance = self.rpc.call::<Quantity>("eth_getBalance", &params)?;
        Ok(Amount(balance.u128()))
    }

    fn send_all(&self, txs: &[&SignedTx]) -> Vec<Sent> {
        self.broadcast(txs)
            .unwrap_or_else(|error| vec![Sent::from_error(error); txs.len()])
    }

    fn receipts(&self, hashes: &[[u8; 32]]) -> Result<Vec<Found>, NodeError> {
        let params = hashes.iter().map(|hash| json!([prefixed(hash)]));
        let params: Vec<_> = params.collect();
        let answers = self
            .rpc
            .call_all::<Option<WireReceipt>>("eth_getTransactionReceipt", &params)?;
        let read = |(answer, hash): (Result<Option<WireReceipt>, NodeError>, &[u8; 32])| {
            answer?.map(|receipt| receipt.of(*hash)).transpose()
        };
        Ok(answers.into_iter().zip(hashes).map(read).collect())
    }
}

fn prefixed(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}

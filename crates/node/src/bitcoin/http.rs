//! Bitcoin Core, reached by JSON-RPC over HTTP, with a wallet that only watches.

use std::path::PathBuf;
use std::time::Duration;

use portcullis_chains::bitcoin::{FeeRate, Lock, OutPoint, Sats, SignedTx, Txid};
use portcullis_chains::caip::BitcoinChain;
use serde_json::json;

use super::rpc::{Question, Raw, Rpc};
use super::wire::{
    Btc, WireDescriptor, WireEstimate, WireImport, WireOutput, WirePool, WireTip, WireTransaction,
    WireUnspent,
};
use super::{BitcoinNode, InChain, Listed, Observation, Sent, look};
use crate::rpc::NO_ANSWER;
use crate::{Block, NodeError};

/// How many transactions are asked for in one exchange.
pub(super) const AT_ONCE: usize = 8;

/// How many outputs are asked for in one exchange.
const OUTPUTS_AT_ONCE: usize = 250;

/// The depth beyond which nobody asks.
const ANY_DEPTH: u32 = 9_999_999;

/// A node by its address, its credentials and the chain that it must be on.
pub struct HttpNode {
    rpc: Rpc,
}

impl HttpNode {
    /// Names a node; nothing is sent yet. The address ends in `/wallet/NAME`, the wallet that watches.
    /// `credentials` is the node's cookie file or one with a line `USER:PASSWORD`. `timeout` bounds
    /// each exchange from beginning to end; calls are one exchange, [`BitcoinNode::transactions`] one
    /// for every eight.
    pub fn new(
        url: &str,
        credentials: PathBuf,
        chain: BitcoinChain,
        timeout: Duration,
    ) -> Result<Self, NodeError> {
        Rpc::new(url, credentials, chain, timeout).map(|rpc| Self { rpc })
    }

    fn broadcast(&self, txs: &[&SignedTx]) -> Result<Vec<Sent>, NodeError> {
        let raw = |tx: &&SignedTx| ("sendrawtransaction", json!([hex::encode(tx.to_bytes())]));
        let said = self.rpc.ask_all(&txs.iter().map(raw).collect::<Vec<_>>())?;
        let said = said.into_iter().zip(txs);
        Ok(said.map(|(said, tx)| Sent::of(said, tx.txid())).collect())
    }
}

impl BitcoinNode for HttpNode {
    fn watch(&self, locks: &[Lock]) -> Result<(), NodeError> {
        let raw = |lock: &Lock| format!("raw({})", hex::encode(lock.script().as_bytes()));
        let plain: Vec<Question> = locks
            .iter()
            .map(|lock| ("getdescriptorinfo", json!([raw(lock)])))
            .collect();
        let mut asked = Vec::new();
        for said in self.rpc.ask_all(&plain)? {
            let with_checksum: WireDescriptor = said?.read()?;
            asked.push(json!({"desc": with_checksum.descriptor, "timestamp": "now"}));
        }
        let done: Vec<WireImport> = self.rpc.ask("importdescriptors", json!([asked]))?;
        if done.len() == locks.len() && done.iter().all(|import| import.success) {
            Ok(())
        } else {
            Err(NodeError::Form("importdescriptors"))
        }
    }

    fn tip(&self) -> Result<Block, NodeError> {
        self.rpc
            .ask::<WireTip>("getblockchaininfo", json!([]))?
            .block()
    }

    fn unspent(&self, confirmations: u32, least: Sats) -> Result<Vec<Listed>, NodeError> {
        let confirmations = confirmations.max(1);
        let (any_address, unsafe_too) = (json!([]), false);
        let query = json!({"minimumAmount": Btc::to_text(least)});
        let params = json!([confirmations, ANY_DEPTH, any_address, unsafe_too, query]);
        let listed: Vec<WireUnspent> = self.rpc.ask("listunspent", params)?;
        let listed = listed.into_iter();
        listed.map(|output| output.listed(confirmations)).collect()
    }

    fn in_chain(&self, outputs: &[OutPoint]) -> Result<Vec<Option<InChain>>, NodeError> {
        let waiting_too = false;
        let ask = |output: &OutPoint| {
            let params = json!([output.txid.to_string(), output.vout, waiting_too]);
            ("gettxout", params)
        };
        let mut found = Vec::new();
        for outputs in outputs.chunks(OUTPUTS_AT_ONCE) {
            let questions: Vec<Question> = outputs.iter().map(ask).collect();
            for (said, outpoint) in self.rpc.ask_all(&questions)?.into_iter().zip(outputs) {
                let output: Option<WireOutput> = said?.read()?;
                found.push(output.and_then(|output| output.in_chain(*outpoint)));
            }
        }
        Ok(found)
    }

    fn transactions(&self, txids: &[Txid]) -> Result<Vec<Vec<u8>>, NodeError> {
        let mut found = Vec::new();
        for txids in txids.chunks(AT_ONCE) {
            let ask = |txid: &Txid| ("gettransaction", json!([txid.to_string()]));
            let said = self
                .rpc
                .ask_all(&txids.iter().map(ask).collect::<Vec<_>>())?;
            for (said, txid) in said.into_iter().zip(txids) {
                let tx: WireTransaction = said?.read()?;
                if tx.txid.txid()? != *txid {
                    return Err(NodeError::Form("another transaction"));
                }
                found.push(tx.hex.0);
            }
        }
        Ok(found)
    }

    fn suggest_rate(&self, blocks: u16) -> Result<FeeRate, NodeError> {
        let questions = [
            ("estimatesmartfee", json!([blocks])),
            ("getmempoolinfo", json!([])),
        ];
        let mut said = self.rpc.ask_all(&questions)?.into_iter();
        let mut next = || said.next().unwrap_or(Err(NO_ANSWER));
        rate(&next()?, &next()?)
    }

    fn send_all(&self, txs: &[&SignedTx]) -> Vec<Sent> {
        self.broadcast(txs)
            .unwrap_or_else(|error| vec![Sent::from_error(error); txs.len()])
    }

    fn look(&self, shared: OutPoint, txids: &[Txid]) -> Result<Observation, NodeError> {
        let said = self.rpc.ask_all(&look::questions(shared, txids))?;
        look::observation(said, txids)
    }
}

/// The estimate, but at least what the node relays now.
pub(super) fn rate(estimate: &Raw, pool: &Raw) -> Result<FeeRate, NodeError> {
    let estimate: WireEstimate = estimate.read()?;
    let pool: WirePool = pool.read()?;
    let relayed = [pool.mempoolminfee, pool.minrelaytxfee];
    let rates = relayed.into_iter().chain(estimate.feerate);
    let rates = rates.map(|rate| rate.0.get());
    let highest = rates.max().unwrap_or_default().max(LEAST_RATE);
    FeeRate::per_1000_virtual_bytes(highest).map_err(|_| NodeError::Form("a fee rate"))
}

/// [`FeeRate::MIN`] in satoshis per 1,000 virtual bytes: nodes from version 30 on relay less.
const LEAST_RATE: u64 = 1_000;

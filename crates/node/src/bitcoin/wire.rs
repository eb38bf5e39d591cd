//! Values as Bitcoin Core's JSON-RPC writes them, read strictly.

use core::fmt;

use portcullis_chains::bitcoin::{OutPoint, Sats, Txid};
use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{InChain, Listed, NodeError};
use crate::Block;

/// An amount in bitcoin: a number with eight decimals (`ValueFromAmount` of Bitcoin Core). It is read
/// as text, digit by digit: a float has no way to say 0.1.
#[derive(Clone, Copy)]
pub(super) struct Btc(pub(super) Sats);

impl Btc {
    fn from_text(text: &str) -> Option<Sats> {
        let (whole, part) = text.split_once('.')?;
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let canonical = whole == "0" || !(whole.is_empty() || whole.starts_with('0'));
        if !canonical || part.len() != 8 || !are_digits(whole) || !are_digits(part) {
            return None;
        }
        let whole = whole.parse::<u64>().ok()?.checked_mul(100_000_000)?;
        Sats::new(whole.checked_add(part.parse().ok()?)?).ok()
    }

    /// The amount as the node takes it in a question.
    pub(super) fn to_text(sats: Sats) -> String {
        let sats = sats.get();
        format!("{}.{:08}", sats / 100_000_000, sats % 100_000_000)
    }
}

impl<'de> Deserialize<'de> for Btc {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_text(raw.get())
            .map(Self)
            .ok_or_else(|| D::Error::invalid_value(Unexpected::Other(raw.get()), &"bitcoin"))
    }
}

/// 32 bytes, in the order in which they are shown.
pub(super) struct Digest([u8; 32]);

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes)
            .map(|()| Self(bytes))
            .map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &"32 bytes"))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl Digest {
    /// The id of a transaction that is shown so.
    pub(super) fn txid(&self) -> Result<Txid, NodeError> {
        let shown = hex::encode(self.0);
        shown.parse().map_err(|_| NodeError::Form("txid"))
    }
}

/// Bytes: two hexadecimal digits each.
pub(super) struct Bytes(pub(super) Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(&text)
            .map(Self)
            .map_err(|_| D::Error::invalid_value(Unexpected::Str(&text), &"bytes"))
    }
}

/// What of `getblockchaininfo` is looked at.
#[derive(Deserialize)]
pub(super) struct WireTip {
    blocks: u64,
    bestblockhash: Digest,
    initialblockdownload: bool,
}

impl WireTip {
    pub(super) fn block(self) -> Result<Block, NodeError> {
        if self.initialblockdownload {
            return Err(NodeError::Syncing);
        }
        Ok(Block {
            number: self.blocks,
            hash: self.bestblockhash.0,
        })
    }
}

/// What of an output in `listunspent` is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireUnspent {
    txid: Digest,
    vout: u32,
    script_pub_key: Bytes,
    amount: Btc,
    confirmations: u32,
}

impl WireUnspent {
    /// The claim, if it is as deep as was asked for.
    pub(super) fn listed(self, confirmations: u32) -> Result<Listed, NodeError> {
        if self.confirmations < confirmations {
            return Err(NodeError::Form("an output above the wanted depth"));
        }
        Ok(Listed {
            outpoint: OutPoint::new(self.txid.txid()?, self.vout),
            amount: self.amount.0,
            script: self.script_pub_key.0,
        })
    }
}

/// What of `gettxout` is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireOutput {
    confirmations: u32,
    value: Btc,
    script_pub_key: WireScript,
    coinbase: bool,
}

#[derive(Deserialize)]
struct WireScript {
    hex: Bytes,
}

/// How deep a block's own reward has to be before anything may spend it (`COINBASE_MATURITY` of Bitcoin Core).
const MATURE: u32 = 100;

impl WireOutput {
    /// The output, if it is in a block and the next one may spend it.
    pub(super) fn in_chain(self, outpoint: OutPoint) -> Option<InChain> {
        let least = if self.coinbase { MATURE } else { 1 };
        (self.confirmations >= least).then_some(InChain {
            listed: Listed {
                outpoint,
                amount: self.value.0,
                script: self.script_pub_key.hex.0,
            },
            confirmations: self.confirmations,
        })
    }
}

/// What of `gettransaction` is looked at.
#[derive(Deserialize)]
pub(super) struct WireTransaction {
    pub(super) txid: Digest,
    pub(super) confirmations: i64,
    pub(super) blockhash: Option<Digest>,
    pub(super) blockheight: Option<u64>,
    pub(super) hex: Bytes,
}

impl WireTransaction {
    /// The block that it is in, if it says one.
    pub(super) fn block(&self) -> Option<Block> {
        let hash = self.blockhash.as_ref()?.0;
        let number = self.blockheight?;
        Some(Block { number, hash })
    }
}

/// The answer of `estimatesmartfee`: without a rate where the node has seen too little.
#[derive(Deserialize)]
pub(super) struct WireEstimate {
    pub(super) feerate: Option<Btc>,
}

/// What of `getmempoolinfo` is looked at: rates per 1,000 virtual bytes.
#[derive(Deserialize)]
pub(super) struct WirePool {
    pub(super) mempoolminfee: Btc,
    pub(super) minrelaytxfee: Btc,
}

/// One answer of `importdescriptors`.
#[derive(Deserialize)]
pub(super) struct WireImport {
    pub(super) success: bool,
}

/// What of `getdescriptorinfo` is looked at.
#[derive(Deserialize)]
pub(super) struct WireDescriptor {
    pub(super) descriptor: String,
}

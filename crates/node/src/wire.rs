//! Values as Ethereum's JSON-RPC writes them, read strictly.

use serde::de::{Error, Unexpected};
use serde::{Deserialize, Deserializer};

use super::{Block, Head, Log, NodeError, Receipt};

/// A number: `0x` and hexadecimal without leading zeros.
pub(super) struct Quantity(u128);

impl Quantity {
    pub(super) fn u128(&self) -> u128 {
        self.0
    }

    pub(super) fn u64(&self) -> Result<u64, NodeError> {
        u64::try_from(self.0).map_err(|_| NodeError::Form("a number above 64 bits"))
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").filter(|digits| {
            let canonical = *digits == "0" || !digits.starts_with('0');
            canonical && digits.bytes().all(|b| b.is_ascii_hexdigit())
        });
        digits
            .and_then(|digits| u128::from_str_radix(digits, 16).ok())
            .map(Self)
            .ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &"a quantity"))
    }
}

/// Bytes: `0x` and two hexadecimal digits each.
pub(super) struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.strip_prefix("0x")
            .and_then(|digits| hex::decode(digits).ok())
            .map(Self)
            .ok_or_else(|| D::Error::invalid_value(Unexpected::Str(&text), &"bytes"))
    }
}

/// Exactly `N` bytes.
pub(super) struct Fixed<const N: usize>(pub(super) [u8; N]);

impl<'de, const N: usize> Deserialize<'de> for Fixed<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Bytes(bytes) = Bytes::deserialize(deserializer)?;
        let length = bytes.len();
        bytes
            .try_into()
            .map(Self)
            .map_err(|_| D::Error::invalid_length(length, &"a fixed length"))
    }
}

/// What of a block is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireHead {
    number: Quantity,
    hash: Fixed<32>,
    base_fee_per_gas: Quantity,
}

impl TryFrom<WireHead> for Head {
    type Error = NodeError;

    fn try_from(head: WireHead) -> Result<Self, NodeError> {
        let block = Block {
            number: head.number.u64()?,
            hash: head.hash.0,
        };
        Ok(Self {
            block,
            base_fee: head.base_fee_per_gas.u128(),
        })
    }
}

/// What of a receipt is looked at.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireReceipt {
    transaction_hash: Fixed<32>,
    block_number: Quantity,
    block_hash: Fixed<32>,
    status: Quantity,
    logs: Vec<WireLog>,
}

#[derive(Deserialize)]
struct WireLog {
    address: Fixed<20>,
    topics: Vec<Fixed<32>>,
    data: Bytes,
}

impl WireReceipt {
    /// The receipt, if it is that of the transaction asked for.
    pub(super) fn of(self, hash: [u8; 32]) -> Result<Receipt, NodeError> {
        if self.transaction_hash.0 != hash {
            return Err(NodeError::Form("receipt of another transaction"));
        }
        let succeeded = match self.status.u128() {
            0 => false,
            1 => true,
            _ => return Err(NodeError::Form("status of a receipt")),
        };
        let block = Block {
            number: self.block_number.u64()?,
            hash: self.block_hash.0,
        };
        let logs = self.logs.into_iter().map(Log::from).collect();
        Ok(Receipt {
            hash,
            block,
            succeeded,
            logs,
        })
    }
}

impl From<WireLog> for Log {
    fn from(log: WireLog) -> Self {
        Self {
            contract: log.address.0,
            topics: log.topics.into_iter().map(|topic| topic.0).collect(),
            data: log.data.0,
        }
    }
}

//! The token: an ERC-20 contract that the drill brings to the chain itself, and what the chain says of it.
//!
//! What was paid is read from the logs that the contract wrote, and what somebody holds is asked of the contract:
//! that a transaction called `transfer` says that somebody wanted to pay.

use crate::chain::{CHAIN, Chain, quantity, unreadable};
use crate::error::DrillError;
use crate::money::{Asset, Money};
use crate::wait::until;
use portcullis_chains::Amount;
use portcullis_chains::AssetId;
use serde_json::{Value, json};

/// The contract that a node's first account makes with its first transaction: CREATE takes sender and nonce.
const CONTRACT: [u8; 20] = [
    0x5f, 0xbd, 0xb2, 0x31, 0x56, 0x78, 0xaf, 0xec, 0xb3, 0x67, 0xf0, 0x32, 0xd9, 0x3f, 0x64, 0x2f,
    0x64, 0x18, 0x0a, 0xa3,
];
/// The token on every chain of a drill.
pub(crate) const TOKEN: AssetId = AssetId::EvmErc20 {
    chain: CHAIN,
    contract: CONTRACT,
};
/// That account, whose key anvil holds.
const MAKER: &str = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266";
/// `keccak256("Transfer(address,address,uint256)")`, ERC-20's event.
const TRANSFER: &str = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
/// Selectors of `transfer(address,uint256)` and `balanceOf(address)`.
const PAY: &str = "0xa9059cbb";
const BALANCE_OF: &str = "0x70a08231";
/// How many base units are made: more than anybody gives away.
const SUPPLY: u128 = u128::MAX;

impl Chain {
    /// Put the contract on a new chain, by the code that creates it, in hexadecimal.
    pub(crate) fn make_token(&self, code: &str) -> Result<(), DrillError> {
        let code = code.trim().trim_start_matches("0x");
        let data = format!("0x{code}{SUPPLY:064x}");
        let made = self.maker_sends(&json!({ "from": MAKER, "data": data }))?;
        if made["contractAddress"] == json!(text(CONTRACT)) && made["status"] == "0x1" {
            return Ok(());
        }
        Err(DrillError::Token(format!("the node made {made} of it")))
    }

    /// Give tokens to somebody, out of what was made.
    pub(crate) fn give_tokens(&self, to: [u8; 20], amount: Amount) -> Result<(), DrillError> {
        let data = format!("{PAY}{}{:064x}", word(to), amount.0);
        let call = json!({ "from": MAKER, "to": text(CONTRACT), "data": data });
        let paid = self.maker_sends(&call)?;
        if paid["status"] == "0x1" {
            return Ok(());
        }
        Err(DrillError::Token("it pays nobody".into()))
    }

    /// Send what the node signs itself; the receipt, once there is one.
    fn maker_sends(&self, transaction: &Value) -> Result<Value, DrillError> {
        let hash = self.rpc("eth_sendTransaction", &json!([transaction]))?;
        until("a transaction of the token's maker in a block", || {
            let receipt = self.rpc("eth_getTransactionReceipt", &json!([hash]))?;
            Ok((!receipt.is_null()).then_some(receipt))
        })
    }

    /// What the contract says that somebody holds.
    pub(crate) fn tokens(&self, of: [u8; 20]) -> Result<Amount, DrillError> {
        let data = format!("{BALANCE_OF}{}", word(of));
        let call = json!({ "to": text(CONTRACT), "data": data });
        let held = self.rpc("eth_call", &json!([call, "latest"]))?;
        quantity(&held).ok_or_else(unreadable)
    }

    /// The contract's logs of payments in a block.
    pub(crate) fn token_logs(&self, block: u64) -> Result<Logs, DrillError> {
        let block = format!("0x{block:x}");
        let filter = json!({
            "fromBlock": block, "toBlock": block, "address": text(CONTRACT), "topics": [TRANSFER],
        });
        match self.rpc("eth_getLogs", &json!([filter]))? {
            Value::Array(logs) => Ok(Logs(logs)),
            _ => Err(unreadable()),
        }
    }
}

/// Whether a transaction calls the token.
pub(crate) fn is_called(transaction: &Value) -> bool {
    transaction["to"] == json!(text(CONTRACT))
}

/// What a contract logged in a block.
#[derive(Default)]
pub(crate) struct Logs(Vec<Value>);

impl Logs {
    /// What a transaction paid out of its sender's own, and to whom; none where it paid nothing.
    pub(crate) fn paid(
        &self,
        transaction: &Value,
        token: &'static Asset,
    ) -> Option<(String, Money)> {
        let sender = topic(transaction["from"].as_str()?);
        let is_its = |log: &&Value| {
            log["transactionHash"] == transaction["hash"] && log["topics"][1] == json!(sender)
        };
        let log = self.0.iter().find(is_its)?;
        let to = log["topics"][2].as_str()?.get(26..)?;
        let amount = quantity(&log["data"])?;
        Some((format!("0x{to}"), token.much(amount)))
    }
}

fn text(address: [u8; 20]) -> String {
    format!("0x{}", hex::encode(address))
}

/// An address as a word of a call.
fn word(address: [u8; 20]) -> String {
    format!("{:0>64}", hex::encode(address))
}

/// An address as a log's topic.
fn topic(address: &str) -> String {
    format!("0x{:0>64}", address.trim_start_matches("0x"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::USD;

    const ANNA: &str = "0x00000000000000000000000000000000000000aa";
    const BERT: &str = "0x00000000000000000000000000000000000000bb";

    fn log(hash: &str, from: &str, to: &str, amount: u64) -> Value {
        let data = format!("0x{amount:064x}");
        json!({ "transactionHash": hash, "topics": [TRANSFER, topic(from), topic(to)], "data": data })
    }

    #[test]
    fn what_was_paid_is_what_was_logged_and_not_what_was_called() {
        let call = json!({ "hash": "0x01", "from": ANNA, "to": text(CONTRACT) });
        let paid = |logs: Vec<Value>| Logs(logs).paid(&call, &USD);
        let whole = Some((BERT.to_owned(), USD.much(Amount(7))));
        assert_eq!(paid(vec![log("0x01", ANNA, BERT, 7)]), whole);
        assert_eq!(paid(Vec::new()), None, "called, and paid nothing");
        assert_eq!(paid(vec![log("0x02", ANNA, BERT, 7)]), None, "another's");
        assert_eq!(paid(vec![log("0x01", BERT, ANNA, 7)]), None, "of another's");
    }
}

//! What an Ethereum node answers.

use portcullis_node::testkit::{HASH, read};
use portcullis_node::{NodeError, Sent};
use serde_json::json;

const CHAIN: u64 = 31_337;

/// Read as each kind of answer. A node's words never become many or carry control characters, and
/// nothing is taken from another chain.
pub(crate) fn answer(bytes: &[u8]) -> bool {
    let read = read(bytes, CHAIN);
    if let Ok(Some(receipt)) = &read.receipt {
        assert_eq!(receipt.hash, HASH);
    }
    if let Err(NodeError::Says { message, .. }) = &read.number {
        assert!(message.chars().count() <= 200 && !message.chars().any(char::is_control));
    }
    let wrong = matches!(read.number, Err(NodeError::WrongChain { .. }));
    assert!(!wrong || (read.head.is_err() && read.receipt.is_err()));
    assert!(!wrong || matches!(read.sent, Sent::Unknown(_)));
    read.number.is_ok()
        || read.head.is_ok()
        || read.receipt.is_ok()
        || !matches!(read.sent, Sent::Unknown(_))
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let hash = format!("0x{}", "11".repeat(32));
    let receipt = json!({
        "transactionHash": hash, "blockNumber": "0x10", "blockHash": hash, "status": "0x1",
        "logs": [{ "address": format!("0x{}", "70".repeat(20)), "topics": [hash], "data": "0x00ff" }],
    });
    let head = json!({ "number": "0x10", "hash": hash, "baseFeePerGas": "0x7" });
    let results = [json!("0x2a"), head, receipt, json!(null), json!(hash)];
    let mut seeds: Vec<_> = results
        .map(|result| body(&json!({ "result": result })))
        .to_vec();
    for (code, message) in [
        (-32000, "nonce too low"),
        (-32000, "already known"),
        (-32003, "insufficient funds"),
    ] {
        seeds.push(body(
            &json!({ "error": { "code": code, "message": message } }),
        ));
    }
    seeds
}

fn body(said: &serde_json::Value) -> Vec<u8> {
    let mut answer = json!({ "jsonrpc": "2.0", "id": 2 });
    for (name, value) in said.as_object().into_iter().flatten() {
        answer[name] = value.clone();
    }
    let chain = json!({ "jsonrpc": "2.0", "id": 1, "result": format!("{CHAIN:#x}") });
    json!([chain, answer]).to_string().into_bytes()
}

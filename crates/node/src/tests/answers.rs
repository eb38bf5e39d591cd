//! Answers of the right form and of almost the right form.

use std::net::TcpStream;

use portcullis_chains::Amount;
use serde_json::{Value, json};

use super::super::{At, Block, Head, Node, NodeError, Sent};
use super::server::{Misdeed, Server, answer, result};
use super::{PAYEE, ether, pay};

/// Answers everything with one value.
fn values(value: &'static str) -> (Server, &'static str) {
    let misdeed: Misdeed = match value {
        "\"0x01\"" => |s, r| answer(s, r, &result(r, &json!("0x01"))),
        "\"1\"" => |s, r| answer(s, r, &result(r, &json!("1"))),
        "\"0x\"" => |s, r| answer(s, r, &result(r, &json!("0x"))),
        "\"0xg\"" => |s, r| answer(s, r, &result(r, &json!("0xg"))),
        "\"0x+1\"" => |s, r| answer(s, r, &result(r, &json!("0x+1"))),
        "1" => |s, r| answer(s, r, &result(r, &json!(1))),
        "null" => |s, r| answer(s, r, &result(r, &json!(null))),
        "{}" => |s, r| answer(s, r, &result(r, &json!({}))),
        "above 128 bits" => {
            |s, r| answer(s, r, &result(r, &json!(format!("0x1{}", "0".repeat(32)))))
        }
        other => panic!("{other}"),
    };
    (Server::that(misdeed), value)
}

#[test]
fn values_have_one_form() {
    for value in [
        "\"0x01\"",
        "\"1\"",
        "\"0x\"",
        "\"0xg\"",
        "\"0x+1\"",
        "1",
        "null",
        "{}",
        "above 128 bits",
    ] {
        let (Server { node, .. }, name) = values(value);
        assert!(
            matches!(node.balance(PAYEE), Err(NodeError::Form(_))),
            "{name}"
        );
        assert!(
            matches!(node.nonce(PAYEE, At::Latest), Err(NodeError::Form(_))),
            "{name}"
        );
        assert!(matches!(node.head(), Err(NodeError::Form(_))), "{name}");
        let sent = node.send(&pay(ether(), 1, 0));
        assert!(matches!(sent, Sent::Unknown(NodeError::Form(_))), "{name}");
        if value != "null" {
            assert!(
                matches!(only(node.receipts(&[[1; 32]])), Err(NodeError::Form(_))),
                "{name}"
            );
        }
    }
}

#[test]
fn a_nonce_above_64_bits_is_no_nonce() {
    let Server { node, .. } =
        Server::that(|s, r| answer(s, r, &result(r, &json!("0x10000000000000000"))));
    assert_eq!(node.balance(PAYEE), Ok(Amount(1 << 64)));
    assert!(matches!(
        node.nonce(PAYEE, At::Latest),
        Err(NodeError::Form(_))
    ));
}

#[test]
fn the_hash_of_another_transaction_leaves_the_outcome_unknown() {
    let other = |s: &mut TcpStream, r: &Value| {
        answer(s, r, &result(r, &json!(format!("0x{}", "ab".repeat(32)))));
    };
    let sent = Server::that(other).node.send(&pay(ether(), 1, 0));
    assert_eq!(
        sent,
        Sent::Unknown(NodeError::Form("hash of another transaction"))
    );
}

#[test]
fn receipts() {
    fn receipt(hash: &str, status: &Value, block: &Value) -> Value {
        json!({
            "transactionHash": hash, "status": status, "blockNumber": block,
            "blockHash": format!("0x{}", "cd".repeat(32)), "logs": [],
        })
    }
    let own = format!("0x{}", "01".repeat(32));
    // The server echoes what stands in the requested hash's first byte.
    let misdeed: Misdeed = |stream, request| {
        let asked = request["params"][0].as_str().unwrap();
        let value = match &asked[2..4] {
            "01" => receipt(asked, &json!("0x1"), &json!("0x7")),
            "02" => receipt(asked, &json!("0x0"), &json!("0x7")),
            "03" => receipt(asked, &json!("0x2"), &json!("0x7")),
            "04" => receipt(asked, &json!(null), &json!("0x7")),
            "05" => receipt(asked, &json!("0x1"), &json!(null)),
            "06" => receipt(
                &format!("0x{}", "01".repeat(32)),
                &json!("0x1"),
                &json!("0x7"),
            ),
            _ => Value::Null,
        };
        answer(stream, request, &result(request, &value));
    };
    let Server { node, .. } = Server::that(misdeed);
    let good = only(node.receipts(&[[1; 32]])).unwrap().unwrap();
    assert_eq!(format!("0x{}", hex::encode(good.hash)), own);
    assert_eq!(
        good.block,
        Block {
            number: 7,
            hash: [0xcd; 32]
        }
    );
    assert!(good.succeeded && !only(node.receipts(&[[2; 32]])).unwrap().unwrap().succeeded);
    for bad in 3..7 {
        assert!(
            matches!(only(node.receipts(&[[bad; 32]])), Err(NodeError::Form(_))),
            "{bad}"
        );
    }
    assert_eq!(only(node.receipts(&[[9; 32]])), Ok(None));
}

#[test]
fn a_head_needs_a_base_fee() {
    let Server { node, .. } = Server::that(|s, r| {
        let hash = format!("0x{}", "ef".repeat(32));
        let head = json!({"number": "0x10", "hash": hash, "baseFeePerGas": "0x7", "extra": []});
        answer(s, r, &result(r, &head));
    });
    let block = Block {
        number: 16,
        hash: [0xef; 32],
    };
    assert_eq!(node.head(), Ok(Head { block, base_fee: 7 }));
    let Server { node, .. } = Server::that(|s, r| {
        let hash = format!("0x{}", "ef".repeat(32));
        answer(s, r, &result(r, &json!({"number": "0x10", "hash": hash})));
    });
    assert!(matches!(node.head(), Err(NodeError::Form(_))));
}

type Seen = fn(&Sent) -> bool;

/// The words of geth, Nethermind, Besu and anvil.
#[test]
fn what_nodes_say_is_understood() {
    let unknown = |sent: &Sent| matches!(sent, Sent::Unknown(NodeError::Says { .. }));
    let refused = |sent: &Sent| matches!(sent, Sent::Refused { .. });
    let known = |sent: &Sent| *sent == Sent::AlreadyKnown;
    let low = |sent: &Sent| *sent == Sent::NonceTooLow;
    let cheap = |sent: &Sent| *sent == Sent::Underpriced;
    let table: [(i64, &str, Seen); 21] = [
        (-32000, "already known", known),
        (-32000, "nonce too low: next nonce 5, tx nonce 4", low),
        (-32000, "replacement transaction underpriced", cheap),
        (
            -32000,
            "transaction underpriced: tip needed 1, tip permitted 0",
            cheap,
        ),
        (
            -32000,
            "max fee per gas less than block base fee: address 0x…",
            cheap,
        ),
        (
            -32000,
            "insufficient funds for gas * price + value",
            refused,
        ),
        (-32000, "intrinsic gas too low", refused),
        (-32000, "invalid chain id for signer", refused),
        (-32010, "AlreadyKnown", known),
        (
            -32010,
            "OldNonce, Current nonce: 5, nonce of rejected tx: 4",
            low,
        ),
        (-32010, "FeeTooLow, MaxFeePerGas too low", cheap),
        (-32010, "ReplacementNotAllowed", cheap),
        (-32000, "Known transaction", known),
        (-32001, "Nonce too low", low),
        (-32009, "Gas price below current base fee", cheap),
        (-32003, "transaction already imported", known),
        (-32603, "Internal error", unknown),
        (-32005, "daily request count exceeded", unknown),
        (-32000, "request timed out", unknown),
        (-32000, "context deadline exceeded", unknown),
        (-32601, "the method does not exist", refused),
    ];
    for (code, message, seen) in table {
        let sent = Sent::from_error(NodeError::Says {
            code,
            message: message.into(),
        });
        assert!(seen(&sent), "{message}: {sent:?}");
    }
}

#[test]
fn what_nodes_say_cannot_forge_a_log() {
    let Server { node, .. } = Server::that(|stream, request| {
        let message = format!(
            "no\n2026-01-01 INFO all is well\u{1b}[2J{}",
            "x".repeat(10_000)
        );
        let error = json!({"code": -32000, "message": message});
        let body = json!({"jsonrpc": "2.0", "id": request["id"], "error": error});
        answer(stream, request, &body.to_string());
    });
    let Err(NodeError::Says { message, .. }) = node.balance(PAYEE) else {
        panic!()
    };
    assert!(
        message.chars().count() <= 200 && !message.contains(['\n', '\u{1b}']),
        "{message}"
    );
}

/// The answer about the one that was asked for.
fn only<T, E>(answers: Result<Vec<Result<T, E>>, E>) -> Result<T, E> {
    answers.and_then(|mut answers| answers.remove(0))
}

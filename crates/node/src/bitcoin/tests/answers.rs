//! Answers of Bitcoin Core and of what pretends to be one.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use portcullis_chains::bitcoin::{Sats, Txid};
use serde_json::json;

use super::kit::CHAIN;
use super::peer::folder;
use crate::NodeError;
use crate::bitcoin::rpc::{Question, answers};
use crate::bitcoin::wire::Btc;
use crate::bitcoin::{BitcoinNode, HttpNode, Sent};

const GENESIS: &str = "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206";

/// A batch: the first block, and this as the text of the second answer's fields.
fn body(fields: &str) -> String {
    format!(r#"[{{"jsonrpc":"2.0","id":1,"result":"{GENESIS}"}},{{"id":2,{fields}}}]"#)
}

fn amount(text: &str) -> Result<Sats, NodeError> {
    let body = body(&format!(r#""result":{text}"#));
    let question: Question = ("amount", json!([]));
    let mut said = answers(body.as_bytes(), 1, CHAIN, &[question])?;
    said.pop().unwrap()?.read::<Btc>().map(|btc| btc.0)
}

#[test]
fn amounts_are_read_digit_by_digit() {
    let table = [
        ("0.00000000", 0),
        ("0.00000001", 1),
        ("0.10000000", 10_000_000),
        ("1.00000000", 100_000_000),
        ("12.34567891", 1_234_567_891),
        // Above 2^53: a float would say ...998.
        ("20999999.99999999", 2_099_999_999_999_999),
        ("21000000.00000000", 2_100_000_000_000_000),
    ];
    for (text, sats) in table {
        assert_eq!(amount(text).unwrap().get(), sats, "{text}");
        assert_eq!(Btc::to_text(Sats::new(sats).unwrap()), text);
    }
    let others = [
        "1",
        "1.0",
        "1.000000000",
        "01.00000000",
        "-1.00000000",
        "1e8",
        "1.00000000e1",
        "21000000.00000001",
        "99999999999999999999.00000000",
        "\"1.00000000\"",
        "null",
        "[]",
    ];
    for text in others {
        assert!(matches!(amount(text), Err(NodeError::Form(_))), "{text}");
    }
}

#[test]
fn answers_of_every_version_are_read_and_half_answers_are_not() {
    let read = |fields: &str| {
        let question: Question = ("it", json!([]));
        let mut said = answers(body(fields).as_bytes(), 1, CHAIN, &[question])?;
        said.pop().unwrap()?.read::<u32>()
    };
    assert_eq!(read(r#""result":7,"error":null"#), Ok(7));
    assert_eq!(read(r#""jsonrpc":"2.0","result":7"#), Ok(7));
    let error = r#""error":{"code":-5,"message":"no\nsuch"}"#;
    let says = NodeError::Says {
        code: -5,
        message: "nosuch".to_owned(),
    };
    assert_eq!(read(error), Err(says.clone()));
    assert_eq!(read(&format!(r#""result":null,{error}"#)), Err(says));
    for broken in [
        r#""result":7,"error":{"code":1,"message":""}"#,
        r#""error":null"#,
        r#""jsonrpc":"1.0","result":7"#,
        r#""result":7,"result":8"#,
        r#""result":-7"#,
    ] {
        assert!(matches!(read(broken), Err(NodeError::Form(_))), "{broken}");
    }
}

#[test]
fn no_answer_counts_from_a_node_on_another_chain() {
    let mainnet = GENESIS.replace('0', "1");
    let body = body(r#""result":7"#).replace(GENESIS, &mainnet);
    let question: Question = ("it", json!([]));
    let said = answers(body.as_bytes(), 1, CHAIN, &[question]).err();
    assert!(matches!(said, Some(NodeError::OtherChain { got, .. }) if got == mainnet));
}

#[test]
fn what_a_node_says_to_a_broadcast() {
    let says = |code, message: &str| {
        Sent::from_error(NodeError::Says {
            code,
            message: message.to_owned(),
        })
    };
    #[rustfmt::skip] // a table
    let table = [
        (-25, "bad-txns-inputs-missingorspent", Some(Sent::InputsGone)),
        (-27, "Transaction outputs already in utxo set", Some(Sent::AlreadyMined)),
        (-26, "min relay fee not met, 100 < 141", Some(Sent::Underpriced)),
        (-26, "mempool min fee not met, 100 < 141", Some(Sent::Underpriced)),
        (-26, "insufficient fee, rejecting replacement 11", Some(Sent::Underpriced)),
        (-26, "mandatory-script-verify-flag-failed", None),
        (-22, "TX decode failed", None),
    ];
    for (code, message, sent) in table {
        let refused = Sent::Refused {
            code,
            message: message.to_owned(),
        };
        assert_eq!(says(code, message), sent.unwrap_or(refused));
    }
    assert!(matches!(says(-28, "Loading block index"), Sent::Unknown(_)));
}

/// A node that says this to the first question, and then nothing.
fn that_says(answer: &'static [u8], times: usize) -> HttpNode {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        for _ in 0..times {
            if stream.write_all(answer).is_err() {
                return;
            }
        }
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let cookie = folder().join("cookie");
    std::fs::write(&cookie, "user:password").unwrap();
    HttpNode::new(&url, cookie, CHAIN, Duration::from_millis(800)).unwrap()
}

#[test]
fn silence_and_floods_end() {
    let txid: Txid = "11".repeat(32).parse().unwrap();
    assert_eq!(
        that_says(b"", 1).transactions(&[txid]),
        Err(NodeError::TimedOut)
    );
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n[{";
    assert_eq!(that_says(half, 1).tip(), Err(NodeError::TimedOut));
    let huge = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n[";
    let said = that_says(huge, 1).tip();
    assert!(
        matches!(said, Err(NodeError::TooLarge | NodeError::TimedOut)),
        "{said:?}"
    );
    let status = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(that_says(status, 1).tip(), Err(NodeError::Status(503)));
}

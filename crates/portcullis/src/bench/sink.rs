//! A node that takes every transaction and mines none: what the signer's broadcasts fall into, in the
//! load generator's process. One thread for each connection, of which there are two or three.

use crate::failure::Failure;
use portcullis_chains::ethereum::SignedTx;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// The node, for as long as the process runs.
pub(super) struct Sink {
    pub(super) url: String,
}

impl Sink {
    /// Listen on a free port.
    pub(super) fn start() -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::usage(error, "");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
        let url = format!("http://{}", listener.local_addr().map_err(failed)?);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || serve(stream));
            }
        });
        Ok(Self { url })
    }
}

/// Until the other side leaves.
fn serve(stream: TcpStream) -> Option<()> {
    let _ = stream.set_nodelay(true);
    let mut writer = stream.try_clone().ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let body = request(&mut reader)?;
        let questions: Vec<Value> = serde_json::from_slice(&body).ok()?;
        let answers: Vec<Value> = questions.iter().map(answer).collect();
        let body = Value::from(answers).to_string();
        let length = body.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        writer.write_all((head + &body).as_bytes()).ok()?;
    }
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(body)
}

fn answer(asked: &Value) -> Value {
    let method = asked["method"].as_str().unwrap_or_default();
    let result = match method {
        "eth_chainId" => json!("0x7a69"),
        "eth_sendRawTransaction" => {
            json!(hash(asked["params"][0].as_str().unwrap_or_default()))
        }
        "eth_getTransactionCount" => json!("0x0"),
        "eth_maxPriorityFeePerGas" => json!("0x3b9aca00"),
        "eth_getBlockByNumber" => json!({
            "number": "0x1",
            "hash": format!("0x{}", "11".repeat(32)),
            "baseFeePerGas": "0x3b9aca00",
        }),
        _ => Value::Null,
    };
    json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result })
}

fn hash(raw: &str) -> Option<String> {
    let bytes = hex::decode(raw.strip_prefix("0x")?).ok()?;
    let tx = SignedTx::from_bytes(&bytes).ok()?;
    Some(format!("0x{}", hex::encode(tx.hash())))
}

//! A server of a test's own, which says what the test wants.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::HttpNode;
use super::CHAIN;

pub(super) const TIMEOUT: Duration = Duration::from_millis(400);

/// A server on a free port that does a misdeed for every question. What it is given is the question
/// itself, the second request of the batch; the misdeeds that answer say the right chain with it.
pub(super) struct Server {
    pub(super) node: HttpNode,
    pub(super) connections: Arc<AtomicU32>,
}

pub(super) type Misdeed = fn(&mut TcpStream, &Value);

impl Server {
    pub(super) fn that(misdeed: Misdeed) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::Relaxed);
                thread::spawn(move || serve(stream.unwrap(), misdeed));
            }
        });
        Self {
            node: HttpNode::new(&url, CHAIN, TIMEOUT).unwrap(),
            connections,
        }
    }
}

fn serve(mut stream: TcpStream, misdeed: Misdeed) {
    while let Some(batch) = read_request(&stream) {
        assert_eq!(batch[0]["method"], "eth_chainId");
        misdeed(&mut stream, &batch[1]);
    }
}

/// Head and body of one request, or nothing if the other side is gone.
pub(super) fn read_request(stream: &TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

/// A good answer to a question.
pub(super) fn result(request: &Value, result: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": request["id"], "result": result}).to_string()
}

/// The answer to the first request of the batch, and this one to the second.
pub(super) fn answer(stream: &mut TcpStream, request: &Value, second: &str) {
    answer_from(stream, "0x7a69", request, second);
}

pub(super) fn answer_from(stream: &mut TcpStream, chain: &str, request: &Value, second: &str) {
    let id = request["id"].as_u64().unwrap() - 1;
    let first = result(&json!({"id": id}), &json!(chain));
    answer_as(stream, "200 OK", &format!("[{first},{second}]"));
}

pub(super) fn answer_as(stream: &mut TcpStream, status: &str, body: &str) {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

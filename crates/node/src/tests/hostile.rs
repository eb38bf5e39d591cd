//! Servers that are no nodes, or bad ones. Nothing they do is taken for an answer, and nothing takes
//! longer than it may.

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use portcullis_chains::Amount;
use serde_json::{Value, json};

use super::super::{HttpNode, Node, NodeError, Sent};
use super::server::{
    Misdeed, Server, TIMEOUT, answer, answer_as, answer_from, read_request, result,
};
use super::{CHAIN, PAYEE, ether, pay};

fn hang(_: &mut TcpStream, _: &Value) {
    sleep(TIMEOUT * 20);
}

fn drip(stream: &mut TcpStream, _: &Value) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    while stream.write_all(b" ").is_ok() {
        sleep(TIMEOUT / 10);
    }
}

fn drip_head(stream: &mut TcpStream, _: &Value) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Slow: ");
    while stream.write_all(b"a").is_ok() {
        sleep(TIMEOUT / 10);
    }
}

fn close(stream: &mut TcpStream, _: &Value) {
    let _ = stream.shutdown(Shutdown::Both);
}

fn close_half_way(stream: &mut TcpStream, _: &Value) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"jsonrpc\"");
    let _ = stream.shutdown(Shutdown::Both);
}

fn flood(stream: &mut TcpStream, _: &Value) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    let chunk = vec![b' '; 1 << 16];
    while stream.write_all(&chunk).is_ok() {}
}

fn flood_head(stream: &mut TcpStream, _: &Value) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX-Long: ");
    let chunk = vec![b'a'; 1 << 16];
    while stream.write_all(&chunk).is_ok() {}
}

fn html(stream: &mut TcpStream, _: &Value) {
    answer_as(stream, "200 OK", "<html><body>Welcome</body></html>");
}

fn nothing(stream: &mut TcpStream, _: &Value) {
    answer_as(stream, "200 OK", "");
}

fn not_http(stream: &mut TcpStream, _: &Value) {
    let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n");
    let _ = stream.shutdown(Shutdown::Both);
}

fn gateway(stream: &mut TcpStream, request: &Value) {
    answer_as(stream, "502 Bad Gateway", &result(request, &json!("0x1")));
}

fn redirect(stream: &mut TcpStream, _: &Value) {
    answer_as(stream, "302 Found\r\nLocation: http://127.0.0.1:9/", "");
}

fn wrong_id(stream: &mut TcpStream, request: &Value) {
    let id = request["id"].as_u64().unwrap() + 1;
    answer(
        stream,
        request,
        &json!({"jsonrpc": "2.0", "id": id, "result": "0x1"}).to_string(),
    );
}

fn id_as_text(stream: &mut TcpStream, request: &Value) {
    let id = request["id"].to_string();
    answer(
        stream,
        request,
        &json!({"jsonrpc": "2.0", "id": id, "result": "0x1"}).to_string(),
    );
}

fn result_and_error(stream: &mut TcpStream, request: &Value) {
    let error = json!({"code": 1, "message": "no"});
    let both = json!({"jsonrpc": "2.0", "id": request["id"], "result": "0x1", "error": error});
    answer(stream, request, &both.to_string());
}

fn result_twice(stream: &mut TcpStream, request: &Value) {
    let id = &request["id"];
    answer(
        stream,
        request,
        &format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"0x1","result":"0x2"}}"#),
    );
}

fn neither(stream: &mut TcpStream, request: &Value) {
    answer(
        stream,
        request,
        &json!({"jsonrpc": "2.0", "id": request["id"]}).to_string(),
    );
}

fn no_batch(stream: &mut TcpStream, request: &Value) {
    answer_as(stream, "200 OK", &result(request, &json!("0x1")));
}

fn half_a_batch(stream: &mut TcpStream, request: &Value) {
    answer_as(
        stream,
        "200 OK",
        &format!("[{}]", result(request, &json!("0x1"))),
    );
}

fn a_longer_batch(stream: &mut TcpStream, request: &Value) {
    let one = result(request, &json!("0x1"));
    answer(stream, request, &format!("{one},{one}"));
}

fn deep(stream: &mut TcpStream, _: &Value) {
    answer_as(stream, "200 OK", &"[".repeat(1 << 20));
}

type Seen = fn(&NodeError) -> bool;

#[test]
fn nothing_that_is_no_answer_is_taken_for_one() {
    let unreachable = |error: &NodeError| matches!(error, NodeError::Unreachable(_));
    let late = |error: &NodeError| *error == NodeError::TimedOut;
    let large = |error: &NodeError| *error == NodeError::TooLarge;
    let form = |error: &NodeError| matches!(error, NodeError::Form(_));
    let status = |error: &NodeError| matches!(error, NodeError::Status(502 | 302));
    let table: [(&str, Misdeed, Seen); 21] = [
        ("hangs", hang, late),
        ("drips a body", drip, late),
        ("drips a head", drip_head, late),
        ("closes", close, unreachable),
        ("closes half way", close_half_way, unreachable),
        ("floods the body", flood, large),
        ("floods the head", flood_head, unreachable),
        ("speaks no HTTP", not_http, unreachable),
        ("bad gateway", gateway, status),
        ("redirects", redirect, status),
        ("HTML", html, form),
        ("nothing", nothing, form),
        ("another request's id", wrong_id, form),
        ("id as text", id_as_text, form),
        ("result and error", result_and_error, form),
        ("result twice", result_twice, form),
        ("neither", neither, form),
        ("no batch", no_batch, form),
        ("half a batch", half_a_batch, form),
        ("a longer batch", a_longer_batch, form),
        ("nested without end", deep, form),
    ];
    for (name, misdeed, seen) in table {
        let Server { node, .. } = Server::that(misdeed);
        let start = Instant::now();
        let error = node.balance(PAYEE).unwrap_err();
        assert!(seen(&error), "{name}: {error:?}");
        match node.send(&pay(ether(), 1, 0)) {
            Sent::Unknown(error) => assert!(seen(&error), "{name}: {error:?}"),
            other => panic!("{name}: {other:?}"),
        }
        // Far beyond any patience, and below what a node that drips for ever would take.
        let took = start.elapsed();
        assert!(took < Duration::from_mins(1), "{name}: {took:?}");
    }
}

#[test]
fn one_connection_serves_many_calls() {
    let server = Server::that(|s, r| answer(s, r, &result(r, &json!("0x1"))));
    for _ in 0..5 {
        assert_eq!(server.node.balance(PAYEE), Ok(Amount(1)));
    }
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
}

/// Whatever listens behind an address may be another node by the next call.
#[test]
fn a_node_that_changes_chain_is_found_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let node = HttpNode::new(&url, CHAIN, TIMEOUT).unwrap();
    thread::spawn(move || {
        for chain in ["0x7a69", "0x1"] {
            let (mut stream, _) = listener.accept().unwrap();
            let batch = read_request(&stream).unwrap();
            answer_from(
                &mut stream,
                chain,
                &batch[1],
                &result(&batch[1], &json!("0x5")),
            );
        }
    });
    assert_eq!(node.balance(PAYEE), Ok(Amount(5)));
    sleep(TIMEOUT / 10);
    let wrong = NodeError::WrongChain {
        expected: CHAIN,
        got: 1,
    };
    assert_eq!(node.balance(PAYEE), Err(wrong));
}

#[test]
fn a_batch_may_be_answered_in_either_order() {
    let Server { node, .. } = Server::that(|stream, request| {
        let id = request["id"].as_u64().unwrap() - 1;
        let first = result(&json!({"id": id}), &json!("0x7a69"));
        let second = result(request, &json!("0x5"));
        answer_as(stream, "200 OK", &format!("[{second},{first}]"));
    });
    assert_eq!(node.balance(PAYEE), Ok(Amount(5)));
}

#[test]
fn nobody_there() {
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let node = HttpNode::new(&format!("http://{free}"), CHAIN, TIMEOUT).unwrap();
    assert!(matches!(node.head(), Err(NodeError::Unreachable(_))));
    let sent = node.send(&pay(ether(), 1, 0));
    assert!(matches!(sent, Sent::Unknown(NodeError::Unreachable(_))));
}

#[test]
fn addresses_that_cannot_be_used() {
    for url in [
        "",
        "127.0.0.1:8545",
        "https://node.example",
        "ftp://x",
        "http://",
        "http:///x",
    ] {
        let node = HttpNode::new(url, CHAIN, TIMEOUT);
        assert!(matches!(node.err(), Some(NodeError::Address(_))), "{url}");
    }
}

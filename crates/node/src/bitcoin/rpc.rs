//! JSON-RPC as Bitcoin Core speaks it, over one HTTP connection that is kept.
//!
//! Each request is a batch: what is your first block, and then the questions. So no answer is ever
//! taken from a node that was replaced behind its address by one on another chain. The hash of the
//! first block is what CAIP-2 names a chain by.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use portcullis_chains::caip::BitcoinChain;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use ureq::Agent;

use super::NodeError;
use super::credentials::Credentials;
use super::wire::Digest;
use crate::rpc::{NO_ANSWER, agent, body, printable, transport};

const FIRST_BLOCK: &str = "getblockhash";

/// The most bytes of an answer: [`super::http::AT_ONCE`] transactions of
/// [`portcullis_chains::bitcoin::MAX_PREVIOUS`] bytes in hexadecimal, or 30,000 unspent outputs.
const MAX_ANSWER: u64 = 16 << 20;

/// A question: the method and its parameters.
pub(super) type Question = (&'static str, Value);

/// An answer, still in the node's own spelling.
pub(super) type Said = Result<Raw, NodeError>;

pub(super) struct Rpc {
    agent: Agent,
    url: String,
    credentials: Credentials,
    chain: BitcoinChain,
    next_id: AtomicU64,
}

impl Rpc {
    /// A client that has not connected yet. `timeout` bounds each exchange from beginning to end.
    pub(super) fn new(
        url: &str,
        credentials: PathBuf,
        chain: BitcoinChain,
        timeout: Duration,
    ) -> Result<Self, NodeError> {
        Ok(Self {
            agent: agent(url, timeout)?,
            url: url.to_owned(),
            credentials: Credentials::new(credentials),
            chain,
            next_id: AtomicU64::new(1),
        })
    }

    /// One question, and its answer.
    pub(super) fn ask<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<T, NodeError> {
        let mut said = self.ask_all(&[(method, params)])?;
        said.pop().unwrap_or(Err(NO_ANSWER))?.read()
    }

    /// The answers to these questions by a node on the right chain, in their order.
    pub(super) fn ask_all(&self, questions: &[Question]) -> Result<Vec<Said>, NodeError> {
        let count = questions.len() as u64;
        let id = self.next_id.fetch_add(count + 1, Ordering::Relaxed);
        let first_block = request(id, FIRST_BLOCK, &json!([0]));
        let asked = (id + 1..).zip(questions);
        let asked = asked.map(|(id, (method, params))| request(id, method, params));
        let body = self.exchange(&core::iter::once(first_block).chain(asked).collect())?;
        answers(&body, id, self.chain, questions)
    }

    fn exchange(&self, request: &Value) -> Result<Vec<u8>, NodeError> {
        let response = self
            .agent
            .post(&self.url)
            .header("Authorization", self.credentials.header()?)
            .content_type("application/json")
            .send(request.to_string())
            .map_err(transport)?;
        body(response, MAX_ANSWER)
    }
}

fn request(id: u64, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

/// The answers to these questions with ids from `id + 1` on, by a node that says as `id` that it is on
/// this chain.
pub(super) fn answers(
    body: &[u8],
    id: u64,
    chain: BitcoinChain,
    questions: &[Question],
) -> Result<Vec<Said>, NodeError> {
    let mut answers: Vec<Answer> =
        serde_json::from_slice(body).map_err(|_| NodeError::Form("JSON-RPC batch"))?;
    if answers.len() != questions.len().saturating_add(1) {
        return Err(NodeError::Form("JSON-RPC batch with an answer to each"));
    }
    on_chain(&take(&mut answers, id, FIRST_BLOCK)??.read()?, chain)?;
    let asked = (id.saturating_add(1)..).zip(questions);
    asked
        .map(|(id, (method, _))| take(&mut answers, id, method))
        .collect()
}

fn on_chain(first: &Digest, chain: BitcoinChain) -> Result<(), NodeError> {
    let (expected, got) = (chain.to_string(), first.to_string());
    match expected.strip_prefix("bip122:") {
        Some(reference) if got.starts_with(reference) => Ok(()),
        _ => Err(NodeError::OtherChain { expected, got }),
    }
}

fn take(answers: &mut Vec<Answer>, id: u64, method: &'static str) -> Result<Said, NodeError> {
    let at = answers.iter().position(|answer| answer.id == id);
    let answer = answers.swap_remove(at.ok_or(NodeError::Form("id of another request"))?);
    Ok(answer.result(method))
}

/// One answer. Bitcoin Core before version 28 names no version and gives result and error side by
/// side, one of them null; from 28 on it speaks JSON-RPC 2.0. Fields that we do not know are let
/// through; fields twice are not.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    jsonrpc: Option<String>,
    id: u64,
    #[serde(default, deserialize_with = "present")]
    result: Option<Box<RawValue>>,
    #[serde(default, deserialize_with = "present")]
    error: Option<Box<RawValue>>,
}

/// Tells `null` from a field that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

/// The text of a result, not read yet: numbers with decimals never become floats.
pub(super) struct Raw(Box<RawValue>, &'static str);

impl Raw {
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, NodeError> {
        serde_json::from_str(self.0.get()).map_err(|_| NodeError::Form(self.1))
    }
}

#[derive(Deserialize)]
struct Refusal {
    code: i64,
    message: String,
}

impl Answer {
    fn result(self, method: &'static str) -> Said {
        if self.jsonrpc.is_some_and(|version| version != "2.0") {
            return Err(NodeError::Form("JSON-RPC version"));
        }
        let is_null = |value: &RawValue| value.get() == "null";
        match (self.result, self.error) {
            (Some(result), None) => Ok(Raw(result, method)),
            (Some(result), Some(error)) if is_null(&error) => Ok(Raw(result, method)),
            (None, Some(error)) => Err(says(&error)),
            (Some(result), Some(error)) if is_null(&result) => Err(says(&error)),
            _ => Err(NodeError::Form("neither result nor error, or both")),
        }
    }
}

fn says(error: &RawValue) -> NodeError {
    match serde_json::from_str(error.get()) {
        Ok(Refusal { code, message }) => NodeError::Says {
            code,
            message: printable(&message),
        },
        Err(_) => NodeError::Form("error"),
    }
}

//! JSON-RPC 2.0 over one HTTP connection that is kept.
//!
//! Each request is a batch: which chain is this, and then the questions. So no answer is ever taken
//! from a node that was restarted, or replaced behind its address, on another chain.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use ureq::http::{Response, Uri};
use ureq::{Agent, Body};

use super::NodeError;
use super::wire::Quantity;

const CHAIN_ID: &str = "eth_chainId";

/// The most bytes of an answer: the receipts of as many transactions as a signer asks for at once, a
/// block's header with the hashes of its transactions.
const MAX_ANSWER: u64 = 4 << 20;

/// The most characters of what a node says in an error.
const MAX_MESSAGE: usize = 200;

pub(super) struct Rpc {
    agent: Agent,
    url: String,
    chain: u64,
    next_id: AtomicU64,
}

impl Rpc {
    /// A client that has not connected yet. `timeout` bounds each call from beginning to end.
    pub(super) fn new(url: &str, chain: u64, timeout: Duration) -> Result<Self, NodeError> {
        Ok(Self {
            agent: agent(url, timeout)?,
            url: url.to_owned(),
            chain,
            next_id: AtomicU64::new(1),
        })
    }

    /// One question to a node on the right chain, and its answer.
    pub(super) fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &Value,
    ) -> Result<T, NodeError> {
        only(self.call_all(method, core::slice::from_ref(params))?)
    }

    /// One question with each of these parameters, and its answer to each, in their order.
    pub(super) fn call_all<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &[Value],
    ) -> Result<Vec<Result<T, NodeError>>, NodeError> {
        let questions = params.len() as u64;
        let id = self.next_id.fetch_add(questions + 1, Ordering::Relaxed);
        let asked = (id + 1..).zip(params);
        let asked = asked.map(|(id, params)| request(id, method, params));
        let which_chain = request(id, CHAIN_ID, &json!([]));
        let body = self.exchange(&core::iter::once(which_chain).chain(asked).collect())?;
        answers(&body, id, self.chain, questions, method)
    }

    fn exchange(&self, request: &Value) -> Result<Vec<u8>, NodeError> {
        let response = self
            .agent
            .post(&self.url)
            .content_type("application/json")
            .send(request.to_string())
            .map_err(transport)?;
        body(response, MAX_ANSWER)
    }
}

/// What speaks to the node at this address, and to no other place. `timeout` bounds each call from
/// beginning to end.
pub(super) fn agent(url: &str, timeout: Duration) -> Result<Agent, NodeError> {
    let address = || NodeError::Address(url.to_owned());
    let uri: Uri = url.parse().map_err(|_| address())?;
    if uri.scheme_str() != Some("http") || uri.host().is_none() {
        return Err(address());
    }
    let config = Agent::config_builder()
        .timeout_global(Some(timeout))
        .max_idle_connections(1)
        .max_idle_connections_per_host(1)
        .max_redirects(0)
        .http_status_as_error(false)
        // The node is named in the configuration; nothing in the environment may stand between.
        .proxy(None)
        .build();
    Ok(config.into())
}

/// The body of a good answer, of at most so many bytes.
pub(super) fn body(response: Response<Body>, most: u64) -> Result<Vec<u8>, NodeError> {
    match response.status().as_u16() {
        200 => {
            let body = response.into_body().into_with_config().limit(most);
            body.read_to_vec().map_err(transport)
        }
        status => Err(NodeError::Status(status)),
    }
}

/// The answers to so many questions from `id + 1` on, by a node that says as `id` that it is on this
/// chain.
pub(super) fn answers<T: DeserializeOwned>(
    body: &[u8],
    id: u64,
    chain: u64,
    questions: u64,
    method: &'static str,
) -> Result<Vec<Result<T, NodeError>>, NodeError> {
    let mut answers = Answers::from_bytes(body, questions + 1)?;
    let got = answers.take::<Quantity>(id, CHAIN_ID)?.u64()?;
    if got != chain {
        let expected = chain;
        return Err(NodeError::WrongChain { expected, got });
    }
    let ids = id + 1..=id + questions;
    Ok(ids.map(|id| answers.take(id, method)).collect())
}

fn request(id: u64, method: &str, params: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

/// The answer to the one question that was asked.
pub(super) fn only<T>(mut answers: Vec<Result<T, NodeError>>) -> Result<T, NodeError> {
    answers.pop().unwrap_or(Err(NO_ANSWER))
}

/// What no answer to a question is.
pub(super) const NO_ANSWER: NodeError = NodeError::Form("no answer");

/// All answers, in whichever order.
struct Answers(Vec<Answer>);

impl Answers {
    fn from_bytes(bytes: &[u8], wanted: u64) -> Result<Self, NodeError> {
        let answers: Vec<Answer> =
            serde_json::from_slice(bytes).map_err(|_| NodeError::Form("JSON-RPC batch"))?;
        if answers.len() as u64 == wanted {
            Ok(Self(answers))
        } else {
            Err(NodeError::Form("JSON-RPC batch with an answer to each"))
        }
    }

    fn take<T: DeserializeOwned>(&mut self, id: u64, method: &'static str) -> Result<T, NodeError> {
        let at = self.0.iter().position(|answer| answer.id == id);
        let answer = self
            .0
            .swap_remove(at.ok_or(NodeError::Form("id of another request"))?);
        serde_json::from_value(answer.result()?).map_err(|_| NodeError::Form(method))
    }
}

/// One answer, in its only form. Fields that we do not know are let through; fields twice are not.
#[derive(Deserialize)]
struct Answer {
    jsonrpc: String,
    id: Value,
    #[serde(default, deserialize_with = "present")]
    result: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    error: Option<Value>,
}

/// Tells `null` from a field that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct Refusal {
    code: i64,
    message: String,
}

impl Answer {
    fn result(self) -> Result<Value, NodeError> {
        if self.jsonrpc != "2.0" {
            return Err(NodeError::Form("JSON-RPC version"));
        }
        match (self.result, self.error) {
            (Some(result), None | Some(Value::Null)) => Ok(result),
            (None | Some(Value::Null), Some(error)) => Err(says(error)),
            _ => Err(NodeError::Form("neither result nor error, or both")),
        }
    }
}

fn says(error: Value) -> NodeError {
    match serde_json::from_value(error) {
        Ok(Refusal { code, message }) => NodeError::Says {
            code,
            message: printable(&message),
        },
        Err(_) => NodeError::Form("error"),
    }
}

/// A foreign text, fit for a log.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_MESSAGE)
        .collect()
}

pub(super) fn transport(error: ureq::Error) -> NodeError {
    match error {
        ureq::Error::Timeout(_) => NodeError::TimedOut,
        ureq::Error::BodyExceedsLimit(_) => NodeError::TooLarge,
        other => NodeError::Unreachable(printable(&other.to_string())),
    }
}

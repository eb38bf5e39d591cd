//! What is passed on: read as what it is, made again from what was read, signed, sent.

use super::door::{self, Door};
use super::kinds::Kind;
use super::refusal::Refusal;
use crate::reach::{Caller, Reach};
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse as _, Json, Response};
use axum::routing::{get, post};
use portcullis_client::{
    Asker, BrowserAssertion, CheckpointNow, Gate, GateError, Outline, Question, Standing,
    Surroundings, act_of_path, challenge_text, same_act,
};
use portcullis_core::board::Posting;
use portcullis_core::passkey::challenge_for;
use portcullis_core::passkey::client_data::{self, Ceremony};
use portcullis_core::realm::Realm;
use portcullis_core::{Act, Digest, Evidence, Network, Span};
use portcullis_host::{Headed, Reply};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Most bytes of a body: as many as a gate takes.
const MAX_BODY: usize = portcullis_gate::server::MAX_BODY;
/// How long a body may take, in seconds.
const BODY_WITHIN: u64 = 5;
/// How long the gate may take: `GET /v1/events?wait=` waits 30 s for news.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long a drafted act may be submitted: time for a customer to look and to sign.
const LIFE: Span = Span::seconds(600);
/// Longest `Idempotency-Key`, in letters.
const LONGEST_KEY: usize = 128;

/// One network's gate, and the key that signs what it is sent.
pub(super) struct Sidecar {
    gate: Gate,
    network: Arc<Network>,
    caller: Caller,
    allow: Vec<Kind>,
    places: Arc<Semaphore>,
}

/// One call on its way to the gate.
struct Call {
    method: &'static str,
    target: String,
    body: Vec<u8>,
    act: Option<Digest>,
    once: Option<String>,
}

/// What the gate does, as far as a back end asks for it, behind the door.
pub(super) fn router(sidecar: Arc<Sidecar>, door: Arc<Door>) -> Router {
    let read = || get(read);
    Router::new()
        .route("/v1/acts", post(submit))
        .route("/v1/acts:draft", post(draft))
        .route("/v1/acts:simulate", post(simulate))
        .route("/v1/acts/{digest}", read())
        .route("/v1/acts/{digest}/receipt", read())
        .route("/v1/acts/{digest}/evidence", post(supplement))
        .route("/v1/accounts/{id}", read())
        .route("/v1/checkpoint", read())
        .route("/v1/events", read())
        .route("/v1/limits", read())
        .route("/v1/policy", read())
        .route("/v1/status", read())
        .route("/v1/registrations/options", post(bring))
        .route("/v1/registrations", post(bring))
        .route("/v1/envelopes", post(bring))
        .fallback(async || Refusal::Path)
        .method_not_allowed_fallback(async || Refusal::Method)
        .with_state(sidecar)
        .layer(middleware::from_fn_with_state(door, door::pass))
}

/// Anything that is only read.
async fn read(State(sidecar): State<Arc<Sidecar>>, request: Request) -> Result<Response, Refusal> {
    let target = target(&request);
    match act_of_path(&target) {
        Some(act) => sidecar.ask_about(act, Call::get(target)).await,
        None => Ok(as_it_came(sidecar.ask(Call::get(target)).await?)),
    }
}

/// What the gate reads by itself: a registration, a sealed contact.
async fn bring(State(sidecar): State<Arc<Sidecar>>, request: Request) -> Result<Response, Refusal> {
    let target = target(&request);
    let said: Map<String, Value> = body(request).await?;
    let answer = sidecar.ask(Call::post(target, &said)).await?;
    Ok(as_it_came(answer))
}

/// `POST /v1/acts:draft`: an act made of what is to be done, with its digest and its challenge. Only its
/// checkpoint is asked of the gate.
async fn draft(State(sidecar): State<Arc<Sidecar>>, request: Request) -> Result<Response, Refusal> {
    let said: Map<String, Value> = body(request).await?;
    // Who names a principal speaks for a customer; otherwise the back end asks by itself.
    let asker = match (said.get("realm"), said.get("principal")) {
        (None, None) => Asker::Staff {
            principal: sidecar.caller.principal,
        },
        (None, Some(principal)) => Asker::Customer {
            principal: parsed(principal)?,
            account: parsed(said.get("account").unwrap_or(&Value::Null))?,
        },
        (Some(_), _) => Asker::Unsaid,
    };
    let outline = Outline::new(said);
    let mut checkpoint = None;
    if !outline.names_checkpoint() {
        let found = sidecar.ask(Call::get("/v1/checkpoint".to_owned())).await?;
        if found.reply.status != 200 {
            return Ok(as_it_came(found));
        }
        let now: CheckpointNow = serde_json::from_slice(&found.reply.body).map_err(malformed)?;
        checkpoint = Some(now.digest);
    }
    let whole = outline.within(&sidecar.around(asker), checkpoint);
    let act: Act = parsed(&Value::Object(whole))?;
    sidecar.may(&act)?;
    let digest = act.digest();
    let answer = json!({ "act": act, "digest": digest, "challenge": challenge_text(digest) });
    Ok(about(digest, Json(answer).into_response()))
}

/// `POST /v1/acts`. Without a key of the caller's own, the act's id is the key: sent again, it is
/// answered again.
async fn submit(
    State(sidecar): State<Arc<Sidecar>>,
    request: Request,
) -> Result<Response, Refusal> {
    let once = key(&request)?;
    let target = target(&request);
    let posting = sidecar.posting(body(request).await?)?;
    let digest = posting.act.digest();
    let call = Call {
        act: Some(digest),
        once: once.or_else(|| Some(posting.act.id.to_string())),
        ..Call::post(target, &posting)
    };
    sidecar.ask_about(digest, call).await
}

/// `POST /v1/acts:simulate`.
async fn simulate(
    State(sidecar): State<Arc<Sidecar>>,
    request: Request,
) -> Result<Response, Refusal> {
    let target = target(&request);
    let posting = sidecar.posting(body(request).await?)?;
    let digest = posting.act.digest();
    let call = Call {
        act: Some(digest),
        ..Call::post(target, &posting)
    };
    sidecar.ask_about(digest, call).await
}

/// `POST /v1/acts/DIGEST/evidence`. The digest does not say what the act is, and the signature stands
/// behind it: so the act is looked at first, which by its digest can be no other.
async fn supplement(
    State(sidecar): State<Arc<Sidecar>>,
    Path(digest): Path<Digest>,
    request: Request,
) -> Result<Response, Refusal> {
    let once = key(&request)?;
    let target = target(&request);
    let said: Map<String, Value> = body(request).await?;
    let found = sidecar.ask(Call::get(format!("/v1/acts/{digest}"))).await?;
    let standing: Standing = match found.reply.status {
        200 => serde_json::from_slice(&found.reply.body).map_err(malformed)?,
        _ => return Ok(as_it_came(found)),
    };
    let act = standing.act.filter(|act| act.digest() == digest);
    let act = act.ok_or(Refusal::NoAct)?;
    sidecar.may(&act)?;
    let call = Call {
        act: Some(digest),
        once,
        ..Call::post(target, &sidecar.evidence(&act, Value::Object(said))?)
    };
    sidecar.ask_about(digest, call).await
}

impl Sidecar {
    pub(super) fn new(reach: Reach, caller: Caller, allow: Vec<Kind>, places: usize) -> Self {
        Self {
            gate: reach.gate.within(PATIENCE),
            network: reach.network,
            caller,
            allow,
            places: Arc::new(Semaphore::new(places)),
        }
    }

    /// An act with its evidence, if it is one that is passed on.
    fn posting(&self, mut said: Map<String, Value>) -> Result<Posting, Refusal> {
        let act: Act = parsed(said.get("act").unwrap_or(&Value::Null))?;
        self.may(&act)?;
        let evidence = said.remove("evidence").unwrap_or_else(|| json!({}));
        let evidence = self.evidence(&act, evidence)?;
        said.retain(|name, _| name != "act");
        if let Some(stray) = said.keys().next() {
            let what = format!("{stray:?} is no member beside act and evidence");
            return Err(Refusal::Malformed(what));
        }
        Ok(Posting { act, evidence })
    }

    /// Whether this sidecar stands behind such an act.
    fn may(&self, act: &Act) -> Result<(), Refusal> {
        if act.genesis != self.network.digest() {
            return Err(Refusal::Network(self.network.digest()));
        }
        if !self.allow.iter().any(|kind| kind.is_of(&act.kind)) {
            return Err(Refusal::Kind(act.kind.name()));
        }
        if act.realm != Realm::Customers && act.principal != self.caller.principal {
            return Err(Refusal::Principal);
        }
        Ok(())
    }

    /// Evidence for an act, in which an assertion may stand as a browser wrote it. None is passed on that
    /// was made over another challenge, or at a page that is not the platform's.
    fn evidence(&self, act: &Act, mut said: Value) -> Result<Evidence, Refusal> {
        let assertions = said.get_mut("assertions").and_then(Value::as_array_mut);
        for assertion in assertions.into_iter().flatten() {
            if assertion.get("response").is_some() {
                let browsers: BrowserAssertion = parsed(assertion)?;
                *assertion = json!(browsers.evidence().map_err(malformed)?);
            }
        }
        let evidence: Evidence = parsed(&said)?;
        let challenge = challenge_for(&act.digest().0);
        let Some(party) = self.network.relying_party(act.realm) else {
            return Ok(evidence);
        };
        for (number, assertion) in evidence.assertions.iter().enumerate() {
            client_data::check(&assertion.client_data, Ceremony::Get, &challenge, party)
                .map_err(|fault| Refusal::Assertion { number, fault })?;
        }
        Ok(evidence)
    }

    /// Ask about an act: an answer that speaks of another, or of another challenge, goes no further.
    async fn ask_about(self: &Arc<Self>, digest: Digest, call: Call) -> Result<Response, Refusal> {
        let answer = self.ask(call).await?;
        same_act(Some(digest), &answer.reply.body)?;
        let (ours, said) = (challenge_text(digest), &answer.reply.body);
        if challenges(said).iter().any(|theirs| *theirs != ours) {
            let what =
                format!("the gate answered with another challenge than that of act {digest}");
            return Err(Refusal::Untrue(what));
        }
        Ok(about(digest, as_it_came(answer)))
    }

    /// What surrounds an act that is made now.
    fn around(&self, asker: Asker) -> Surroundings<'_> {
        let machine = self.gate.machine();
        Surroundings {
            genesis: self.network.digest(),
            asker,
            now: machine.clock.now(),
            life: LIFE,
            random: machine.random.as_ref(),
        }
    }

    /// Sign and send, on a thread that has a place until there is an answer, whether or not the caller
    /// still waits for it.
    async fn ask(self: &Arc<Self>, call: Call) -> Result<Headed, Refusal> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Refusal::Busy)?;
        let (sidecar, reads) = (Arc::clone(self), call.method == "GET");
        let asked = move || {
            let _place = place;
            let answer = sidecar
                .gate
                .ask(Some(&sidecar.caller.signer), &call.question());
            call.log(&answer);
            answer
        };
        match tokio::task::spawn_blocking(asked).await {
            Ok(Err(GateError::NoAnswer(error))) if reads => Err(Refusal::Unread(error.to_string())),
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Refusal::NoAnswer("the call was cut short".to_owned())),
        }
    }
}

impl Call {
    fn get(target: String) -> Self {
        Self {
            method: "GET",
            target,
            body: Vec::new(),
            act: None,
            once: None,
        }
    }

    /// Of what was read, and nothing else.
    fn post<T: serde::Serialize>(target: String, body: &T) -> Self {
        Self {
            method: "POST",
            target,
            body: serde_json::to_vec(body).unwrap_or_default(),
            act: None,
            once: None,
        }
    }

    fn question(&self) -> Question<'_> {
        Question {
            method: self.method,
            target: &self.target,
            body: &self.body,
            act: self.act,
            once: self.once.clone(),
        }
    }

    /// No body and no query: they may say who asks for what. Reads are many, and told of only where
    /// somebody wants every one.
    fn log(&self, answer: &Result<Headed, GateError>) {
        let (method, path) = (
            self.method,
            self.target.split('?').next().unwrap_or_default(),
        );
        let act = self.act.map(|act| act.to_string()).unwrap_or_default();
        match answer.as_ref().map(|answer| answer.reply.status) {
            Ok(status) if method == "GET" => {
                tracing::debug!(method, path, status, "passed on");
            }
            Ok(status) => tracing::info!(method, path, act, status, "passed on"),
            Err(error) => tracing::warn!(method, path, act, %error, "no answer"),
        }
    }
}

/// The path with its query, as the gate will be sent it.
fn target(request: &Request) -> String {
    let target = request.uri().path_and_query();
    target.map_or_else(|| "/".to_owned(), ToString::to_string)
}

/// The caller's own idempotency key.
fn key(request: &Request) -> Result<Option<String>, Refusal> {
    let Some(key) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let key = key.to_str().map_err(|_| Refusal::Key)?;
    let is_one =
        (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
    if is_one {
        Ok(Some(key.to_owned()))
    } else {
        Err(Refusal::Key)
    }
}

/// A body of JSON, within its size and its time.
async fn body<T: DeserializeOwned>(request: Request) -> Result<T, Refusal> {
    let said = request.headers().get(header::CONTENT_TYPE);
    let said = said.and_then(|said| said.to_str().ok()).unwrap_or_default();
    let essence = said.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::MediaType);
    }
    let within = Duration::from_secs(BODY_WITHIN);
    let read = timeout(within, to_bytes(request.into_body(), MAX_BODY)).await;
    let read = read.map_err(|_| Refusal::Slow(BODY_WITHIN))?;
    let bytes = read.map_err(|_| Refusal::TooLarge(MAX_BODY))?;
    serde_json::from_slice(&bytes).map_err(malformed)
}

fn parsed<T: DeserializeOwned>(said: &Value) -> Result<T, Refusal> {
    T::deserialize(said).map_err(malformed)
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "each call site stays a plain map_err"
)]
fn malformed(error: impl ToString) -> Refusal {
    Refusal::Malformed(error.to_string())
}

/// The gate's answer: status, body, and what its headers say of them.
fn as_it_came(answer: Headed) -> Response {
    let Reply { status, body } = answer.reply;
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, answer.content_type),
        (header::RETRY_AFTER, answer.retry_after),
    ] {
        headers.remove(&name);
        let value = value.and_then(|value| HeaderValue::from_str(&value).ok());
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    response
}

/// The challenges for which an answer has pages ask: that of the act, and those of what it needs.
fn challenges(body: &[u8]) -> Vec<String> {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let needs = said.get("needs").and_then(Value::as_array);
    let options = needs.into_iter().flatten().chain([&said]);
    let challenges = options.filter_map(|of| of.pointer("/options/challenge")?.as_str());
    challenges.map(str::to_owned).collect()
}

/// Beside the answer, what this process computed itself: the act's digest, and the challenge that its
/// page is to be given.
fn about(digest: Digest, mut response: Response) -> Response {
    for (name, value) in [
        ("portcullis-act", digest.to_string()),
        ("portcullis-challenge", challenge_text(digest)),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_challenge_of_an_answer_is_seen() {
        let of = |said: Value| challenges(said.to_string().as_bytes());
        let options = |challenge: &str| json!({ "challenge": challenge });
        assert_eq!(of(json!({ "options": options("a") })), ["a"]);
        let needs = json!([
            { "need": "delay" },
            { "need": "assertion", "options": options("b") },
            { "need": "principals", "missing": 1, "options": options("c") },
        ]);
        assert_eq!(of(json!({ "needs": needs })), ["b", "c"]);
        assert_eq!(of(json!([{ "options": options("d") }])), [""; 0]);
        assert_eq!(challenges(b"no JSON"), [""; 0]);
    }
}

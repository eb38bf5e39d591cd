//! A gate, asked.

use crate::act::ActBuilder;
use crate::answer::{
    Accepted, Account, CheckpointNow, LabelLists, LabelsPut, PolicyInForce, Problem, Standing,
    Status,
};
use crate::endpoint::Endpoint;
use crate::machine::Machine;
use crate::outline::{Asker, Outline, Surroundings};
use crate::request::{RequestError, RequestSigner, Unsigned};
use portcullis_core::act::Act;
use portcullis_core::board::Posting;
use portcullis_core::follow::LABELS_PIECE;
use portcullis_core::id::AccountId;
use portcullis_core::labels::MAX_SET;
use portcullis_core::receipt::Receipt;
use portcullis_core::{Digest, Evidence, Reason, Span};
use portcullis_host::{Headed, HttpError, Reply};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::time::Duration;

/// How long a gate may take: it journals, and is witnessed, within a second or two.
const PATIENCE: Duration = Duration::from_secs(15);
/// Most bytes of an answer: a receipt of the most and largest entries, in base64.
const MAX_ANSWER: u64 = 8 * 1024 * 1024;

/// Bytes of a piece of a label set on its way to the gate, which takes no larger body.
const PUT_PIECE: usize = 96 * 1024;

/// A gate's API.
#[derive(Clone)]
pub struct Gate {
    at: Endpoint,
    machine: Machine,
    patience: Duration,
}

/// Why a question has no answer that could be used.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// No answer. Whether the gate acted is not known; asking again with the same act is safe,
    /// because an act counts once.
    #[error(transparent)]
    NoAnswer(#[from] HttpError),
    /// It refused.
    #[error("the gate refused: {0}")]
    Refused(Box<Problem>),
    /// The answer is of another form.
    #[error("the gate answered {status} with something that cannot be read: {why}")]
    Unreadable {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        why: String,
    },
    /// It speaks of another act than was sent.
    #[error(
        "the gate answered for act {theirs} where {ours} was sent: do not trust this gate, and \
         look at the journal for both"
    )]
    OtherAct {
        /// What was sent.
        ours: Digest,
        /// What it says.
        theirs: Digest,
    },
    /// A method that no part of a gate has; nothing was sent.
    #[error("{0:?} is no method of a gate's: GET or POST")]
    Method(String),
    /// A path that could not be one; nothing was sent.
    #[error("{0:?} is no path: it begins with a slash, as /v1/status does")]
    Target(String),
    /// The request was not signed, so nothing was sent.
    #[error(transparent)]
    Request(#[from] RequestError),
}

impl GateError {
    /// The numbered reason, where the gate gave one.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Refused(problem) => problem.reason(),
            _ => None,
        }
    }
}

impl Gate {
    /// The gate that answers there.
    #[must_use]
    pub fn new(at: Endpoint, machine: Machine) -> Self {
        Self {
            at,
            machine,
            patience: PATIENCE,
        }
    }

    /// The same gate, which may take this long for each answer.
    #[must_use]
    pub fn within(&self, patience: Duration) -> Self {
        Self {
            patience,
            ..self.clone()
        }
    }

    /// Where it answers.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.at
    }

    /// The machine that it is asked from.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The checkpoint that a new act names.
    pub fn checkpoint(&self) -> Result<CheckpointNow, GateError> {
        read(&self.send(None, &get("/v1/checkpoint"))?)
    }

    /// What the gate says of itself.
    pub fn status(&self) -> Result<Status, GateError> {
        read(&self.send(None, &get("/v1/status"))?)
    }

    /// The policy in force, as the gate says: a false one can only make its replacement fail.
    pub fn policy(&self) -> Result<PolicyInForce, GateError> {
        read(&self.send(None, &get("/v1/policy"))?)
    }

    /// The label sets in force, as the gate says: a false one can only make its replacement fail.
    pub fn lists(&self) -> Result<LabelLists, GateError> {
        read(&self.send(None, &get("/v1/labels"))?)
    }

    /// The bytes that the gate has for a label set. Nothing of them has been checked.
    pub fn labels(&self, set: Digest) -> Result<Vec<u8>, GateError> {
        let mut bytes = Vec::new();
        loop {
            let target = format!("/v1/labels/{set}?from={}", bytes.len());
            let reply = self.send(None, &get(&target))?;
            if reply.status != 200 {
                read::<serde_json::Value>(&reply)?;
            }
            let is_last = reply.body.len() < LABELS_PIECE;
            bytes.extend_from_slice(&reply.body);
            if is_last || bytes.len() > MAX_SET {
                return Ok(bytes);
            }
        }
    }

    /// Put a label set's bytes to the gate, piece by piece, for an act that names it.
    pub fn put_labels(
        &self,
        signer: &RequestSigner,
        set: Digest,
        bytes: &[u8],
    ) -> Result<(), GateError> {
        let mut from = 0;
        // Beginning again, where another set has taken the place meanwhile, is not done for ever.
        for _ in 0..2 * bytes.len().div_ceil(PUT_PIECE) + 2 {
            let rest = bytes.get(from..).unwrap_or_default();
            let piece = rest.get(..PUT_PIECE).unwrap_or(rest);
            let last = piece.len() == rest.len();
            let question = Question {
                method: "POST",
                target: &format!("/v1/labels/{set}?from={from}&last={last}"),
                body: piece,
                act: None,
                once: None,
            };
            let put: LabelsPut = read(&self.send(Some(signer), &question)?)?;
            if put.whole {
                return Ok(());
            }
            from = usize::try_from(put.next).unwrap_or(0);
        }
        Err(GateError::Unreadable {
            status: 200,
            why: "it takes no piece of the set for the next: another set is on its way to it"
                .into(),
        })
    }

    /// An act in the making, on the gate's newest checkpoint. A false one can only make the act
    /// fail.
    pub fn draft(&self, genesis: Digest) -> Result<ActBuilder, GateError> {
        let checkpoint = self.checkpoint()?.digest;
        let now = self.machine.clock.now();
        Ok(ActBuilder::new(
            genesis,
            checkpoint,
            now,
            self.machine.random.as_ref(),
        ))
    }

    /// An outline made a whole act of this network, on the gate's newest checkpoint unless it names one.
    pub fn fill_in(
        &self,
        outline: Outline,
        genesis: Digest,
        asker: Asker,
        life: Span,
    ) -> Result<Map<String, Value>, GateError> {
        let around = Surroundings {
            genesis,
            asker,
            now: self.machine.clock.now(),
            life,
            random: self.machine.random.as_ref(),
        };
        // The only thing that somebody else has to be asked for.
        let checkpoint = if outline.names_checkpoint() {
            None
        } else {
            Some(self.checkpoint()?.digest)
        };
        Ok(outline.within(&around, checkpoint))
    }

    /// Submit an act with its evidence. The request's own signature becomes evidence too.
    pub fn submit(
        &self,
        signer: &RequestSigner,
        act: &Act,
        evidence: &Evidence,
    ) -> Result<Accepted, GateError> {
        self.submit_under(signer, act, evidence, act.id.to_string())
    }

    /// The same under an idempotency key of the caller's own. (Under the act's id, asking again gives
    /// the first answer again; under another key it is another request for the same act.)
    pub fn submit_under(
        &self,
        signer: &RequestSigner,
        act: &Act,
        evidence: &Evidence,
        key: String,
    ) -> Result<Accepted, GateError> {
        let posting = Posting {
            act: act.clone(),
            evidence: evidence.clone(),
        };
        let digest = act.digest();
        let question = Question {
            method: "POST",
            target: "/v1/acts",
            body: &json(&posting),
            act: Some(digest),
            once: Some(key),
        };
        about(digest, read(&self.send(Some(signer), &question)?)?)
    }

    /// Add evidence to an act that waits.
    pub fn supplement(
        &self,
        signer: &RequestSigner,
        act: Digest,
        evidence: &Evidence,
    ) -> Result<Accepted, GateError> {
        let question = Question {
            method: "POST",
            target: &format!("/v1/acts/{act}/evidence"),
            body: &json(evidence),
            act: Some(act),
            once: None,
        };
        about(act, read(&self.send(Some(signer), &question)?)?)
    }

    /// Where an act stands; `None` where the journal does not know it.
    pub fn act(&self, signer: &RequestSigner, act: Digest) -> Result<Option<Standing>, GateError> {
        self.find(signer, &format!("/v1/acts/{act}"))
    }

    /// An act's receipt; `None` until the keeper's statement is under a cosigned checkpoint.
    pub fn receipt(
        &self,
        signer: &RequestSigner,
        act: Digest,
    ) -> Result<Option<Receipt>, GateError> {
        self.find(signer, &format!("/v1/acts/{act}/receipt"))
    }

    /// An account; `None` where there is none.
    pub fn account(
        &self,
        signer: &RequestSigner,
        account: AccountId,
    ) -> Result<Option<Account>, GateError> {
        self.find(signer, &format!("/v1/accounts/{account}"))
    }

    fn find<T: DeserializeOwned>(
        &self,
        signer: &RequestSigner,
        target: &str,
    ) -> Result<Option<T>, GateError> {
        let reply = self.send(Some(signer), &get(target))?;
        match read(&reply) {
            Err(GateError::Refused(problem)) if problem.status == 404 => Ok(None),
            other => other.map(Some),
        }
    }

    /// Ask one question, signed where there is a signer. Any status is an answer.
    pub fn send(
        &self,
        signer: Option<&RequestSigner>,
        question: &Question<'_>,
    ) -> Result<Reply, GateError> {
        Ok(self.ask(signer, question)?.reply)
    }

    /// The same, with the headers that are passed on.
    pub fn ask(
        &self,
        signer: Option<&RequestSigner>,
        question: &Question<'_>,
    ) -> Result<Headed, GateError> {
        if !question.target.starts_with('/') {
            return Err(GateError::Target(question.target.to_owned()));
        }
        let body = match question.method {
            "GET" => None,
            "POST" => Some(question.body),
            other => return Err(GateError::Method(other.to_owned())),
        };
        let headers = self.headers(signer, question)?;
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let (url, http) = (self.at.url(question.target), &self.machine.http);
        Ok(http.ask(&url, &headers, body, MAX_ANSWER, self.patience)?)
    }

    /// The signature's, and what is sent unsigned.
    fn headers(
        &self,
        signer: Option<&RequestSigner>,
        question: &Question<'_>,
    ) -> Result<Vec<(&'static str, String)>, GateError> {
        let unsigned = Unsigned {
            method: question.method,
            authority: self.at.authority(),
            target: question.target,
            body: question.body,
            act: question.act,
        };
        let (now, random) = (self.machine.clock.now(), self.machine.random.as_ref());
        let signed = signer.map(|signer| signer.sign(&unsigned, now, random));
        let signed = signed.transpose()?.map(|signed| signed.headers());
        let mut headers = signed.unwrap_or_default();
        if !question.body.is_empty() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        headers.extend(question.once.clone().map(|key| ("idempotency-key", key)));
        Ok(headers)
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The path, with what follows a question mark.
    pub target: &'a str,
    /// The body in JSON; empty where there is none.
    pub body: &'a [u8],
    /// The act that it submits or concerns.
    pub act: Option<Digest>,
    /// `Idempotency-Key`: the same key and body give the same answer.
    pub once: Option<String>,
}

/// The act that a path of the gate's names: `/v1/acts/DIGEST`, and what is below it.
#[must_use]
pub fn act_of_path(target: &str) -> Option<Digest> {
    let rest = target.strip_prefix("/v1/acts/")?;
    rest.split(['/', '?']).next()?.parse().ok()
}

/// An answer that names an act names ours, where there is one.
pub fn same_act(ours: Option<Digest>, body: &[u8]) -> Result<(), GateError> {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let theirs = answer.get("digest").and_then(Value::as_str);
    let theirs: Option<Digest> = theirs.and_then(|text| text.parse().ok());
    match (ours, theirs) {
        (Some(ours), Some(theirs)) if ours != theirs => Err(GateError::OtherAct { ours, theirs }),
        _ => Ok(()),
    }
}

fn get(target: &str) -> Question<'_> {
    Question {
        method: "GET",
        target,
        body: &[],
        act: None,
        once: None,
    }
}

/// Core's types always have a JSON form.
fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// An answer of status 2xx as a value; anything else as the refusal that it is.
pub(crate) fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, GateError> {
    let unreadable = |error: serde_json::Error| GateError::Unreadable {
        status: reply.status,
        why: error.to_string(),
    };
    if (200..300).contains(&reply.status) {
        return serde_json::from_slice(&reply.body).map_err(unreadable);
    }
    let problem: Problem = serde_json::from_slice(&reply.body).map_err(unreadable)?;
    Err(GateError::Refused(Box::new(problem)))
}

fn about(ours: Digest, accepted: Accepted) -> Result<Accepted, GateError> {
    if accepted.digest == ours {
        Ok(accepted)
    } else {
        let theirs = accepted.digest;
        Err(GateError::OtherAct { ours, theirs })
    }
}

//! A keeper's own call to stop: a suspension of everything, under its own key, on every stop board.
//!
//! It answers a release without evidence. Replicas that saw the entry are shut by it already; the
//! call reaches whoever does not follow this gate, or follows another of its faces. Everything is the
//! narrowest scope there: a gate that writes one such entry may write any.

use crate::machine::Machine;
use portcullis_core::act::{Act, ActKind, Scope, Suspend};
use portcullis_core::board::Posting;
use portcullis_core::evidence::Evidence;
use portcullis_core::factor::NewFactor;
use portcullis_core::id::{ActId, BoardId, KeeperId, PrincipalId};
use portcullis_core::realm::Realm;
use portcullis_core::request::{Algorithm, Base, Parts, SignedRequest};
use portcullis_core::{Digest, Span, State, Time};
use portcullis_keys::StatementKey;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long the act may wait to be taken.
const LIFE: Span = Span::hours(1);
/// Between two tries at a board.
const AGAIN: Span = Span::seconds(2);
const PATIENCE: Duration = Duration::from_secs(2);
const MAX_ANSWER: u64 = 64 * 1024;

/// A call under way.
pub struct StopCall {
    machine: Machine,
    keeper: KeeperId,
    key: Arc<dyn StatementKey>,
    urls: BTreeMap<BoardId, String>,
    act: Option<Act>,
    /// Boards that have not taken it.
    open: Vec<BoardId>,
    next: Time,
}

impl StopCall {
    /// No call.
    #[must_use]
    pub fn new(
        machine: Machine,
        keeper: KeeperId,
        key: Arc<dyn StatementKey>,
        urls: BTreeMap<BoardId, String>,
    ) -> Self {
        Self {
            machine,
            keeper,
            key,
            urls,
            act: None,
            open: Vec::new(),
            next: Time(0),
        }
    }

    /// Call.
    pub fn begin(&mut self) {
        self.act = None;
        self.open = self.urls.keys().copied().collect();
        self.next = Time(0);
    }

    /// Post to the boards that have not taken it.
    pub fn step(&mut self, state: &State) {
        let now = self.machine.watch.now();
        if self.open.is_empty() || now < self.next {
            return;
        }
        self.next = now.after(AGAIN);
        let expired = self.act.as_ref().is_some_and(|act| act.expires <= now);
        if self.act.is_none() || expired {
            self.act = self.suspension(state, now);
        }
        let Some(act) = self.act.clone() else { return };
        let open = std::mem::take(&mut self.open);
        self.open = open
            .into_iter()
            .filter(|board| !self.post(*board, &act, now))
            .collect();
    }

    /// On the newest checkpoint that the journal has: anybody's replica knows it.
    fn suspension(&self, state: &State, now: Time) -> Option<Act> {
        let checkpoints = state.facts().checkpoints.iter();
        let (checkpoint, _) = checkpoints.max_by_key(|(_, time)| **time)?;
        Some(Act {
            genesis: state.network().digest(),
            realm: Realm::Staff,
            principal: PrincipalId(self.keeper.0),
            account: None,
            id: ActId(self.machine.random.array()),
            checkpoint: *checkpoint,
            expires: now.after(LIFE),
            kind: ActKind::Suspend(Suspend {
                scope: Scope::Everything,
            }),
        })
    }

    fn post(&self, board: BoardId, act: &Act, now: Time) -> bool {
        let Some(url) = self.urls.get(&board) else {
            return true;
        };
        let Some(request) = self.sign(url, act.digest(), now) else {
            return false;
        };
        let evidence = Evidence {
            requests: vec![request],
            ..Evidence::default()
        };
        let act = act.clone();
        let Ok(body) = serde_json::to_vec(&Posting { act, evidence }) else {
            return false;
        };
        let url = format!("{url}/postings");
        let headers = [("content-type", "application/json")];
        let reply = self
            .machine
            .http
            .post(&url, &headers, &body, MAX_ANSWER, PATIENCE);
        match reply {
            Ok(reply) if reply.status < 300 => true,
            Ok(reply) => {
                tracing::error!(%board, status = reply.status, "a board does not take our stop");
                false
            }
            Err(error) => {
                tracing::error!(%board, %error, "a board is not reached with our stop");
                false
            }
        }
    }

    /// A request to the board (RFC 9421) as evidence. The body carries it, so it cannot cover the
    /// body's digest; it covers the act's.
    fn sign(&self, url: &str, act: Digest, now: Time) -> Option<SignedRequest> {
        let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
        let authority = authority.split('/').next().unwrap_or_default();
        let key = self.key.public_key();
        let factor = NewFactor::RequestKey { key: key.clone() };
        let parts = Parts {
            method: "POST".into(),
            authority: authority.to_ascii_lowercase(),
            path: "/postings".into(),
            query: None,
            content_digest: None,
            act: Some(act.0),
            created: now.0 / 1000,
            expires: None,
            nonce: hex::encode(self.machine.random.array::<16>()),
            key_id: factor.id().to_string(),
            algorithm: Algorithm::of(key),
        };
        let base = Base::new(parts).ok()?.to_bytes();
        let signature = self.key.sign(&base).ok()?;
        Some(SignedRequest { base, signature })
    }
}

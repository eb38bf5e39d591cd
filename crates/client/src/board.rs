//! A stop board, posted to directly: restricting acts get through where the gate does not take them.

use crate::endpoint::Endpoint;
use crate::gate::{GateError, read};
use crate::machine::Machine;
use crate::request::{RequestSigner, Unsigned};
use portcullis_core::act::Act;
use portcullis_core::board::{MAX_PAGE, MAX_POSTING, Page, PageFault, Posting, SignedPage};
use portcullis_core::evidence::Stamp;
use portcullis_core::id::BoardId;
use portcullis_core::signature::Strict;
use portcullis_core::{Digest, Evidence, Network};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

/// A stop board that genesis names.
#[derive(Clone)]
pub struct Board {
    id: BoardId,
    at: Endpoint,
    machine: Machine,
}

/// Why a board has not taken a posting, or its page says nothing.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// It did not answer, or refused.
    #[error("stop board: {0}")]
    Answer(#[from] GateError),
    /// Its stamp is not by the key that genesis names for it.
    #[error("the board's stamp is not by the key that genesis names: is this the board?")]
    Stamp,
    /// Its page.
    #[error(transparent)]
    Page(#[from] PageFault),
    /// Genesis has no such board.
    #[error("genesis names no stop board {0}")]
    Unknown(BoardId),
    /// The act loosens: a board takes only what takes away.
    #[error("a stop board takes restricting acts only; send this one to the gate")]
    Loosens,
}

impl Board {
    /// The board with this id, which answers there.
    #[must_use]
    pub fn new(id: BoardId, at: Endpoint, machine: Machine) -> Self {
        Self { id, at, machine }
    }

    /// Which board.
    #[must_use]
    pub fn id(&self) -> BoardId {
        self.id
    }

    /// Where it answers.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.at
    }

    /// Post a restricting act of a member of staff, proven by its own request key.
    pub fn post(
        &self,
        network: &Network,
        signer: &RequestSigner,
        act: &Act,
    ) -> Result<Stamp, BoardError> {
        if !act.kind.is_restricting() {
            return Err(BoardError::Loosens);
        }
        let digest = act.digest();
        let posting = Posting {
            act: act.clone(),
            evidence: self.evidence(signer, digest)?,
        };
        let body = serde_json::to_vec(&posting).unwrap_or_default();
        let headers = [("content-type", "application/json")];
        let url = self.at.url("/postings");
        let cap = MAX_POSTING as u64;
        let http = &self.machine.http;
        let reply = http.post(&url, &headers, &body, cap, PATIENCE);
        let stamp: Stamp = read(&reply.map_err(GateError::from)?)?;
        let key = network.board(self.id).ok_or(BoardError::Unknown(self.id))?;
        if stamp.board == self.id && stamp.is_of(digest, key, &Strict) {
            Ok(stamp)
        } else {
            Err(BoardError::Stamp)
        }
    }

    /// The signature covers the act and not the body, which contains the signature.
    fn evidence(&self, signer: &RequestSigner, act: Digest) -> Result<Evidence, BoardError> {
        let unsigned = Unsigned {
            method: "POST",
            authority: self.at.authority(),
            target: "/postings",
            body: &[],
            act: Some(act),
        };
        let (now, random) = (self.machine.clock.now(), self.machine.random.as_ref());
        let signed = signer
            .sign(&unsigned, now, random)
            .map_err(GateError::from)?;
        Ok(Evidence {
            requests: vec![signed.evidence()],
            ..Evidence::default()
        })
    }

    /// The board's page from a number on, checked to be the board's.
    pub fn page(&self, network: &Network, from: u64) -> Result<Page, BoardError> {
        let key = network.board(self.id).ok_or(BoardError::Unknown(self.id))?;
        let url = self.at.url(&format!("/postings?from={from}"));
        let reply = self.machine.http.get(&url, &[], MAX_PAGE as u64, PATIENCE);
        let reply = reply.map_err(GateError::from)?;
        if reply.status != 200 {
            let why = "a page was expected".to_owned();
            let status = reply.status;
            return Err(GateError::Unreadable { status, why }.into());
        }
        let question = (network.digest(), self.id, from);
        Ok(SignedPage::open(&reply.body, question, key, &Strict)?)
    }
}

//! The witness: C2SP tlog-witness over a memory that survives.

use crate::cosigner::Cosigner;
use crate::log_keys::LogKeys;
use crate::memory::{Memory, MemoryError};
use crate::record::Binding;
use crate::response::Response;
use portcullis_core::{Network, Reason};
use portcullis_host::{Clock, Disk};
use portcullis_tlog::witness::{
    Accepted, AddCheckpoint, Rejection, RequestError, SIZE_CONTENT_TYPE, decide,
};
use portcullis_tlog::{Cosignature, LogKey, SignError, SignedCheckpoint, Timestamp};
use std::sync::Arc;

/// What the log signed and the witness did not cosign is kept as evidence.
const FORK: Evidence = Evidence {
    cosigned: "witness/fork-cosigned",
    refused: "witness/fork-refused",
};
const INCONSISTENT: Evidence = Evidence {
    cosigned: "witness/inconsistent-cosigned",
    refused: "witness/inconsistent-refused",
};

/// A witness of the one log that its genesis names, by its key there or by those that took over from it.
///
/// One rule holds whatever happens to the machine: no cosignature leaves before its tree and its time
/// are durable, and neither ever goes back.
pub struct Witness {
    logs: LogKeys,
    cosigner: Cosigner,
    clock: Arc<dyn Clock>,
    disk: Arc<dyn Disk>,
    memory: Memory,
    /// The latest checkpoint cosigned since the start, as the other side of a fork.
    latest: Option<SignedCheckpoint>,
    clock_is_behind: bool,
    stopped: bool,
}

/// The files of two checkpoints that contradict each other.
struct Evidence {
    /// What was cosigned, as a note.
    cosigned: &'static str,
    /// What was refused, as the request's body.
    refused: &'static str,
}

/// Why there is no cosignature.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Rejected(#[from] Rejection),
    #[error("the witness' clock says that it is before 1970")]
    Clock,
    #[error(transparent)]
    Key(#[from] SignError),
    #[error(transparent)]
    Memory(#[from] MemoryError),
    #[error("the witness has stopped after a disk error; it must be started again")]
    Stopped,
}

impl Witness {
    /// Makes the memory of a witness that has never run. Never for one that has: without its memory
    /// it could cosign a fork.
    pub fn create(
        network: &Network,
        cosigner: &Cosigner,
        disk: &dyn Disk,
    ) -> Result<(), MemoryError> {
        Memory::create(disk, Binding::new(network.log(), &cosigner.0.public))
    }

    /// A witness that remembers, of a log that signs by genesis' key.
    pub fn open(
        network: &Network,
        cosigner: Cosigner,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, MemoryError> {
        Self::open_with(network, Vec::new(), cosigner, clock, disk)
    }

    /// The same, of a log that signs by these keys, of which each takes over from the one before it; by genesis'
    /// where there are none. All are this log's: they have its name.
    pub fn open_with(
        network: &Network,
        log_keys: Vec<LogKey>,
        cosigner: Cosigner,
        clock: Arc<dyn Clock>,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, MemoryError> {
        let binding = Binding::new(network.log(), &cosigner.0.public);
        let memory = Memory::open(Arc::clone(&disk), binding)?;
        let logs = LogKeys::open(network.log(), log_keys, Arc::clone(&disk))?;
        Ok(Self {
            logs,
            cosigner,
            clock,
            disk,
            memory,
            latest: None,
            clock_is_behind: false,
            stopped: false,
        })
    }

    /// Answers the body of an `add-checkpoint` request.
    pub fn handle(&mut self, body: &[u8]) -> Response {
        match self.add_checkpoint(body) {
            Ok(cosignature) => cosigned(&cosignature),
            Err(refusal) => {
                self.note(&refusal, body);
                refused(&refusal)
            }
        }
    }

    /// Whether the disk failed: nothing more will be cosigned before a new start.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    fn add_checkpoint(&mut self, body: &[u8]) -> Result<Cosignature, Refusal> {
        if self.stopped {
            return Err(Refusal::Stopped);
        }
        let request = AddCheckpoint::parse(body).map_err(Rejection::from)?;
        let log = self.logs.of(&request).clone();
        let accepted = decide(Some(self.memory.last().head), request, &log)?;
        let time = self.time()?;
        self.turn_to(&log)?;
        self.remember(&accepted, time)?;
        Ok(accepted.cosign(time, &self.cosigner.0)?)
    }

    /// Now, but never before the last cosignature: a clock that was set back makes time stand still.
    fn time(&mut self) -> Result<Timestamp, Refusal> {
        let now = self.clock.now().0 / 1000;
        let last = self.memory.last().time;
        let behind = now < last;
        if behind && !self.clock_is_behind {
            tracing::warn!(
                now,
                last,
                "the clock went back: cosigning the last time until it catches up"
            );
        }
        self.clock_is_behind = behind;
        Timestamp::from_unix(now.max(last)).map_err(|_| Refusal::Clock)
    }

    /// The log signs by this key from here on. A crash behind this leaves a witness that waits for it.
    fn turn_to(&mut self, log: &LogKey) -> Result<(), Refusal> {
        self.stopped = true;
        self.logs.turn_to(log)?;
        self.stopped = false;
        Ok(())
    }

    /// Everything that the cosignature will say is durable when this returns. The same tree in the
    /// same second is durable already, so a request repeated by anybody costs no write.
    fn remember(&mut self, accepted: &Accepted, time: Timestamp) -> Result<(), Refusal> {
        let (head, time) = (accepted.head(), time.unix());
        let last = self.memory.last();
        if (head, time) != (last.head, last.time) {
            self.stopped = true;
            self.memory.put(head, time)?;
            self.stopped = false;
        }
        self.latest = Some(accepted.signed().clone());
        Ok(())
    }

    fn note(&self, refusal: &Refusal, body: &[u8]) {
        match refusal {
            Refusal::Rejected(Rejection::Fork { known }) => {
                tracing::error!(size = known, "FORK: the log signed two roots for one size");
                self.keep(&FORK, body);
            }
            Refusal::Rejected(Rejection::Inconsistent(error)) => {
                tracing::warn!(%error, "a signed checkpoint does not extend the cosigned one");
                self.keep(&INCONSISTENT, body);
            }
            Refusal::Rejected(rejection) => tracing::debug!(%rejection, "not cosigned"),
            failed => tracing::error!(error = %failed, "not cosigned"),
        }
    }

    /// Keeps the first contradiction of its kind: for a fork, two notes by one key over two roots for
    /// one size, which convince anybody. More of them say no more, and would fill the disk.
    fn keep(&self, evidence: &Evidence, body: &[u8]) {
        let Some(cosigned) = &self.latest else {
            return;
        };
        if self.disk.exists(evidence.refused) {
            return;
        }
        let cosigned = cosigned.note().to_string();
        let kept = self
            .disk
            .replace(evidence.cosigned, cosigned.as_bytes())
            .and_then(|()| self.disk.replace(evidence.refused, body));
        if let Err(error) = kept {
            tracing::error!(%error, "the evidence could not be kept");
        }
    }
}

fn cosigned(cosignature: &Cosignature) -> Response {
    let line = format!("{}\n", cosignature.signature());
    Response::new(200, "text/plain; charset=utf-8", line)
}

fn refused(refusal: &Refusal) -> Response {
    let detail = refusal.to_string();
    match refusal {
        Refusal::Rejected(rejection) => rejected(rejection, &detail),
        _ => Response::problem(503, "Service Unavailable", &detail),
    }
}

/// Statuses and the body of 409 are the protocol's; the other bodies are for people.
fn rejected(rejection: &Rejection, detail: &str) -> Response {
    if let Some(known) = rejection.known_size() {
        return Response::new(409, SIZE_CONTENT_TYPE, format!("{known}\n"));
    }
    let status = rejection.status();
    match rejection {
        Rejection::Request(RequestError::TooLong) => {
            Response::refused_because(413, Reason::TooLarge, detail)
        }
        Rejection::Request(_) | Rejection::OldSizeTooLarge => {
            Response::refused_because(status, Reason::Malformed, detail)
        }
        Rejection::UnknownOrigin => Response::refused_because(status, Reason::NotFound, detail),
        Rejection::Signature(_) => Response::problem(status, "Forbidden", detail),
        _ => Response::problem(status, "Unprocessable Content", detail),
    }
}

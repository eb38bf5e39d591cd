//! Asking the witnesses, each about the same head, until a quorum has cosigned it.
//!
//! [`Witnesses`] asks them in turn, so that a test or the simulator can step it; the running gate puts
//! each [on a thread of its own](Witnesses::on_threads), so that the slowest does not hold up a quorum.

use crate::published::Witnessed;
use portcullis_core::Network;
use portcullis_host::Http;
use portcullis_journal::View;
use portcullis_tlog::witness::{AddCheckpoint, Answer, MAX_REQUEST_BYTES};
use portcullis_tlog::{Cosignature, Cosigned, Log, SignedCheckpoint, Signer, TreeHead, WitnessKey};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How long a witness may take for one answer.
const WITNESS_TIMEOUT: Duration = Duration::from_millis(1500);

/// The witnesses of a network.
pub struct Witnesses {
    network: Arc<Network>,
    log: Box<dyn Signer<Log> + Send>,
    asked: Asked,
}

/// How they are asked.
enum Asked {
    /// One after the other, beginning with another each time.
    InTurn(Vec<Worker>),
    /// All at once.
    OnThreads(Threads),
}

/// Why there is no cosigned checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum CosignError {
    /// The journal's key.
    #[error("the journal's key does not sign: {0}")]
    Log(#[from] portcullis_tlog::SignError),
    /// Too few witnesses answered in time.
    #[error("{got} of {needed} witnesses cosigned in time; the gate takes only restricting acts")]
    NoQuorum {
        /// Cosignatures.
        got: usize,
        /// The quorum.
        needed: usize,
    },
}

impl Witnesses {
    /// Those that have a URL, to be asked in turn.
    #[must_use]
    pub fn new(
        network: Arc<Network>,
        log: Box<dyn Signer<Log> + Send>,
        urls: &BTreeMap<String, String>,
        view: &Arc<View>,
        http: &Arc<dyn Http>,
    ) -> Self {
        let keys = network.quorum().witnesses().iter();
        let workers = keys.filter_map(|key| {
            let url = urls.get(key.name().as_str())?;
            Some(Worker {
                key: key.clone(),
                url: format!("{}/add-checkpoint", url.trim_end_matches('/')),
                view: Arc::clone(view),
                http: Arc::clone(http),
                known: 0,
            })
        });
        let asked = Asked::InTurn(workers.collect());
        Self {
            network,
            log,
            asked,
        }
    }

    /// The same, each on a thread of its own from here on.
    #[must_use]
    pub(crate) fn on_threads(self) -> Self {
        let asked = match self.asked {
            Asked::InTurn(workers) => Asked::OnThreads(Threads::start(workers)),
            threads @ Asked::OnThreads(_) => threads,
        };
        Self { asked, ..self }
    }

    /// Have a head cosigned by a quorum. Signs nothing but heads of durable batches.
    pub fn cosign(&mut self, head: TreeHead) -> Result<Witnessed, CosignError> {
        let signed = SignedCheckpoint::sign(head, self.log.as_ref())?;
        let mut gathering = Gathering {
            network: &self.network,
            signed: signed.clone(),
            got: 0,
        };
        let witnessed = match &mut self.asked {
            Asked::InTurn(workers) => {
                if !workers.is_empty() {
                    workers.rotate_left(1);
                }
                let mut answers = workers
                    .iter_mut()
                    .filter_map(|worker| worker.cosign(&signed));
                answers.find_map(|cosignature| gathering.add(cosignature))
            }
            Asked::OnThreads(threads) => threads.ask(&signed, &mut gathering),
        };
        witnessed.ok_or(CosignError::NoQuorum {
            got: gathering.got,
            needed: self.network.quorum().k(),
        })
    }
}

/// The cosignatures of one head, until they are enough.
struct Gathering<'a> {
    network: &'a Network,
    signed: SignedCheckpoint,
    got: usize,
}

impl Gathering<'_> {
    fn add(&mut self, cosignature: Cosignature) -> Option<Witnessed> {
        let quorum = self.network.quorum();
        self.signed.add_cosignature(cosignature);
        self.got += 1;
        if self.got < quorum.k() {
            return None;
        }
        let cosigned = Cosigned::verify(self.signed.clone(), quorum).ok()?;
        Some(Witnessed::new(&cosigned))
    }
}

/// A thread for each witness.
struct Threads {
    workers: Vec<Sender<Arc<SignedCheckpoint>>>,
    answers: Receiver<(TreeHead, Cosignature)>,
}

impl Threads {
    fn start(workers: Vec<Worker>) -> Self {
        let (answer, answers) = channel();
        let started = workers.into_iter().filter_map(|mut worker| {
            let (send, receive) = channel();
            let answer = answer.clone();
            std::thread::Builder::new()
                .name("witness".into())
                .spawn(move || worker.run(&receive, &answer))
                .ok()?;
            Some(send)
        });
        let workers = started.collect();
        Self { workers, answers }
    }

    fn ask(&self, signed: &SignedCheckpoint, gathering: &mut Gathering<'_>) -> Option<Witnessed> {
        let shared = Arc::new(signed.clone());
        for worker in &self.workers {
            // A worker that is gone answers nothing; the quorum decides.
            let _ = worker.send(Arc::clone(&shared));
        }
        let end = Instant::now() + WITNESS_TIMEOUT;
        while let Some(cosignature) = self.answer_until(signed.head(), end) {
            if let Some(witnessed) = gathering.add(cosignature) {
                return Some(witnessed);
            }
        }
        None
    }

    /// The next answer for this head; late answers for earlier heads are passed over.
    fn answer_until(&self, head: TreeHead, end: Instant) -> Option<Cosignature> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.answers.recv_timeout(left) {
                Ok((of, cosignature)) if of == head => return Some(cosignature),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }
}

/// Speaks to one witness.
struct Worker {
    key: WitnessKey,
    url: String,
    view: Arc<View>,
    http: Arc<dyn Http>,
    /// The size that it cosigned last, as far as known.
    known: u64,
}

impl Worker {
    fn run(
        &mut self,
        requests: &Receiver<Arc<SignedCheckpoint>>,
        answer: &Sender<(TreeHead, Cosignature)>,
    ) {
        while let Ok(mut signed) = requests.recv() {
            // Where it fell behind, only the newest checkpoint matters.
            while let Ok(newer) = requests.try_recv() {
                signed = newer;
            }
            let Some(cosignature) = self.cosign(&signed) else {
                continue;
            };
            if answer.send((signed.head(), cosignature)).is_err() {
                return;
            }
        }
    }

    fn cosign(&mut self, signed: &SignedCheckpoint) -> Option<Cosignature> {
        // Twice: the first answer may tell the size that it really has.
        let cosignature = self.ask(signed).or_else(|| self.ask(signed))?;
        self.known = signed.head().size;
        Some(cosignature)
    }

    fn ask(&mut self, signed: &SignedCheckpoint) -> Option<Cosignature> {
        let size = signed.head().size;
        if self.known > size {
            tracing::error!(witness = %self.key.name(), known = self.known, size,
                "a witness has cosigned a longer journal than this one: it was cut; restore it");
            return None;
        }
        let proof = self.view.prove_consistency(self.known, size).ok()?;
        let body = AddCheckpoint::new(self.known, proof, signed).to_string();
        debug_assert!(body.len() <= MAX_REQUEST_BYTES);
        let headers = [("content-type", "text/plain; charset=utf-8")];
        let reply = self.http.post(
            &self.url,
            &headers,
            body.as_bytes(),
            16 * 1024,
            WITNESS_TIMEOUT,
        );
        let reply = reply
            .inspect_err(|error| tracing::warn!(%error, "a witness"))
            .ok()?;
        match Answer::parse(reply.status, &reply.body) {
            Answer::Cosigned(lines) => self.key.verify_answer(signed, &lines).ok(),
            Answer::At(size) => {
                self.known = size;
                None
            }
            Answer::Refused { status } => {
                tracing::error!(witness = %self.key.name(), status, "a witness refuses");
                None
            }
        }
    }
}

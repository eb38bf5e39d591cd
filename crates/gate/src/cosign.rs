//! Asking the witnesses: each on a thread of its own, so that the slowest does not hold up a quorum.

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
    workers: Vec<Sender<Arc<SignedCheckpoint>>>,
    answers: Receiver<(TreeHead, Cosignature)>,
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
    /// Start a worker for each witness that has a URL.
    #[must_use]
    pub fn start(
        network: Arc<Network>,
        log: Box<dyn Signer<Log> + Send>,
        urls: &BTreeMap<String, String>,
        view: &Arc<View>,
        http: &Arc<dyn Http>,
    ) -> Self {
        let (answer, answers) = channel();
        let keys = network.quorum().witnesses().to_vec();
        let workers = keys.into_iter().filter_map(|key| {
            let url = urls.get(key.name().as_str())?;
            let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
            let (view, http) = (Arc::clone(view), Arc::clone(http));
            let mut worker = Worker {
                key,
                url,
                view,
                http,
                known: 0,
                answer: answer.clone(),
            };
            let (send, receive) = channel();
            std::thread::Builder::new()
                .name("witness".into())
                .spawn(move || worker.run(&receive))
                .ok()?;
            Some(send)
        });
        let workers = workers.collect();
        Self {
            network,
            log,
            workers,
            answers,
        }
    }

    /// Have a head cosigned by a quorum. Signs nothing but heads of durable batches.
    pub fn cosign(&self, head: TreeHead) -> Result<Witnessed, CosignError> {
        let mut signed = SignedCheckpoint::sign(head, self.log.as_ref())?;
        let shared = Arc::new(signed.clone());
        for worker in &self.workers {
            // A worker that is gone answers nothing; the quorum decides.
            let _ = worker.send(Arc::clone(&shared));
        }
        let quorum = self.network.quorum();
        let end = Instant::now() + WITNESS_TIMEOUT;
        let mut got = 0;
        while let Some(cosignature) = self.answer_until(head, end) {
            signed.add_cosignature(cosignature);
            got += 1;
            if got >= quorum.k()
                && let Ok(cosigned) = Cosigned::verify(signed.clone(), quorum)
            {
                return Ok(Witnessed::new(&cosigned));
            }
        }
        Err(CosignError::NoQuorum {
            got,
            needed: quorum.k(),
        })
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
    answer: Sender<(TreeHead, Cosignature)>,
}

impl Worker {
    fn run(&mut self, requests: &Receiver<Arc<SignedCheckpoint>>) {
        while let Ok(mut signed) = requests.recv() {
            // Where it fell behind, only the newest checkpoint matters.
            while let Ok(newer) = requests.try_recv() {
                signed = newer;
            }
            // Twice: the first answer may tell the size that it really has.
            let cosignature = self.ask(&signed).or_else(|| self.ask(&signed));
            if let Some(cosignature) = cosignature {
                self.known = signed.head().size;
                if self.answer.send((signed.head(), cosignature)).is_err() {
                    return;
                }
            }
        }
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

//! Asking the witnesses, each about the same head, until a quorum has cosigned it.
//!
//! [`Witnesses`] asks them in turn, so that a test or the simulator can step it; the running gate puts
//! each [on a thread of its own](Witnesses::on_threads), so that the slowest does not hold up a quorum.

use crate::log_keys::LogKeys;
use crate::published::Witnessed;
use portcullis_core::state::Signatories;
use portcullis_core::{Span, Time};
use portcullis_host::{Clock, Http, Told};
use portcullis_journal::View;
use portcullis_tlog::witness::{AddCheckpoint, Answer, MAX_REQUEST_BYTES};
use portcullis_tlog::{
    Cosignature, Cosigned, LogKey, Quorum, SignedCheckpoint, TreeHead, WitnessKey,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How far a witness' clock may be from the gate's. One that is further off would start delays early or
/// late, or keep the checkpoint out of the journal, while others may be right.
const SKEW: Span = Span::seconds(2);
/// How long a witness may take for one answer.
const WITNESS_TIMEOUT: Duration = Duration::from_millis(1500);

/// How long a witness that says it has cosigned a longer journal is left alone. Nothing signs that word:
/// it may have been somebody else's, or a slip.
const ASK_AGAIN: Span = Span::seconds(3);

/// The witnesses of a network: those who are asked at the moment.
pub struct Witnesses {
    log: LogKeys,
    reach: Reach,
    /// Who was asked last.
    quorum: Option<Arc<Quorum>>,
    asked: Asked,
}

/// How witnesses are reached.
#[derive(Clone)]
pub struct Reach {
    /// Where each answers, by the name in its vkey.
    pub urls: BTreeMap<String, String>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The journal, which proves that it has only grown.
    pub view: Arc<View>,
    /// The way out.
    pub http: Arc<dyn Http>,
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
    /// A rotation has put a key of the journal in force that this gate does not have.
    #[error(
        "the journal's key in force is {0}, and the configuration names none like it: name it as \
         `log_successor` and start again; until then the gate takes only restricting acts"
    )]
    NoKey(LogKey),
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
    pub fn new(log: LogKeys, reach: Reach) -> Self {
        Self {
            log,
            reach,
            quorum: None,
            asked: Asked::InTurn(Vec::new()),
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

    /// Have a head signed and cosigned by those in force at its size, and by nobody else. Signs nothing but
    /// heads of durable batches.
    pub fn cosign(&mut self, head: TreeHead, by: &Signatories) -> Result<Witnessed, CosignError> {
        let (key, quorum) = (by.log(), by.quorum());
        let log = self.log.signer_of(key);
        let log = log.ok_or_else(|| CosignError::NoKey(key.clone()))?;
        self.turn_to(quorum);
        let signed = SignedCheckpoint::sign(head, &log)?;
        let mut gathering = Gathering {
            quorum,
            clock: self.reach.clock.as_ref(),
            in_time: signed.clone(),
            any: signed.clone(),
            got: (0, 0),
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
        let got = gathering.got.1;
        let needed = quorum.k();
        witnessed
            .or_else(|| gathering.whatever())
            .ok_or(CosignError::NoQuorum { got, needed })
    }

    /// Ask these from here on. What was known of those of before is asked anew.
    fn turn_to(&mut self, quorum: &Arc<Quorum>) {
        if self.quorum.as_ref() == Some(quorum) {
            return;
        }
        let workers = quorum.witnesses().iter().filter_map(|key| self.worker(key));
        let workers: Vec<Worker> = workers.collect();
        self.asked = match &self.asked {
            Asked::InTurn(_) => Asked::InTurn(workers),
            Asked::OnThreads(_) => Asked::OnThreads(Threads::start(workers)),
        };
        self.quorum = Some(Arc::clone(quorum));
    }

    fn worker(&self, key: &WitnessKey) -> Option<Worker> {
        let Some(url) = self.reach.urls.get(key.name().as_str()) else {
            tracing::warn!(witness = %key.name(), "no address is configured for this witness: it is not asked");
            return None;
        };
        Some(Worker {
            key: key.clone(),
            url: format!("{}/add-checkpoint", url.trim_end_matches('/')),
            view: Arc::clone(&self.reach.view),
            http: Arc::clone(&self.reach.http),
            clock: Arc::clone(&self.reach.clock),
            known: 0,
            heard: Time(0),
            told: Told::default(),
        })
    }
}

/// The cosignatures of one head, until enough of them are of about now.
struct Gathering<'a> {
    quorum: &'a Quorum,
    clock: &'a dyn Clock,
    in_time: SignedCheckpoint,
    any: SignedCheckpoint,
    /// How many of each.
    got: (usize, usize),
}

impl Gathering<'_> {
    fn add(&mut self, cosignature: Cosignature) -> Option<Witnessed> {
        self.any.add_cosignature(cosignature.clone());
        self.got.1 += 1;
        let (now, time) = (
            self.clock.now(),
            Time::from_unix_seconds(cosignature.time().unix()),
        );
        if now.since(time) > SKEW || time.since(now) > SKEW {
            let ahead_ms = i128::from(time.0) - i128::from(now.0);
            tracing::warn!(
                ahead_ms,
                "a witness' clock and the gate's are apart: one of the two is off; compare both with NTP"
            );
            return None;
        }
        self.in_time.add_cosignature(cosignature);
        self.got.0 += 1;
        if self.got.0 < self.quorum.k() {
            return None;
        }
        self.of(self.in_time.clone())
    }

    /// With too few that agree with the gate's clock, it may be that one that is off.
    fn whatever(&self) -> Option<Witnessed> {
        self.of(self.any.clone())
    }

    fn of(&self, signed: SignedCheckpoint) -> Option<Witnessed> {
        let cosigned = Cosigned::verify(signed, self.quorum).ok()?;
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
    clock: Arc<dyn Clock>,
    /// The size that it cosigned last, as far as known.
    known: u64,
    /// When it said so.
    heard: Time,
    /// What was said of it last.
    told: Told<&'static str>,
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
        if self.told.is_news("cosigns") {
            tracing::info!(witness = %self.key.name(), url = self.url, "the witness cosigns");
        }
        Some(cosignature)
    }

    /// Whether what it said of its size is worth asking about again. A clock that was set back is no
    /// reason to wait.
    fn is_due(&self) -> bool {
        let now = self.clock.now();
        now < self.heard || now.since(self.heard) >= ASK_AGAIN
    }

    fn ask(&mut self, signed: &SignedCheckpoint) -> Option<Cosignature> {
        let size = signed.head().size;
        if self.known > size && self.is_due() {
            // Where it has cosigned anything, it answers this with how much.
            self.known = 0;
        }
        if self.known > size {
            if self.told.is_news("longer") {
                tracing::error!(witness = %self.key.name(), known = self.known, size,
                    "the witness has cosigned a longer journal than this one: this one was cut; stop \
                     the gate and restore the journal from a replica");
            }
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
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => {
                if self.told.is_news("silent") {
                    tracing::warn!(witness = %self.key.name(), %error,
                        "the witness does not answer: see that it runs and is reached");
                }
                return None;
            }
        };
        match Answer::parse(reply.status, &reply.body) {
            Answer::Cosigned(lines) => {
                let cosignature = self.key.verify_answer(signed, &lines).ok();
                if cosignature.is_none() && self.told.is_news("another") {
                    tracing::error!(witness = %self.key.name(), url = self.url,
                        "the answer is not signed by the key that genesis names: see who answers there");
                }
                cosignature
            }
            Answer::At(size) => {
                (self.known, self.heard) = (size, self.clock.now());
                None
            }
            Answer::Refused { status } => {
                if self.told.is_news("refuses") {
                    tracing::error!(witness = %self.key.name(), status,
                        "the witness refuses: its log says why; it may be of another network, or not know the \
                         journal's key in force (`log_keys`)");
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        reason = "helpers of tests; the lint knows only the tests themselves"
    )]

    use super::*;
    use portcullis_host::{Disk, HttpError, Reply, SystemRandom};
    use portcullis_keeper::testkit::{CrashDisk, HandClock, Ledger, World};
    use portcullis_tlog::witness::decide;
    use portcullis_tlog::{Note, Timestamp};
    use std::sync::atomic::AtomicUsize;
    use std::sync::atomic::Ordering::SeqCst;

    /// Witnesses that cosign everything, at their own times.
    struct Clocks {
        world: Arc<World>,
        times: [u64; 3],
        /// Answers still to come that say that far more was cosigned.
        wrong: AtomicUsize,
    }

    impl Http for Clocks {
        fn get(
            &self,
            _: &str,
            _: &[(&str, &str)],
            _: u64,
            _: Duration,
        ) -> Result<Reply, HttpError> {
            unreachable!("witnesses are posted to")
        }

        fn post(
            &self,
            url: &str,
            _: &[(&str, &str)],
            body: &[u8],
            _: u64,
            _: Duration,
        ) -> Result<Reply, HttpError> {
            let left = |left: usize| left.checked_sub(1);
            if self.wrong.fetch_update(SeqCst, SeqCst, left).is_ok() {
                let body = b"1000000\n".to_vec();
                return Ok(Reply { status: 409, body });
            }
            let number: usize = url[8..9].parse().unwrap();
            let text = str::from_utf8(body).unwrap();
            let note = Note::parse(text.split_once("\n\n").unwrap().1.as_bytes()).unwrap();
            let log = self.world.network.log();
            let mut signed = SignedCheckpoint::verify(note, log).unwrap();
            let head = signed.head();
            let asked = AddCheckpoint::new(head.size, Vec::new(), &signed);
            let accepted = decide(Some(head), asked, log).unwrap();
            let time = Timestamp::from_unix(self.times[number]).unwrap();
            let key = &self.world.witnesses[number];
            signed.add_cosignature(accepted.cosign(time, key).unwrap());
            let line = signed.note().to_string();
            let line = line.lines().last().unwrap();
            let body = format!("{line}\n").into_bytes();
            Ok(Reply { status: 200, body })
        }
    }

    /// The witnesses of a small journal.
    struct Bench {
        witnesses: Witnesses,
        by: Signatories,
        head: TreeHead,
        clock: HandClock,
    }

    /// Their clocks are so many seconds ahead, and the first so many answers are wrong.
    fn bench(ahead: [u64; 3], wrong: usize) -> Bench {
        let world = Arc::new(World::new());
        let clock = HandClock::at(World::START);
        let ledger = Ledger::new(Arc::clone(&world), clock.clone());
        let disk: Arc<dyn Disk> = Arc::new(CrashDisk::default());
        let (store, recovered) =
            portcullis_journal::Directory::open(Arc::clone(&disk), 1 << 20, Arc::new(SystemRandom))
                .unwrap();
        let mut journal = portcullis_journal::Journal::open(store, &recovered, disk, 0).unwrap();
        journal.make_room(1 << 18, 1000).unwrap();
        journal.append(ledger.entries).unwrap();
        let times = ahead.map(|ahead| World::START.0 / 1000 + ahead);
        let network = Arc::clone(&world.network);
        let by = Signatories::first(&network);
        let names = by.quorum().witnesses().iter().enumerate();
        let urls = names.map(|(n, key)| (key.name().to_string(), format!("http://w{n}")));
        let urls: BTreeMap<String, String> = urls.collect();
        let wrong = AtomicUsize::new(wrong);
        let http: Arc<dyn Http> = Arc::new(Clocks {
            world,
            times,
            wrong,
        });
        let log = LogKeys::new(Arc::new(World::key(&[0x80; 16])), None);
        let as_clock: Arc<dyn Clock> = Arc::new(clock.clone());
        let view = journal.view();
        let reach = Reach {
            urls,
            clock: as_clock,
            view,
            http,
        };
        Bench {
            witnesses: Witnesses::new(log, reach),
            by,
            head: journal.head(),
            clock,
        }
    }

    /// What is gathered where the clocks are so many seconds ahead.
    fn cosigned(ahead: [u64; 3]) -> (Time, Time) {
        let Bench {
            mut witnesses,
            by,
            head,
            ..
        } = bench(ahead, 0);
        let witnessed = witnesses.cosign(head, &by).unwrap();
        (witnessed.oldest, witnessed.newest)
    }

    /// Nobody signs a 409: whoever is between the two can say it once.
    #[test]
    fn a_wrong_word_of_a_longer_journal_silences_no_witness_for_good() {
        let Bench {
            mut witnesses,
            by,
            head,
            clock,
        } = bench([0; 3], 3);
        assert!(witnesses.cosign(head, &by).is_err());
        assert!(witnesses.cosign(head, &by).is_err(), "they are left alone");
        clock.pass(ASK_AGAIN);
        assert!(witnesses.cosign(head, &by).is_ok());
    }

    #[test]
    fn with_a_key_that_is_not_in_force_nothing_is_signed() {
        let Bench {
            mut witnesses,
            head,
            clock,
            ..
        } = bench([0; 3], 0);
        let mut rotated = Ledger::new(Arc::new(World::new()), clock);
        rotated.rotate_log(0x81);
        let by = rotated.state.signatories_at(u64::MAX);
        let error = witnesses.cosign(head, by).map(|_| ()).unwrap_err();
        assert!(matches!(error, CosignError::NoKey(_)), "{error}");
        assert!(error.to_string().contains("log_successor"));
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_no_witness_silent() {
        let Bench {
            mut witnesses,
            by,
            head,
            clock,
        } = bench([0; 3], 3);
        assert!(witnesses.cosign(head, &by).is_err());
        clock.set(World::START.before(Span::seconds(1)));
        assert!(witnesses.cosign(head, &by).is_ok());
    }

    #[test]
    fn a_witness_ahead_of_time_is_passed_over_where_another_is_to_be_had() {
        let after = |seconds| World::START.after(Span::seconds(seconds));
        for off in 0..3 {
            let mut ahead = [0, 1, 2];
            ahead[off] = 30;
            let (oldest, newest) = cosigned(ahead);
            assert!(oldest <= newest && newest <= after(2), "{off}");
        }
        // None is to be had: it may be the gate that is off.
        let (oldest, newest) = cosigned([30, 30, 31]);
        assert!(oldest >= after(30) && newest >= oldest);
    }
}

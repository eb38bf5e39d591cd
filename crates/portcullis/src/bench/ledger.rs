//! A journal in memory, written by the core itself, for what is measured without processes.

use super::network::{Platform, Proven};
use crate::failure::{Exit, Failure};
use crate::init::WITNESS_NAME;
use crate::keyring::purpose;
use portcullis_client::ActBuilder;
use portcullis_core::apply::Applied;
use portcullis_core::decide::{self, Payment};
use portcullis_core::entry::{Body, Entry, Submission};
use portcullis_core::plan::Plan;
use portcullis_core::signature::Verify;
use portcullis_core::{Decision, Digest, ReadEntry, Span, State, Time};
use portcullis_host::Random;
use portcullis_keys::NoteKey;
use portcullis_tlog::witness::{AddCheckpoint, decide as witness};
use portcullis_tlog::{Cosigned, Log, SignError, SignedCheckpoint, Timestamp, Witness};
use std::sync::Arc;

/// A journal that is written entry by entry.
pub(super) struct Ledger {
    pub(super) state: State,
    pub(super) now: Time,
    /// The newest cosigned checkpoint.
    pub(super) note: Vec<u8>,
    /// The newest journaled one.
    checkpoint: Digest,
    log: NoteKey<Log>,
    witness: NoteKey<Witness>,
    verify: Box<dyn Verify>,
    acts: u64,
}

/// An entry, its bytes, and what they did.
pub(super) struct Entered {
    pub(super) read: ReadEntry,
    pub(super) bytes: Vec<u8>,
    pub(super) applied: Applied,
}

impl Ledger {
    /// A journal that begins then, with genesis and the checkpoint of it. `verify` judges all signatures.
    pub(super) fn new(
        platform: &Platform,
        begin: Time,
        verify: Box<dyn Verify>,
        mut write: impl FnMut(Entered),
    ) -> Result<Self, Failure> {
        let network = &platform.reach.network;
        let key = |name: &str, purpose: &str| platform.reach.key_paths(name).statement(purpose);
        let cosigner = network.quorum().witnesses().iter();
        let cosigner = cosigner
            .clone()
            .find(|key| key.name().as_str() == WITNESS_NAME)
            .cloned();
        let nobody = || Failure::usage("the genesis has no witness of ours", "");
        let mut ledger = Self {
            state: State::new(Arc::clone(network)),
            now: begin,
            note: Vec::new(),
            checkpoint: Digest([0; 32]),
            log: NoteKey {
                public: network.log().clone(),
                secret: key("gate", purpose::LOG)?,
            },
            witness: NoteKey {
                public: cosigner.ok_or_else(nobody)?,
                secret: key("witness", purpose::WITNESS)?,
            },
            verify,
            acts: 0,
        };
        let genesis = Body::Genesis(Box::new(network.signed().clone()));
        write(ledger.enter(genesis)?);
        write(ledger.journal_checkpoint()?);
        Ok(ledger)
    }

    /// Apply an entry; a void one is a fault of the benchmark.
    pub(super) fn enter(&mut self, body: Body) -> Result<Entered, Failure> {
        let (read, bytes) = ReadEntry::written(Entry::new(self.now, body));
        let applied = self.state.apply_read(&read, self.verify.as_ref());
        match &applied.void {
            None => Ok(Entered {
                read,
                bytes,
                applied,
            }),
            Some(void) => Err(Failure::new(
                Exit::Wrong,
                format!("a void entry: {void}"),
                "",
            )),
        }
    }

    /// Have the journal as it is cosigned, and journal that: the clocks of all before it run.
    pub(super) fn journal_checkpoint(&mut self) -> Result<Entered, Failure> {
        self.cosign()?;
        let note = portcullis_tlog::Note::parse(&self.note);
        let note = note.map_err(|error| Failure::usage(error, ""))?;
        self.checkpoint = Digest::plain(note.text().as_bytes());
        self.enter(Body::Checkpoint(self.note.clone()))
    }

    /// Have the journal as it is cosigned, now.
    pub(super) fn cosign(&mut self) -> Result<Cosigned, Failure> {
        let failed = |error: SignError| Failure::new(Exit::Wrong, error.reason, "");
        let wrong = |what: &str| Failure::new(Exit::Wrong, what, "");
        let head = self.state.facts().log.head();
        let mut signed = SignedCheckpoint::sign(head, &self.log).map_err(failed)?;
        let request = AddCheckpoint::new(head.size, Vec::new(), &signed);
        let accepted = witness(Some(head), request, &self.log.public);
        let accepted = accepted.map_err(|_| wrong("the witness refuses"))?;
        let time = Timestamp::from_unix(self.now.0 / 1000);
        let time = time.map_err(|error| Failure::usage(error, ""))?;
        signed.add_cosignature(accepted.cosign(time, &self.witness).map_err(failed)?);
        self.note = signed.note().to_string().into_bytes();
        let quorum = self.state.network().quorum();
        Cosigned::verify(signed, quorum).map_err(|error| Failure::new(Exit::Wrong, error, ""))
    }

    /// Time passes; what waited for it counts after.
    pub(super) fn pass(&mut self, span: Span) {
        self.now = self.now.after(span);
    }

    /// An act in the making.
    pub(super) fn draft(&mut self) -> ActBuilder {
        self.acts += 1;
        let network = self.state.network().digest();
        ActBuilder::new(network, self.checkpoint, self.now, &Numbers(self.acts))
    }

    /// Decide an act as the gate does, with the plan that the decision calls for.
    pub(super) fn submit(&mut self, proven: Proven) -> Result<Entered, Failure> {
        let submission = self.decided(proven)?;
        self.enter(Body::Act(Box::new(submission)))
    }

    /// Enter an act that pays nobody and is released at once. Applying it decides it, this once; had it to
    /// wait, the entry would be void.
    pub(super) fn release(&mut self, (act, evidence): Proven) -> Result<Entered, Failure> {
        self.enter(Body::Act(Box::new(Submission {
            act,
            evidence,
            decision: Decision::Release,
            plan: None,
        })))
    }

    /// An act with its decision and its plan.
    pub(super) fn decided(&self, (act, evidence): Proven) -> Result<Submission, Failure> {
        let verify = self.verify.as_ref();
        let decided = decide::decide(&self.state, &act, &evidence, self.now, verify);
        let plan = decided.payment().map(plan).transpose()?;
        let decision = decided.decision().clone();
        if let Decision::Refuse { reason } = decision {
            return Err(Failure::new(Exit::Wrong, format!("refused: {reason}"), ""));
        }
        Ok(Submission {
            act,
            evidence,
            decision,
            plan,
        })
    }
}

/// A payment at fees that every wallet's ceiling allows.
pub(super) fn plan(payment: &Payment) -> Result<Plan, Failure> {
    use portcullis_chains::ethereum::Fees;
    let fees = Fees::new(20_000_000_000, 1_000_000_000, 21_000);
    let fees = fees.map_err(|error| Failure::usage(error, ""))?;
    payment
        .plan(fees)
        .map_err(|error| Failure::usage(error, ""))
}

/// Ids that are spread like random ones, from a number.
struct Numbers(u64);

impl Random for Numbers {
    fn fill(&self, bytes: &mut [u8]) {
        let Digest(hash) = Digest::plain(&self.0.to_be_bytes());
        for (byte, hashed) in bytes.iter_mut().zip(hash.iter().cycle()) {
            *byte = *hashed;
        }
    }
}

//! What happened, counted and hashed: two runs are the same run if their roots are.

#![allow(clippy::print_stdout, reason = "whoever asks for it is told")]

use portcullis_core::Digest;
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How many of the last events a violation is shown with.
const SHOWN: usize = 60;

/// The chronicle of a run; all its clones write into one.
#[derive(Clone, Default)]
pub struct Chronicle(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    hash: Sha256,
    last: VecDeque<String>,
    counts: BTreeMap<String, u64>,
    violation: Option<Violation>,
    step: u64,
    time: u64,
    /// Whether events are printed as they come.
    is_told: bool,
}

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant, by its stable name.
    pub invariant: &'static str,
    /// In which step.
    pub step: u64,
    /// What was seen.
    pub seen: String,
    /// The last events, oldest first.
    pub events: Vec<String>,
}

impl Chronicle {
    /// Step and moment that the next events belong to.
    pub fn turn(&self, step: u64, time: u64) {
        let mut pages = self.pages();
        (pages.step, pages.time) = (step, time);
        pages.hash.update(step.to_be_bytes());
        pages.hash.update(time.to_be_bytes());
    }

    /// Something happened; `kind` is counted.
    pub fn note(&self, kind: &str, what: impl fmt::Display) {
        let mut pages = self.pages();
        let line = format!("{:>6} {:>9} ms  {kind}: {what}", pages.step, pages.time);
        pages.hash.update(line.as_bytes());
        if pages.is_told {
            println!("{line}");
        }
        if pages.last.len() == SHOWN {
            pages.last.pop_front();
        }
        pages.last.push_back(line);
        *pages.counts.entry(kind.to_owned()).or_default() += 1;
    }

    /// Print events as they come.
    pub fn tell(&self) {
        self.pages().is_told = true;
    }

    /// Count without an event: for what happens all the time.
    pub fn count(&self, kind: &str) {
        *self.pages().counts.entry(kind.to_owned()).or_default() += 1;
    }

    /// An invariant does not hold. The first is kept.
    pub fn violated(&self, invariant: &'static str, seen: impl fmt::Display) {
        let mut pages = self.pages();
        if pages.violation.is_none() {
            pages.violation = Some(Violation {
                invariant,
                step: pages.step,
                seen: seen.to_string(),
                events: pages.last.iter().cloned().collect(),
            });
        }
    }

    /// What was violated, if anything.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        self.pages().violation.clone()
    }

    /// How often each kind of thing happened.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.pages().counts.clone()
    }

    /// The digest over everything so far and a last word.
    #[must_use]
    pub fn root(&self, last: &[u8]) -> Digest {
        let hash = self.pages().hash.clone().chain_update(last);
        Digest(hash.finalize().into())
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

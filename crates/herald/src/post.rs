//! The post: letters that wait for somebody to take them away, and what became of each.
//!
//! A mail server takes its time, and the herald must go on following: so letters are delivered beside it,
//! by a [`Postman`] that shares nothing with it but this office. Whatever is in the office is lost in a
//! crash; the herald's own record has it, and puts it there again.

use portcullis_contact::Reach;
use portcullis_core::{Digest, Time};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A notice in words, for one recipient.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// The same however often it is sent.
    pub id: Digest,
    /// Where to.
    pub reach: Reach,
    /// The kind of notice.
    pub kind: &'static str,
    /// The act that it is about.
    pub act: Digest,
    /// The entry that says so, and its time.
    pub entry: u64,
    /// The entry's time.
    pub time: Time,
    /// One line.
    pub subject: String,
    /// Plain text, lines ending in LF.
    pub body: String,
}

/// What became of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A server has accepted it: that is what `told` means.
    Accepted,
    /// A server will never accept it, or it can never be sent.
    Refused(String),
    /// Not now: nobody answers, or it is to be tried again.
    Later(String),
}

/// Takes letters to a server. Whether one was accepted is not known after a crash or a broken line;
/// it is then sent again, under the same id.
pub trait Post: Send + Sync {
    /// Take one away, at a time.
    fn deliver(&self, letter: &Letter, now: Time) -> Outcome;
}

/// Letters between the herald and its postman.
#[derive(Clone, Default)]
pub struct PostOffice(Arc<Mutex<Office>>);

#[derive(Default)]
struct Office {
    waiting: VecDeque<Letter>,
    /// In the office or on the way.
    known: BTreeSet<Digest>,
    done: Vec<(Digest, Outcome)>,
}

/// Most letters in the office: the record holds the others.
const MAX_LETTERS: usize = 256;

impl PostOffice {
    fn office(&self) -> MutexGuard<'_, Office> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the office has room and does not have this letter.
    pub(crate) fn takes(&self, id: Digest) -> bool {
        let office = self.office();
        office.known.len() < MAX_LETTERS && !office.known.contains(&id)
    }

    /// Bring a letter.
    pub(crate) fn bring(&self, letter: Letter) {
        let mut office = self.office();
        if office.known.insert(letter.id) {
            office.waiting.push_back(letter);
        }
    }

    /// What became of letters since this was asked last.
    pub(crate) fn outcomes(&self) -> Vec<(Digest, Outcome)> {
        let mut office = self.office();
        let done = std::mem::take(&mut office.done);
        for (id, _) in &done {
            office.known.remove(id);
        }
        done
    }

    /// Somebody who takes letters away.
    pub fn postman(&self, post: Arc<dyn Post>) -> Postman {
        let office = self.clone();
        Postman { office, post }
    }
}

/// Takes letters away, one after the other.
pub struct Postman {
    office: PostOffice,
    post: Arc<dyn Post>,
}

impl Postman {
    /// Take one letter away, if one waits. Says whether there was one.
    #[allow(clippy::must_use_candidate, reason = "it is called for what it does")]
    pub fn step(&self, now: Time) -> bool {
        let Some(letter) = self.office.office().waiting.pop_front() else {
            return false;
        };
        // The office is open meanwhile.
        let outcome = self.post.deliver(&letter, now);
        self.office.office().done.push((letter.id, outcome));
        true
    }
}

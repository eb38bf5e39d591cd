//! The mail server of the simulated world: takes letters, or not now, or never.

use crate::chronicle::Chronicle;
use crate::clock::TrueTime;
use crate::dice::Dice;
use crate::truth::Truth;
use portcullis_contact::Reach;
use portcullis_core::{Digest, Span, Time};
use portcullis_herald::{Letter, Outcome, Post};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How the server is today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It takes what comes.
    Takes,
    /// It does not answer.
    Down,
    /// It asks for patience at the first try.
    Greylists,
    /// It takes a letter, and its word of that is lost.
    LosesAnswers,
}

impl Mood {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Takes, Self::Down, Self::Greylists, Self::LosesAnswers];
}

/// How long a letter is greylisted.
const GREY: Span = Span::seconds(20);

/// The mail server.
#[derive(Clone)]
pub struct MailServer {
    time: TrueTime,
    chronicle: Chronicle,
    truth: Truth,
    state: Arc<Mutex<State>>,
}

struct State {
    dice: Dice,
    mood: Mood,
    /// Mailboxes that are no more.
    gone: BTreeSet<String>,
    /// Mailboxes that take nothing for now.
    full: BTreeSet<String>,
    /// When a letter was seen first.
    seen: BTreeMap<Digest, Time>,
}

impl MailServer {
    /// One that takes everything.
    #[must_use]
    pub fn new(time: TrueTime, dice: Dice, chronicle: Chronicle, truth: &Truth) -> Self {
        let state = State {
            dice,
            mood: Mood::Takes,
            gone: BTreeSet::new(),
            full: BTreeSet::new(),
            seen: BTreeMap::new(),
        };
        Self {
            time,
            chronicle,
            truth: truth.clone(),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// From here on it is like this.
    pub fn set_mood(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// A mailbox is no more: what is sent there is refused for good.
    pub fn close(&self, address: String) {
        self.state().gone.insert(address);
    }

    /// A mailbox is full: what is sent there is to be tried again.
    pub fn fill(&self, address: String) {
        self.state().full.insert(address);
    }

    /// Every mailbox is there again and has room.
    pub fn reopen_all(&self) {
        let mut state = self.state();
        state.gone.clear();
        state.full.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, letter: &Letter, address: &str) -> Outcome {
        let mut facts = self.truth.facts();
        let delivered = facts.delivered.entry(letter.entry).or_default();
        delivered.insert(address.to_owned());
        self.chronicle.note("mail taken", letter.kind);
        Outcome::Accepted
    }

    fn refuse(&self, letter: &Letter, address: &str) -> Outcome {
        let mut facts = self.truth.facts();
        let bounced = facts.bounced.entry(letter.entry).or_default();
        bounced.insert(address.to_owned());
        self.chronicle
            .note("fault: mail refused for good", letter.kind);
        Outcome::Refused("550 no such mailbox".into())
    }

    fn defer(&self, why: &str) -> Outcome {
        self.chronicle.count(&format!("fault: mail {why}"));
        Outcome::Later(why.into())
    }
}

impl Post for MailServer {
    fn deliver(&self, letter: &Letter, _: Time) -> Outcome {
        let Reach::Mail(address) = &letter.reach else {
            return Outcome::Refused("no mail address".into());
        };
        let mut state = self.state();
        let now = self.time.now();
        let first = *state.seen.entry(letter.id).or_insert(now);
        let mood = state.mood;
        match mood {
            Mood::Down => self.defer("server down"),
            _ if state.gone.contains(address) => self.refuse(letter, address),
            _ if state.full.contains(address) => self.defer("mailbox full"),
            Mood::Greylists if now < first.after(GREY) => self.defer("greylisted"),
            Mood::LosesAnswers if state.dice.chance(500) => {
                self.take(letter, address);
                self.defer("answer lost")
            }
            _ => self.take(letter, address),
        }
    }
}

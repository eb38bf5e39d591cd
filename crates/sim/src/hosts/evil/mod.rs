//! Whoever has root on the gate's host: the journal's key, its disk, and everything that people send.
//!
//! It journals what it likes, shows different readers different things, and leaves out what it does not
//! like. It has nobody else's key.

mod cosigning;
mod faces;
mod misdeed;
mod requests;
mod retired;

pub use misdeed::Misdeed;

use super::Common;
use crate::clock::SimClock;
use crate::dice::{Dice, SharedDice};
use crate::disk::SimDisk;
use crate::forgery;
use faces::{Face, Fork};
use portcullis_core::board::Posting;
use portcullis_core::signature::Strict;
use portcullis_core::statement::SignedStatement;
use portcullis_core::{Body, Entry, ReadEntry, State, Time};
use portcullis_host::{Clock as _, Disk, Http, Reply};
use portcullis_journal::{Directory, Journal, View};
use std::sync::Arc;

/// Whoever has taken the gate over.
pub struct Evil {
    common: Common,
    clock: SimClock,
    /// How it answers.
    dice: Dice,
    http: Arc<dyn Http>,
    journal: Journal<Directory>,
    /// What the journal says.
    pub(crate) state: State,
    /// Postings that people sent and that are not journaled.
    pub(crate) captured: Vec<Posting>,
    /// Acts that were journaled, with what came with them.
    pub(crate) journaled: Vec<Posting>,
    statements: Vec<SignedStatement>,
    known: Vec<u64>,
    newest: Option<Vec<u8>>,
    older: Option<Vec<u8>>,
    face: Face,
    fork: Option<Fork>,
    /// Fewer entries, under whatever cosignatures could be had for them.
    shrunk: Option<Vec<u8>>,
    /// A checkpoint that only those of before speak for.
    retired: Option<Vec<u8>>,
    /// It goes on with the journal's old key.
    signs_as_before: bool,
    is_broken: bool,
    /// It begins with what might pass.
    is_patient: bool,
    void_before: u64,
}

impl Evil {
    pub(in crate::hosts) fn open(
        common: &Common,
        disk: &SimDisk,
        clock: &SimClock,
        http: &Arc<dyn Http>,
    ) -> Option<Self> {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        let random = Arc::new(SharedDice::new(common.dice.of("evil")));
        let (store, recovered) = Directory::open(Arc::clone(&disk), 48 * 1024, random).ok()?;
        let journal = Journal::open(store, &recovered, disk, 0).ok()?;
        let mut evil = Self {
            common: common.clone(),
            clock: clock.clone(),
            dice: common.dice.of("evil answers"),
            http: Arc::clone(http),
            state: State::new(common.world.network.clone()),
            captured: Vec::new(),
            journaled: Vec::new(),
            statements: Vec::new(),
            known: vec![0; common.witnesses()],
            newest: None,
            older: None,
            face: Face::Whole,
            fork: None,
            shrunk: None,
            retired: None,
            signs_as_before: false,
            is_broken: false,
            is_patient: common.time.now().0.is_multiple_of(2),
            void_before: 0,
            journal,
        };
        let size = evil.journal.head().size;
        let entries = evil.view().entries(0..size, usize::MAX).ok()?;
        for bytes in &entries {
            evil.learn(bytes);
        }
        evil.void_before = evil.state.facts().void_entries;
        Some(evil)
    }

    fn learn(&mut self, bytes: &[u8]) {
        self.state.apply(bytes, &Strict);
        if let Ok(entry) = Entry::from_bytes(bytes)
            && let Body::Act(submission) = entry.body
        {
            let (act, evidence) = (submission.act, submission.evidence);
            self.journaled.push(Posting { act, evidence });
        }
    }

    /// What can be read of the journal.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        self.journal.view()
    }

    pub(crate) fn now(&self) -> Time {
        self.clock.now().max(self.state.facts().time)
    }

    /// What it does next.
    pub fn choose(&self, dice: &mut Dice) -> Option<Misdeed> {
        if self.common.has_handovers && dice.chance(200) {
            dice.weighed(&Misdeed::HANDOVERS)
        } else if self.is_patient && self.state.facts().void_entries == self.void_before {
            dice.weighed(&Misdeed::QUIET)
        } else {
            dice.weighed(&Misdeed::WEIGHED)
        }
    }

    /// Do it, if there is anything to do it with.
    pub fn commit(&mut self, misdeed: Misdeed, dice: &mut Dice) -> bool {
        let done = match misdeed {
            Misdeed::ShowAll => self.show(Face::Whole),
            Misdeed::ShowOld => self.show(Face::Old),
            Misdeed::ShowFork => self.begin_fork(dice) && self.show(Face::Fork),
            Misdeed::ShowShorter => self.show(Face::Shorter),
            Misdeed::ShowShrunk => self.show(Face::Shrunk),
            Misdeed::ShowWrongEntries => self.show(Face::Wrong),
            Misdeed::ShowNothing => self.show(Face::Nothing),
            Misdeed::ShowRetired => self.show_retired(dice),
            Misdeed::RetiredCheckpoint => self.enter_retired(dice),
            Misdeed::OldLogKey => self.change_log_key(),
            Misdeed::Statements => self.take_statements(),
            Misdeed::Checkpoint => {
                let note = self.newest.clone();
                note.is_some_and(|note| self.enter(Body::Checkpoint(note)))
            }
            _ => match forgery::forge(self, misdeed, dice) {
                Some(bytes) => self.append(bytes),
                None => false,
            },
        };
        if done {
            let name = format!("misdeed: {misdeed:?}");
            self.common.chronicle.note(&name, self.journal.head().size);
        }
        done
    }

    fn take_statements(&mut self) -> bool {
        let statements = std::mem::take(&mut self.statements);
        let mut any = false;
        for signed in statements {
            if self.state.accepts(&signed, &Strict) && self.state.is_news(&signed) {
                any |= self.enter(Body::Statement(Box::new(signed)));
            }
        }
        any
    }

    fn enter(&mut self, body: Body) -> bool {
        let (read, bytes) = ReadEntry::written(Entry::new(self.now(), body));
        // Nothing honest is void.
        self.state.judge(&read, &Strict).is_ok() && self.append(bytes)
    }

    fn append(&mut self, bytes: Vec<u8>) -> bool {
        let room = self.journal.make_room(bytes.len() as u64, 1).is_ok();
        if self.is_broken || !room {
            return false;
        }
        let copy = bytes.clone();
        if self.journal.append(vec![bytes]).is_err() {
            // The outcome is unknown; a thief would start anew as well.
            self.is_broken = true;
            return false;
        }
        self.learn(&copy);
        true
    }
}

fn ok(body: Vec<u8>) -> Reply {
    Reply { status: 200, body }
}

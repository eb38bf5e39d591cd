//! The sequencer: the one place where entries get their order and their time.
//!
//! A batch goes: make room; apply each entry; append with one fdatasync; answer. Applying comes
//! first, so that what cannot be decided is refused before it is written. If the append then fails,
//! the outcome is unknown: the process stops and recovers by reading the journal, the normal path.

mod batch;
mod checkpoints;
mod tick;

use crate::fees::FeeTable;
use crate::index::Index;
use crate::published::{Published, Witnessed};
use batch::Batch;
use checkpoints::Checkpoints;
use portcullis_core::board::Posting;
use portcullis_core::genesis::MAX_GENESIS;
use portcullis_core::statement::SignedStatement;
use portcullis_core::{Decision, Digest, Evidence, Reason, Span, State, Time, codec};
use portcullis_journal::{Journal, Store, StoreError, View};
use portcullis_keys::Memo;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::oneshot;

/// Most acts in one batch.
pub const MAX_BATCH: usize = 256;
/// How old the newest quorum cosignature may be for acts that loosen.
const WITNESSES_FRESH: Span = Span::seconds(10);

/// Something for the journal, and where its outcome goes.
#[derive(Debug)]
pub struct Command {
    /// What.
    pub what: What,
    /// Answered once the entry is durable, or at once with the refusal.
    pub reply: oneshot::Sender<Outcome>,
}

/// What is to be journaled.
#[derive(Debug)]
pub enum What {
    /// An act with its evidence.
    Act(Box<Posting>),
    /// More evidence for a held act.
    Evidence(Digest, Box<Evidence>),
    /// Keepers' statements.
    Statements(Vec<SignedStatement>),
}

/// Bytes that an entry has beside what was sent: time, decision, plan.
const SMALL: u64 = 4096;

impl What {
    /// The most bytes that its entry can have.
    fn most_bytes(&self) -> u64 {
        let sent = match self {
            Self::Act(posting) => codec::encode(&**posting).len(),
            Self::Evidence(_, evidence) => codec::encode(&**evidence).len(),
            Self::Statements(all) => codec::encode(all).len(),
        };
        sent as u64 + SMALL * self.most_entries()
    }

    /// The most entries that it can come to: evidence may be followed by a settlement.
    fn most_entries(&self) -> u64 {
        match self {
            Self::Act(_) => 1,
            Self::Evidence(..) => 2,
            Self::Statements(all) => all.len() as u64,
        }
    }
}

/// What became of a command.
pub type Outcome = Result<Taken, Reason>;

/// A durable entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its index; of several the newest; where nothing new was said, the journal's size.
    pub entry: u64,
    /// Its time.
    pub time: Time,
    /// What was decided, for acts.
    pub decision: Option<Decision>,
}

/// What the sequencer's readers share.
pub struct Shared {
    state: RwLock<State>,
    index: RwLock<Index>,
    /// The newest cosigned checkpoint.
    pub published: Published,
    /// Entries, tiles, proofs.
    pub view: Arc<View>,
    /// Good signatures.
    pub memo: Memo,
    checkpoint: RwLock<Option<(Digest, u64, Time)>>,
}

impl Shared {
    /// The state after the newest applied entry.
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The index.
    pub fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest journaled checkpoint: body digest, size, oldest cosignature.
    pub fn checkpoint(&self) -> Option<(Digest, u64, Time)> {
        *self
            .checkpoint
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sequencer.
pub struct Sequencer<S> {
    journal: Journal<S>,
    shared: Arc<Shared>,
    fees: FeeTable,
    checkpoints: Checkpoints,
    last_tick: Time,
    last_bump: Time,
}

/// Why the sequencer cannot go on. The process ends; the next start reads what became of the batch.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The journal.
    #[error("{0}")]
    Journal(#[from] StoreError),
    /// The sequencer's thread panicked.
    #[error("the sequencer has panicked; what it acknowledged is durable. Start the gate again")]
    Panicked,
}

impl<S: Store> Sequencer<S> {
    /// Take up where the journal ends, with the state and index that its entries give.
    #[must_use]
    pub fn new(journal: Journal<S>, state: State, index: Index, fees: FeeTable) -> Self {
        let shared = Arc::new(Shared {
            state: RwLock::new(state),
            index: RwLock::new(index),
            published: Published::new(),
            view: journal.view(),
            memo: Memo::default(),
            checkpoint: RwLock::new(None),
        });
        let size = journal.head().size;
        let (last_tick, last_bump) = (Time(0), Time(0));
        let checkpoints = Checkpoints::new(size);
        Self {
            journal,
            shared,
            fees,
            checkpoints,
            last_tick,
            last_bump,
        }
    }

    /// What readers share.
    #[must_use]
    pub fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Write genesis as entry 0 where the journal is empty.
    pub fn begin(&mut self, now: Time) -> Result<(), Stop> {
        if self.journal.head().size > 0 {
            return Ok(());
        }
        let most = MAX_GENESIS as u64 + SMALL;
        let mut batch = self
            .open_batch(now, most, 1)?
            .map_err(|_| StoreError::Full)?;
        batch.genesis();
        self.close(batch)
    }

    /// Journal commands, what has come due by itself, and the newest cosigned checkpoint.
    pub fn step(&mut self, commands: Vec<Command>, now: Time) -> Result<(), Stop> {
        let newest = self.shared.published.newest();
        let due = self.due(now);
        let checkpoint = newest.clone().filter(|newest| {
            let busy = !commands.is_empty() || !due.is_empty();
            self.checkpoints.is_wanted(newest, busy, now)
        });
        let bumps = self.bumps(now);
        if commands.is_empty() && due.is_empty() && bumps.is_empty() && checkpoint.is_none() {
            return Ok(());
        }
        // Room for the largest that these can become, asked before anything is applied.
        let others = (due.len() + bumps.len()) as u64;
        let asked: u64 = commands
            .iter()
            .map(|command| command.what.most_bytes())
            .sum();
        let note = checkpoint
            .as_ref()
            .map_or(0, |witnessed| witnessed.note.len());
        let most = asked + others * SMALL + note as u64 + SMALL;
        let asked: u64 = commands
            .iter()
            .map(|command| command.what.most_entries())
            .sum();
        let entries = asked + others + 1;
        let mut batch = match self.open_batch(now, most, entries)? {
            Ok(batch) => batch,
            Err(reason) => {
                for command in commands {
                    // Whoever asked may have gone.
                    let _ = command.reply.send(Err(reason));
                }
                return Ok(());
            }
        };
        if let Some(witnessed) = &checkpoint {
            batch.checkpoint(witnessed);
        }
        let fresh = newest.is_some_and(|newest| now.since(newest.oldest) <= WITNESSES_FRESH);
        for digest in due {
            batch.settle(digest, fresh);
        }
        for command in commands {
            batch.command(command, fresh);
        }
        for (act, plan) in bumps {
            batch.replace(act, plan, fresh);
        }
        self.close(batch)
    }

    fn open_batch(
        &mut self,
        now: Time,
        bytes: u64,
        entries: u64,
    ) -> Result<Result<Batch, Reason>, Stop> {
        match self.journal.make_room(bytes, entries) {
            Ok(()) => Ok(Ok(Batch::new(
                Arc::clone(&self.shared),
                self.fees.clone(),
                now,
            ))),
            Err(StoreError::Full) => Ok(Err(Reason::JournalFull)),
            Err(error) => Err(error.into()),
        }
    }

    /// Append what was applied, then answer.
    fn close(&mut self, batch: Batch) -> Result<(), Stop> {
        let first = self.journal.head().size;
        let (entries, checkpoint, replies) = batch.finish();
        let count = entries.len() as u64;
        if count > 0 {
            // Crash before this: nothing was acknowledged. After it: the entries stand, and whoever
            // asks again under the act's digest learns so.
            self.journal.append(entries)?;
        }
        if let Some(witnessed) = &checkpoint {
            self.note_checkpoint(witnessed);
        }
        let plain_from = first + u64::from(checkpoint.is_some());
        self.checkpoints
            .appended(plain_from..first + count, checkpoint.as_ref());
        for (reply, outcome) in replies {
            let _ = reply.send(outcome);
        }
        Ok(())
    }

    fn note_checkpoint(&self, witnessed: &Witnessed) {
        let Some(body) = body_digest(&witnessed.note) else {
            return;
        };
        let mut newest = self
            .shared
            .checkpoint
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *newest = Some((body, witnessed.head.size, witnessed.oldest));
    }

    /// Size and root to be cosigned.
    #[must_use]
    pub fn head(&self) -> portcullis_tlog::TreeHead {
        self.journal.head()
    }
}

/// SHA-256 of a note's text.
#[must_use]
pub fn body_digest(note: &[u8]) -> Option<Digest> {
    let note = portcullis_tlog::Note::parse(note).ok()?;
    Some(Digest::plain(note.text().as_bytes()))
}

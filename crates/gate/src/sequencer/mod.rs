//! The sequencer: the one place where entries get their order and their time.
//!
//! A batch goes: make room; apply each entry; append with one fdatasync; answer. Applying comes
//! first, so that what cannot be decided is refused before it is written. If the append then fails,
//! the outcome is unknown: the process stops and recovers by reading the journal, the normal path.

mod batch;
mod checkpoints;
mod pace;
mod tick;
mod waiting;

use crate::fees::FeeTable;
use crate::index::Index;
use crate::published::{Published, Witnessed};
use batch::{Batch, Finished};
use checkpoints::Checkpoints;
use pace::Pace;
use portcullis_core::board::Posting;
use portcullis_core::decide::payment::spend::MAX_SPEND;
use portcullis_core::decide::{Cosigned, Decided, settle_with};
use portcullis_core::genesis::MAX_GENESIS;
use portcullis_core::statement::SignedStatement;
use portcullis_core::{Decision, Digest, Evidence, Reason, Span, State, Time, codec};
use portcullis_journal::{Journal, Store, StoreError, View};
use portcullis_keys::Memo;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use tokio::sync::oneshot;
use waiting::Waiting;

/// Most acts in one batch.
pub const MAX_BATCH: usize = 256;
/// Most acts of customers that may wait. Staff's always find room: they end what others wait for.
const MAX_HELD: usize = 100_000;
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
    /// A keeper's statement.
    Statement(Box<SignedStatement>),
}

/// Bytes that an entry has beside what was sent: time, decision, plan.
const SMALL: u64 = 4096;

impl What {
    /// The most bytes that its entry can have.
    fn most_bytes(&self) -> u64 {
        let sent = match self {
            Self::Act(posting) => codec::encode(&**posting).len(),
            Self::Evidence(_, evidence) => codec::encode(&**evidence).len(),
            Self::Statement(signed) => codec::encode(&**signed).len(),
        };
        sent as u64 + SMALL
    }
}

/// When the witnesses were heard of last, which says what may be journaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Witnesses {
    /// Not since the start: restricting acts only. Each bears out the clock by itself, for it counts
    /// only before it expires; a statement says nothing of time.
    Unheard,
    /// Too long ago for what loosens.
    Stale,
    /// Just now.
    Fresh,
}

impl Witnesses {
    fn at(now: Time, newest: Option<&Witnessed>) -> Self {
        match newest {
            None => Self::Unheard,
            Some(newest) if now.since(newest.oldest) > WITNESSES_FRESH => Self::Stale,
            Some(_) => Self::Fresh,
        }
    }
}

/// What became of a command.
pub type Outcome = Result<Taken, Reason>;

/// A durable entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its index; for a statement that said nothing new, the journal's size.
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
    refusals: AtomicU64,
    /// The label sets that acts have named since the start.
    named_sets: Mutex<BTreeSet<Digest>>,
}

impl Shared {
    /// Over a journal, with the state and index that its entries give.
    #[must_use]
    pub fn new(view: Arc<View>, state: State, index: Index) -> Self {
        Self {
            state: RwLock::new(state),
            index: RwLock::new(index),
            published: Published::new(),
            view,
            memo: Memo::default(),
            checkpoint: RwLock::new(None),
            refusals: AtomicU64::new(0),
            named_sets: Mutex::default(),
        }
    }

    /// Count a refusal that nobody was authenticated for: such are not journaled.
    pub fn count_refusal(&self) {
        self.refusals.fetch_add(1, Ordering::Relaxed);
    }

    /// How many refusals were counted.
    pub fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Relaxed)
    }

    /// Whether an act has named the label set since the start.
    pub(crate) fn is_named(&self, set: Digest) -> bool {
        let named = self.named_sets.lock();
        named.unwrap_or_else(PoisonError::into_inner).contains(&set)
    }

    /// An act names the label set: its bytes are needed for ever.
    pub(crate) fn name_set(&self, set: Digest) {
        let named = self.named_sets.lock();
        named.unwrap_or_else(PoisonError::into_inner).insert(set);
    }

    /// The state after the newest applied entry.
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ask the core something. A panic in it refuses the question and stops nothing else.
    pub fn guarded<T>(&self, ask: impl FnOnce(&State) -> T) -> Result<T, Reason> {
        catch_unwind(AssertUnwindSafe(|| ask(&self.state()))).map_err(|_| Reason::Panicked)
    }

    /// What a held act would come to now, behind the newest cosigned checkpoint: the batch that settles it is
    /// led by that where the journaled one is too old to say how far delays have run.
    pub(crate) fn settle(&self, act: Digest, now: Time) -> Result<Decided, Reason> {
        let next = self.newest_cosigned();
        self.guarded(|state| settle_with(state, next, act, state.facts().time.max(now)))
    }

    /// The newest cosigned checkpoint, which leads a batch where an act names it.
    #[must_use]
    pub(crate) fn newest_cosigned(&self) -> Option<Cosigned> {
        let newest = self.published.newest()?;
        let (body, oldest) = (body_digest(&newest.note)?, newest.oldest);
        Some(Cosigned { body, oldest })
    }

    /// The index. Whoever needs state beside it takes the index first, as the sequencer does.
    pub fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest checkpoint that was journaled since the start: body digest, size, oldest cosignature.
    pub fn checkpoint(&self) -> Option<(Digest, u64, Time)> {
        *self
            .checkpoint
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The newest that the journal has, from whatever time, as long as state knows it.
    pub fn journaled_checkpoint(&self) -> Option<(Digest, u64, Time)> {
        let state = self.state();
        let origin = state.network().log().name().clone();
        let head = state.facts().log.checkpointed();
        let checkpoint = portcullis_tlog::Checkpoint::new(origin, head);
        let body = Digest(*checkpoint.body_digest().as_bytes());
        let oldest = *state.facts().checkpoints.get(&body)?;
        Some((body, head.size, oldest))
    }
}

/// The sequencer.
pub struct Sequencer<S> {
    journal: Journal<S>,
    shared: Arc<Shared>,
    fees: FeeTable,
    checkpoints: Checkpoints,
    pace: Pace,
    waiting: Waiting,
    most_held: usize,
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
        let waiting = Waiting::new(&state);
        let shared = Arc::new(Shared::new(journal.view(), state, index));
        let size = journal.head().size;
        let (last_tick, last_bump) = (Time(0), Time(0));
        let checkpoints = Checkpoints::new(size);
        Self {
            journal,
            shared,
            fees,
            checkpoints,
            pace: Pace::default(),
            waiting,
            most_held: MAX_HELD,
            last_tick,
            last_bump,
        }
    }

    /// Keep at most so many acts of customers waiting.
    #[must_use]
    pub fn keeping(mut self, most_held: usize) -> Self {
        self.most_held = most_held;
        self
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
        let witnesses = Witnesses::at(now, newest.as_ref());
        let time = self
            .pace
            .step(now, newest.as_ref().map(|newest| newest.newest));
        // Nothing comes due by itself before the clock has been held against anything.
        let heard = witnesses != Witnesses::Unheard;
        let due = if heard { self.due(time) } else { Vec::new() };
        let named = self.is_named(&commands);
        let bumps = if heard { self.bumps(time) } else { Vec::new() };
        let busy = !commands.is_empty() || !due.is_empty() || !bumps.is_empty();
        let handing_over = self.shared.state().handing_over();
        let checkpoint = newest.filter(|newest| {
            let is_handover = handing_over == Some(newest.head.size);
            self.checkpoints.is_wanted(newest, busy, time) || named || is_handover
        });
        if commands.is_empty() && due.is_empty() && bumps.is_empty() && checkpoint.is_none() {
            return Ok(());
        }
        // Room for the largest that these can become, asked before anything is applied. A command
        // that brings evidence may be followed by a settlement.
        let others = (due.len() + bumps.len() + commands.len()) as u64 * self.most_of_ours();
        let asked: u64 = commands
            .iter()
            .map(|command| command.what.most_bytes())
            .sum();
        let note = checkpoint
            .as_ref()
            .map_or(0, |witnessed| witnessed.note.len());
        let most = asked + others + note as u64 + SMALL;
        let entries = (due.len() + bumps.len() + 2 * commands.len() + 1) as u64;
        let mut batch = match self.open_batch(time, most, entries)? {
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
        let fresh = witnesses == Witnesses::Fresh;
        for digest in due {
            batch.settle(digest, fresh);
        }
        for command in commands {
            batch.command(command, witnesses);
        }
        for (act, plan) in bumps {
            batch.replace(act, plan, fresh);
        }
        self.close(batch)
    }

    /// The most bytes of an entry that the gate makes by itself, beside what was sent: plans from coins are long.
    fn most_of_ours(&self) -> u64 {
        let state = self.shared.state();
        let mut wallets = state.network().genesis().wallets.iter();
        let plan = wallets.any(|wallet| wallet.bitcoin.is_some());
        SMALL + if plan { MAX_SPEND as u64 } else { 0 }
    }

    /// Whether a posting of a stop board names the newest cosigned checkpoint and the journal does not
    /// have it: an idle journal would not have it for long.
    fn is_named(&self, commands: &[Command]) -> bool {
        let Some(newest) = self.shared.newest_cosigned() else {
            return false;
        };
        let names = |command: &Command| {
            matches!(&command.what, What::Act(posting)
                if posting.evidence.posted.is_some() && posting.act.checkpoint == newest.body)
        };
        let is_new = || {
            let state = self.shared.state();
            !state.facts().checkpoints.contains_key(&newest.body)
        };
        commands.iter().any(names) && is_new()
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
                self.most_held,
                now,
            ))),
            Err(StoreError::Full) => Ok(Err(Reason::JournalFull)),
            Err(error) => Err(error.into()),
        }
    }

    /// Append what was applied, then answer.
    fn close(&mut self, batch: Batch) -> Result<(), Stop> {
        let first = self.journal.head().size;
        let Finished {
            time,
            entries,
            changes,
            checkpoint,
            replies,
        } = batch.finish();
        for change in &changes {
            self.waiting.note(change, time);
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_host::{Disk, SystemRandom};
    use portcullis_journal::Directory;
    use portcullis_keeper::testkit::{CrashDisk, World};
    use std::collections::BTreeMap;

    #[test]
    fn a_question_that_makes_the_core_panic_is_refused_and_the_next_one_answered() {
        let disk: Arc<dyn Disk> = Arc::new(CrashDisk::default());
        let (store, recovered) =
            Directory::open(Arc::clone(&disk), 24 * 1024, Arc::new(SystemRandom)).unwrap();
        let journal = Journal::open(store, &recovered, disk, 0).unwrap();
        let state = State::new(World::new().network);
        let fees = FeeTable::new(&BTreeMap::new());
        let shared = Sequencer::new(journal, state, Index::default(), fees).shared();
        let refused = shared.guarded(|_| -> u64 { panic!("as a fault in the core would") });
        assert_eq!(refused, Err(Reason::Panicked));
        assert_eq!(shared.guarded(State::size), Ok(0));
    }
}

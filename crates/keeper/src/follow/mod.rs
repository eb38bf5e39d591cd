//! Following the journal: a replica that only a quorum of witnesses moves.
//!
//! A gate is asked for entries and believed in nothing. Entries are hashed as they come and held
//! aside; they reach the replica once the root that they lead to is the root of a checkpoint that the
//! log signed and a quorum cosigned. So the replica stands at a cosigned checkpoint at every moment,
//! and what a lying gate shows is dropped without having been applied.

mod ahead;
mod heads;
mod labels;
mod tiles;

pub use heads::{Breach, FRESH, Heads, SKEW};

use crate::machine::Machine;
use ahead::{Ahead, Shown};
use labels::Fetching;
use portcullis_core::apply::Applied;
use portcullis_core::codec::CodecError;
use portcullis_core::entry::Entry;
use portcullis_core::follow::{FollowAnswer, MAX_ANSWER};
use portcullis_core::state::keys::Handover;
use portcullis_core::{Act, Body, Digest, ReadEntry, Span, State, Time};
use portcullis_host::HttpError;
use portcullis_keys::Memo;
use portcullis_tlog::{
    CheckpointError, Cosigned, CosignedError, ReadCheckpoint, SignatureError, TreeHead,
};
use std::sync::Arc;
use std::time::Duration;

/// How long an answer may take beyond the wait that was asked for.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often wrong entries are looked into.
const DIAGNOSE_EVERY: Span = Span::seconds(10);

/// A replica and what it was confirmed by.
pub struct Follower {
    machine: Machine,
    gate: String,
    state: State,
    heads: Heads,
    ahead: Ahead,
    floor: Option<Floor>,
    memo: Arc<Memo>,
    diagnosed: Time,
    /// Heads from before a restart that the replica has not come to: their sizes and notes.
    recalled: Vec<(u64, Vec<u8>)>,
    fetching: Fetching,
}

/// How far this keeper has checked every signature itself, before it started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Entries.
    pub size: u64,
    /// The running digest of effects that they led to.
    pub effects: Digest,
}

/// An entry that was applied.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The entry, where its bytes are one.
    pub entry: Option<Entry>,
    /// What it did.
    pub applied: Applied,
    /// Whether it lies below the own mark: this keeper has judged it before, and this time its signatures
    /// were not looked at, so that nothing may be concluded from what it did.
    pub again: bool,
    /// The held act that it settles: afterwards state does not know it any more.
    pub settles: Option<Act>,
}

/// Why a look at the gate brought nothing. None of these is an alarm: the replica stays where it was,
/// and its cosignatures grow stale, which stops the keeper by itself.
#[derive(Debug, thiserror::Error)]
pub enum FollowFault {
    /// No answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Another status than 200.
    #[error("the gate answered with status {0}")]
    Status(u16),
    /// Not an answer.
    #[error("the gate's answer cannot be read: {0}")]
    Codec(#[from] CodecError),
    /// Its checkpoint is not this log's, or a quorum has not cosigned it.
    #[error("the gate's checkpoint: {0}")]
    Checkpoint(#[from] CosignedError),
    /// Entries from elsewhere than asked for, or beyond the checkpoint.
    #[error("the gate answered another question: entries from {from}, wanted from {wanted}")]
    OtherEntries {
        /// Where they begin.
        from: u64,
        /// Where they should.
        wanted: u64,
    },
    /// The entries do not lead to the cosigned root. They are dropped and asked for again.
    #[error("the gate's entries do not lead to the cosigned root at size {size}; asked again")]
    WrongEntries {
        /// Where they should have.
        size: u64,
    },
    /// Other bytes than those of the label set that was asked for. They are dropped and asked for again.
    #[error(
        "the gate's bytes for the label set {0} are others, or too many; asked again. Nothing is decided \
         without it"
    )]
    Labels(Digest),
    /// The witnesses say what cannot be.
    #[error("the journal is broken: {0:?}")]
    Breach(Breach),
    /// What this keeper had checked before leads elsewhere now, or to others who speak for the journal. It
    /// has to begin again from its snapshot, checking everything.
    #[error(
        "entries below the own mark hand the journal over, or do not lead to the mark's digest of effects; \
         read again strictly"
    )]
    Diverged,
}

impl From<Breach> for FollowFault {
    fn from(breach: Breach) -> Self {
        Self::Breach(breach)
    }
}

impl Follower {
    /// Follow the gate at this URL from a state that this keeper trusts: a new one, or its own
    /// snapshot. `memo` says which signatures hold; the keeper's own are in it.
    #[must_use]
    pub fn new(
        machine: Machine,
        gate: String,
        state: State,
        floor: Option<Floor>,
        memo: Arc<Memo>,
    ) -> Self {
        let floor = floor.filter(|floor| floor.size > state.size());
        let ahead = Ahead::behind(state.facts().log.frontier().clone());
        Self {
            machine,
            gate,
            state,
            heads: Heads::default(),
            ahead,
            floor,
            memo,
            diagnosed: Time(0),
            recalled: Vec::new(),
            fetching: Fetching::default(),
        }
        .looking_ahead()
    }

    /// Remember a head from before a restart: the replica is behind until it has reached it, and nothing is
    /// acted by so long. It is judged once the replica knows of those who signed it, who may have taken over
    /// since.
    pub fn recall(&mut self, note: &[u8]) -> Result<(), Breach> {
        let head = match self.state.cosigned(note) {
            Ok(head) => Some(head),
            Err(error) if is_of_others(&error) => None,
            Err(_) => return Ok(()),
        };
        let read = ReadCheckpoint::parse(note);
        let size = read.map_or(0, |read| read.claimed().size);
        if size > self.state.size() {
            self.recalled.push((size, note.to_vec()));
        }
        head.map_or(Ok(()), |head| self.see(head))
    }

    /// Ask the gate once, letting it wait for news, and apply what a quorum confirms.
    pub fn step(&mut self, wait: Duration) -> Result<Vec<Seen>, FollowFault> {
        if self.fetch_labels()? {
            return Ok(Vec::new());
        }
        let answer = self.ask(wait)?;
        let head = self.state.cosigned(&answer.checkpoint)?;
        let size = head.head().size;
        self.see(head)?;
        self.take_in(answer, size)?;
        self.confirm()
    }

    fn ask(&self, wait: Duration) -> Result<FollowAnswer, FollowFault> {
        let (from, ms) = (self.ahead.next(), wait.as_millis());
        let url = format!("{}/log/follow?from={from}&wait={ms}", self.gate);
        let reply = self
            .machine
            .http
            .get(&url, &[], MAX_ANSWER as u64, wait + PATIENCE)?;
        if reply.status != 200 {
            return Err(FollowFault::Status(reply.status));
        }
        Ok(FollowAnswer::from_bytes(&reply.body)?)
    }

    fn see(&mut self, head: Cosigned) -> Result<(), Breach> {
        if self.is_of_the_retired(head.head().size) {
            return Ok(());
        }
        let ours = self.state.facts().log.head();
        if head.head().size == ours.size && head.head() != ours {
            let theirs = head.head();
            return Err(Breach::Fork { ours, theirs });
        }
        let theirs = head.head();
        self.heads.see(head)?;
        if theirs.size > ours.size {
            self.heads.await_too(theirs);
        }
        if self.heads.open().any(|open| open == ours) {
            self.heads.reach(ours, |_| Some(ours.root))?;
        }
        Ok(())
    }

    /// Whether only those whom others have replaced could have signed this size, and the journal is known to be
    /// longer. Their word says nothing any more: it is no fork, and it cuts nothing.
    fn is_of_the_retired(&self, size: u64) -> bool {
        let newest = self.heads.newest().map(|newest| newest.head().size);
        let known = self.state.size().max(newest.unwrap_or(0));
        let last = self.state.handovers().last().map(Handover::last);
        last.is_some_and(|last| size <= last && known > last)
    }

    fn take_in(&mut self, answer: FollowAnswer, size: u64) -> Result<(), FollowFault> {
        let wanted = self.ahead.next();
        let end = answer.from.checked_add(answer.entries.len() as u64);
        let fits = answer.from == wanted && end.is_some_and(|end| end <= size);
        if !fits && !answer.entries.is_empty() {
            self.drop_ahead();
            return Err(FollowFault::OtherEntries {
                from: answer.from,
                wanted,
            });
        }
        for entry in answer.entries {
            let heads = &self.heads;
            let is_cosigned = |head: TreeHead| heads.open().any(|open| open == head);
            match self.ahead.push(entry.into(), is_cosigned) {
                Shown::Taken => {}
                Shown::Arrived => break,
                Shown::TooMuch => {
                    self.drop_ahead();
                    return Err(FollowFault::WrongEntries { size });
                }
            }
        }
        Ok(())
    }

    /// Apply up to the largest size that a cosigned root confirms.
    fn confirm(&mut self) -> Result<Vec<Seen>, FollowFault> {
        let Some(head) = self.confirmed() else {
            return self.give_up_or_wait();
        };
        // Another cosigned head on the way with another root: a fork, proven. Nothing is applied.
        let ahead = &self.ahead;
        self.heads.reach(head, |size| ahead.root_at(size))?;
        let entries = self.ahead.take_to(head.size);
        self.apply_all(&entries)
    }

    /// Apply what a root confirms. With a rotation of the witnesses, or of the journal's key, that root's
    /// signatures end to count: what follows is confirmed by others, and fetched again.
    fn apply_all(&mut self, entries: &[Vec<u8>]) -> Result<Vec<Seen>, FollowFault> {
        let (known, mut seen) = (self.state.handovers().len(), Vec::new());
        for bytes in entries {
            let read = ReadEntry::from_bytes(bytes);
            if !self.has_labels_for(&read) {
                // What is left is asked for again once the set is there.
                self.ahead = Ahead::behind(self.state.facts().log.frontier().clone());
                break;
            }
            seen.push(self.apply(read)?);
            let size = self.state.size();
            self.recalled.retain(|(recalled, _)| *recalled > size);
            if self.state.handovers().len() > known {
                self.turn();
                break;
            }
        }
        Ok(seen)
    }

    /// Others speak for the journal from here on.
    fn turn(&mut self) {
        let size = self.state.size();
        tracing::info!(
            size,
            log = %self.state.signatories_at(u64::MAX).log(),
            "a rotation has put other witnesses, or another key of the journal, in force: longer journals \
             count by them"
        );
        self.ahead = Ahead::behind(self.state.facts().log.frontier().clone());
        self.heads.turn(self.state.size());
        // What is its own is not forgotten with what it was shown.
        for (_, note) in std::mem::take(&mut self.recalled) {
            // Its own files do not contradict each other; were they to, following on would show it.
            let _ = self.recall(&note);
        }
    }

    fn confirmed(&mut self) -> Option<TreeHead> {
        if self.ahead.is_scouting() {
            return None;
        }
        if let Some(stone) = self.ahead.stone() {
            return (self.ahead.root_at(stone.size) == Some(stone.root)).then_some(stone);
        }
        let next = self.ahead.next();
        let mut largest_first = self.heads.open().rev();
        let is_ours = |head: &TreeHead| self.ahead.root_at(head.size) == Some(head.root);
        let outer = largest_first.find(|head| head.size <= next && is_ours(head));
        outer.or_else(|| {
            let state = &self.state;
            self.ahead
                .confirmed_within(|note| Some(state.cosigned(note).ok()?.head()))
        })
    }

    /// With every head reached and none confirmed, the entries are not the journal's.
    fn give_up_or_wait(&mut self) -> Result<Vec<Seen>, FollowFault> {
        let next = self.ahead.next();
        let largest = self.heads.open().next_back().map(|head| head.size);
        let stone = self.ahead.stone().map(|stone| stone.size);
        match stone.or(largest.filter(|size| *size <= next)) {
            Some(size) => {
                self.drop_ahead();
                Err(FollowFault::WrongEntries { size })
            }
            None => Ok(Vec::new()),
        }
    }

    fn apply(&mut self, read: ReadEntry) -> Result<Seen, FollowFault> {
        let again = self.floor.is_some();
        let settles = self.settles(&read);
        let applied = if again {
            self.apply_again(&read)?
        } else {
            self.state.apply_read(&read, self.memo.as_ref())
        };
        self.note_labels(&applied.changes);
        let entry = read.into_entry();
        Ok(Seen {
            entry,
            applied,
            again,
            settles,
        })
    }

    fn settles(&self, read: &ReadEntry) -> Option<Act> {
        let Body::Settle(settlement) = &read.entry().ok()?.body else {
            return None;
        };
        let held = self.state.facts().held.get(&settlement.act)?;
        Some(held.act.clone())
    }

    /// Apply an entry below the own mark. Who speaks for the journal is never learnt there: what an entry
    /// with a forged signature says would lead where the mark, which would find it out, is never reached.
    fn apply_again(&mut self, read: &ReadEntry) -> Result<Applied, FollowFault> {
        let known = self.state.handovers().len();
        let applied = self.state.apply_again(read);
        let is_at_mark = |floor: &Floor| floor.size == applied.index + 1;
        let is_other = |floor: Floor| floor.effects != applied.effects;
        let at_mark = self.floor.take_if(|floor| is_at_mark(floor));
        if at_mark.is_some_and(is_other) || self.state.handovers().len() > known {
            return Err(FollowFault::Diverged);
        }
        Ok(applied)
    }

    /// After wrong entries: whether they were wrong because two histories are cosigned. Asked of the
    /// gate's tiles, so not too often.
    pub fn diagnose(&mut self) -> Result<(), Breach> {
        let now = self.machine.watch.now();
        let theirs = self.heads.newest().map(Cosigned::head);
        let Some(theirs) = theirs.filter(|_| now >= self.diagnosed) else {
            return Ok(());
        };
        self.diagnosed = now.after(DIAGNOSE_EVERY);
        let ours = self.state.facts().log.head();
        tiles::diagnose(&self.machine, &self.gate, ours, theirs).map_or(Ok(()), Err)
    }

    fn drop_ahead(&mut self) {
        self.ahead.drop_shown();
    }

    /// The replica, which stands at a cosigned checkpoint.
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether everything here was checked, or leads to the digest that was: a replica that reads again
    /// up to its own mark may take in a forged entry meanwhile, and nothing acts by it.
    #[must_use]
    pub fn has_reached_mark(&self) -> bool {
        self.floor.is_none()
    }

    /// Whether an entry waits for a label set that is being fetched.
    #[must_use]
    pub const fn awaits_labels(&self) -> bool {
        self.fetching.awaits()
    }

    /// What has been cosigned.
    #[must_use]
    pub fn heads(&self) -> &Heads {
        &self.heads
    }

    /// The head to act by: the replica stands at the newest cosigned one, and its cosignatures are
    /// at most [`FRESH`].
    #[must_use]
    pub fn acting_head(&self, now: Time) -> Option<&Cosigned> {
        if self.floor.is_some() || !self.recalled.is_empty() {
            return None;
        }
        let newest = self.heads.newest()?;
        let is_at = newest.head() == self.state.facts().log.head();
        (is_at && self.heads.is_fresh(now)).then_some(newest)
    }
}

/// Whether others than those who count here may have signed a checkpoint.
fn is_of_others(error: &CosignedError) -> bool {
    let missing = CheckpointError::Signature(SignatureError::Missing);
    match error {
        CosignedError::TooFew { .. } => true,
        CosignedError::Checkpoint(fault) => *fault == missing,
        CosignedError::Witness { .. } => false,
    }
}

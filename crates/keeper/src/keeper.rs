//! A keeper put together: what it does before and after it keeps anything.

use crate::alarms::{Alarm, Alarms, Courier};
use crate::boards::{Bars, Boards, newest};
use crate::follow::{Floor, FollowFault, Follower, Seen};
use crate::latches::{Latch, LatchError, Latches, Sight};
use crate::lease::{Lease, NoLease};
use crate::machine::Machine;
use crate::statements::Statements;
use crate::stop_call::StopCall;
use portcullis_core::apply::Applied;
use portcullis_core::codec::encode;
use portcullis_core::id::{BoardId, KeeperId};
use portcullis_core::signature::PublicKey;
use portcullis_core::statement::{Condition, Says};
use portcullis_core::{Digest, Network, Span, State, Time};
use portcullis_host::{DiskError, Told};
use portcullis_journal::Snapshots;
use portcullis_journal::snapshot::Mark;
use portcullis_keys::{Memo, SignError, StatementKey};
use portcullis_tlog::Cosigned;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How many entries after the last snapshot another is written.
const SNAPSHOT_EVERY: u64 = 100_000;
/// How often a mark is, where there is anything new.
const MARK_EVERY: Span = Span::seconds(10);
/// The newest cosigned checkpoint that the replica stood at, as a note.
const CHECKPOINT: &str = "checkpoint";
/// Most statements posted in one step.
const STATEMENTS: usize = 256;

/// What a keeper is made of.
#[derive(Clone)]
pub struct KeeperParts {
    /// The machine.
    pub machine: Machine,
    /// The network, from the pinned genesis.
    pub network: Arc<Network>,
    /// Which keeper of it this is.
    pub id: KeeperId,
    /// Where the gate answers.
    pub gate: String,
    /// Where each stop board answers.
    pub boards: BTreeMap<BoardId, String>,
    /// The statement key.
    pub key: Arc<dyn StatementKey>,
    /// Whether what this kind of keeper had put into its snapshot can be read. Otherwise the whole
    /// snapshot is left aside, and all of it comes from the journal again.
    pub reads: fn(&[u8]) -> bool,
}

/// A keeper: its replica, and everything that can stop it.
pub struct Keeper {
    parts: KeeperParts,
    follower: Follower,
    boards: Boards,
    latches: Latches,
    alarms: Alarms,
    memo: Arc<Memo>,
    statements: Statements,
    stop_call: StopCall,
    snapshots: Snapshots,
    extra: Vec<u8>,
    snapshot_at: u64,
    marked: (u64, Time),
    /// Whether the gate answers.
    answers: Told<bool>,
    /// Whether it takes statements and journals none.
    ignored: Told<bool>,
}

/// Why a keeper cannot begin or go on. It stops, and recovers by opening again.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The latches.
    #[error(transparent)]
    Latches(#[from] LatchError),
    /// The statement key.
    #[error(transparent)]
    Key(#[from] SignError),
}

/// What a look at the world brought.
#[derive(Debug, Default)]
pub struct News {
    /// Whether the gate answered with anything that counts.
    pub heard: bool,
    /// Entries that were applied.
    pub seen: Vec<Seen>,
    /// The replica began again from its snapshot: what was derived from it begins again too.
    pub began_again: bool,
}

impl Keeper {
    /// Begin, or go on from the own snapshot. `recall` is a checkpoint that was acted by before: the
    /// replica is behind until it has reached it.
    pub fn open(parts: KeeperParts, recall: Option<&[u8]>) -> Result<Self, KeeperError> {
        let (machine, id, key) = (parts.machine.clone(), parts.id, parts.key.clone());
        let snapshots = Snapshots::new(Arc::clone(&machine.disk), key.clone());
        let memo = Arc::new(Memo::default());
        let (mut follower, extra) = restore(&parts, &snapshots, &memo, true)?;
        let mut latches = Latches::open(machine.clone(), id)?;
        let mut alarms = Alarms::open(machine.clone(), id)?;
        if let Some(Err(breach)) = recall.map(|note| follower.recall(note)) {
            latch(&mut latches, &mut alarms, breach.into(), follower.state());
        }
        let (state, urls) = (follower.state(), parts.boards.clone());
        // A crash may have come between a latch and its alarm.
        for latch in latches.standing(state) {
            raise(&mut alarms, latch);
        }
        let size = state.size();
        let stop_call = StopCall::new(machine.clone(), id, key.clone(), urls.clone());
        Ok(Self {
            boards: Boards::new(machine.clone(), state, &urls),
            latches,
            alarms,
            statements: Statements::new(machine, parts.gate.clone(), id, key, Arc::clone(&memo)),
            memo,
            stop_call,
            snapshots,
            follower,
            extra,
            snapshot_at: size,
            marked: (size, Time(0)),
            answers: Told::default(),
            ignored: Told::default(),
            parts,
        })
    }

    /// What the keeper of this kind had put into the snapshot that it began from.
    #[must_use]
    pub fn extra(&self) -> &[u8] {
        &self.extra
    }

    /// Look at the gate, at the boards and for a `shut`, and latch on what must not be. The gate may
    /// be waited for so long.
    pub fn look(&mut self, wait: Duration) -> Result<News, KeeperError> {
        let mut news = News::default();
        match self.follower.step(wait) {
            Ok(seen) => {
                news.heard = true;
                if self.answers.is_news(true) {
                    tracing::info!(gate = self.parts.gate, "the gate answers; following");
                }
                for seen in seen.iter().filter(|seen| !seen.again) {
                    self.judge(seen);
                }
                news.seen = seen;
            }
            Err(fault) => news.began_again = self.cope(&fault)?,
        }
        self.look_for_shut()?;
        let found = self.boards.step(&self.follower, &news.seen);
        for posting in &found.postings {
            if let Some((latch, board)) = self.stop_call.answered_by(posting) {
                self.latches.called(latch, board);
            }
        }
        for act in found.withheld {
            self.latch(Sight::Stop { act });
        }
        Ok(news)
    }

    fn cope(&mut self, fault: &FollowFault) -> Result<bool, KeeperError> {
        match fault {
            FollowFault::Breach(breach) => self.latch((*breach).into()),
            FollowFault::WrongEntries { .. } => {
                tracing::warn!(%fault, "nothing applied");
                if let Err(breach) = self.follower.diagnose() {
                    self.latch(breach.into());
                }
            }
            FollowFault::Diverged => {
                tracing::warn!(%fault, "beginning again");
                (self.follower, self.extra) =
                    restore(&self.parts, &self.snapshots, &self.memo, false)?;
                return Ok(true);
            }
            _ if self.answers.is_news(false) => {
                tracing::warn!(gate = self.parts.gate, %fault,
                    "the gate gives nothing that counts: see that it runs, is reached and is witnessed");
            }
            _ => tracing::debug!(%fault, "nothing new from the gate"),
        }
        Ok(false)
    }

    /// An entry by which money would have gone out, had it counted.
    fn judge(&mut self, seen: &Seen) {
        let Applied {
            index,
            effects,
            void,
            would_pay,
            ..
        } = &seen.applied;
        let Some(why) = void else { return };
        tracing::error!(entry = index, %why, "a void entry");
        if *would_pay {
            let (entry, effects) = (*index, *effects);
            self.latch(Sight::Release { entry, effects });
        }
    }

    fn latch(&mut self, sight: Sight) {
        let state = self.follower.state();
        latch(&mut self.latches, &mut self.alarms, sight, state);
    }

    /// The latches that the disk has not taken. A keeper that opens anew is to [`Keeper::carry`] them.
    #[must_use]
    pub fn not_durable(&self) -> Vec<Latch> {
        self.latches.not_durable()
    }

    /// Hold on to what an earlier opening of this process has latched and could not make durable.
    pub fn carry(&mut self, latches: Vec<Latch>) {
        for latch in self.latches.carry(latches) {
            raise(&mut self.alarms, &latch);
        }
    }

    /// Look whether somebody on this host has shut the keeper: before each batch, so that it needs
    /// neither gate nor network nor patience.
    pub fn look_for_shut(&mut self) -> Result<(), KeeperError> {
        if let Some(latch) = self.latches.look_for_shut(self.follower.state())? {
            raise(&mut self.alarms, &latch);
        }
        Ok(())
    }

    /// Permission to act now.
    pub fn lease(&self) -> Result<Lease, NoLease> {
        if !self.speaks() {
            return Err(NoLease::OtherKey);
        }
        let watch = &self.parts.machine.watch;
        Lease::new(&self.follower, &self.boards, &self.latches, watch)
    }

    /// Whether the key that it states with is the one in force for it: until a rotation takes effect the
    /// old one, from then on its successor.
    #[must_use]
    pub fn speaks(&self) -> bool {
        self.key_in_force().as_ref() == Some(self.parts.key.public_key())
    }

    /// The key in force, where the keeper has another one and the replica has come to the newest head that
    /// it knows, which is fresh. One that reads the journal anew comes past entries under which an earlier key
    /// was in force, and stands for a while at the last head of those who spoke before a handover of long ago:
    /// those are no reason to turn back to it.
    #[must_use]
    pub fn key_to_turn_to(&self) -> Option<PublicKey> {
        self.follower.acting_head(self.parts.machine.watch.now())?;
        self.key_in_force().filter(|_| !self.speaks())
    }

    /// The statement key that the journal names for this keeper, as far as the replica has come.
    #[must_use]
    pub fn key_in_force(&self) -> Option<PublicKey> {
        let keeper = self.state().keeper(self.parts.id)?;
        Some(keeper.key)
    }

    /// What binding postings bar.
    #[must_use]
    pub fn bars(&self) -> Bars {
        self.boards.bars()
    }

    /// Raise an alarm, once for each name and matter in the life of this process.
    pub fn raise(&mut self, alarm: &Alarm) {
        self.alarms.raise(alarm);
    }

    /// Who delivers the alarms to a webhook; `None` where the key cannot sign them.
    #[must_use]
    pub fn courier(&self, url: String) -> Option<Courier> {
        self.alarms.courier(url, self.parts.key.clone())
    }

    /// State something until the journal has it.
    pub fn say(&mut self, says: Says) -> Result<(), KeeperError> {
        Ok(self.statements.say(self.follower.state(), says)?)
    }

    /// Say what every keeper says, post what is due, keep what is to survive.
    pub fn finish(&mut self, extra: impl FnOnce() -> Vec<u8>) -> Result<(), KeeperError> {
        let state = self.follower.state();
        let stopped = state.facts().suspensions.keys();
        let stopped = stopped.map(|by| Says::Stopped { suspension: *by });
        let says: Vec<Says> = stopped.chain(self.latches.says(state)).collect();
        for says in says {
            self.statements.say(state, says)?;
        }
        let diverged = self.statements.step(state, STATEMENTS);
        let now = self.parts.machine.watch.now();
        // A replica that is behind cannot tell.
        if self.follower.acting_head(now).is_some() {
            for says in diverged {
                self.alarms.raise(&diverges(&says));
            }
            let ignored = self.statements.ignored(self.follower.state());
            if self.ignored.is_news(ignored.is_some())
                && let Some(says) = ignored
            {
                self.alarms.raise(&ignores(says));
            }
        }
        let standing = self.latches.standing(state);
        let of_release = |l: &&Latch| l.sight.condition() == Condition::ReleaseWithoutEvidence;
        let size = self.follower.heads().newest().map(|head| head.head().size);
        let newest = newest(&self.follower).zip(size);
        self.stop_call
            .step(standing.filter(of_release).last(), state, newest);
        self.latches.keep();
        Ok(self.keep(extra)?)
    }

    fn keep(&mut self, extra: impl FnOnce() -> Vec<u8>) -> Result<(), DiskError> {
        let (state, now) = (self.follower.state(), self.parts.machine.watch.now());
        let Some(head) = self.head_to_keep() else {
            return Ok(());
        };
        let size = state.size();
        if size >= self.snapshot_at.saturating_add(SNAPSHOT_EVERY) {
            self.snapshots.save(state, head, &extra())?;
            self.snapshot_at = size;
        } else if size > self.marked.0 && now >= self.marked.1 {
            self.snapshots.mark(&Mark::of(state, head))?;
            // For people on this host who have to stop everything without the gate.
            let note = head.signed().note().to_string();
            let disk = &self.parts.machine.disk;
            if let Err(error) = disk.write_projection(CHECKPOINT, note.as_bytes()) {
                tracing::warn!(%error, "the newest checkpoint is not shown on disk");
            }
            self.marked = (size, now.after(MARK_EVERY));
        }
        Ok(())
    }

    /// Write a snapshot now, if the replica stands at the newest cosigned head: before stopping.
    pub fn save(&mut self, extra: &[u8]) -> Result<(), KeeperError> {
        if let Some(head) = self.head_to_keep() {
            let state = self.follower.state();
            self.snapshots.save(state, head, extra)?;
            self.snapshot_at = state.size();
        }
        Ok(())
    }

    /// Where the replica stands, if that is the newest cosigned head and the disk has every latch: the next
    /// start judges nothing again that lies below.
    fn head_to_keep(&self) -> Option<&Cosigned> {
        let ours = self.follower.state().facts().log.head();
        let newest = self.follower.heads().newest()?;
        (newest.head() == ours && self.latches.is_durable()).then_some(newest)
    }

    /// The replica.
    #[must_use]
    pub fn state(&self) -> &State {
        self.follower.state()
    }

    /// Which signatures hold: what this keeper signs itself need not be checked again.
    #[must_use]
    pub fn memo(&self) -> &Memo {
        &self.memo
    }

    /// The follower, for reading.
    #[must_use]
    pub fn follower(&self) -> &Follower {
        &self.follower
    }

    /// The latches that stand.
    pub fn latched(&self) -> impl Iterator<Item = &Latch> {
        self.latches.standing(self.follower.state())
    }

    /// How many statements the journal does not have yet.
    #[must_use]
    pub fn unsaid(&self) -> usize {
        self.statements.unsaid()
    }
}

/// The replica as the own snapshot has it, and what stood beside it; from the start without one.
fn restore(
    parts: &KeeperParts,
    snapshots: &Snapshots,
    memo: &Arc<Memo>,
    trust_mark: bool,
) -> Result<(Follower, Vec<u8>), DiskError> {
    let read = |extra: &[u8]| (parts.reads)(extra).then(|| extra.to_vec());
    let restored = snapshots.load(&parts.network, read)?;
    let mark = snapshots.load_mark()?;
    let floor = mark.as_ref().filter(|_| trust_mark).map(|mark| Floor {
        size: mark.size,
        effects: mark.effects,
    });
    let (state, head, extra) = match restored {
        Some(restored) => {
            let note = restored.head.signed().note().to_string();
            (restored.state, Some(note.into_bytes()), restored.extra)
        }
        None => (State::new(parts.network.clone()), None, Vec::new()),
    };
    let (machine, gate) = (parts.machine.clone(), parts.gate.clone());
    let mut follower = Follower::new(machine, gate, state, floor, Arc::clone(memo));
    let marked = mark.map(|mark| mark.note);
    for note in head.into_iter().chain(marked) {
        // Its own files do not contradict each other; were they to, following on would show it.
        let _ = follower.recall(&note);
    }
    Ok((follower, extra))
}

fn ignores(says: &Says) -> Alarm {
    let text = "the gate answers and has not journaled this keeper's statement for five minutes: it is \
                overloaded, or it keeps silent what this keeper says";
    Alarm {
        name: "unsaid",
        about: about(says),
        text: text.into(),
    }
}

fn about(says: &Says) -> Digest {
    match says {
        Says::Signed { act, .. }
        | Says::Confirmed { act, .. }
        | Says::Reverted { act, .. }
        | Says::Told { act, .. }
        | Says::CodeRight { act, .. }
        | Says::CodeWrong { act, .. }
        | Says::Declined { act, .. } => *act,
        Says::Stopped { suspension } => *suspension,
        Says::Latched { latch, .. } => *latch,
        Says::Caps { .. } => Digest::plain(&encode(says)),
    }
}

fn diverges(says: &Says) -> Alarm {
    let text = "the gate has refused this keeper's statement for a minute as one that does not fit \
                its journal, and it fits this keeper's: one of the two decides otherwise than the \
                other. Compare their versions, and run `portcullis verify` on the journal";
    Alarm {
        name: "diverged",
        about: about(says),
        text: text.into(),
    }
}

fn latch(latches: &mut Latches, alarms: &mut Alarms, sight: Sight, state: &State) {
    if let Some(latch) = latches.latch(sight, state) {
        raise(alarms, &latch);
    }
}

fn raise(alarms: &mut Alarms, latch: &Latch) {
    let (about, sight) = (latch.sight.id(), &latch.sight);
    let way_out = match sight.condition() {
        Condition::Fork => "Only a new genesis clears it.",
        _ => "A quorum lifts it by this latch's id.",
    };
    alarms.raise(&Alarm {
        name: sight.condition().name(),
        about,
        text: format!("{sight}. The keeper signs nothing. {way_out}"),
    });
}

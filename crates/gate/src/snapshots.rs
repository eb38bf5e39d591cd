//! The gate's own snapshots: a follower of its own journal writes them, and never the sequencer, which
//! would have to stand still for it.
//!
//! The follower has a replica of its own. Every so many entries it takes in what is cosigned and writes
//! the replica down, bound to that checkpoint and signed with the gate's key. More often it marks how
//! far this process has checked every signature, and what that came to. A start loads the snapshot and
//! applies what came after; up to the mark without checking signatures a second time. Where that does
//! not come to what the mark says, nothing of it is kept, and every signature is checked again.

use crate::index::Index;
use crate::published::Witnessed;
use crate::pulse::{Heads, Standing};
use crate::replay::replay;
use crate::run::Error;
use crate::sequencer::Shared;
use portcullis_core::signature::Strict;
use portcullis_core::{Network, ReadEntry, State};
use portcullis_host::DiskError;
use portcullis_journal::snapshot::Mark;
use portcullis_journal::{Snapshots, View};
use portcullis_tlog::{ReadCheckpoint, TreeHead};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How often the follower looks for something new to mark.
const LOOK: Duration = Duration::from_secs(10);

/// What the gate derives from its journal.
pub(crate) struct Replica {
    pub(crate) state: State,
    pub(crate) index: Index,
}

impl Replica {
    /// Nothing yet.
    fn new(network: &Arc<Network>) -> Self {
        Self {
            state: State::new(Arc::clone(network)),
            index: Index::default(),
        }
    }

    /// As of the last snapshot, or of nothing.
    fn load(network: &Arc<Network>, snapshots: &Snapshots) -> Result<Self, DiskError> {
        let restored = snapshots.load(network, Index::from_bytes)?;
        Ok(match restored {
            Some(restored) => Self {
                state: restored.state,
                index: restored.extra,
            },
            None => Self::new(network),
        })
    }

    /// All of a journal that stands at this head.
    pub(crate) fn open(
        network: &Arc<Network>,
        snapshots: Option<&Snapshots>,
        view: &View,
        head: TreeHead,
    ) -> Result<Self, Error> {
        let mut replica = match snapshots {
            Some(snapshots) => Self::begin(network, snapshots, view, head)?,
            None => Self::new(network),
        };
        let from = replica.state.size();
        replica.check(view, head.size)?;
        view.labels().provide_in_force(&mut replica.state)?;
        // A snapshot is of these very entries, or they were changed since.
        if replica.state.facts().log.head() != head {
            return Err(Error::Changed { size: from });
        }
        Ok(replica)
    }

    /// What need not be checked again.
    fn begin(
        network: &Arc<Network>,
        snapshots: &Snapshots,
        view: &View,
        head: TreeHead,
    ) -> Result<Self, Error> {
        let mut replica = Self::load(network, snapshots)?;
        let from = replica.state.size();
        if from > head.size {
            return Err(Error::Changed { size: from });
        }
        let mark = snapshots.load_mark()?;
        let Some((checked, note)) = mark.and_then(|mark| standing(&mark)) else {
            return Ok(replica);
        };
        if checked.head.size > head.size {
            let size = checked.head.size;
            return Err(Error::Changed { size });
        }
        if replica.follow(view, checked)? && replica.state.cosigned(&note).is_ok() {
            return Ok(replica);
        }
        tracing::error!(
            "entries that were checked before come to something else without their signatures: all \
             are checked again"
        );
        Ok(Self::load(network, snapshots)?)
    }

    /// Take in what this process, or the one before it, has checked. Whether it came to the same; where
    /// it did not, this replica is good for nothing any more.
    fn follow(&mut self, view: &View, checked: Standing) -> Result<bool, Error> {
        let size = checked.head.size;
        if self.state.size() > size {
            return Ok(true);
        }
        replay(
            (&mut self.state, &mut self.index),
            view,
            size,
            State::apply_again,
        )?;
        if self.state.facts().log.head() != checked.head {
            return Err(Error::Changed { size });
        }
        Ok(self.state.facts().effects == checked.effects)
    }

    /// Take in everything up to this size, checking every signature.
    fn check(&mut self, view: &View, size: u64) -> Result<(), Error> {
        let strictly = |state: &mut State, read: &ReadEntry| state.apply_read(read, &Strict);
        replay((&mut self.state, &mut self.index), view, size, strictly)
    }
}

/// What a mark says, if it stands under a checkpoint of its size; and that, whose signatories are known once the
/// replica has come to it.
fn standing(mark: &Mark) -> Option<(Standing, Vec<u8>)> {
    let read = ReadCheckpoint::parse(&mark.note).ok()?;
    let (head, effects) = (read.claimed(), mark.effects);
    (head.size == mark.size).then(|| (Standing { head, effects }, mark.note.clone()))
}

/// Writes snapshots and marks.
pub struct Snapshotter {
    snapshots: Snapshots,
    every: u64,
    network: Arc<Network>,
    view: Arc<View>,
    heads: Arc<Heads>,
    /// Loaded when the first snapshot is due: until then nobody needs its memory.
    replica: Option<Replica>,
    marked: u64,
    /// The size from which on the next snapshot is due.
    due: u64,
}

impl Snapshotter {
    pub(crate) fn new(
        snapshots: Snapshots,
        every: u64,
        network: Arc<Network>,
        shared: &Shared,
        heads: &Arc<Heads>,
    ) -> Self {
        Self {
            snapshots,
            every,
            network,
            view: Arc::clone(&shared.view),
            heads: Arc::clone(heads),
            replica: None,
            marked: 0,
            due: 0,
        }
    }

    /// Step for ever. Without snapshots the gate runs as well, and the next start reads more.
    pub(crate) fn run(shared: &Mutex<Self>) {
        loop {
            thread::sleep(LOOK);
            let mut snapshotter = shared.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = snapshotter.step() {
                tracing::error!(%error, "no more snapshots");
                return;
            }
        }
    }

    /// Mark what was checked by now, unless a snapshot is being written: whoever ends the gate does not
    /// wait for that.
    pub(crate) fn mark_once(shared: &Mutex<Self>) {
        let Ok(mut snapshotter) = shared.try_lock() else {
            return;
        };
        if let Err(error) = snapshotter.mark() {
            tracing::warn!(%error, "not marked");
        }
    }

    /// Mark what was checked, and write a snapshot where one is due.
    pub fn step(&mut self) -> Result<(), Error> {
        self.mark()?;
        match self.heads.cosigned() {
            Some((checked, witnessed)) if checked.head.size >= self.due => {
                self.snapshot(checked, &witnessed)
            }
            _ => Ok(()),
        }
    }

    fn mark(&mut self) -> Result<(), DiskError> {
        let Some((checked, witnessed)) = self.heads.cosigned() else {
            return Ok(());
        };
        let size = checked.head.size;
        if size > self.marked {
            self.snapshots.mark(&Mark {
                size,
                effects: checked.effects,
                note: witnessed.note.to_vec(),
            })?;
            self.marked = size;
        }
        Ok(())
    }

    fn snapshot(&mut self, checked: Standing, witnessed: &Witnessed) -> Result<(), Error> {
        let size = checked.head.size;
        let mut replica = match self.replica.take() {
            Some(replica) => replica,
            None => Replica::load(&self.network, &self.snapshots)?,
        };
        let next = replica.state.size().saturating_add(self.every);
        if size < next {
            // Nothing of it is needed before then.
            self.due = next;
            return Ok(());
        }
        self.due = size.saturating_add(self.every);
        if !replica.follow(&self.view, checked)? {
            replica = Replica::new(&self.network);
            replica.check(&self.view, size)?;
        }
        let stands = replica.state.facts();
        let is_same = stands.log.head() == checked.head && stands.effects == checked.effects;
        match replica.state.cosigned(&witnessed.note) {
            Ok(head) if is_same => {
                let index = replica.index.to_bytes();
                self.snapshots.save(&replica.state, &head, &index)?;
                self.replica = Some(replica);
            }
            _ => tracing::error!(
                size,
                "a replica that is not the gate's state: no snapshot of it"
            ),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulse::Durable;
    use portcullis_core::Body;
    use portcullis_core::signature::Signature;
    use portcullis_host::{Disk, SystemRandom};
    use portcullis_journal::{Directory, Journal};
    use portcullis_keeper::testkit::{CrashDisk, Customer, HandClock, Ledger, World};
    use portcullis_tlog::Cosigned;

    /// A journal with one account that could pay, cosigned to its end.
    fn ledger() -> Ledger {
        let clock = HandClock::at(World::START);
        let mut ledger = Ledger::new(Arc::new(World::new()), clock);
        let customer = Customer::number(1);
        ledger.open(&customer);
        ledger.add_address(&customer, World::address(0xaa));
        ledger
    }

    fn view(entries: &[Vec<u8>]) -> Arc<View> {
        let disk: Arc<dyn Disk> = Arc::new(CrashDisk::default());
        let (store, recovered) =
            Directory::open(Arc::clone(&disk), 1 << 20, Arc::new(SystemRandom)).unwrap();
        let mut journal = Journal::open(store, &recovered, disk, 0).unwrap();
        journal.make_room(1 << 18, entries.len() as u64).unwrap();
        journal.append(entries.to_vec()).unwrap();
        journal.view()
    }

    fn cosigned(ledger: &Ledger) -> Cosigned {
        let network = &ledger.world.network;
        Cosigned::parse(&ledger.note, network.log(), network.quorum()).unwrap()
    }

    /// The same ledger, with an entry whose passkey signed something else.
    fn with_void_entry(mut ledger: Ledger) -> Ledger {
        let (act, evidence) =
            ledger.withdrawal(&Customer::number(1), World::ETHER, World::address(0xaa), 5);
        let mut submission = ledger.submission(act, evidence);
        submission.evidence.assertions[0].signature = Signature::from_bytes([7; 64]);
        ledger.enter(Body::Act(Box::new(submission)));
        ledger.settle_clocks();
        ledger
    }

    fn own(disk: &Arc<CrashDisk>, ledger: &Ledger) -> Snapshots {
        let disk: Arc<dyn Disk> = disk.clone();
        Snapshots::new(disk, ledger.world.keeper.clone())
    }

    fn open(ledger: &Ledger, snapshots: Option<&Snapshots>) -> Result<Replica, Error> {
        let (view, head) = (view(&ledger.entries), ledger.state.facts().log.head());
        Replica::open(&ledger.world.network, snapshots, &view, head)
    }

    /// The file of a snapshot at the ledger's end, and what the index was there.
    fn save(snapshots: &Snapshots, ledger: &Ledger) {
        let index = open(ledger, None).unwrap().index.to_bytes();
        let state = &ledger.state;
        snapshots.save(state, &cosigned(ledger), &index).unwrap();
    }

    #[test]
    fn a_start_from_a_snapshot_ends_where_one_from_nothing_does() {
        let mut ledger = ledger();
        let disk = Arc::new(CrashDisk::default());
        let snapshots = own(&disk, &ledger);
        let at = ledger.entries.len() as u64;
        save(&snapshots, &ledger);
        let act = ledger.withdraw(&Customer::number(1), World::address(0xaa), 5);
        ledger.settle_clocks();
        snapshots
            .mark(&Mark::of(&ledger.state, &cosigned(&ledger)))
            .unwrap();
        let network = &ledger.world.network;
        assert_eq!(Replica::load(network, &snapshots).unwrap().state.size(), at);

        let quick = open(&ledger, Some(&snapshots)).unwrap();
        let slow = open(&ledger, None).unwrap();
        for replica in [&quick, &slow] {
            assert_eq!(replica.state.digest(), ledger.state.digest());
            assert_eq!(replica.index.act(act), [at]);
        }
        assert_eq!(quick.index.to_bytes().len(), slow.index.to_bytes().len());
        let (account, address) = (Customer::number(1).account, World::address(0xaa));
        let found = quick.index.address(account, address, u64::MAX);
        assert!(found.is_some() && found == slow.index.address(account, address, u64::MAX));
    }

    /// The readers take turns, and what they read is applied in the journal's order: from within a bundle
    /// and across several.
    #[test]
    fn a_start_applies_many_bundles_in_order() {
        let mut ledger = ledger();
        let disk = Arc::new(CrashDisk::default());
        let snapshots = own(&disk, &ledger);
        save(&snapshots, &ledger);
        while ledger.entries.len() < 1_100 {
            ledger.settle_clocks();
        }
        let act = ledger.withdraw(&Customer::number(1), World::address(0xaa), 5);
        let at = ledger.entries.len() as u64 - 1;
        ledger.settle_clocks();
        snapshots
            .mark(&Mark::of(&ledger.state, &cosigned(&ledger)))
            .unwrap();
        let replica = open(&ledger, Some(&snapshots)).unwrap();
        assert_eq!(replica.state.digest(), ledger.state.digest());
        assert_eq!(replica.index.act(act).first(), Some(&at));
    }

    #[test]
    fn a_damaged_snapshot_or_mark_leads_to_the_same_state() {
        let ledger = ledger();
        let disk = Arc::new(CrashDisk::default());
        let snapshots = own(&disk, &ledger);
        save(&snapshots, &ledger);
        let mark = Mark::of(&ledger.state, &cosigned(&ledger));
        snapshots.mark(&mark).unwrap();
        for name in ["snapshot", "mark"] {
            let whole = disk.read(name, u64::MAX).unwrap().unwrap();
            for at in (0..whole.len()).step_by(whole.len() / 40) {
                let mut damaged = whole.clone();
                damaged[at] ^= 1;
                disk.replace(name, &damaged).unwrap();
                let replica = open(&ledger, Some(&snapshots)).unwrap();
                assert_eq!(replica.state.digest(), ledger.state.digest());
            }
            disk.replace(name, &whole).unwrap();
        }
    }

    #[test]
    fn entries_that_were_changed_or_cut_below_what_was_cosigned_stop_the_start() {
        let mut ledger = ledger();
        let disk = Arc::new(CrashDisk::default());
        let snapshots = own(&disk, &ledger);
        let mark = Mark::of(&ledger.state, &cosigned(&ledger));
        snapshots.mark(&mark).unwrap();
        let head = ledger.state.facts().log.head();
        let all = ledger.entries.clone();
        for at in 0..all.len() {
            ledger.entries = all.clone();
            *ledger.entries[at].last_mut().unwrap() ^= 1;
            let view = view(&ledger.entries);
            let opened = Replica::open(&ledger.world.network, Some(&snapshots), &view, head);
            assert!(matches!(opened, Err(Error::Changed { .. })), "entry {at}");
        }
        let view = view(&all[..all.len() - 1]);
        let shorter = TreeHead {
            size: head.size - 1,
            ..head
        };
        let opened = Replica::open(&ledger.world.network, Some(&snapshots), &view, shorter);
        assert!(matches!(opened, Err(Error::Changed { .. })));
    }

    #[test]
    fn what_no_mark_of_ours_contains_is_checked_in_full() {
        let ledger = ledger();
        let disk = Arc::new(CrashDisk::default());
        let snapshots = own(&disk, &ledger);
        let mark = Mark::of(&ledger.state, &cosigned(&ledger));
        snapshots.mark(&mark).unwrap();
        let ledger = with_void_entry(ledger);
        let replica = open(&ledger, Some(&snapshots)).unwrap();
        assert_eq!(replica.state.facts().void_entries, 1);
        assert_eq!(replica.state.digest(), ledger.state.digest());
    }

    /// Whoever had the gate wrote what does not hold, and the gate that came after has marked it as
    /// the void entry that it is: without its signature it must not count on the next start.
    #[test]
    fn a_void_entry_below_the_mark_stays_void() {
        let ledger = with_void_entry(ledger());
        let disk = Arc::new(CrashDisk::default());
        let snapshots = own(&disk, &ledger);
        let mark = Mark::of(&ledger.state, &cosigned(&ledger));
        snapshots.mark(&mark).unwrap();
        let replica = open(&ledger, Some(&snapshots)).unwrap();
        assert_eq!(replica.state.facts().void_entries, 1);
        assert_eq!(replica.state.digest(), ledger.state.digest());
    }

    #[test]
    fn snapshots_are_written_of_the_gates_own_state_only() {
        let ledger = with_void_entry(ledger());
        let disk = Arc::new(CrashDisk::default());
        let head = ledger.state.facts().log.head();
        let written = |effects| {
            let standing = Standing { head, effects };
            let heads = Arc::new(Heads::new(Durable::of(&ledger.state)));
            heads.note_cosigned(standing, Witnessed::new(&cosigned(&ledger)));
            let mut snapshotter = Snapshotter {
                snapshots: own(&disk, &ledger),
                every: 1,
                network: ledger.world.network.clone(),
                view: view(&ledger.entries),
                heads,
                replica: None,
                marked: u64::MAX,
                due: 0,
            };
            snapshotter.step().unwrap();
            let snapshots = own(&disk, &ledger);
            snapshots
                .load(&ledger.world.network, Index::from_bytes)
                .unwrap()
        };
        let other = portcullis_core::Digest([9; 32]);
        assert!(written(other).is_none());
        let restored = written(ledger.state.facts().effects).unwrap();
        assert_eq!(restored.state.digest(), ledger.state.digest());
        assert_eq!(restored.state.facts().void_entries, 1);
    }
}

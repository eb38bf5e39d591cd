//! The gate's own snapshots: a follower of its own journal writes them, and never the sequencer, which
//! would have to stand still for it.
//!
//! The follower has a replica of its own. It takes in what is cosigned, and every so many entries writes
//! the replica down, bound to that checkpoint and signed with the journal's key. A start loads it and
//! applies what came after; what was durable and cosigned before is not checked a second time, because
//! this process, or the one before it, has journaled nothing that it had not checked.

use crate::index::Index;
use crate::open::Replica;
use crate::run::Error;
use crate::sequencer::Shared;
use portcullis_core::signature::{AlreadyChecked, Strict, Verify};
use portcullis_core::{Entry, Network, State};
use portcullis_journal::{Snapshots, View};
use portcullis_tlog::{Cosigned, TreeHead};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// How often the follower looks for something new.
const LOOK: Duration = Duration::from_secs(1);
/// Bytes of entries that are read at a time.
const CHUNK: usize = 4 * 1024 * 1024;
/// Chunks that may wait to be applied.
const AHEAD: usize = 4;

/// The gate's state and index as of the last snapshot, or of nothing.
pub(crate) fn load(snapshots: &Snapshots, network: &Arc<Network>) -> Result<Replica, Error> {
    let restored = snapshots.load(network)?;
    let restored = restored.and_then(|restored| {
        let index = Index::from_bytes(&restored.extra)?;
        let state = restored.state;
        Some(Replica { state, index })
    });
    Ok(restored.unwrap_or_else(|| Replica {
        state: State::new(Arc::clone(network)),
        index: Index::default(),
    }))
}

impl Replica {
    /// Take in entries up to a size. Those up to `checked`, which a quorum cosigned, were checked when
    /// they were journaled; if they lead elsewhere now, somebody has changed them.
    pub(crate) fn follow(
        &mut self,
        view: &View,
        size: u64,
        checked: Option<TreeHead>,
    ) -> Result<(), Error> {
        let own = AlreadyChecked::below_own_durable_checkpoint();
        if let Some(head) = checked.filter(|head| head.size > self.state.size()) {
            self.apply(view, head.size, &own)?;
            if self.state.facts().log.head() != head {
                return Err(Error::Changed { size: head.size });
            }
        }
        self.apply(view, size, &Strict)
    }

    /// One thread reads and parses, the other applies.
    fn apply(&mut self, view: &View, size: u64, verify: &dyn Verify) -> Result<(), Error> {
        let from = self.state.size();
        thread::scope(|scope| {
            let (send, chunks) = std::sync::mpsc::sync_channel(AHEAD);
            scope.spawn(move || {
                let mut at = from;
                while at < size {
                    let read = view.entries(at..size, CHUNK);
                    at += read.as_ref().map_or(size, |entries| entries.len() as u64);
                    let parsed = read.map(|entries| {
                        let parsed = entries.into_iter().map(|bytes| {
                            let entry = Entry::from_bytes(&bytes).ok();
                            (bytes, entry)
                        });
                        parsed.collect::<Vec<_>>()
                    });
                    if send.send(parsed).is_err() {
                        return;
                    }
                }
            });
            for chunk in chunks {
                for (bytes, entry) in chunk? {
                    self.take(&bytes, entry.as_ref(), verify);
                }
            }
            Ok(())
        })
    }

    fn take(&mut self, bytes: &[u8], entry: Option<&Entry>, verify: &dyn Verify) {
        let applied = match entry {
            Some(entry) => self.state.apply_entry(entry, bytes, verify),
            None => self.state.apply(bytes, verify),
        };
        match entry {
            Some(entry) => self.index.add(entry, &applied),
            None => tracing::error!(index = applied.index, "an entry cannot be read"),
        }
        if let Some(void) = &applied.void {
            tracing::error!(index = applied.index, %void, "the journal has a void entry");
        }
    }
}

/// Follow and write, for ever. `every` is in entries.
pub(crate) fn write(
    snapshots: &Snapshots,
    network: &Arc<Network>,
    shared: &Shared,
    every: u64,
) -> Result<(), Error> {
    let mut replica = load(snapshots, network)?;
    loop {
        thread::sleep(LOOK);
        let Some(newest) = shared.published.newest() else {
            continue;
        };
        if newest.head.size < replica.state.size().saturating_add(every) {
            continue;
        }
        // The sequencer has checked all of it, and a quorum has cosigned it since.
        replica.follow(&shared.view, newest.head.size, Some(newest.head))?;
        let cosigned = Cosigned::parse(&newest.note, network.log(), network.quorum());
        match cosigned {
            Ok(head) => snapshots.save(&replica.state, &head, &replica.index.to_bytes())?,
            Err(error) => tracing::error!(%error, "no snapshot under what was published"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_core::Body;
    use portcullis_core::signature::Signature;
    use portcullis_host::Disk;
    use portcullis_journal::{Directory, Journal};
    use portcullis_keeper::testkit::{CrashDisk, Customer, HandClock, Ledger, World};

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
        let (store, recovered) = Directory::open(Arc::clone(&disk), 1 << 20).unwrap();
        let mut journal = Journal::open(store, &recovered, disk, 0).unwrap();
        journal.make_room(1 << 18, entries.len() as u64).unwrap();
        journal.append(entries.to_vec()).unwrap();
        journal.view()
    }

    fn head(ledger: &Ledger) -> Cosigned {
        let network = &ledger.world.network;
        Cosigned::parse(&ledger.note, network.log(), network.quorum()).unwrap()
    }

    fn from_nothing(ledger: &Ledger) -> Replica {
        Replica {
            state: State::new(ledger.world.network.clone()),
            index: Index::default(),
        }
    }

    #[test]
    fn a_start_from_a_snapshot_ends_where_one_from_nothing_does() {
        let mut ledger = ledger();
        let network = ledger.world.network.clone();
        let snapshots = Snapshots::new(Arc::new(CrashDisk::default()), ledger.world.keeper.clone());
        let at = ledger.entries.len() as u64;
        let mut written = from_nothing(&ledger);
        let seen = view(&ledger.entries);
        written
            .follow(&seen, at, Some(head(&ledger).head()))
            .unwrap();
        let index = written.index.to_bytes();
        snapshots
            .save(&written.state, &head(&ledger), &index)
            .unwrap();

        let act = ledger.withdraw(&Customer::number(1), World::address(0xaa), 5);
        ledger.settle_clocks();
        let (size, seen) = (ledger.entries.len() as u64, view(&ledger.entries));
        let mut quick = load(&snapshots, &network).unwrap();
        assert_eq!(quick.state.size(), at);
        quick
            .follow(&seen, size, Some(head(&ledger).head()))
            .unwrap();
        let mut slow = from_nothing(&ledger);
        slow.follow(&seen, size, None).unwrap();
        for replica in [&quick, &slow] {
            assert_eq!(replica.state.digest(), ledger.state.digest());
            assert_eq!(replica.index.act(act), [at]);
        }
        let address = World::address(0xaa);
        let account = Customer::number(1).account;
        let found = quick.index.address(account, address);
        assert!(found.is_some() && found == slow.index.address(account, address));
    }

    #[test]
    fn entries_that_were_changed_below_the_checkpoint_stop_the_start() {
        let ledger = ledger();
        let (size, head) = (ledger.entries.len() as u64, head(&ledger).head());
        for at in 0..ledger.entries.len() {
            let mut entries = ledger.entries.clone();
            *entries[at].last_mut().unwrap() ^= 1;
            let followed = from_nothing(&ledger).follow(&view(&entries), size, Some(head));
            assert!(matches!(followed, Err(Error::Changed { .. })), "entry {at}");
        }
    }

    #[test]
    fn what_no_checkpoint_of_ours_contains_is_checked_in_full() {
        let mut ledger = ledger();
        let checked = head(&ledger).head();
        let (act, evidence) =
            ledger.withdrawal(&Customer::number(1), World::ETHER, World::address(0xaa), 5);
        let mut submission = ledger.submission(act, evidence);
        submission.evidence.assertions[0].signature = Signature::from_bytes([7; 64]);
        ledger.enter(Body::Act(Box::new(submission)));
        let (size, seen) = (ledger.entries.len() as u64, view(&ledger.entries));
        let mut replica = from_nothing(&ledger);
        replica.follow(&seen, size, Some(checked)).unwrap();
        assert_eq!(replica.state.facts().void_entries, 1);
        assert_eq!(replica.state.digest(), ledger.state.digest());
    }
}

//! The open connections, shared out fairly.

use super::{Bounds, Peer};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// The open connections. One lives as long as it stands here.
pub(super) struct Open {
    table: Arc<Mutex<Table>>,
    bounds: Bounds,
}

#[derive(Default)]
struct Table {
    /// Each peer's connections by number, the oldest first.
    of: HashMap<Peer, BTreeMap<u64, oneshot::Sender<()>>>,
    all: usize,
    next: u64,
}

/// A connection's place; given back when it is dropped.
pub(super) struct Place {
    table: Arc<Mutex<Table>>,
    peer: Peer,
    number: u64,
    ended: oneshot::Receiver<()>,
}

impl Open {
    pub(super) fn new(bounds: Bounds) -> Self {
        let table = Arc::default();
        Self { table, bounds }
    }

    /// A place for a new connection. Where all are taken, a peer takes the oldest of the one that has
    /// most, if it has fewer itself: so nobody is kept out by however many others.
    pub(super) fn take(&self, peer: Peer) -> Option<Place> {
        let mut table = locked(&self.table);
        let own = table.of.get(&peer).map_or(0, BTreeMap::len);
        if own >= self.bounds.per_peer {
            return None;
        }
        if table.all >= self.bounds.connections {
            let (other, oldest) = table.most_above(own)?;
            table.remove(other, oldest);
        }
        let (live, ended) = oneshot::channel();
        let number = table.insert(peer, live);
        let table = Arc::clone(&self.table);
        Some(Place {
            table,
            peer,
            number,
            ended,
        })
    }
}

impl Table {
    /// Who has most connections, if more than so many, and the oldest of them.
    fn most_above(&self, few: usize) -> Option<(Peer, u64)> {
        let all = self.of.iter();
        let oldest = all.filter_map(|(peer, all)| Some((peer, all.len(), *all.keys().next()?)));
        let more = oldest.filter(|(_, has, _)| *has > few);
        let most = more.max_by_key(|(_, has, oldest)| (*has, Reverse(*oldest)));
        most.map(|(peer, _, oldest)| (*peer, oldest))
    }

    fn insert(&mut self, peer: Peer, live: oneshot::Sender<()>) -> u64 {
        let number = self.next;
        self.next += 1;
        self.all += 1;
        self.of.entry(peer).or_default().insert(number, live);
        number
    }

    fn remove(&mut self, peer: Peer, number: u64) {
        let Some(connections) = self.of.get_mut(&peer) else {
            return;
        };
        if connections.remove(&number).is_some() {
            self.all -= 1;
        }
        if connections.is_empty() {
            self.of.remove(&peer);
        }
    }
}

impl Place {
    /// Until somebody else takes it.
    pub(super) async fn taken(&mut self) {
        let _ = (&mut self.ended).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        locked(&self.table).remove(self.peer, self.number);
    }
}

fn locked(table: &Mutex<Table>) -> MutexGuard<'_, Table> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

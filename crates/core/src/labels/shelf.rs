//! The sets at hand, and what those in force say of an address.

use super::{InForce, ListKind, Opened, Payee};
use crate::digest::Digest;
use crate::policy::Name;
use portcullis_chains::caip::Address;
use portcullis_labels::{LabelSet, Rating};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The sets at hand. Derived from the facts and from bytes that they name, and none of the state's own
/// bytes.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    opened: BTreeMap<Digest, Opened>,
    lists: Vec<List>,
    lacking: BTreeSet<Digest>,
}

/// A set in force, ready to be looked into.
#[derive(Clone, Debug)]
struct List {
    kind: ListKind,
    from: u8,
    entry: u64,
    /// `None` where the bytes are not what the act said: then everything is held.
    set: Option<Arc<LabelSet>>,
}

/// What the sets in force say of an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// The worst that any of them says.
    pub worst: Option<Rating>,
    /// Whether an authority's list refuses it.
    pub refuses: bool,
    /// The entry of the newest list that holds it. Whoever approved before has not seen that list.
    pub holds_since: Option<u64>,
}

impl Shelf {
    /// Whether the bytes of this digest are at hand.
    #[must_use]
    pub fn has(&self, digest: &Digest) -> bool {
        self.opened.contains_key(digest)
    }

    /// Bytes at hand.
    #[must_use]
    pub fn get(&self, digest: &Digest) -> Option<&Opened> {
        self.opened.get(digest)
    }

    /// The digests of those in force that are not at hand.
    #[must_use]
    pub const fn lacking(&self) -> &BTreeSet<Digest> {
        &self.lacking
    }

    /// What the sets in force say of an address.
    #[must_use]
    pub fn sight(&self, address: &Address) -> Sight {
        let mut sight = Sight::default();
        if self.lists.is_empty() {
            return sight;
        }
        let payee = Payee::of(address);
        for list in &self.lists {
            sight.take(list, &payee);
        }
        sight
    }

    pub(crate) fn put(&mut self, opened: Opened) {
        self.opened.insert(opened.digest(), opened);
    }

    /// Makes ready what is in force.
    pub(crate) fn arrange(&mut self, in_force: Option<&BTreeMap<Name, InForce>>) {
        let in_force = || in_force.into_iter().flat_map(BTreeMap::values);
        let named = in_force().map(|list| list.set);
        self.lacking = named.filter(|digest| !self.has(digest)).collect();
        self.lists = in_force().map(|list| self.ready(list)).collect();
    }

    /// Forgets what is not in force.
    pub(crate) fn forget_others(&mut self, in_force: Option<&BTreeMap<Name, InForce>>) {
        let in_force = in_force.into_iter().flat_map(BTreeMap::values);
        let named: BTreeSet<Digest> = in_force.map(|list| list.set).collect();
        self.opened.retain(|digest, _| named.contains(digest));
    }

    fn ready(&self, list: &InForce) -> List {
        let opened = self.opened.get(&list.set);
        let set = opened.and_then(|opened| opened.if_so(list.kind, &list.source, list.labels));
        List {
            kind: list.kind,
            from: list.from,
            entry: list.entry,
            set: set.cloned(),
        }
    }
}

impl Sight {
    /// What one more list says.
    fn take(&mut self, list: &List, payee: &Payee) {
        // Neither an address that no list can name nor a set that cannot be read says that all is well.
        if list.set.is_none() || !payee.is_known() {
            self.hold(list.entry);
        }
        let (Some(set), Some(key)) = (&list.set, payee.key()) else {
            return;
        };
        let Some(label) = set.find(key) else {
            return;
        };
        let rating = label.rating;
        let is_worse = |worst: Rating| rating.worst_first() < worst.worst_first();
        if self.worst.is_none_or(is_worse) {
            self.worst = Some(rating);
        }
        if rating.risk.get() < list.from {
            return;
        }
        match list.kind {
            ListKind::Authority => self.refuses = true,
            ListKind::Community => self.hold(list.entry),
        }
    }

    fn hold(&mut self, entry: u64) {
        self.holds_since = self.holds_since.max(Some(entry));
    }
}

/// Whether a set, as an act offers it, refuses an address.
pub(crate) fn refuses(set: &LabelSet, from: u8, address: &Address) -> bool {
    let label = Payee::of(address).key().and_then(|key| set.find(key));
    label.is_some_and(|label| label.rating.risk.get() >= from)
}

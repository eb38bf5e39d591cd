//! Which sets of labels decisions take, and which of them are at hand.

use super::State;
use crate::act::{ActKind, SetLabels};
use crate::decision::Decision;
use crate::digest::Digest;
use crate::entry::Body;
use crate::labels::{InForce, Opened, Payee, Shelf, Sight};
use crate::policy::Name;
use crate::read::ReadEntry;
use portcullis_chains::caip::Address;
use portcullis_labels::Label;
use std::collections::BTreeSet;

impl State {
    /// Bytes that the journal names, opened: from now on they are looked into where they are in force.
    pub fn hold_labels(&mut self, opened: Opened) {
        self.shelf.put(opened);
        self.shelf.arrange(self.facts.labels.as_ref());
    }

    /// The sets at hand.
    #[must_use]
    pub const fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// What the sets in force say of an address.
    #[must_use]
    pub fn sight(&self, address: &Address) -> Sight {
        self.shelf.sight(address)
    }

    /// What each list in force says of an address, for people.
    pub fn labels_of(
        &self,
        address: &Address,
    ) -> impl Iterator<Item = (&Name, &InForce, Label<'_>)> {
        let payee = Payee::of(address);
        let lists = self.facts.labels.iter().flatten();
        lists.filter_map(move |(name, list)| {
            let opened = self.shelf.get(&list.set)?;
            let label = opened
                .if_so(list.kind, &list.source, list.labels)?
                .find(payee.key()?)?;
            Some((name, list, label))
        })
    }

    /// The digests of the sets that applying an entry takes and that are not at hand: those in force, and
    /// one that the entry puts in force. Whoever applies it all the same decides otherwise than the others.
    #[must_use]
    pub fn lacks(&self, read: &ReadEntry) -> BTreeSet<Digest> {
        let mut lacking = self.shelf.lacking().clone();
        let brought = read.entry().ok().and_then(|entry| self.brings(&entry.body));
        lacking.extend(brought.filter(|digest| !self.shelf.has(digest)));
        lacking
    }

    /// The set that an entry puts in force, if it decides as it says.
    fn brings(&self, body: &Body) -> Option<Digest> {
        let (kind, decision) = match body {
            Body::Act(said) => (&said.act.kind, &said.decision),
            Body::Settle(said) => {
                let held = self.facts.held.get(&said.act)?;
                (&held.act.kind, &said.decision)
            }
            _ => return None,
        };
        offers(kind).filter(|_| *decision == Decision::Release)
    }

    /// The digests of the sets that acts which wait would put in force: worth fetching ahead.
    #[must_use]
    pub fn labels_ahead(&self) -> BTreeSet<Digest> {
        let held = self.facts.held.values();
        held.filter_map(|held| offers(&held.act.kind)).collect()
    }

    /// Other sets are in force than before.
    pub(crate) fn derive_labels(&mut self) {
        let in_force = self.facts.labels.as_ref();
        self.shelf.forget_others(in_force);
        self.shelf.arrange(in_force);
    }
}

fn offers(kind: &ActKind) -> Option<Digest> {
    match kind {
        ActKind::SetLabels(SetLabels { set: Some(set), .. }) => Some(set.digest),
        _ => None,
    }
}

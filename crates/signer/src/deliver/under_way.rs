//! What has been signed and is not final, in the orders in which a step asks for it: a step costs what is
//! due in it, however many wait for their blocks.

use super::Place;
use portcullis_chains::ethereum::SignedTx;
use portcullis_core::id::WalletId;
use portcullis_core::{Digest, Time};
use portcullis_node::{Standing, TrackError, Tracker};
use std::collections::{BTreeMap, BTreeSet};

/// All of it. Invariants: `place_of` names what `followed` holds; `to_send` has each that may be broadcast
/// under the time from which it may; `seen` has each of which a chain was seen to have anything.
#[derive(Default)]
pub(super) struct UnderWay {
    followed: BTreeMap<Place, Followed>,
    place_of: BTreeMap<Digest, Place>,
    to_send: BTreeSet<(Time, Place)>,
    seen: BTreeSet<Place>,
}

/// One nonce of a wallet, with everything that was signed for it.
pub(super) struct Followed {
    pub(super) act: Digest,
    pub(super) tracker: Tracker,
    /// When to look for it again.
    pub(super) look_at: Time,
    pub(super) unknown_since: Option<Time>,
    pub(super) standing: Standing,
}

impl Followed {
    pub(super) fn new(act: Digest, wallet: [u8; 20], tx: SignedTx) -> Result<Self, TrackError> {
        Ok(Self {
            act,
            tracker: Tracker::new(wallet, tx)?,
            look_at: Time(0),
            unknown_since: None,
            standing: Standing::Pending,
        })
    }
}

impl UnderWay {
    pub(super) fn get(&self, place: &Place) -> Option<&Followed> {
        self.followed.get(place)
    }

    pub(super) fn has_any_of(&self, wallet: WalletId) -> bool {
        let places = (wallet, 0)..=(wallet, u64::MAX);
        self.followed.range(places).next().is_some()
    }

    pub(super) fn insert(&mut self, place: Place, it: Followed) {
        self.place_of.insert(it.act, place);
        self.followed.insert(place, it);
        self.index(place);
    }

    /// Changes what is followed there, and its place in every order.
    pub(super) fn change<T>(
        &mut self,
        place: &Place,
        how: impl FnOnce(&mut Followed) -> T,
    ) -> Option<T> {
        self.unindex(place);
        let result = self.followed.get_mut(place).map(how);
        self.index(*place);
        result
    }

    pub(super) fn remove(&mut self, act: &Digest) {
        if let Some(place) = self.place_of.remove(act) {
            self.unindex(&place);
            self.followed.remove(&place);
        }
    }

    pub(super) fn retain(&mut self, goes_on: impl Fn(&Digest) -> bool) {
        let acts = self.place_of.keys().filter(|act| !goes_on(act));
        for act in acts.copied().collect::<Vec<_>>() {
            self.remove(&act);
        }
    }

    /// What may be broadcast now: who has waited longest first, and by nonce where all are new.
    pub(super) fn to_send(&self, now: Time) -> impl Iterator<Item = (&Place, &Followed)> {
        let due = self.to_send.iter().take_while(move |(at, _)| *at <= now);
        due.filter_map(|(_, place)| Some((place, self.followed.get(place)?)))
    }

    /// What to look for on a wallet's chain, at most `most`: what is below its next nonce, and what was
    /// when it was looked for last.
    pub(super) fn to_look_for(
        &self,
        wallet: WalletId,
        next_nonce: u64,
        now: Time,
        most: usize,
    ) -> Vec<Place> {
        let used = self.followed.range((wallet, 0)..(wallet, next_nonce));
        let used = used.map(|(place, _)| *place);
        let taken_back = (wallet, next_nonce)..=(wallet, u64::MAX);
        let taken_back = self.seen.range(taken_back).copied();
        let look_at = |place: Place| Some((self.followed.get(&place)?.look_at, place));
        let due = used.chain(taken_back).filter_map(look_at);
        let mut due: Vec<(Time, Place)> = due.filter(|(at, _)| *at <= now).collect();
        due.sort_unstable();
        due.truncate(most);
        due.into_iter().map(|(_, place)| place).collect()
    }

    fn index(&mut self, place: Place) {
        let Some(it) = self.followed.get(&place) else {
            return;
        };
        if let Some(at) = it.tracker.due() {
            self.to_send.insert((at, place));
        }
        if it.standing != Standing::Pending {
            self.seen.insert(place);
        }
    }

    fn unindex(&mut self, place: &Place) {
        let due = self.followed.get(place).and_then(|it| it.tracker.due());
        if let Some(at) = due {
            self.to_send.remove(&(at, *place));
        }
        self.seen.remove(place);
    }
}

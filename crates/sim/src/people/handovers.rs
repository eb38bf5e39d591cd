//! Others who are to speak for the journal: proposed by those who may, and by those who may not.

use super::People;
use crate::setting::{self, WITNESSES};
use portcullis_core::State;
use portcullis_core::act::{ActKind, Keys, Rotate};
use portcullis_core::genesis::Witnesses;
use portcullis_core::state::keys::Successor;
use portcullis_keeper::testkit::World;
use std::collections::BTreeSet;

impl People {
    /// Administrators begin to put other witnesses, or the journal's second key, in force.
    pub(super) fn hand_over(&mut self, state: &State) -> bool {
        let is_rotation = |kind: &ActKind| matches!(kind, ActKind::Rotate(_));
        let mut held = state.facts().held.values();
        if held.any(|held| is_rotation(&held.act.kind)) {
            return false;
        }
        let Some(keys) = self.next_speakers(state) else {
            return false;
        };
        let Some(replaced) = state.keys_in_place_of(&keys) else {
            return false;
        };
        self.propose_rotation(state, replaced.digest(), keys)
    }

    fn next_speakers(&mut self, state: &State) -> Option<Keys> {
        let second = setting::log_keys()[1].to_string();
        if state.log_vkey() != second && self.dice.chance(400) {
            return Some(Keys::Log { vkey: second });
        }
        let witnesses = setting::witnesses_of(&self.next_witnesses(state)?);
        Some(Keys::Witnesses { witnesses })
    }

    /// One, two or all of those in force give way to some that have never been: who has been replaced may be a
    /// thief's.
    fn next_witnesses(&mut self, state: &State) -> Option<Vec<usize>> {
        let all = WITNESSES + setting::SPARES;
        let mut ever: BTreeSet<usize> = numbers(&state.network().genesis().witnesses, all);
        for handover in state.handovers() {
            if let Successor::Witnesses(witnesses) = &handover.to {
                ever.extend(numbers(witnesses, all));
            }
        }
        let mut next: Vec<usize> = numbers(state.witnesses(), all).into_iter().collect();
        let fresh = (0..all).filter(|number| !ever.contains(number));
        let places = [1, 2, WITNESSES];
        let count = *self.dice.pick(&places)?;
        let fresh: Vec<usize> = fresh.take(count).collect();
        if fresh.len() < count {
            return None;
        }
        let from = self.dice.index(WITNESSES);
        for (further, number) in fresh.into_iter().enumerate() {
            next[(from + further) % WITNESSES] = number;
        }
        Some(next)
    }

    /// Genesis' witnesses, or a key of the journal that nobody has, in the place of what is in force no more.
    pub(super) fn handover_on_old_base(&mut self, state: &State) -> Option<bool> {
        let genesis = state.network().genesis();
        let (old, keys) = if self.dice.chance(500) {
            let witnesses = genesis.witnesses.clone();
            let old = Keys::Witnesses { witnesses };
            (old.clone(), old)
        } else {
            let vkey = genesis.log.vkey.clone();
            (Keys::Log { vkey }, World::log_keys(0x82))
        };
        let is_old = state.keys_in_place_of(&keys).as_ref() != Some(&old);
        is_old.then(|| self.propose_rotation(state, old.digest(), keys))
    }

    /// The operator, who administers nothing, would have a key of its own speak for the journal.
    pub(super) fn strangers_handover(&mut self, state: &State) -> Option<bool> {
        let keys = World::log_keys(0x82);
        let replaces = state.keys_in_place_of(&keys)?.digest();
        let kind = ActKind::Rotate(Rotate { replaces, keys });
        Some(self.order(state, World::OPERATOR, kind))
    }
}

fn numbers(witnesses: &Witnesses, all: usize) -> BTreeSet<usize> {
    let vkeys = witnesses.vkeys.iter();
    let numbers = vkeys.filter_map(|vkey| setting::number_of(vkey, all));
    numbers.collect()
}

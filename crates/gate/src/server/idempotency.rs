//! `Idempotency-Key`: the same key and payload give the same answer, another payload 422, one in
//! progress 409; a try that failed never burns the key. Keys are a caller's own. An act's answer also
//! says where it stands by then.
//!
//! The map is in memory. After a restart the journal answers in its place: an act that was accepted
//! is answered with where it stands, and evidence that was taken is not taken twice.

use super::Problem;
use crate::sequencer::{Outcome, Taken};
use portcullis_core::id::PrincipalId;
use portcullis_core::{Digest, Reason, Span, Time};
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// How long an answer is remembered.
const REMEMBER: Span = Span::hours(24);
/// Most keys; beyond them the oldest go.
const MAX_KEYS: usize = 100_000;
/// Longest key, in bytes.
const MAX_KEY: usize = 128;

/// A caller and the key that it chose.
pub(super) type Key = (PrincipalId, String);

/// Keys and what became of them.
#[derive(Debug, Default)]
pub(super) struct Idempotency {
    map: Arc<Mutex<Map>>,
}

#[derive(Debug, Default)]
struct Map {
    slots: HashMap<Key, Slot>,
    order: BTreeSet<(Time, Key)>,
}

#[derive(Debug)]
struct Slot {
    /// Of the payload as it was understood: act and evidence.
    payload: Digest,
    time: Time,
    taken: Option<Taken>,
}

/// What a request finds under its key.
pub(super) enum Claim {
    /// An answer.
    Done(Taken),
    /// Nothing: this request does the work.
    Mine(Mine),
}

/// The right to settle a key; dropped unsettled, the key is free again.
pub(super) struct Mine {
    map: Arc<Mutex<Map>>,
    key: Option<Key>,
}

impl Idempotency {
    /// Look a key up, or take it.
    pub(super) fn claim(
        &self,
        key: Option<Key>,
        payload: Digest,
        now: Time,
    ) -> Result<Claim, Problem> {
        let free = |key| {
            Claim::Mine(Mine {
                map: Arc::clone(&self.map),
                key,
            })
        };
        let Some(key) = key else {
            return Ok(free(None));
        };
        if key.1.is_empty() || key.1.len() > MAX_KEY {
            return Err(Reason::Malformed.into());
        }
        let mut map = self.map.lock().unwrap_or_else(PoisonError::into_inner);
        map.forget(now);
        match map.slots.get(&key) {
            Some(slot) if slot.payload != payload => Err(Reason::KeyReused.into()),
            Some(Slot {
                taken: Some(taken), ..
            }) => Ok(Claim::Done(taken.clone())),
            Some(_) => Err(Reason::InProgress.into()),
            None => {
                map.slots.insert(
                    key.clone(),
                    Slot {
                        payload,
                        time: now,
                        taken: None,
                    },
                );
                map.order.insert((now, key.clone()));
                Ok(free(Some(key)))
            }
        }
    }
}

impl Mine {
    /// Keep a good answer; free the key after any other.
    pub(super) fn settle(mut self, outcome: &Outcome) {
        let Ok(taken) = outcome else { return };
        let Some(key) = self.key.take() else { return };
        let mut map = self.map.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = map.slots.get_mut(&key) {
            slot.taken = Some(taken.clone());
        }
    }
}

impl Drop for Mine {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.map
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&key);
        }
    }
}

impl Map {
    fn forget(&mut self, now: Time) {
        while let Some((time, _)) = self.order.first() {
            let old = now.since(*time) > REMEMBER || self.slots.len() >= MAX_KEYS;
            if !old {
                break;
            }
            let Some((_, key)) = self.order.pop_first() else {
                break;
            };
            self.slots.remove(&key);
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(slot) = self.slots.remove(key) {
            self.order.remove(&(slot.time, key.clone()));
        }
    }
}

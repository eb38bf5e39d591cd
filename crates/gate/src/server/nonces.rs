//! Each signed request that changes something counts once: its nonce is remembered for as long as the
//! request could count. Otherwise whoever saw a request that was refused could have the refusal
//! journaled again and again.

use portcullis_core::request::{Parts, REQUEST_AGE, REQUEST_SKEW};
use portcullis_core::{Digest, Reason, Time};
use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Most nonces; beyond them requests are refused until some can count no more.
const MAX_NONCES: usize = 2_000_000;

/// A key's nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Nonce([u8; 16]);

/// Nonces that were used.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    known: HashSet<Nonce>,
    order: VecDeque<(Time, Nonce)>,
}

impl Nonce {
    /// That of a request. Neither part can have a line break.
    pub(super) fn of(parts: &Parts) -> Self {
        let both = format!("{}\n{}", parts.key_id, parts.nonce);
        let Digest(digest) = Digest::plain(both.as_bytes());
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        Self(half)
    }
}

impl Nonces {
    /// Use a nonce up.
    pub(super) fn spend(&self, nonce: Nonce, now: Time) -> Result<(), Reason> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.forget(now);
        if used.known.contains(&nonce) {
            return Err(Reason::RequestReplayed);
        }
        if used.order.len() >= MAX_NONCES {
            return Err(Reason::Busy);
        }
        used.known.insert(nonce);
        used.order.push_back((now, nonce));
        Ok(())
    }

    /// Nothing came of the request: the same may be sent again.
    pub(super) fn free(&self, nonce: Nonce) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.known.remove(&nonce);
    }
}

impl Used {
    fn forget(&mut self, now: Time) {
        let counts = REQUEST_AGE.0 + REQUEST_SKEW.0;
        while let Some((time, nonce)) = self.order.front().copied() {
            if now.since(time).0 <= counts {
                break;
            }
            self.order.pop_front();
            self.known.remove(&nonce);
        }
    }
}

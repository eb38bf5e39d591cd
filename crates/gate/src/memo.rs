//! Remembers signatures that held, so that each is checked once however often it is decided.
//!
//! Handlers check a request's evidence on many threads before the sequencer's one thread decides;
//! the answer for a triple never changes, so remembering it changes no decision.

use portcullis_core::signature::{PublicKey, Signature, Strict, Verify};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Triples remembered in each of two generations.
const GENERATION: usize = 65_536;

/// A bounded memory of good signatures in front of [`Strict`].
#[derive(Debug, Default)]
pub struct Memo {
    known: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashSet<[u8; 32]>,
    old: HashSet<[u8; 32]>,
}

impl Verify for Memo {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let triple = digest(key, message, signature);
        if self.knows(&triple) {
            return true;
        }
        let holds = Strict.verify(key, message, signature);
        if holds {
            self.remember(triple);
        }
        holds
    }
}

impl Memo {
    fn knows(&self, triple: &[u8; 32]) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.young.contains(triple) || known.old.contains(triple)
    }

    fn remember(&self, triple: [u8; 32]) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.young.len() >= GENERATION {
            known.old = core::mem::take(&mut known.young);
        }
        known.young.insert(triple);
    }
}

/// Lengths stand before the parts, so that no two triples have one digest.
fn digest(key: &PublicKey, message: &[u8], signature: &Signature) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [key.as_bytes(), message, signature.as_bytes()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

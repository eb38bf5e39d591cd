//! Remembers signatures that held, so that each is checked once however often it is decided.
//!
//! A gate's handlers check a request's evidence on many threads before the sequencer's one thread
//! decides; a keeper meets its own statements again in the journal. The answer for a triple never
//! changes, so remembering it changes no decision.

use crate::{SignError, StatementKey, WalletKey};
use portcullis_chains::bitcoin::Claimed;
use portcullis_chains::ethereum::SignedTx;
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

    fn is_signed_by(&self, tx: &SignedTx, address: [u8; 20]) -> bool {
        let pair = of_transaction(tx, address);
        if self.knows(&pair) {
            return true;
        }
        let holds = Strict.is_signed_by(tx, address);
        if holds {
            self.remember(pair);
        }
        holds
    }

    fn is_spend_of(&self, plan: &Claimed, transaction: &[u8]) -> bool {
        // All that the signatures are over: the transaction, and what its inputs are said to hold and by which keys.
        let pair = hashed(&[b"spend", &plan.claims(), transaction]);
        if self.knows(&pair) {
            return true;
        }
        let holds = Strict.is_spend_of(plan, transaction);
        if holds {
            self.remember(pair);
        }
        holds
    }
}

impl Memo {
    /// Sign, and remember that this signature holds: [`StatementKey::sign`] promises it.
    pub fn sign(&self, key: &dyn StatementKey, message: &[u8]) -> Result<Signature, SignError> {
        let signature = key.sign(message)?;
        self.remember(digest(key.public_key(), message, &signature));
        Ok(signature)
    }

    /// Remember a transaction that a wallet's key has just signed: [`WalletKey::sign`] promises that it
    /// recovers to its address.
    pub fn signed(&self, tx: &SignedTx, key: &dyn WalletKey) {
        self.remember(of_transaction(tx, key.address()));
    }

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

fn of_transaction(tx: &SignedTx, address: [u8; 20]) -> [u8; 32] {
    hashed(&[b"transaction", &tx.to_bytes(), &address])
}

fn digest(key: &PublicKey, message: &[u8], signature: &Signature) -> [u8; 32] {
    hashed(&[key.as_bytes(), message, signature.as_bytes()])
}

/// Lengths stand before the parts, so that no two triples have one digest.
fn hashed(parts: &[&[u8]; 3]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

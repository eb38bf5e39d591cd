//! Checking a signature, behind one seam.

use super::{PublicKey, Signature, ed25519, p256};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use portcullis_chains::bitcoin::Claimed;
use portcullis_chains::ethereum::SignedTx;

/// Says whether a signature holds.
///
/// Every implementation gives [`Strict`]'s answer, by asking it or by remembering what it answered;
/// a process that answers otherwise parts from everyone else's state. An implementation may keep a
/// memo of triples that held, since the answer for a triple never changes.
pub trait Verify {
    /// Whether `signature` over `message` (unhashed) was made with the private half of `key`.
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool;

    /// Whether the transaction was signed with the key of this address.
    fn is_signed_by(&self, tx: &SignedTx, address: [u8; 20]) -> bool;

    /// Whether the raw transaction is the plan, signed by the keys of what it spends, if its claims are true.
    fn is_spend_of(&self, plan: &Claimed, transaction: &[u8]) -> bool;
}

/// The rule itself, in full, every time.
///
/// Ed25519: without cofactor, canonical S, and neither key nor R of small order or with a second
/// spelling. P-256: only the low S.
#[derive(Clone, Copy, Debug, Default)]
pub struct Strict;

impl Verify for Strict {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let bytes = signature.as_bytes();
        match key {
            PublicKey::Ed25519(key) => {
                bytes.first_chunk().is_some_and(ed25519::is_honest_point)
                    && UnparsedPublicKey::new(&ED25519, key.as_bytes())
                        .verify(message, bytes)
                        .is_ok()
            }
            PublicKey::P256(key) => {
                p256::is_low_s(bytes)
                    && UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.as_bytes())
                        .verify(message, bytes)
                        .is_ok()
            }
        }
    }

    fn is_signed_by(&self, tx: &SignedTx, address: [u8; 20]) -> bool {
        tx.recover() == Ok(address)
    }

    fn is_spend_of(&self, plan: &Claimed, transaction: &[u8]) -> bool {
        plan.signed(transaction).is_ok()
    }
}

/// A dangerous door: takes every signature as good, without looking.
///
/// It exists for a process that starts again and applies entries *below its own durable checkpoint*, each
/// of which it has itself checked with [`Strict`] before; [`State::apply_again`](crate::State::apply_again)
/// is its way through, which knows the entries that say what they say because a signature does *not* hold.
/// Anywhere else it lets everybody move everything. Never use it on bytes that came over a network since
/// that checkpoint.
#[derive(Clone, Copy, Debug)]
pub struct AlreadyChecked {
    _private: (),
}

impl AlreadyChecked {
    /// Open the door. The name is the caller's promise, and what a reviewer searches for.
    #[must_use]
    pub const fn below_own_durable_checkpoint() -> Self {
        Self { _private: () }
    }
}

impl Verify for AlreadyChecked {
    fn verify(&self, _: &PublicKey, _: &[u8], _: &Signature) -> bool {
        true
    }

    fn is_signed_by(&self, _: &SignedTx, _: [u8; 20]) -> bool {
        true
    }

    fn is_spend_of(&self, _: &Claimed, _: &[u8]) -> bool {
        true
    }
}

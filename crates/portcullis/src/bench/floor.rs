//! The floor: signatures that cannot be batched, in a tight loop.
//!
//! ECDSA on P-256 cannot be checked in batches, because a signature holds only one coordinate of its
//! point. Ed25519 can, but the equation of a batch lets pass what the strict rule refuses, so a batch
//! is no check. A secp256k1 signature is made one by one. What is left is their cost in the very
//! libraries that the system uses, and nothing else.

use super::cpu::{micros_each, of_thread};
use super::row::median;
use crate::failure::Failure;
use portcullis_core::signature::{PublicKey, Signature, Strict, Verify as _};
use portcullis_keys::StatementKey;
use portcullis_keys::software::SoftwareStatement;
use secp256k1::{Message, Secp256k1, SecretKey};
use std::hint::black_box;
use zeroize::Zeroizing;

/// Bytes of a message: about what requests and assertions have.
const MESSAGE: usize = 300;

/// Microseconds of CPU for each operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floor {
    pub(super) p256_verify: f64,
    pub(super) ed25519_verify: f64,
    pub(super) secp256k1_sign: f64,
}

impl Floor {
    /// Time all, each the median of several rounds.
    pub(super) fn measure(rounds: u64) -> Result<Self, Failure> {
        let failed = |error| Failure::usage(error, "");
        let secret = Zeroizing::new([7; 32]);
        let p256 = SoftwareStatement::p256(&secret).map_err(failed)?;
        let ed25519 = SoftwareStatement::ed25519(&secret).map_err(failed)?;
        Ok(Self {
            p256_verify: verify(&p256, rounds)?,
            ed25519_verify: verify(&ed25519, rounds)?,
            secp256k1_sign: secp256k1_sign(rounds),
        })
    }

    /// So many of each.
    pub(super) fn of(&self, p256: u32, ed25519: u32, secp256k1: u32) -> f64 {
        f64::from(p256) * self.p256_verify
            + f64::from(ed25519) * self.ed25519_verify
            + f64::from(secp256k1) * self.secp256k1_sign
    }
}

fn verify(key: &SoftwareStatement, rounds: u64) -> Result<f64, Failure> {
    let message = [0x5a; MESSAGE];
    let signature = key.sign(&message)?;
    let key = key.public_key();
    Ok(each(rounds, || {
        black_box(holds(black_box(key), &message, &signature));
    }))
}

fn holds(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    Strict.verify(key, message, signature)
}

/// libsecp256k1 itself, without anything of ours around it.
pub(super) fn secp256k1_sign(rounds: u64) -> f64 {
    let context = Secp256k1::signing_only();
    let Ok(secret) = SecretKey::from_byte_array([7; 32]) else {
        return f64::NAN;
    };
    let mut digest = [0_u8; 32];
    each(rounds, || {
        digest[0] = digest[0].wrapping_add(1);
        let message = Message::from_digest(digest);
        black_box(context.sign_ecdsa_recoverable(message, &secret));
    })
}

/// The median over seven rounds of the CPU time of each call, in microseconds.
pub(super) fn each(calls: u64, mut run: impl FnMut()) -> f64 {
    let rounds = (0..7).map(|_| {
        let ((), took) = of_thread(|| (0..calls).for_each(|_| run()));
        micros_each(took.cpu, calls)
    });
    median(rounds.collect())
}

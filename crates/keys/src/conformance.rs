//! What every implementation of the seam must pass, run against a live key.
//!
//! The suites test the promises written at [`WalletKey`], [`CoinKey`] and [`StatementKey`] one by one, so they
//! hold for a key in a machine as for one in memory. They sign some two hundred times.

use std::thread;

use portcullis_core::signature::{PublicKey, Strict, Verify};
use secp256k1::{Message, Parity, Scalar, Secp256k1, XOnlyPublicKey, ecdsa, schnorr};

use crate::{CoinKey, SignError, StatementKey, WalletKey};

/// The promise that a key broke.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It did not sign although nothing was in its way.
    #[error("the key did not sign: {0}")]
    Sign(#[from] SignError),
    /// Its public half changed between two calls.
    #[error("the public half changed")]
    PublicChanged,
    /// A signature does not recover to the address, or does not hold under the public key.
    #[error("a signature does not hold for what was signed")]
    DoesNotHold,
    /// A signature holds for something else too.
    #[error("a signature holds for something that was not signed")]
    HoldsForMore,
    /// Ed25519 gave two signatures over one message.
    #[error("Ed25519 signed the same message in two ways")]
    NotDeterministic,
    /// A thread that signed panicked.
    #[error("signing panicked")]
    Panicked,
}

const THREADS: u8 = 4;
const SIGNATURES_PER_THREAD: u8 = 16;

/// Runs every check on a wallet key.
pub fn wallet(key: &dyn WalletKey) -> Result<(), Broken> {
    // Zero and values above the curve's order are digests like any other.
    for digest in [[0; 32], [1; 32], [0x7f; 32], [0xff; 32]] {
        wallet_signs(key, digest)?;
    }
    on_threads(&|thread, count| wallet_signs(key, distinct(thread, count)))
}

/// Runs every check on a key of coins.
pub fn coin(key: &dyn CoinKey) -> Result<(), Broken> {
    for digest in [[0; 32], [1; 32], [0x7f; 32], [0xff; 32]] {
        coin_signs(key, digest)?;
    }
    on_threads(&|thread, count| coin_signs(key, distinct(thread, count)))
}

/// Runs every check on a statement key.
pub fn statement(key: &dyn StatementKey) -> Result<(), Broken> {
    for length in [0, 1, 31, 32, 64, 65, 1 << 16] {
        statement_signs(key, &vec![0xa5; length])?;
    }
    on_threads(&|thread, count| statement_signs(key, &distinct(thread, count)))
}

fn wallet_signs(key: &dyn WalletKey, digest: [u8; 32]) -> Result<(), Broken> {
    let address = key.address();
    let signature = key.sign(&digest)?;
    if key.address() != address {
        return Err(Broken::PublicChanged);
    }
    if signature.recover(&digest) != Ok(address) {
        return Err(Broken::DoesNotHold);
    }
    if signature.recover(&changed(&digest)) == Ok(address) {
        return Err(Broken::HoldsForMore);
    }
    Ok(())
}

fn coin_signs(key: &dyn CoinKey, digest: [u8; 32]) -> Result<(), Broken> {
    let public = key.public_key();
    let tweak = distinct(0x5c, digest[31]);
    let (by_itself, tweaked) = (key.sign_ecdsa(&digest)?, key.sign_schnorr(&digest, &tweak)?);
    if key.public_key() != public {
        return Err(Broken::PublicChanged);
    }
    let other = changed(&digest);
    let ecdsa = |digest| ecdsa_holds(&public, digest, &by_itself).unwrap_or(false);
    let schnorr = |digest, tweak| schnorr_holds(&public, digest, tweak, tweaked).unwrap_or(false);
    if !ecdsa(digest) || !schnorr(&digest, &tweak) {
        return Err(Broken::DoesNotHold);
    }
    if ecdsa(other) || schnorr(&other, &tweak) || schnorr(&digest, &changed(&tweak)) {
        return Err(Broken::HoldsForMore);
    }
    Ok(())
}

/// Verifying refuses a high `s`.
fn ecdsa_holds(public: &[u8; 33], digest: [u8; 32], signature: &[u8; 64]) -> Option<bool> {
    let public = secp256k1::PublicKey::from_slice(public).ok()?;
    let signature = ecdsa::Signature::from_compact(signature).ok()?;
    let digest = Message::from_digest(digest);
    let secp = Secp256k1::verification_only();
    Some(secp.verify_ecdsa(digest, &signature, &public).is_ok())
}

fn schnorr_holds(
    public: &[u8; 33],
    digest: &[u8; 32],
    tweak: &[u8; 32],
    signature: [u8; 64],
) -> Option<bool> {
    let (_, internal) = public.split_first()?;
    let internal = XOnlyPublicKey::from_byte_array(internal.try_into().ok()?).ok()?;
    let secp = Secp256k1::verification_only();
    let tweak = Scalar::from_be_bytes(*tweak).ok()?;
    let output: (XOnlyPublicKey, Parity) = internal.add_tweak(&secp, &tweak).ok()?;
    let signature = schnorr::Signature::from_byte_array(signature);
    Some(secp.verify_schnorr(&signature, digest, &output.0).is_ok())
}

fn statement_signs(key: &dyn StatementKey, message: &[u8]) -> Result<(), Broken> {
    let public = key.public_key().clone();
    let signature = key.sign(message)?;
    if *key.public_key() != public {
        return Err(Broken::PublicChanged);
    }
    if !Strict.verify(&public, message, &signature) {
        return Err(Broken::DoesNotHold);
    }
    let longer = [message, &[0]].concat();
    if Strict.verify(&public, &longer, &signature) {
        return Err(Broken::HoldsForMore);
    }
    if matches!(public, PublicKey::Ed25519(_)) && key.sign(message)? != signature {
        return Err(Broken::NotDeterministic);
    }
    Ok(())
}

/// Runs a check many times on several threads at once.
fn on_threads(check: &(dyn Fn(u8, u8) -> Result<(), Broken> + Sync)) -> Result<(), Broken> {
    let all = |thread| (0..SIGNATURES_PER_THREAD).try_for_each(|count| check(thread, count));
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|n| scope.spawn(move || all(n))).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or(Err(Broken::Panicked)))
    })
}

/// Bytes that no other thread and count have.
fn distinct(thread: u8, count: u8) -> [u8; 32] {
    let mut bytes = [0x3c; 32];
    bytes[0] = thread;
    bytes[31] = count;
    bytes
}

fn changed(digest: &[u8; 32]) -> [u8; 32] {
    let mut other = *digest;
    other[31] ^= 1;
    other
}

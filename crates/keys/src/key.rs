//! What a key promises, wherever its secret is.

use portcullis_chains::ethereum;
use portcullis_core::signature::{PublicKey, Signature};

/// A secp256k1 key that signs transactions.
///
/// **What is promised.**
///
/// - [`address`](Self::address) never changes, does no I/O, and is the address of the key that signs.
/// - A signature that [`sign`](Self::sign) returns recovers to that address over exactly the digest
///   given, and its `s` is low. The implementation has made sure of it, whatever its hardware
///   returns; a caller need not check again.
/// - Two signatures over one digest need not be equal. They authorise the same transaction.
/// - After an error no signature has come out of this call. Nothing is promised about what a machine
///   behind it has done or counted.
///
/// **Threads.** Any number of threads may sign at once; an implementation whose hardware takes one
/// at a time makes them wait, in no promised order.
///
/// **What is not promised.** No policy: it signs every digest. Whoever holds the key has decided
/// before. No deadline either: an implementation over a network states its own.
pub trait WalletKey: Send + Sync {
    /// The address that the key controls on chains with Ethereum's rules.
    fn address(&self) -> [u8; 20];

    /// Signs a digest, which is not hashed again.
    fn sign(&self, digest: &[u8; 32]) -> Result<ethereum::Signature, SignError>;
}

/// An Ed25519 or P-256 key that signs statements: receipts, attestations, acts, requests.
///
/// **What is promised.**
///
/// - [`public_key`](Self::public_key) never changes and does no I/O.
/// - A signature that [`sign`](Self::sign) returns holds under
///   [`Strict`](portcullis_core::signature::Strict) for exactly the message given. A P-256 signature
///   is over SHA-256 of the message and has the low S; an Ed25519 one is that of RFC 8032, without
///   prehash.
/// - Ed25519 signs the same message always the same; P-256 need not.
/// - After an error no signature has come out of this call.
///
/// **Threads.** As for [`WalletKey`].
///
/// **What is not promised.** No domain separation: the message carries its prefix already.
pub trait StatementKey: Send + Sync {
    /// The public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs a message, unhashed.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignError>;
}

/// Why there is no signature.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Whatever holds the secret cannot be reached, or did not answer in time. Trying again is
    /// right and safe.
    #[error("the key cannot be reached ({0}): try again")]
    Unavailable(String),
    /// It was reached and will not sign. Trying again does not help; somebody has to look.
    #[error("the key does not sign ({0}): look at whatever holds it")]
    Refused(String),
    /// It returned something that is no signature of this key; it was thrown away.
    #[error(
        "the key returned a signature that does not hold: stop using it and look at its holder"
    )]
    Wrong,
}

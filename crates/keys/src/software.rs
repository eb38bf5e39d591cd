//! Keys whose secret is in this process' memory.
//!
//! Secrets are erased when their key is dropped; nothing here can be printed or cloned.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use portcullis_chains::ethereum::{self, address_of};
use portcullis_core::signature::{PublicKey, Signature};
use secp256k1::{Message, Secp256k1, SecretKey, SignOnly};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::{SignError, StatementKey, WalletKey};

/// The 32 bytes of a secret: a scalar for the two curves of ECDSA, the seed of RFC 8032 for Ed25519.
pub type Secret = Zeroizing<[u8; 32]>;

/// The bytes are zero, or not below the order of the curve: no key has this secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key has this secret: it is zero or not below the order of the curve")]
pub struct OutOfRange;

/// A secp256k1 key in memory; nonces after RFC 6979.
pub struct SoftwareWallet {
    secret: SecretKey,
    address: [u8; 20],
    blinded: Secp256k1<SignOnly>,
}

impl SoftwareWallet {
    /// The key with this secret.
    pub fn new(secret: &Secret) -> Result<Self, OutOfRange> {
        let scalar = SecretKey::from_byte_array(**secret).map_err(|_| OutOfRange)?;
        let blinded = blinded_by(secret);
        let address = address_of(&scalar.public_key(&blinded));
        Ok(Self {
            secret: scalar,
            address,
            blinded,
        })
    }
}

/// A context whose intermediate values nobody can foresee, against side channels.
///
/// The secret itself goes into the seed, so that it is unknown even where there are no random bytes.
pub(crate) fn blinded_by(secret: &Secret) -> Secp256k1<SignOnly> {
    let mut fresh = [0; 32];
    let _ = getrandom::fill(&mut fresh);
    let hash = Sha256::new_with_prefix(b"portcullis blinding").chain_update(**secret);
    let seed = Zeroizing::new(hash.chain_update(fresh).finalize().into());
    let mut context = Secp256k1::signing_only();
    context.seeded_randomize(&seed);
    context
}

impl WalletKey for SoftwareWallet {
    fn address(&self) -> [u8; 20] {
        self.address
    }

    fn sign(&self, digest: &[u8; 32]) -> Result<ethereum::Signature, SignError> {
        let digest = Message::from_digest(*digest);
        let signature = self.blinded.sign_ecdsa_recoverable(digest, &self.secret);
        let (parity, numbers) = signature.serialize_compact();
        let mut bytes = [0; 65];
        bytes[..64].copy_from_slice(&numbers);
        bytes[64] = u8::try_from(i32::from(parity)).map_err(|_| SignError::Wrong)?;
        ethereum::Signature::from_bytes(&bytes).map_err(|_| SignError::Wrong)
    }
}

impl Drop for SoftwareWallet {
    fn drop(&mut self) {
        self.secret.non_secure_erase();
    }
}

impl fmt::Debug for SoftwareWallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SoftwareWallet(0x{}, secret left out)",
            hex::encode(self.address)
        )
    }
}

/// An Ed25519 or P-256 key in memory.
pub struct SoftwareStatement {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl SoftwareStatement {
    /// The Ed25519 key with this seed.
    pub fn ed25519(seed: &Secret) -> Result<Self, OutOfRange> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&**seed).map_err(|_| OutOfRange)?;
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| OutOfRange)?;
        let public = PublicKey::ed25519(public).map_err(|_| OutOfRange)?;
        Ok(Self {
            pair: Pair::Ed25519(pair),
            public,
        })
    }

    /// The P-256 key with this scalar.
    pub fn p256(scalar: &Secret) -> Result<Self, OutOfRange> {
        let der = rfc5915(scalar);
        let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &*der)
            .map_err(|_| OutOfRange)?;
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| OutOfRange)?;
        let public = PublicKey::p256(public).map_err(|_| OutOfRange)?;
        Ok(Self {
            pair: Pair::P256(pair),
            public,
        })
    }
}

impl StatementKey for SoftwareStatement {
    fn public_key(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        let refused = |_| SignError::Refused("the cryptographic library failed".into());
        match &self.pair {
            Pair::Ed25519(pair) => {
                let signature = pair.try_sign(message).map_err(refused)?;
                let bytes = signature
                    .as_ref()
                    .try_into()
                    .map_err(|_| SignError::Wrong)?;
                Ok(Signature::from_bytes(bytes))
            }
            Pair::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message).map_err(refused)?;
                Signature::from_fixed_normalised(signature.as_ref()).map_err(|_| SignError::Wrong)
            }
        }
    }
}

impl fmt::Debug for SoftwareStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SoftwareStatement({:?}, secret left out)", self.public)
    }
}

/// The scalar as the `ECPrivateKey` of RFC 5915 for P-256, its public half left out.
fn rfc5915(scalar: &Secret) -> Zeroizing<[u8; 51]> {
    const BEFORE: [u8; 7] = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
    const AFTER: [u8; 12] = [
        0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
    ];
    let mut der = Zeroizing::new([0; 51]);
    der[..7].copy_from_slice(&BEFORE);
    der[7..39].copy_from_slice(&**scalar);
    der[39..].copy_from_slice(&AFTER);
    der
}

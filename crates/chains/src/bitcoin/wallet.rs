//! What is the wallet's: locks that its keys open, and the one that takes its change.

use std::collections::BTreeMap;

use bitcoin::hashes::{Hash, hash160};
use bitcoin::key::TapTweak;
use bitcoin::secp256k1::{PublicKey, Secp256k1, XOnlyPublicKey};
use bitcoin::taproot::TapTweakHash;

use super::Lock;
use crate::caip::BitcoinChain;

/// A key of the wallet, and how it locks outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnedKey(pub(super) Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// ECDSA by this key.
    P2wpkh(PublicKey),
    /// Schnorr by the output key, which is the internal key with its tweak.
    P2tr {
        internal: XOnlyPublicKey,
        output: XOnlyPublicKey,
    },
}

/// The bytes are no point of secp256k1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are no public key of secp256k1")]
pub struct NotAKey;

impl OwnedKey {
    /// A key for P2WPKH, compressed as in SEC 1.
    pub fn p2wpkh(compressed: &[u8; 33]) -> Result<Self, NotAKey> {
        PublicKey::from_slice(compressed)
            .map(|key| Self(Kind::P2wpkh(key)))
            .map_err(|_| NotAKey)
    }

    /// An internal key for P2TR without scripts, x only (BIP 340). The output key commits to there
    /// being no script (BIP 341, BIP 86), so that nothing but a signature spends.
    pub fn p2tr(internal: &[u8; 32]) -> Result<Self, NotAKey> {
        let internal = XOnlyPublicKey::from_slice(internal).map_err(|_| NotAKey)?;
        let (output, _) = internal.tap_tweak(&Secp256k1::verification_only(), None);
        let output = output.to_x_only_public_key();
        Ok(Self(Kind::P2tr { internal, output }))
    }

    /// The lock that this key opens.
    #[must_use]
    pub fn lock(&self) -> Lock {
        match &self.0 {
            Kind::P2wpkh(key) => {
                Lock::P2wpkh(hash160::Hash::hash(&key.serialize()).to_byte_array())
            }
            Kind::P2tr { output, .. } => Lock::P2tr(output.serialize()),
        }
    }

    /// For P2TR what the signer adds to its secret key, negated first where its point has an odd y
    /// (`taproot_tweak_seckey` of BIP 341). P2WPKH has none.
    #[must_use]
    pub fn tweak(&self) -> Option<[u8; 32]> {
        match &self.0 {
            Kind::P2wpkh(_) => None,
            Kind::P2tr { internal, .. } => {
                Some(TapTweakHash::from_key_and_tweak(*internal, None).to_byte_array())
            }
        }
    }

    /// The most weight that its witness adds to a transaction, in weight units: a count, then a
    /// signature of at most 72 bytes and a key of 33, or a signature of 64, each with its length.
    pub(super) const fn witness_weight(&self) -> u64 {
        match self.0 {
            Kind::P2wpkh(_) => 1 + 1 + 72 + 1 + 33,
            Kind::P2tr { .. } => 1 + 1 + 64,
        }
    }
}

/// The wallet on one chain as a signer derives it from its own keys; nothing in it comes from a
/// gate or a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    chain: BitcoinChain,
    owned: BTreeMap<Lock, OwnedKey>,
    change: OwnedKey,
}

impl Wallet {
    /// A wallet that sends its change to `change`, and can spend what `others` lock, too.
    #[must_use]
    pub fn new(chain: BitcoinChain, change: OwnedKey, others: &[OwnedKey]) -> Self {
        let keys = others.iter().copied().chain([change]);
        Self {
            chain,
            owned: keys.map(|key| (key.lock(), key)).collect(),
            change,
        }
    }

    /// The chain that it is on.
    #[must_use]
    pub const fn chain(&self) -> BitcoinChain {
        self.chain
    }

    /// The lock of every output that returns to the wallet.
    #[must_use]
    pub fn change(&self) -> Lock {
        self.change.lock()
    }

    /// Every lock that its keys open.
    pub fn locks(&self) -> impl Iterator<Item = Lock> {
        self.owned.keys().copied()
    }

    /// The key that opens a lock, if it is the wallet's.
    #[must_use]
    pub fn key_of(&self, lock: &Lock) -> Option<&OwnedKey> {
        self.owned.get(lock)
    }
}

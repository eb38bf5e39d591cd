//! Signed transactions, and whose they are.

use alloy_primitives::{U256, keccak256};
use secp256k1::ecdsa::{RecoverableSignature, RecoveryId};
use secp256k1::{Message, PublicKey, SECP256K1};

use super::rlp::Fields;
use super::tx::{canonical, enveloped, list_of};
use super::{TxError, UnsignedTx};

/// The order of secp256k1 (SEC 2, 2.4.1), big-endian.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41,
];

/// Half of the order, rounded down: the largest `s` that Ethereum takes (EIP-2).
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// A recoverable ECDSA signature over secp256k1, its numbers in range and its `s` low.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signature {
    r: [u8; 32],
    s: [u8; 32],
    y_parity: bool,
}

/// Why a signature is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// `r` or `s` is zero or not below the curve's order.
    #[error("r or s is out of range")]
    OutOfRange,
    /// `s` is above half the order: the same signature has another spelling (EIP-2).
    #[error("s is above half the curve's order: normalise it")]
    HighS,
    /// The parity, or recovery id, is neither 0 nor 1.
    #[error("the parity is neither 0 nor 1")]
    Parity,
    /// No public key could have made it.
    #[error("no key can have made this signature")]
    NoKey,
}

impl Signature {
    /// Checks the range of both numbers (big-endian) and that `s` is low.
    pub fn new(r: [u8; 32], s: [u8; 32], y_parity: bool) -> Result<Self, SignatureError> {
        let in_range = |number: &[u8; 32]| *number != [0; 32] && *number < ORDER;
        if !in_range(&r) || !in_range(&s) {
            return Err(SignatureError::OutOfRange);
        }
        if s > HALF_ORDER {
            return Err(SignatureError::HighS);
        }
        Ok(Self { r, s, y_parity })
    }

    /// Reads r ‖ s ‖ parity, as keys return it; the last byte is 0 or 1.
    pub fn from_bytes(bytes: &[u8; 65]) -> Result<Self, SignatureError> {
        let (mut r, mut s) = ([0; 32], [0; 32]);
        r.copy_from_slice(&bytes[..32]);
        s.copy_from_slice(&bytes[32..64]);
        match bytes[64] {
            0 => Self::new(r, s, false),
            1 => Self::new(r, s, true),
            _ => Err(SignatureError::Parity),
        }
    }

    /// r ‖ s ‖ parity.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 65] {
        let mut bytes = [0; 65];
        bytes[..32].copy_from_slice(&self.r);
        bytes[32..64].copy_from_slice(&self.s);
        bytes[64] = u8::from(self.y_parity);
        bytes
    }

    /// The address whose key signed `digest`.
    pub fn recover(&self, digest: &[u8; 32]) -> Result<[u8; 20], SignatureError> {
        let id = if self.y_parity {
            RecoveryId::One
        } else {
            RecoveryId::Zero
        };
        RecoverableSignature::from_compact(&self.to_bytes()[..64], id)
            .and_then(|signature| {
                SECP256K1.recover_ecdsa(Message::from_digest(*digest), &signature)
            })
            .map(|key| address_of(&key))
            .map_err(|_| SignatureError::NoKey)
    }
}

/// The address of a key: the last 20 bytes of Keccak-256 over its point, x ‖ y.
#[must_use]
pub fn address_of(key: &PublicKey) -> [u8; 20] {
    let hash = keccak256(&key.serialize_uncompressed()[1..]);
    let mut address = [0; 20];
    address.copy_from_slice(&hash[12..]);
    address
}

/// A transaction of EIP-1559 with a signature, ready to be broadcast.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignedTx {
    unsigned: UnsignedTx,
    signature: Signature,
}

impl SignedTx {
    /// Joins a transaction and a signature over its [`UnsignedTx::sighash`]. Whether the right key
    /// made it is what [`Self::recover`] says.
    #[must_use]
    pub fn assemble(unsigned: UnsignedTx, signature: Signature) -> Self {
        Self {
            unsigned,
            signature,
        }
    }

    /// Reads a raw transaction from the one encoding that it has.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TxError> {
        let mut fields = Fields::of(list_of(bytes)?)?;
        let unsigned = UnsignedTx::read(&mut fields)?;
        let y_parity = match fields.integer::<u64>()? {
            0 => false,
            1 => true,
            _ => return Err(SignatureError::Parity.into()),
        };
        let signature = Signature::new(fields.scalar()?, fields.scalar()?, y_parity)?;
        fields.end()?;
        let tx = Self {
            unsigned,
            signature,
        };
        canonical(bytes, &tx.to_bytes())?;
        Ok(tx)
    }

    /// The raw transaction, as a node takes it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Signature { r, s, y_parity } = self.signature;
        let (r, s) = (U256::from_be_bytes(r), U256::from_be_bytes(s));
        self.unsigned
            .with_fields(|unsigned| enveloped(&[unsigned, &[&y_parity, &r, &s]].concat()))
    }

    /// The hash by which the chain knows the transaction: Keccak-256 over [`Self::to_bytes`].
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        keccak256(self.to_bytes()).0
    }

    /// Who signed: the address from which the chain will take the money.
    pub fn recover(&self) -> Result<[u8; 20], SignatureError> {
        self.signature.recover(&self.unsigned.sighash())
    }

    /// What was signed.
    #[must_use]
    pub fn unsigned(&self) -> &UnsignedTx {
        &self.unsigned
    }

    /// The signature by itself.
    #[must_use]
    pub fn signature(&self) -> &Signature {
        &self.signature
    }
}

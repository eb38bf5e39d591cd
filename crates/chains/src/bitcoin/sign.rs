//! From a checked plan to a signed transaction.

use bitcoin::Witness;
use bitcoin::ecdsa;
use bitcoin::secp256k1::schnorr;

use super::wallet::Kind;
use super::{Checked, Coin, NotSigned, OwnedKey, SignedTx};

/// How a digest is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// ECDSA by the key itself, `s` low (BIP 62).
    Ecdsa,
    /// Schnorr (BIP 340) by the key with its [`OwnedKey::tweak`].
    Schnorr,
}

/// What one input asks of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighash {
    /// The 32 bytes to sign.
    pub digest: [u8; 32],
    /// The key whose signature it takes.
    pub key: OwnedKey,
    /// How it signs.
    pub scheme: Scheme,
}

impl Checked {
    /// What has to be signed, in the order of the inputs.
    pub fn sighashes(&self) -> impl Iterator<Item = Sighash> {
        self.coins().iter().zip(self.digests()).map(sighash)
    }

    /// Joins the plan with the signatures of its inputs, in their order: `r ‖ s` of ECDSA or the 64
    /// bytes of BIP 340. Each is verified, so what comes out is valid.
    pub fn finish(&self, signatures: &[[u8; 64]]) -> Result<SignedTx, NotSigned> {
        if signatures.len() != self.coins().len() {
            return Err(NotSigned::Count);
        }
        let mut tx = self.tx().clone();
        let spends = self.coins().iter().zip(signatures);
        for (at, (input, (coin, signature))) in tx.input.iter_mut().zip(spends).enumerate() {
            input.witness = witness(coin, signature).ok_or(NotSigned::Signature(at))?;
        }
        SignedTx::of(tx, self)
    }
}

fn sighash((coin, digest): (&Coin, &[u8; 32])) -> Sighash {
    Sighash {
        digest: *digest,
        key: *coin.key(),
        scheme: match coin.key().0 {
            Kind::P2wpkh(_) => Scheme::Ecdsa,
            Kind::P2tr { .. } => Scheme::Schnorr,
        },
    }
}

/// The witness that spends a coin, unless the signature's numbers are out of range.
fn witness(coin: &Coin, signature: &[u8; 64]) -> Option<Witness> {
    match &coin.key().0 {
        Kind::P2wpkh(key) => {
            let signature = bitcoin::secp256k1::ecdsa::Signature::from_compact(signature).ok()?;
            let signature = ecdsa::Signature::sighash_all(signature);
            Some(Witness::p2wpkh(&signature, key))
        }
        Kind::P2tr { .. } => {
            let signature = schnorr::Signature::from_slice(signature).ok()?;
            Some(Witness::from_slice(&[signature.as_ref()]))
        }
    }
}

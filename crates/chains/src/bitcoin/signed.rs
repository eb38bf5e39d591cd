//! Signed transactions, and whether they are exactly the plan.

use bitcoin::consensus::encode;
use bitcoin::secp256k1::{Message, Secp256k1, VerifyOnly, ecdsa, schnorr};
use bitcoin::sighash::EcdsaSighashType;
use bitcoin::{Transaction, Txid, Witness};

use super::wallet::Kind;
use super::{Checked, Coin, OwnedKey};

/// The longest raw transaction that is looked at, in bytes: no signed plan of
/// [`super::MAX_VIRTUAL_BYTES`] is longer.
pub const MAX_SIGNED: usize = 40_000;

/// A plan with a valid signature of the wallet in every input, ready to be broadcast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTx(Transaction);

/// Why a raw transaction is not the plan, signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// Longer than [`MAX_SIGNED`].
    #[error("the raw transaction is above {MAX_SIGNED} bytes")]
    TooLarge,
    /// The bytes are no transaction.
    #[error("the raw transaction is malformed")]
    Malformed,
    /// Inputs, outputs or anything else that the id covers differ.
    #[error("the transaction is not the planned one")]
    OtherTransaction,
    /// Not one signature per input.
    #[error("the plan takes one signature per input")]
    Count,
    /// A witness that has more or other parts than the one of its kind.
    #[error("the witness of input {0} is not a signature of the wallet's kind")]
    Witness(usize),
    /// A signature that its key has not made over this plan, or in a spelling that nodes refuse.
    #[error("the signature of input {0} is not the wallet's over this plan")]
    Signature(usize),
}

impl SignedTx {
    /// Reads a raw transaction and accepts it if it is this plan, signed by the wallet.
    pub fn read(bytes: &[u8], plan: &Checked) -> Result<Self, NotSigned> {
        Self::read_spending(bytes, plan.txid(), plan.coins(), plan.digests())
    }

    pub(super) fn of(tx: Transaction, plan: &Checked) -> Result<Self, NotSigned> {
        Self::spending(tx, plan.txid(), plan.coins(), plan.digests())
    }

    /// Reads a raw transaction that is said to be this one, signed over these digests by these coins' keys.
    pub(super) fn read_spending(
        bytes: &[u8],
        txid: Txid,
        coins: &[Coin],
        digests: &[[u8; 32]],
    ) -> Result<Self, NotSigned> {
        if bytes.len() > MAX_SIGNED {
            return Err(NotSigned::TooLarge);
        }
        let tx = encode::deserialize(bytes).map_err(|_| NotSigned::Malformed)?;
        Self::spending(tx, txid, coins, digests)
    }

    fn spending(
        tx: Transaction,
        txid: Txid,
        coins: &[Coin],
        digests: &[[u8; 32]],
    ) -> Result<Self, NotSigned> {
        if tx.compute_txid() != txid {
            return Err(NotSigned::OtherTransaction);
        }
        let secp = Secp256k1::verification_only();
        let spends = coins.iter().zip(digests).zip(&tx.input);
        for (at, ((coin, digest), input)) in spends.enumerate() {
            let digest = Message::from_digest(*digest);
            let parts: Vec<&[u8]> = input.witness.iter().collect();
            if !is_signature(&secp, coin.key(), &digest, &parts, at)? {
                return Err(NotSigned::Signature(at));
            }
        }
        Ok(Self(tx))
    }

    /// The raw transaction, as a node takes it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        encode::serialize(&self.0)
    }

    /// The transaction's id, the same as the plan's.
    #[must_use]
    pub fn txid(&self) -> Txid {
        self.0.compute_txid()
    }

    /// The witness of one input.
    #[must_use]
    pub fn witness(&self, input: usize) -> Option<&Witness> {
        self.0.input.get(input).map(|input| &input.witness)
    }
}

/// Whether the parts of a witness are the key's signature over the digest.
///
/// ECDSA signatures are strict DER (BIP 66), which parsing demands, with a low `s`, which verifying
/// demands, and end in the byte of `SIGHASH_ALL`; Schnorr signatures have exactly 64 bytes, which means `SIGHASH_DEFAULT`.
fn is_signature(
    secp: &Secp256k1<VerifyOnly>,
    key: &OwnedKey,
    digest: &Message,
    parts: &[&[u8]],
    at: usize,
) -> Result<bool, NotSigned> {
    match (&key.0, parts) {
        (Kind::P2wpkh(key), [signature, by]) if **by == key.serialize() => {
            let Some((kind, der)) = signature.split_last() else {
                return Err(NotSigned::Witness(at));
            };
            if u32::from(*kind) != EcdsaSighashType::All.to_u32() {
                return Err(NotSigned::Witness(at));
            }
            let signature = ecdsa::Signature::from_der(der).map_err(|_| NotSigned::Witness(at))?;
            Ok(secp.verify_ecdsa(digest, &signature, key).is_ok())
        }
        (Kind::P2tr { output, .. }, [signature]) => {
            let signature =
                schnorr::Signature::from_slice(signature).map_err(|_| NotSigned::Witness(at))?;
            Ok(secp.verify_schnorr(&signature, digest, output).is_ok())
        }
        _ => Err(NotSigned::Witness(at)),
    }
}

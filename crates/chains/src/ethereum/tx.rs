//! Unsigned transactions of EIP-1559.

use alloy_primitives::U256;
use alloy_rlp::Encodable;

use super::SignatureError;
use super::rlp::{Fields, put_list};

/// The most bytes of a transaction that are looked at. A plain transfer has fewer than 300.
pub const MAX_TX: usize = 1024;

/// The type byte before the list (EIP-2718).
const EIP_1559: u8 = 2;

/// The access list, always empty. What it would list does not matter.
const NO_ACCESS: Vec<u64> = Vec::new();

/// Why bytes are no transaction of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TxError {
    /// More than [`MAX_TX`] bytes.
    #[error("the transaction is too long: at most {MAX_TX} bytes")]
    TooLong,
    /// A legacy transaction, or another type of EIP-2718.
    #[error("not a transaction of type 2 (EIP-1559)")]
    Type,
    /// The list is broken, or a field is not of its type.
    #[error("not canonical RLP: {0}")]
    Rlp(alloy_rlp::Error),
    /// The payee is neither empty nor 20 bytes.
    #[error("the field `to` is neither empty nor 20 bytes")]
    Payee,
    /// An access list; nothing of ours carries one.
    #[error("the access list is not empty")]
    AccessList,
    /// Bytes after the transaction, or fields after its last.
    #[error("something stands after the last field")]
    Trailing,
    /// Another spelling of the same transaction.
    #[error("the bytes are not the canonical encoding of the transaction that they spell")]
    NotCanonical,
    /// The signature's numbers cannot be.
    #[error("signature: {0}")]
    Signature(#[from] SignatureError),
}

/// A transaction of EIP-1559 with an empty access list, before it is signed.
///
/// It may do anything; only what [`super::Transfer::decode`] reads is ever signed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnsignedTx {
    pub(super) chain: u64,
    pub(super) nonce: u64,
    pub(super) max_priority_fee_per_gas: u128,
    pub(super) max_fee_per_gas: u128,
    pub(super) gas_limit: u64,
    /// `None` creates a contract.
    pub(super) to: Option<[u8; 20]>,
    pub(super) value: U256,
    pub(super) data: Vec<u8>,
}

impl UnsignedTx {
    /// Reads a transaction from the one encoding that it has.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TxError> {
        let mut fields = Fields::of(list_of(bytes)?)?;
        let tx = Self::read(&mut fields)?;
        fields.end()?;
        canonical(bytes, &tx.to_bytes())?;
        Ok(tx)
    }

    /// The type byte and the list of nine fields; what is hashed for the signature.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.with_fields(enveloped)
    }

    /// What the wallet signs: Keccak-256 over [`Self::to_bytes`].
    #[must_use]
    pub fn sighash(&self) -> [u8; 32] {
        alloy_primitives::keccak256(self.to_bytes()).0
    }

    /// The chain id of EIP-155.
    #[must_use]
    pub fn chain(&self) -> u64 {
        self.chain
    }

    /// The sender's count of transactions before this one.
    #[must_use]
    pub fn nonce(&self) -> u64 {
        self.nonce
    }

    pub(super) fn read(fields: &mut Fields<'_>) -> Result<Self, TxError> {
        let tx = Self {
            chain: fields.integer()?,
            nonce: fields.integer()?,
            max_priority_fee_per_gas: fields.integer()?,
            max_fee_per_gas: fields.integer()?,
            gas_limit: fields.integer()?,
            to: payee(fields.bytes()?)?,
            value: fields.integer()?,
            data: fields.bytes()?.to_vec(),
        };
        if fields.list()?.is_empty() {
            Ok(tx)
        } else {
            Err(TxError::AccessList)
        }
    }

    /// Hands the nine fields, in their order on the wire, to `then`.
    pub(super) fn with_fields<T>(&self, then: impl FnOnce(&[&dyn Encodable]) -> T) -> T {
        then(&[
            &self.chain,
            &self.nonce,
            &self.max_priority_fee_per_gas,
            &self.max_fee_per_gas,
            &self.gas_limit,
            &self.to.as_ref().map_or(&[][..], |to| &to[..]),
            &self.value,
            &self.data.as_slice(),
            &NO_ACCESS,
        ])
    }
}

/// The list behind the type byte, once size and type are right.
pub(super) fn list_of(bytes: &[u8]) -> Result<&[u8], TxError> {
    if bytes.len() > MAX_TX {
        return Err(TxError::TooLong);
    }
    match bytes.split_first() {
        Some((&EIP_1559, list)) => Ok(list),
        _ => Err(TxError::Type),
    }
}

/// The type byte and a list of these fields.
pub(super) fn enveloped(fields: &[&dyn Encodable]) -> Vec<u8> {
    let mut bytes = vec![EIP_1559];
    put_list(fields, &mut bytes);
    bytes
}

/// A second lock on the decoder: what was read must encode to what was given.
pub(super) fn canonical(given: &[u8], encoded: &[u8]) -> Result<(), TxError> {
    if given == encoded {
        Ok(())
    } else {
        Err(TxError::NotCanonical)
    }
}

fn payee(bytes: &[u8]) -> Result<Option<[u8; 20]>, TxError> {
    match bytes {
        [] => Ok(None),
        _ => bytes.try_into().map(Some).map_err(|_| TxError::Payee),
    }
}

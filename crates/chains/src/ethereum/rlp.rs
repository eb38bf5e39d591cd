//! Lists in RLP, the encoding of Ethereum's transactions (Yellow Paper, appendix B).

use alloy_primitives::U256;
use alloy_rlp::{BufMut, Decodable, Encodable, Header};

use super::TxError;

/// Appends a list of fields.
pub(super) fn put_list(fields: &[&dyn Encodable], out: &mut dyn BufMut) {
    alloy_rlp::encode_list::<&dyn Encodable, dyn Encodable>(fields, out);
}

/// Reads the fields of one list that fills the input.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn of(mut input: &'a [u8]) -> Result<Self, TxError> {
        let payload = Header::decode_bytes(&mut input, true).map_err(TxError::Rlp)?;
        if input.is_empty() {
            Ok(Self(payload))
        } else {
            Err(TxError::Trailing)
        }
    }

    pub(super) fn integer<T: Decodable>(&mut self) -> Result<T, TxError> {
        T::decode(&mut self.0).map_err(TxError::Rlp)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], TxError> {
        Header::decode_bytes(&mut self.0, false).map_err(TxError::Rlp)
    }

    /// A list, and what stands in it.
    pub(super) fn list(&mut self) -> Result<&'a [u8], TxError> {
        Header::decode_bytes(&mut self.0, true).map_err(TxError::Rlp)
    }

    /// Half of a signature, as 32 bytes.
    pub(super) fn scalar(&mut self) -> Result<[u8; 32], TxError> {
        Ok(self.integer::<U256>()?.to_be_bytes())
    }

    /// Ends the list: more fields than its kind has are an error.
    pub(super) fn end(self) -> Result<(), TxError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(TxError::Trailing)
        }
    }
}

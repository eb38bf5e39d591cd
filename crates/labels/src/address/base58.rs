//! Base 58 with a check: bytes and the first four of their double SHA-256.

use bs58::Alphabet;
use bs58::decode::Error;

use super::AddressError;

/// The bytes before the checksum.
pub(super) fn read(text: &str, alphabet: &Alphabet) -> Result<Vec<u8>, AddressError> {
    let read = bs58::decode(text).with_alphabet(alphabet).with_check(None);
    read.into_vec().map_err(|error| match error {
        Error::InvalidCharacter { .. } | Error::NonAsciiCharacter { .. } => {
            AddressError::Characters
        }
        Error::InvalidChecksum { .. } => AddressError::Checksum,
        _ => AddressError::Length,
    })
}

pub(super) fn written(bytes: &[u8], alphabet: &Alphabet) -> String {
    let written = bs58::encode(bytes).with_alphabet(alphabet).with_check();
    written.into_string()
}

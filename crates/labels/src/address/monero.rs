//! Monero's addresses: a network byte, the public spend and view key, and the first four bytes of
//! their Keccak-256, in a base 58 that encodes 8 bytes in 11 characters.
//!
//! An integrated address is the standard one with a payment id; the receiver is the same.
//! <https://docs.getmonero.org/public-address/standard-address/>

use core::fmt;

use super::{AddressError, Chain, Form, Key};

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const STANDARD: u8 = 18;
const INTEGRATED: u8 = 19;
const SUBADDRESS: u8 = 42;
/// Characters of a block, by its bytes.
const CHARACTERS: [usize; 9] = [0, 2, 3, 5, 6, 7, 9, 10, 11];

pub(super) fn read(text: &str) -> Result<Key, AddressError> {
    let bytes = decoded(text)?;
    let (body, checksum) = bytes.split_last_chunk::<4>().ok_or(AddressError::Length)?;
    if !alloy_primitives::keccak256(body).starts_with(checksum) {
        return Err(AddressError::Checksum);
    }
    let (network, rest) = body.split_first().ok_or(AddressError::Length)?;
    let (keys, payment) = rest.split_at_checked(64).ok_or(AddressError::Length)?;
    let form = match (*network, payment.len()) {
        (STANDARD, 0) | (INTEGRATED, 8) => Form::Account,
        (SUBADDRESS, 0) => Form::Subaddress,
        (STANDARD | INTEGRATED | SUBADDRESS, _) => return Err(AddressError::Length),
        _ => return Err(AddressError::Network),
    };
    Key::made(Chain::Monero, form, keys)
}

pub(super) fn write(key: &Key, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let network = match key.shape().form() {
        Form::Account => STANDARD,
        Form::Subaddress => SUBADDRESS,
        _ => return Err(fmt::Error),
    };
    let mut bytes = [&[network], key.bytes()].concat();
    let checksum = alloy_primitives::keccak256(&bytes);
    bytes.extend_from_slice(checksum.get(..4).unwrap_or_default());
    let blocks = bytes.chunks(8);
    blocks
        .into_iter()
        .try_for_each(|block| write_block(block, f))
}

fn decoded(text: &str) -> Result<Vec<u8>, AddressError> {
    let mut bytes = Vec::with_capacity(text.len());
    for block in text.as_bytes().chunks(11) {
        decode_block(block, &mut bytes)?;
    }
    Ok(bytes)
}

/// A block is one number, the highest digit first.
fn decode_block(block: &[u8], into: &mut Vec<u8>) -> Result<(), AddressError> {
    let width = CHARACTERS
        .iter()
        .position(|characters| *characters == block.len())
        .ok_or(AddressError::Length)?;
    let mut number: u128 = 0;
    for character in block {
        let digit = ALPHABET.iter().position(|known| known == character);
        let digit = digit.and_then(|digit| u128::try_from(digit).ok());
        // Eleven digits are below 2^65.
        number = number * 58 + digit.ok_or(AddressError::Characters)?;
    }
    let bytes = number.to_be_bytes();
    let (over, bytes) = bytes.split_at(bytes.len() - width);
    if over.iter().any(|byte| *byte != 0) {
        return Err(AddressError::Characters);
    }
    into.extend_from_slice(bytes);
    Ok(())
}

fn write_block(block: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let characters = CHARACTERS.get(block.len()).copied().unwrap_or_default();
    let mut rest = block
        .iter()
        .fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let mut text = vec![b'1'; characters];
    for digit in text.iter_mut().rev() {
        let at = usize::try_from(rest % 58).unwrap_or_default();
        *digit = ALPHABET.get(at).copied().unwrap_or_default();
        rest /= 58;
    }
    f.write_str(core::str::from_utf8(&text).unwrap_or_default())
}

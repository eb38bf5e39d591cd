//! Addresses of Ethereum and the chains that have its keys: 20 bytes in hexadecimal.

use core::fmt;

use portcullis_chains::caip::{Address, CaipError};

use super::{AddressError, Chain, Form, Key, MAX_WIDTH, Shape};

/// Reads 40 digits, with or without `0x` before them. Letters of one case carry no checksum; letters
/// of both are EIP-55's, and held to it.
pub(super) fn read(text: &str) -> Result<Key, AddressError> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .unwrap_or(text);
    if digits.len() != 40 {
        return Err(AddressError::Length);
    }
    let both_cases = digits.bytes().any(|byte| byte.is_ascii_lowercase())
        && digits.bytes().any(|byte| byte.is_ascii_uppercase());
    let canonical = if both_cases {
        format!("eip155:1:0x{digits}")
    } else {
        format!("eip155:1:0x{}", digits.to_ascii_lowercase())
    };
    match canonical.parse() {
        Ok(Address::Evm { address, .. }) => Key::made(Chain::Evm, Form::Account, &address),
        Err(CaipError::Checksum) => Err(AddressError::Checksum),
        Ok(_) | Err(_) => Err(AddressError::Characters),
    }
}

/// The address on one chain.
pub(super) fn on_chain(chain: u64, address: &[u8; 20]) -> Key {
    let mut bytes = [0; MAX_WIDTH];
    bytes[..8].copy_from_slice(&chain.to_be_bytes());
    bytes[8..28].copy_from_slice(address);
    Key {
        shape: NARROWED,
        bytes,
    }
}

const NARROWED: Shape = match Shape::new(Chain::Evm, Form::Narrowed) {
    Some(shape) => shape,
    None => panic!("Ethereum's addresses can be meant on one chain"),
};

pub(super) fn write(address: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("0x")?;
    address.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

pub(super) fn write_narrowed(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (chain, address) = bytes.split_first_chunk().ok_or(fmt::Error)?;
    write!(f, "eip155:{}:", u64::from_be_bytes(*chain))?;
    write(address, f)
}

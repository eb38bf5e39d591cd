//! Accounts of the XRP Ledger: classic addresses, with a destination tag beside them or none, and
//! X-addresses, which carry it (XLS-5).

use core::fmt;

use bs58::Alphabet;

use super::{AddressError, Chain, Form, Key, base58};

/// What stands before the account id of a classic address.
const CLASSIC: u8 = 0;
/// What stands before it in an X-address of the main network.
const X: [u8; 2] = [0x05, 0x44];

/// `r…`, `r…?dt=7` as in wallets' links, `r…:7` as in older ones, or `X…`.
pub(super) fn read(text: &str) -> Result<Key, AddressError> {
    let parts = text.split_once("?dt=").or_else(|| text.split_once(':'));
    let (address, beside) = parts.map_or((text, None), |(address, tag)| (address, Some(tag)));
    let bytes = base58::read(address, Alphabet::RIPPLE)?;
    let (account, inside) = match bytes.split_first() {
        Some((&CLASSIC, account)) if account.len() == 20 => (account, None),
        _ => inside_x(&bytes)?,
    };
    let key = Key::made(Chain::Xrp, Form::Account, account)?;
    match (inside, beside) {
        (None, None) => Ok(key),
        (Some(tag), None) => tagged(&key, tag),
        (None, Some(text)) => tagged(&key, number(text)?),
        (Some(_), Some(_)) => Err(AddressError::Tag),
    }
}

fn tagged(key: &Key, tag: u32) -> Result<Key, AddressError> {
    key.with_tag(tag).ok_or(AddressError::Tag)
}

/// A tag in decimal, without a sign or zeros before it.
pub(super) fn number(text: &str) -> Result<u32, AddressError> {
    let tag: u32 = text.parse().map_err(|_| AddressError::Tag)?;
    if tag.to_string() == text {
        Ok(tag)
    } else {
        Err(AddressError::Tag)
    }
}

/// Two bytes of prefix, 20 of account id, a flag, and the tag in 8 bytes, the lowest first.
fn inside_x(bytes: &[u8]) -> Result<(&[u8], Option<u32>), AddressError> {
    let rest = bytes.strip_prefix(&X).ok_or(AddressError::Network)?;
    let (account, rest) = rest.split_at_checked(20).ok_or(AddressError::Length)?;
    let (flag, tag) = rest.split_first().ok_or(AddressError::Length)?;
    let tag: [u8; 8] = tag.try_into().map_err(|_| AddressError::Length)?;
    let tag = u32::try_from(u64::from_le_bytes(tag)).map_err(|_| AddressError::Tag)?;
    match (flag, tag) {
        (0, 0) => Ok((account, None)),
        (1, tag) => Ok((account, Some(tag))),
        _ => Err(AddressError::Tag),
    }
}

pub(super) fn write(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let (account, tag) = bytes.split_at_checked(20).ok_or(fmt::Error)?;
    let classic = [&[CLASSIC], account].concat();
    f.write_str(&base58::written(&classic, Alphabet::RIPPLE))?;
    match tag.first_chunk() {
        Some(tag) => write!(f, "?dt={}", u32::from_be_bytes(*tag)),
        None => Ok(()),
    }
}

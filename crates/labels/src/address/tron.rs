//! Tron's addresses: `0x41` and 20 bytes, in base58check for people and in hexadecimal in its API.

use core::fmt;

use bs58::Alphabet;

use super::{AddressError, Chain, Form, Key, base58, evm};

/// What all of the main network's begin with.
const MARK: u8 = 0x41;

pub(super) fn read(text: &str) -> Result<Key, AddressError> {
    if let Some(digits) = text.strip_prefix("41").filter(|rest| rest.len() == 40) {
        let account = evm::read(&digits.to_ascii_lowercase())?;
        return Key::made(Chain::Tron, Form::Account, account.bytes());
    }
    let bytes = base58::read(text, Alphabet::BITCOIN)?;
    match bytes.split_first() {
        Some((&MARK, account)) => Key::made(Chain::Tron, Form::Account, account),
        _ => Err(AddressError::Network),
    }
}

pub(super) fn write(account: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let bytes = [&[MARK], account].concat();
    f.write_str(&base58::written(&bytes, Alphabet::BITCOIN))
}

//! Bitcoin and the coins that have its addresses: base58check, bech32 where there is segregated
//! witness, and Bitcoin Cash's own encoding.

use core::fmt;

use bs58::Alphabet;

use super::{AddressError, Chain, Form, Key, base58, cashaddr, segwit};

/// What tells the addresses of one chain's main network, from its `chainparams.cpp`.
struct Marks {
    /// The version byte before a key's hash.
    key: u8,
    /// The version bytes before a script's hash, the one that is written first.
    script: &'static [u8],
    /// What stands before the `1` of bech32.
    human: Option<&'static str>,
}

const fn marks(chain: Chain) -> Option<Marks> {
    let (key, script, human): (u8, &[u8], _) = match chain {
        Chain::Bitcoin => (0, &[5], Some("bc")),
        Chain::BitcoinCash | Chain::BitcoinSv => (0, &[5], None),
        Chain::BitcoinGold => (38, &[23], Some("btg")),
        // A script's hash began with Bitcoin's 3 until 2017, and both are one receiver.
        Chain::Litecoin => (48, &[50, 5], Some("ltc")),
        Chain::Dogecoin => (30, &[22], None),
        Chain::Dash => (76, &[16], None),
        Chain::Verge => (30, &[33], None),
        Chain::Evm | Chain::Zcash | Chain::Tron | Chain::Xrp | Chain::Monero => return None,
    };
    Some(Marks { key, script, human })
}

pub(super) fn read(chain: Chain, text: &str) -> Result<Key, AddressError> {
    let marks = marks(chain).ok_or(AddressError::Form)?;
    if chain == Chain::BitcoinCash && cashaddr::looks_like(text) {
        return cashaddr::read(text);
    }
    if let Some(human) = marks.human
        && segwit::begins_with(human, text)
    {
        return segwit::read(chain, text);
    }
    let bytes = base58::read(text, Alphabet::BITCOIN)?;
    let (version, hash) = bytes.split_first().ok_or(AddressError::Length)?;
    if *version == marks.key {
        Key::made(chain, Form::KeyHash, hash)
    } else if marks.script.contains(version) {
        Key::made(chain, Form::ScriptHash, hash)
    } else {
        Err(AddressError::Network)
    }
}

pub(super) fn write(key: &Key, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let chain = key.shape().chain();
    let marks = marks(chain).ok_or(fmt::Error)?;
    if chain == Chain::BitcoinCash {
        return cashaddr::write(key, f);
    }
    let version = match key.shape().form() {
        Form::KeyHash => marks.key,
        Form::ScriptHash => *marks.script.first().ok_or(fmt::Error)?,
        _ => return segwit::write(marks.human.ok_or(fmt::Error)?, key, f),
    };
    let bytes = [&[version], key.bytes()].concat();
    f.write_str(&base58::written(&bytes, Alphabet::BITCOIN))
}

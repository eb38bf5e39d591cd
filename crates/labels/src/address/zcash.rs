//! Zcash's addresses: transparent ones in base58check with two version bytes, or as TEX addresses in
//! bech32m (ZIP 320), and Sapling's in bech32. Protocol specification, section 5.6.

use core::fmt;

use bech32::primitives::decode::{CheckedHrpstring, CheckedHrpstringError};
use bech32::{Bech32, Bech32m, Checksum, Hrp};
use bs58::Alphabet;

use super::{AddressError, Chain, Form, Key, base58, segwit};

const KEY: [u8; 2] = [0x1c, 0xb8];
const SCRIPT: [u8; 2] = [0x1c, 0xbd];
/// Before the keys of Sprout, whose notes nobody can send to any more.
const SPROUT: [u8; 2] = [0x16, 0x9a];

pub(super) fn read(text: &str) -> Result<Key, AddressError> {
    if segwit::begins_with("zs", text) {
        return bech32::<Bech32>(text, Form::Sapling);
    }
    if segwit::begins_with("tex", text) {
        return bech32::<Bech32m>(text, Form::KeyHash);
    }
    if segwit::begins_with("u", text) {
        return Err(AddressError::Form);
    }
    let bytes = base58::read(text, Alphabet::BITCOIN)?;
    let (version, rest) = bytes.split_first_chunk().ok_or(AddressError::Length)?;
    match *version {
        KEY => Key::made(Chain::Zcash, Form::KeyHash, rest),
        SCRIPT => Key::made(Chain::Zcash, Form::ScriptHash, rest),
        SPROUT => Err(AddressError::Form),
        _ => Err(AddressError::Network),
    }
}

fn bech32<C: Checksum>(text: &str, form: Form) -> Result<Key, AddressError> {
    let read = CheckedHrpstring::new::<C>(text).map_err(|error| match error {
        CheckedHrpstringError::Checksum(_) => AddressError::Checksum,
        _ => AddressError::Characters,
    })?;
    read.validate_segwit_padding()
        .map_err(|_| AddressError::Characters)?;
    let bytes: Vec<u8> = read.byte_iter().collect();
    Key::made(Chain::Zcash, form, &bytes)
}

pub(super) fn write(key: &Key, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let version = match key.shape().form() {
        Form::KeyHash => KEY,
        Form::ScriptHash => SCRIPT,
        _ => return write_sapling(key.bytes(), f),
    };
    let bytes = [&version, key.bytes()].concat();
    f.write_str(&base58::written(&bytes, Alphabet::BITCOIN))
}

fn write_sapling(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let human = Hrp::parse("zs").map_err(|_| fmt::Error)?;
    bech32::encode_to_fmt::<Bech32, _>(f, human, bytes).map_err(|_| fmt::Error)
}

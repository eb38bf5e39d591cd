//! Bitcoin Cash's own encoding, "CashAddr": a version byte and a hash in bech32's alphabet, with a
//! checksum of 40 bits that covers the prefix whether it is written or not.
//!
//! <https://upgradespecs.bitcoincashnode.org/cashaddr/>; the types 2 and 3 are those of CHIP-2022-02
//! CashTokens, which say that the wallet takes tokens, too, and name the same receiver.

use core::fmt;

use bech32::Fe32;
use bech32::primitives::iter::{ByteIterExt as _, Fe32IterExt as _};

use super::{AddressError, Chain, Form, Key};

const PREFIX: &str = "bitcoincash";
/// Five bits each.
const CHECKSUM: usize = 8;

/// Whether a text is meant so: with a prefix, or longer than base58check is.
pub(super) fn looks_like(text: &str) -> bool {
    text.contains(':') || text.len() >= 42
}

pub(super) fn read(text: &str) -> Result<Key, AddressError> {
    let lower = one_case(text)?;
    let payload = match lower.split_once(':') {
        Some((PREFIX, payload)) => payload,
        Some(_) => return Err(AddressError::Network),
        None => &lower,
    };
    let symbols: Vec<Fe32> = payload
        .chars()
        .map(Fe32::from_char)
        .collect::<Result<_, _>>()
        .map_err(|_| AddressError::Characters)?;
    if remainder(&symbols) != 0 {
        return Err(AddressError::Checksum);
    }
    let data = symbols.len().checked_sub(CHECKSUM);
    let data = data.and_then(|end| symbols.get(..end));
    key(data.ok_or(AddressError::Length)?)
}

/// All lower or all upper, as in bech32.
fn one_case(text: &str) -> Result<String, AddressError> {
    let lower = text.to_ascii_lowercase();
    if text == lower || text == text.to_ascii_uppercase() {
        Ok(lower)
    } else {
        Err(AddressError::Characters)
    }
}

fn key(data: &[Fe32]) -> Result<Key, AddressError> {
    let bytes: Vec<u8> = data.iter().copied().fes_to_bytes().collect();
    // What fills the last symbol is zero, or one receiver had several texts.
    if !bytes
        .iter()
        .copied()
        .bytes_to_fes()
        .eq(data.iter().copied())
    {
        return Err(AddressError::Characters);
    }
    let (version, hash) = bytes.split_first().ok_or(AddressError::Length)?;
    let form = match version {
        0 | 0x10 => Form::KeyHash,
        0x08 | 0x18 => Form::ScriptHash,
        0x0b | 0x1b => Form::LongScriptHash,
        _ => return Err(AddressError::Form),
    };
    Key::made(Chain::BitcoinCash, form, hash)
}

pub(super) fn write(key: &Key, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let version = match key.shape().form() {
        Form::KeyHash => 0,
        Form::ScriptHash => 0x08,
        Form::LongScriptHash => 0x0b,
        _ => return Err(fmt::Error),
    };
    let bytes = [&[version], key.bytes()].concat();
    let mut symbols: Vec<Fe32> = bytes.into_iter().bytes_to_fes().collect();
    let data = symbols.len();
    symbols.extend([Fe32::Q; CHECKSUM]);
    let checksum = remainder(&symbols);
    symbols.truncate(data);
    let bits = (0..CHECKSUM).rev().map(|at| checksum >> (5 * at) & 31);
    let tail = bits.filter_map(|bits| Fe32::try_from(u8::try_from(bits).ok()?).ok());
    symbols.extend(tail);
    symbols
        .iter()
        .try_for_each(|symbol| write!(f, "{}", symbol.to_char()))
}

/// The remainder of prefix, a zero and the symbols in the code's division, with its last bit
/// inverted: zero for a right address.
fn remainder(symbols: &[Fe32]) -> u64 {
    const STEPS: [u64; 5] = [
        0x98_f2bc_8e61,
        0x79_b76d_99e2,
        0xf3_3e5f_b3c4,
        0xae_2eab_e2a8,
        0x1e_4f43_e470,
    ];
    let prefix = PREFIX.bytes().map(|byte| byte & 31);
    let all = prefix
        .chain([0])
        .chain(symbols.iter().map(|symbol| symbol.to_u8()));
    let rest = all.fold(1, |rest: u64, symbol| {
        let top = rest >> 35;
        let shifted = (rest & 0x07_ffff_ffff) << 5 ^ u64::from(symbol);
        let taken = STEPS
            .iter()
            .enumerate()
            .filter(|(bit, _)| top >> bit & 1 == 1);
        taken.fold(shifted, |rest, (_, step)| rest ^ step)
    });
    rest ^ 1
}

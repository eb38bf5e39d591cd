//! The few fields of a PSBT (BIP 174, version 0) that a plan needs, read strictly.
//!
//! ```text
//! "psbt" 0xff
//! global:  00 ‖ unsigned transaction                         ‖ end
//! input:   [00 ‖ previous transaction] [01 ‖ spent output] [03 ‖ sighash type]  ‖ end   each
//! output:  end                                                                  each
//! ```
//!
//! Every other field is refused, so that nothing travels in a plan that nobody has looked at; also
//! version 2 (BIP 370), whose fields say the same in other places. Lengths are of the shortest form
//! and nothing is allocated by a length that has not been seen to be there.

use core::fmt;

use bitcoin::consensus::encode;
use bitcoin::{Transaction, TxOut};

use super::Coin;
use super::coin::{CoinError, parse_previous};

/// The longest plan that is looked at, in bytes.
pub const MAX_PSBT: usize = 512 * 1024;

const MAGIC: &[u8] = b"psbt\xff";
const UNSIGNED_TX: u64 = 0x00;
const PREVIOUS_TX: u64 = 0x00;
const SPENT_OUTPUT: u64 = 0x01;
const SIGHASH_TYPE: u64 = 0x03;
/// `PSBT_GLOBAL_VERSION` of BIP 370.
const VERSION: u64 = 0xfb;

/// Which of a PSBT's maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Map {
    /// The one about the whole transaction.
    Global,
    /// The one about this input.
    Input(usize),
    /// The one about this output.
    Output(usize),
}

impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("the global map"),
            Self::Input(at) => write!(f, "input {at}"),
            Self::Output(at) => write!(f, "output {at}"),
        }
    }
}

/// Why bytes are not a plan's PSBT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PsbtError {
    /// Longer than [`MAX_PSBT`].
    #[error("above {MAX_PSBT} bytes")]
    TooLarge,
    /// It does not begin as one.
    #[error("not a PSBT")]
    Magic,
    /// It ends early, goes on after its end, or has a length that is not of the shortest form.
    #[error("malformed in {0}")]
    Malformed(Map),
    /// A field that a plan does not have, or whose key carries data.
    #[error("field {field:#x} in {map} is not one of a plan")]
    UnknownField {
        /// Where.
        map: Map,
        /// The key's type.
        field: u64,
    },
    /// A field that stands twice.
    #[error("field {field:#x} stands twice in {map}")]
    Twice {
        /// Where.
        map: Map,
        /// The key's type.
        field: u64,
    },
    /// Version 2 or another that is not 0.
    #[error("only version 0 (BIP 174) is read")]
    Version,
    /// No unsigned transaction.
    #[error("the unsigned transaction is missing")]
    NoTransaction,
    /// The unsigned transaction does not parse.
    #[error("the unsigned transaction is malformed")]
    Transaction,
    /// A previous transaction that is none.
    #[error("input {at}: {why}")]
    Previous {
        /// Which input.
        at: usize,
        /// What is wrong with it.
        why: CoinError,
    },
}

/// What a PSBT says; none of it believed yet.
pub(super) struct Parsed {
    pub(super) tx: Transaction,
    pub(super) inputs: Vec<Input>,
}

/// What is said of one input.
#[derive(Default)]
pub(super) struct Input {
    pub(super) previous: Option<Transaction>,
    pub(super) output: Option<TxOut>,
    pub(super) sighash: Option<u32>,
}

/// Reads a PSBT and refuses whatever a plan does not have.
pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, PsbtError> {
    if bytes.len() > MAX_PSBT {
        return Err(PsbtError::TooLarge);
    }
    let mut reader = Reader(bytes.strip_prefix(MAGIC).ok_or(PsbtError::Magic)?);
    let tx = global(&mut reader)?;
    let mut inputs = Vec::new();
    for at in 0..tx.input.len() {
        inputs.push(input(&mut reader, at)?);
    }
    for at in 0..tx.output.len() {
        let map = Map::Output(at);
        if let Some((field, _)) = reader.field(map)? {
            return Err(PsbtError::UnknownField { map, field });
        }
    }
    if !reader.0.is_empty() {
        return Err(PsbtError::Malformed(Map::Global));
    }
    Ok(Parsed { tx, inputs })
}

fn global(reader: &mut Reader<'_>) -> Result<Transaction, PsbtError> {
    let map = Map::Global;
    let mut tx = None;
    while let Some((field, value)) = reader.field(map)? {
        match field {
            UNSIGNED_TX => {
                let parsed = encode::deserialize(value).map_err(|_| PsbtError::Transaction)?;
                set(&mut tx, parsed, map, field)?;
            }
            VERSION => return Err(PsbtError::Version),
            field => return Err(PsbtError::UnknownField { map, field }),
        }
    }
    tx.ok_or(PsbtError::NoTransaction)
}

fn input(reader: &mut Reader<'_>, at: usize) -> Result<Input, PsbtError> {
    let map = Map::Input(at);
    let mut input = Input::default();
    while let Some((field, value)) = reader.field(map)? {
        match field {
            PREVIOUS_TX => {
                let previous =
                    parse_previous(value).map_err(|why| PsbtError::Previous { at, why })?;
                set(&mut input.previous, previous, map, field)?;
            }
            SPENT_OUTPUT => {
                let output = encode::deserialize(value).map_err(|_| PsbtError::Malformed(map))?;
                set(&mut input.output, output, map, field)?;
            }
            SIGHASH_TYPE => {
                let kind = value.try_into().map_err(|_| PsbtError::Malformed(map))?;
                set(&mut input.sighash, u32::from_le_bytes(kind), map, field)?;
            }
            field => return Err(PsbtError::UnknownField { map, field }),
        }
    }
    Ok(input)
}

fn set<T>(slot: &mut Option<T>, value: T, map: Map, field: u64) -> Result<(), PsbtError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(PsbtError::Twice { map, field }),
    }
}

/// The bytes that are still to be read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next field's type and value, or `None` at the end of the map.
    fn field(&mut self, map: Map) -> Result<Option<(u64, &'a [u8])>, PsbtError> {
        let key = self.sized().ok_or(PsbtError::Malformed(map))?;
        if key.is_empty() {
            return Ok(None);
        }
        let mut key = Reader(key);
        let field = key.compact().ok_or(PsbtError::Malformed(map))?;
        if !key.0.is_empty() {
            return Err(PsbtError::UnknownField { map, field });
        }
        let value = self.sized().ok_or(PsbtError::Malformed(map))?;
        Ok(Some((field, value)))
    }

    /// Bytes behind their length.
    fn sized(&mut self) -> Option<&'a [u8]> {
        let length = self.compact()?.try_into().ok()?;
        self.take(length)
    }

    /// A number of the variable length that transactions use, in its shortest form.
    fn compact(&mut self) -> Option<u64> {
        let (width, least) = match self.take(1)?[0] {
            small @ ..=0xfc => return Some(u64::from(small)),
            0xfd => (2, 0xfd),
            0xfe => (4, 0x1_0000),
            0xff => (8, 0x1_0000_0000),
        };
        let mut number = [0; 8];
        number[..width].copy_from_slice(self.take(width)?);
        Some(u64::from_le_bytes(number)).filter(|number| *number >= least)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
}

/// Writes a plan: the fields that [`parse`] reads, and no other.
pub(super) fn write(tx: &Transaction, coins: &[Coin]) -> Vec<u8> {
    write_with(tx, coins, |bytes, coin| match coin.previous() {
        Some(previous) => put(bytes, PREVIOUS_TX, &encode::serialize(previous)),
        None => put(bytes, SPENT_OUTPUT, &encode::serialize(&coin.output())),
    })
}

/// Writes a plan with what each input is said to spend, and nothing that would prove it.
pub(super) fn write_claims(tx: &Transaction, coins: &[Coin]) -> Vec<u8> {
    write_with(tx, coins, |bytes, coin| {
        put(bytes, SPENT_OUTPUT, &encode::serialize(&coin.output()));
    })
}

fn write_with(tx: &Transaction, coins: &[Coin], input: impl Fn(&mut Vec<u8>, &Coin)) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    put(&mut bytes, UNSIGNED_TX, &encode::serialize(tx));
    bytes.push(0);
    for coin in coins {
        input(&mut bytes, coin);
        bytes.push(0);
    }
    bytes.extend(core::iter::repeat_n(0, tx.output.len()));
    bytes
}

fn put(bytes: &mut Vec<u8>, field: u64, value: &[u8]) {
    let key = encode::serialize(&bitcoin::VarInt(field));
    for part in [&key[..], value] {
        bytes.extend(encode::serialize(&bitcoin::VarInt(part.len() as u64)));
        bytes.extend_from_slice(part);
    }
}

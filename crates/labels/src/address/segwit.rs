//! Witness programs in bech32 (BIP 173, version 0) and bech32m (BIP 350, from version 1).

use core::fmt;

use bech32::primitives::decode::SegwitHrpstringError;
use bech32::{Fe32, Hrp, segwit};

use super::{AddressError, Chain, Form, Key};

/// Whether a text begins like a bech32 text of this human-readable part, in either case.
pub(super) fn begins_with(human: &str, text: &str) -> bool {
    let (bytes, human) = (text.as_bytes(), human.as_bytes());
    bytes.get(human.len()) == Some(&b'1')
        && bytes
            .get(..human.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(human))
}

/// Reads a text that [`begins_with`] the chain's human-readable part.
pub(super) fn read(chain: Chain, text: &str) -> Result<Key, AddressError> {
    let (_, version, program) = segwit::decode(text).map_err(|error| match error.0 {
        SegwitHrpstringError::Checksum(_) => AddressError::Checksum,
        SegwitHrpstringError::Unchecked(_) | SegwitHrpstringError::Padding(_) => {
            AddressError::Characters
        }
        SegwitHrpstringError::InvalidWitnessVersion(_) => AddressError::Form,
        _ => AddressError::Length,
    })?;
    let form = match (version.to_u8(), program.len()) {
        (0, 20) => Form::WitnessKey,
        (0, _) => Form::WitnessScript,
        (1, 32) => Form::Taproot,
        _ => return Err(AddressError::Form),
    };
    Key::made(chain, form, &program)
}

pub(super) fn write(human: &str, key: &Key, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let version = match key.shape().form() {
        Form::WitnessKey | Form::WitnessScript => Fe32::Q,
        Form::Taproot => Fe32::P,
        _ => return Err(fmt::Error),
    };
    let human = Hrp::parse(human).map_err(|_| fmt::Error)?;
    let text = segwit::encode(human, version, key.bytes()).map_err(|_| fmt::Error)?;
    f.write_str(&text)
}

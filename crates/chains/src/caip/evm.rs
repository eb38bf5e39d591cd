//! Ethereum addresses as text: hexadecimal, with the checksum of EIP-55 in the letters' case.

use core::fmt;

use super::CaipError;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The canonical text of an address: `0x` and lower-case hexadecimal.
pub(super) struct Hex<'a>(pub(super) &'a [u8; 20]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 40];
        let nibbles = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (digit, nibble) in digits.iter_mut().zip(nibbles) {
            *digit = DIGITS[usize::from(nibble)];
        }
        f.write_str("0x")?;
        f.write_str(core::str::from_utf8(&digits).unwrap_or_default())
    }
}

/// Reads an address in lower case, or in mixed case when its checksum is right.
pub(super) fn parse(text: &str) -> Result<[u8; 20], CaipError> {
    let digits: &[u8; 40] = text
        .strip_prefix("0x")
        .and_then(|digits| digits.as_bytes().try_into().ok())
        .ok_or(CaipError::Hex)?;
    let mut address = [0; 20];
    for (byte, pair) in address.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    let plain = !digits.iter().any(u8::is_ascii_uppercase);
    if plain || checksummed(&address).as_bytes()[2..] == *digits {
        Ok(address)
    } else {
        Err(CaipError::Checksum)
    }
}

/// The address as wallets show it: each letter in upper case where Keccak-256 over the lower-case
/// text has a nibble of 8 or more (EIP-55).
#[must_use]
pub fn checksummed(address: &[u8; 20]) -> String {
    let plain = Hex(address).to_string();
    let hash = alloy_primitives::keccak256(&plain.as_bytes()[2..]);
    let marks = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let digits = plain.chars().skip(2).zip(marks);
    let cased = digits.map(|(c, mark)| if mark >= 8 { c.to_ascii_uppercase() } else { c });
    ['0', 'x'].into_iter().chain(cased).collect()
}

fn nibble(digit: u8) -> Result<u8, CaipError> {
    let lower = digit.to_ascii_lowercase();
    let at = DIGITS
        .iter()
        .position(|known| *known == lower)
        .ok_or(CaipError::Hex)?;
    u8::try_from(at).map_err(|_| CaipError::Hex)
}

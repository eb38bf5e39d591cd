//! The text of a key file, before anything is decrypted.
//!
//! ```text
//! portcullis-keys 1
//! argon2id m=65536 t=3 p=1
//! salt <16 bytes>
//! nonce <24 bytes>
//! sealed <ciphertext and tag>
//! sha256 <over everything before this line>
//! ```

use std::str::FromStr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use sha2::{Digest, Sha256};

use super::{Cost, KeyFileError};

const VERSION: &str = "portcullis-keys 1";

/// Everything in the file, by its form right and by its checksum whole.
pub(super) struct Sealed {
    pub(super) header: Header,
    pub(super) ciphertext: Vec<u8>,
}

/// What stands before the ciphertext; its bytes are authenticated with it.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) cost: Cost,
    pub(super) salt: [u8; 16],
    pub(super) nonce: [u8; 24],
}

impl Header {
    pub(super) fn text(&self) -> String {
        let Self { cost, salt, nonce } = self;
        let (salt, nonce) = (BASE64.encode(salt), BASE64.encode(nonce));
        format!("{VERSION}\nargon2id {cost}\nsalt {salt}\nnonce {nonce}\n")
    }
}

impl Sealed {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let sealed = BASE64.encode(&self.ciphertext);
        let body = format!("{}sealed {sealed}\n", self.header.text());
        format!("{body}sha256 {}\n", checksum(body.as_bytes())).into_bytes()
    }

    /// Reads a file: whole first, then line by line.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, KeyFileError> {
        let body = whole(bytes)?;
        let mut lines = body.lines();
        if lines.next() != Some(VERSION) {
            return Err(KeyFileError::Version);
        }
        let sealed = Self {
            header: Header {
                cost: cost(field(lines.next(), "argon2id")?)?,
                salt: fixed(field(lines.next(), "salt")?, "salt")?,
                nonce: fixed(field(lines.next(), "nonce")?, "nonce")?,
            },
            ciphertext: decode(field(lines.next(), "sealed")?, "sealed")?,
        };
        // One spelling only: whatever the lines above let through ends here.
        if sealed.to_bytes() == bytes {
            Ok(sealed)
        } else {
            Err(KeyFileError::Form("sealed"))
        }
    }
}

/// `sha256 `, 64 digits, and the line's end.
const LAST_LINE: usize = 7 + 64 + 1;

/// What stands before the last line, if that line is there and its checksum right.
///
/// One damaged byte spoils either the checksum or the words around it, a missing end spoils both.
fn whole(bytes: &[u8]) -> Result<&str, KeyFileError> {
    let at = bytes.len().saturating_sub(LAST_LINE);
    let (body, last) = bytes.split_at(at);
    let framed = last.starts_with(b"sha256 ") && last.ends_with(b"\n");
    let right = last.get(7..71) == Some(checksum(body).as_bytes());
    match (framed, right) {
        (true, true) => std::str::from_utf8(body).map_err(|_| KeyFileError::Version),
        (true, false) | (false, true) => Err(KeyFileError::Damaged),
        (false, false) if begins_as_ours(bytes) => Err(KeyFileError::Truncated),
        (false, false) => Err(KeyFileError::Version),
    }
}

fn begins_as_ours(bytes: &[u8]) -> bool {
    let version = VERSION.as_bytes();
    bytes.starts_with(version) || version.starts_with(bytes)
}

fn checksum(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

fn field<'a>(line: Option<&'a str>, word: &'static str) -> Result<&'a str, KeyFileError> {
    line.and_then(|line| line.strip_prefix(word)?.strip_prefix(' '))
        .ok_or(KeyFileError::Form(word))
}

fn cost(text: &str) -> Result<Cost, KeyFileError> {
    let form = KeyFileError::Form("argon2id");
    let mut parts = text.split(' ');
    let mut number =
        |letter: &str| u32::from_str(parts.next()?.strip_prefix(letter)?.strip_prefix('=')?).ok();
    match (number("m"), number("t"), number("p")) {
        (Some(memory), Some(passes), Some(lanes)) => Ok(Cost::new(memory, passes, lanes)?),
        _ => Err(form),
    }
}

fn fixed<const N: usize>(text: &str, word: &'static str) -> Result<[u8; N], KeyFileError> {
    decode(text, word)?
        .try_into()
        .map_err(|_| KeyFileError::Form(word))
}

fn decode(text: &str, word: &'static str) -> Result<Vec<u8>, KeyFileError> {
    BASE64.decode(text).map_err(|_| KeyFileError::Form(word))
}

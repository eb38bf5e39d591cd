//! The one canonical encoding: deterministic CBOR (RFC 8949, section 4.2) with explicit field numbers.
//!
//! Structures are maps from small integers in ascending order; absent optional fields are left out.
//! Decoding accepts only what encoding would have produced: bytes that decode are encoded again and
//! compared, so there is exactly one encoding of every value and a digest names one meaning.

use minicbor::{Decode, Encode};

/// Why foreign bytes are not a value of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Longer than this kind of value may be; nothing was parsed.
    #[error("{size} bytes where at most {cap} are accepted")]
    TooLarge {
        /// Bytes given.
        size: usize,
        /// Bytes accepted.
        cap: usize,
    },
    /// Not CBOR of the expected shape.
    #[error("not the expected structure; see docs/spec")]
    Malformed,
    /// The same value has another, canonical encoding.
    #[error("not the canonical encoding (deterministic CBOR, RFC 8949 section 4.2)")]
    NotCanonical,
}

/// The canonical bytes of a value.
#[must_use]
pub fn encode<T: Encode<()>>(value: &T) -> Vec<u8> {
    // Room for nearly every entry, which grows no further then.
    let mut bytes = Vec::with_capacity(1024);
    // Writing to a Vec cannot fail, and no encoder of ours returns an error of its own.
    let _ = minicbor::encode(value, &mut bytes);
    bytes
}

/// Parse canonical bytes of at most `cap` bytes.
pub fn decode<T>(bytes: &[u8], cap: usize) -> Result<T, CodecError>
where
    T: Encode<()> + for<'b> Decode<'b, ()>,
{
    if bytes.len() > cap {
        return Err(CodecError::TooLarge {
            size: bytes.len(),
            cap,
        });
    }
    let value: T = minicbor::decode(bytes).map_err(|_| CodecError::Malformed)?;
    if is_encoding(bytes, &value) {
        Ok(value)
    } else {
        Err(CodecError::NotCanonical)
    }
}

/// Whether these are the canonical bytes of a value. They are compared as they are made.
fn is_encoding<T: Encode<()>>(bytes: &[u8], value: &T) -> bool {
    let mut expected = Expected(bytes);
    minicbor::encode(value, &mut expected).is_ok() && expected.0.is_empty()
}

/// What is still expected to be written.
struct Expected<'a>(&'a [u8]);

/// Something else was written.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not what was expected")]
struct Unexpected;

impl minicbor::encode::Write for Expected<'_> {
    type Error = Unexpected;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Unexpected> {
        self.0 = self.0.strip_prefix(bytes).ok_or(Unexpected)?;
        Ok(())
    }
}

/// Text form of a fixed byte array: lower-case hex for people, JSON and logs.
macro_rules! hex_array {
    ($name:ident, $len:literal) => {
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str($crate::codec::hex_text(&self.0, &mut [0; 2 * $len]))
            }
        }
        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
        impl core::str::FromStr for $name {
            type Err = $crate::codec::NotHex;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::codec::lower_hex::<$len>(text).map(Self)
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use hex_array;

/// Lower-case hex of some bytes, in a buffer that has room for two digits of each. `hex::encode` makes a
/// string digit by digit, which takes longer than hashing the bytes.
pub(crate) fn hex_text<'a>(bytes: &[u8], digits: &'a mut [u8]) -> &'a str {
    let room = &mut digits[..2 * bytes.len()];
    // Neither can fail: the room fits, and hex is text.
    let _ = hex::encode_to_slice(bytes, room);
    core::str::from_utf8(room).unwrap_or_default()
}

/// Text that should have been lower-case hex of a fixed length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} lower-case hex digits")]
pub struct NotHex {
    expected: usize,
}

/// Parse lower-case hex of exactly `N` bytes; upper case is refused so that an id has one spelling.
pub(crate) fn lower_hex<const N: usize>(text: &str) -> Result<[u8; N], NotHex> {
    let wrong = NotHex { expected: 2 * N };
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(wrong);
    }
    let mut out = [0; N];
    hex::decode_to_slice(text, &mut out).map_err(|_| wrong)?;
    Ok(out)
}

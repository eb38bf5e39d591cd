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
    let mut bytes = Vec::with_capacity(256);
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
    if encode(&value) != bytes {
        return Err(CodecError::NotCanonical);
    }
    Ok(value)
}

/// Text form of a fixed byte array: lower-case hex for people, JSON and logs.
macro_rules! hex_array {
    ($name:ident, $len:literal) => {
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(&hex::encode(self.0))
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

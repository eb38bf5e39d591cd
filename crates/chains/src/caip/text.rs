//! How a value with one canonical text travels: text in CBOR, a string in JSON.

use core::fmt;
use core::marker::PhantomData;
use core::str::FromStr;

use serde::Deserializer;
use serde::de::{Error, Visitor};

use super::{CaipError, MAX_TEXT};

/// Refuses a text before anything walks through it.
pub(super) fn capped(text: &str) -> Result<&str, CaipError> {
    if text.len() > MAX_TEXT {
        Err(CaipError::TooLong)
    } else {
        Ok(text)
    }
}

/// Reads the canonical text and refuses every other spelling of the same value.
pub(super) fn from_canonical<T>(text: &str) -> Result<T, CaipError>
where
    T: FromStr<Err = CaipError> + fmt::Display,
{
    let value: T = text.parse()?;
    if value.to_string() == text {
        Ok(value)
    } else {
        Err(CaipError::NotCanonical)
    }
}

/// Reads a value from a string, and from nothing but a string.
pub(crate) fn deserialize<'de, T, D>(deserializer: D, expected: &'static str) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(Text(expected, PhantomData))
}

struct Text<T>(&'static str, PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

/// Implements the wire for a type with `Display` and `FromStr`.
macro_rules! on_the_wire {
    ($name:ident, $expected:literal) => {
        impl $name {
            /// Reads the canonical text only, as signed bytes carry it.
            pub fn from_canonical(text: &str) -> Result<Self, $crate::caip::CaipError> {
                $crate::caip::text::from_canonical(text)
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(&self.to_string())?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(
                d: &mut minicbor::Decoder<'b>,
                _: &mut C,
            ) -> Result<Self, minicbor::decode::Error> {
                let at = d.position();
                Self::from_canonical(d.str()?)
                    .map_err(|error| minicbor::decode::Error::message(error).at(at))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::caip::text::deserialize(deserializer, $expected)
            }
        }
    };
}

pub(super) use on_the_wire;

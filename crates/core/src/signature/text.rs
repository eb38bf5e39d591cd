//! The JSON of keys and signatures: base64url without padding (RFC 4648, section 5).

use super::{Ed25519Key, P256Key, Signature};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(super) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn from_base64url<'de, D: Deserializer<'de>, const N: usize>(d: D) -> Result<[u8; N], D::Error> {
    let text = String::deserialize(d)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(D::Error::custom)?;
    bytes
        .try_into()
        .map_err(|_| D::Error::custom(format!("expected base64url of {N} bytes")))
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&base64url(self.as_bytes()))
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        from_base64url(d).map(Self::from_bytes)
    }
}

impl Serialize for Ed25519Key {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&base64url(self.as_bytes()))
    }
}

impl<'de> Deserialize<'de> for Ed25519Key {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(from_base64url(d)?).map_err(D::Error::custom)
    }
}

impl Serialize for P256Key {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&base64url(self.as_bytes()))
    }
}

impl<'de> Deserialize<'de> for P256Key {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(from_base64url(d)?).map_err(D::Error::custom)
    }
}

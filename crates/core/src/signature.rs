//! Public keys, signatures, and the one way in which they are checked.
//!
//! Two algorithms serve for evidence: Ed25519 (RFC 8032) and ECDSA on P-256 with SHA-256 (FIPS 186-5).
//! A signature in evidence is always 64 bytes, and a P-256 one always has its low S, so that nobody
//! can make a second valid signature out of a first.

mod ed25519;
mod p256;
mod text;
mod verify;

pub use ed25519::Ed25519Key;
pub use p256::P256Key;
pub use verify::{AlreadyChecked, Strict, Verify};

use minicbor::data::Type;
use minicbor::decode::{self, Decoder};
use minicbor::encode::{self, Encoder, Write};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// A key that signs evidence.
///
/// CBOR: `[1, 32 bytes]` for Ed25519, `[2, 65 bytes]` for P-256 (SEC 1 uncompressed). JSON:
/// `{"kind":"ed25519" | "p256","key":"<base64url>"}`. Decoding refuses what no honest key is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "key", rename_all = "lowercase")]
pub enum PublicKey {
    /// Ed25519, RFC 8032.
    Ed25519(Ed25519Key),
    /// ECDSA on P-256 with SHA-256.
    P256(P256Key),
}

/// Why bytes are not a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// Ed25519: y is not below the field prime, so the point has a second spelling.
    #[error("Ed25519 key is not canonically encoded; ask the client for the 32 bytes of RFC 8032")]
    NotCanonical,
    /// Ed25519: a point of order 1, 2, 4 or 8, under which signatures hold for any message.
    #[error("Ed25519 key is a point of small order; no honest client makes such a key")]
    SmallOrder,
    /// P-256: not `0x04 ‖ x ‖ y` of a point on the curve.
    #[error("P-256 key is not an uncompressed point on the curve")]
    NotOnCurve,
}

impl PublicKey {
    /// An Ed25519 key from its 32 bytes.
    pub fn ed25519(bytes: [u8; 32]) -> Result<Self, KeyFault> {
        Ed25519Key::new(bytes).map(Self::Ed25519)
    }

    /// A P-256 key from its SEC 1 uncompressed form, `0x04 ‖ x ‖ y`.
    pub fn p256(bytes: [u8; 65]) -> Result<Self, KeyFault> {
        P256Key::new(bytes).map(Self::P256)
    }

    /// The key's bytes: 32 for Ed25519, 65 for P-256.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Ed25519(key) => key.as_bytes(),
            Self::P256(key) => key.as_bytes(),
        }
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Ed25519(_) => 1,
            Self::P256(_) => 2,
        }
    }
}

impl<C> Encode<C> for PublicKey {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.array(2)?.u8(self.kind())?.bytes(self.as_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for PublicKey {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        if d.array()? != Some(2) {
            return Err(decode::Error::message("a public key is an array of two"));
        }
        let key = match d.u8()? {
            1 => Self::ed25519(fixed(d)?),
            2 => Self::p256(fixed(d)?),
            _ => {
                return Err(decode::Error::message(
                    "a public key is of kind 1 (Ed25519) or 2 (P-256)",
                ));
            }
        };
        key.map_err(decode::Error::custom)
    }
}

/// The key of an enrolled factor, as a process reads it back from its own authenticated snapshot. It was
/// checked when it came in; to look again whether it is a point takes longer than the rest of its account.
pub(crate) fn decode_enrolled<C>(
    d: &mut Decoder<'_>,
    context: &mut C,
) -> Result<PublicKey, decode::Error> {
    let mut peeked = d.probe();
    if (peeked.array()?, peeked.u8()?) == (Some(2), 2) {
        d.array()?;
        d.u8()?;
        return fixed(d).map(P256Key::accepted_before).map(PublicKey::P256);
    }
    PublicKey::decode(d, context)
}

/// A signature: Ed25519 as in RFC 8032, or P-256 as `r ‖ s`, big-endian, with the low S.
///
/// Having one proves nothing: only [`Verify::verify`] says whether it holds, and there a high S does
/// not. CBOR: 64 bytes. JSON: base64url.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature([u8; 64]);

/// Why a foreign client's signature cannot be normalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// Not 64 bytes, where the encoding is fixed.
    #[error("an Ed25519 signature and a fixed P-256 signature r ‖ s have 64 bytes")]
    WrongLength,
    /// Not the DER of an ECDSA signature.
    #[error("not the DER encoding of an ECDSA signature (RFC 3279, section 2.2.3)")]
    NotDer,
    /// r or s is zero, or not below the group's order.
    #[error("r and s must be between 1 and the order of P-256")]
    OutOfRange,
}

impl Signature {
    /// The 64 bytes as they are: an Ed25519 signature, or a P-256 one that is normalised already.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// A signature as WebAuthn clients send it under `key`: 64 bytes for Ed25519, DER for P-256.
    pub fn from_client(key: &PublicKey, bytes: &[u8]) -> Result<Self, SignatureFault> {
        match key {
            PublicKey::Ed25519(_) => bytes
                .try_into()
                .map(Self)
                .map_err(|_| SignatureFault::WrongLength),
            PublicKey::P256(_) => Self::from_der_normalised(bytes),
        }
    }

    /// A P-256 signature as WebAuthn and TLS clients send it, in DER; S is made low.
    pub fn from_der_normalised(der: &[u8]) -> Result<Self, SignatureFault> {
        p256::low_s(p256::from_der(der)?).map(Self)
    }

    /// A P-256 signature as HTTP clients send it, `r ‖ s`; S is made low.
    pub fn from_fixed_normalised(fixed: &[u8]) -> Result<Self, SignatureFault> {
        let fixed = fixed.try_into().map_err(|_| SignatureFault::WrongLength)?;
        p256::low_s(fixed).map(Self)
    }

    /// The 64 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl core::fmt::Debug for Signature {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Signature({})", text::base64url(&self.0))
    }
}

impl<C> Encode<C> for Signature {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Signature {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        fixed(d).map(Self)
    }
}

fn fixed<const N: usize>(d: &mut Decoder<'_>) -> Result<[u8; N], decode::Error> {
    if d.datatype()? != Type::Bytes {
        return Err(decode::Error::message(
            "expected a byte string of definite length",
        ));
    }
    d.bytes()?
        .try_into()
        .map_err(|_| decode::Error::message("byte string of the wrong length"))
}

//! One-time codes as evidence: a TOTP code, which only the herald can judge, and a recovery code, which
//! anybody can.
//!
//! Neither shows its secret. The digits are sealed to the herald, bound to the act. A recovery code is
//! the seed of a key, and what is shown is a signature over the act: whoever reads it can bring it for no
//! other. `docs/spec/totp.md` has both byte for byte.

use crate::codec::encode;
use crate::digest::{Digest, Domain};
use crate::id::FactorId;
use crate::signature::{PublicKey, Signature, Verify};
use crate::time::Time;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of a sealed TOTP code: an encapsulated key (32), eight bytes, a tag (16).
pub const SEALED_CODE: usize = 56;

/// A code for an act.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Code {
    /// Of a TOTP seed.
    #[n(0)]
    Totp {
        /// Which factor's.
        #[n(0)]
        factor: FactorId,
        /// The digits, sealed to the herald for this act.
        #[n(1)]
        sealed: SealedCode,
    },
    /// A recovery code.
    #[n(1)]
    Recovery {
        /// Of which factor.
        #[n(0)]
        factor: FactorId,
        /// The key that the code makes.
        #[n(1)]
        key: PublicKey,
        /// Over `"portcullis/recovery-proof/v1" ‖ 0x00 ‖ act digest`.
        #[n(2)]
        signature: Signature,
    },
}

impl Code {
    /// Which factor's it is.
    #[must_use]
    pub fn factor(&self) -> FactorId {
        match self {
            Self::Totp { factor, .. } | Self::Recovery { factor, .. } => *factor,
        }
    }
}

/// The digits of a TOTP code, sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct SealedCode(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; SEALED_CODE]);

impl Serialize for SealedCode {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        crate::text::base64url::serialize(&self.0, s)
    }
}

impl<'de> Deserialize<'de> for SealedCode {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let bytes = crate::text::base64url::deserialize(d)?;
        let bytes = bytes.try_into();
        bytes
            .map(Self)
            .map_err(|_| serde::de::Error::custom("a sealed code has 56 bytes"))
    }
}

/// What the journal holds in the place of a recovery code: the digest of the key that it makes. The code
/// has 128 bits of entropy, so nobody finds it from a plain digest, however many they try.
#[must_use]
pub fn recovery_digest(key: &PublicKey) -> Digest {
    Digest::of(Domain::RecoveryCode, &encode(key))
}

/// The bytes that a recovery code's key signs.
#[must_use]
pub fn recovery_proof(act: Digest) -> Vec<u8> {
    Domain::RecoveryProof.signed_bytes(&act.0)
}

/// Whether a recovery code's key signed for the act.
#[must_use]
pub fn is_recovery_proof(
    act: Digest,
    key: &PublicKey,
    signature: &Signature,
    verify: &dyn Verify,
) -> bool {
    verify.verify(key, &recovery_proof(act), signature)
}

/// Milliseconds of a TOTP step (RFC 6238, X = 30 s).
const STEP: u64 = 30_000;

/// The TOTP step at a moment.
#[must_use]
pub fn step_at(time: Time) -> u32 {
    u32::try_from(time.0 / STEP).unwrap_or(u32::MAX)
}

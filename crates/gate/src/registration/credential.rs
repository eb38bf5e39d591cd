//! Attested credential data (WebAuthn Level 3, section 6.5.2) and the COSE key in it.

use super::RegistrationFault;
use minicbor::decode::{Decoder, Error};
use portcullis_core::passkey::{CredentialId, MAX_CREDENTIAL_ID};
use portcullis_core::signature::PublicKey;

/// ECDSA on P-256 with SHA-256 (RFC 9053, section 2.1).
pub(super) const ES256: i64 = -7;
/// Ed25519 (RFC 9053, section 2.2).
pub(super) const EDDSA: i64 = -8;

/// The credential that an authenticator made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedCredential {
    /// Which model of authenticator it claims to be.
    pub aaguid: [u8; 16],
    /// Its id.
    pub id: CredentialId,
    /// Its public key.
    pub key: PublicKey,
}

impl AttestedCredential {
    /// `aaguid ‖ length ‖ id ‖ COSE key`, and what follows.
    pub(super) fn split(bytes: &[u8]) -> Result<(Self, &[u8]), RegistrationFault> {
        let malformed = RegistrationFault::Credential;
        let (aaguid, rest) = bytes.split_first_chunk::<16>().ok_or(malformed)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if !(1..=MAX_CREDENTIAL_ID).contains(&length) {
            return Err(malformed);
        }
        let (id, rest) = rest.split_at_checked(length).ok_or(malformed)?;
        let mut decoder = Decoder::new(rest);
        let cose = CoseKey::read(&mut decoder).map_err(|_| malformed)?;
        let rest = rest.get(decoder.position()..).unwrap_or_default();
        let credential = Self {
            aaguid: *aaguid,
            id: CredentialId(id.to_vec()),
            key: cose.public_key()?,
        };
        Ok((credential, rest))
    }

    /// The COSE algorithm of its key.
    pub(super) const fn algorithm(&self) -> i64 {
        match self.key {
            PublicKey::Ed25519(_) => EDDSA,
            PublicKey::P256(_) => ES256,
        }
    }
}

/// A public key from its COSE form alone, as another system stored it.
pub fn cose_key(bytes: &[u8]) -> Result<PublicKey, RegistrationFault> {
    let malformed = RegistrationFault::Credential;
    let mut decoder = Decoder::new(bytes);
    let key = CoseKey::read(&mut decoder).map_err(|_| malformed)?;
    if decoder.position() == bytes.len() {
        key.public_key()
    } else {
        Err(malformed)
    }
}

/// The members of a COSE key that matter here (RFC 9052, section 7; RFC 9053, section 7).
#[derive(Default)]
struct CoseKey<'a> {
    kind: Option<i64>,
    algorithm: Option<i64>,
    curve: Option<i64>,
    x: &'a [u8],
    y: &'a [u8],
}

impl<'a> CoseKey<'a> {
    fn read(decoder: &mut Decoder<'a>) -> Result<Self, Error> {
        let mut key = Self::default();
        let count = decoder
            .map()?
            .ok_or_else(|| Error::message("indefinite length"))?;
        // EC2 and OKP use -1 for a curve; other kinds put bytes there, and theirs stay unread.
        for _ in 0..count {
            match decoder.i64()? {
                1 => key.kind = Some(decoder.i64()?),
                3 => key.algorithm = Some(decoder.i64()?),
                -1 if matches!(key.kind, Some(1 | 2)) => key.curve = Some(decoder.i64()?),
                -2 if key.curve.is_some() => key.x = decoder.bytes()?,
                -3 if key.curve.is_some() => key.y = decoder.bytes()?,
                _ => decoder.skip()?,
            }
        }
        Ok(key)
    }

    fn public_key(&self) -> Result<PublicKey, RegistrationFault> {
        let algorithm = self.algorithm.ok_or(RegistrationFault::Credential)?;
        let malformed = |_| RegistrationFault::Credential;
        match (algorithm, self.kind, self.curve) {
            (ES256, Some(2), Some(1)) if self.x.len() == 32 && self.y.len() == 32 => {
                let point = [&[4], self.x, self.y]
                    .concat()
                    .try_into()
                    .map_err(malformed)?;
                Ok(PublicKey::p256(point)?)
            }
            (EDDSA, Some(1), Some(6)) => {
                let bytes = self
                    .x
                    .try_into()
                    .map_err(|_| RegistrationFault::Credential)?;
                Ok(PublicKey::ed25519(bytes)?)
            }
            (ES256 | EDDSA, ..) => Err(RegistrationFault::Credential),
            (other, ..) => Err(RegistrationFault::Algorithm(other)),
        }
    }
}

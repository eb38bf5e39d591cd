//! Authenticator data (WebAuthn Level 3, section 6.1).
//!
//! ```text
//! 32 bytes  SHA-256 of the relying party id
//!  1 byte   flags: UP 0x01, UV 0x04, BE 0x08, BS 0x10, AT 0x40, ED 0x80; 0x02 and 0x20 are reserved
//!  4 bytes  signature counter, big-endian
//!  ...      attested credential data where AT is set, then extensions where ED is set
//! ```

use super::{PasskeyFault, RelyingParty};
use minicbor::decode::{Decoder, Error};
use sha2::{Digest as _, Sha256};

/// The fixed part of authenticator data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// SHA-256 of the relying party id.
    pub rp_id_hash: [u8; 32],
    /// What the authenticator says of its user, itself and what follows.
    pub flags: Flags,
    /// The signature counter; zero where the authenticator keeps none.
    pub counter: u32,
}

/// The flags byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub u8);

impl Header {
    /// Split authenticator data into its fixed part and what follows.
    pub fn split(bytes: &[u8]) -> Result<(Self, &[u8]), PasskeyFault> {
        let short = PasskeyFault::AuthenticatorData;
        let (rp_id_hash, rest) = bytes.split_first_chunk::<32>().ok_or(short)?;
        let (flags, rest) = rest.split_first().ok_or(short)?;
        let (counter, rest) = rest.split_first_chunk::<4>().ok_or(short)?;
        let counter = u32::from_be_bytes(*counter);
        Ok((
            Self {
                rp_id_hash: *rp_id_hash,
                flags: Flags(*flags),
                counter,
            },
            rest,
        ))
    }

    /// Whether what follows is exactly what the ED flag promises: one CBOR map, or nothing.
    pub fn check_extensions(&self, rest: &[u8]) -> Result<(), PasskeyFault> {
        if !self.flags.extensions() {
            return if rest.is_empty() {
                Ok(())
            } else {
                Err(PasskeyFault::AuthenticatorData)
            };
        }
        match extensions_length(rest) {
            Ok(length) if length == rest.len() => Ok(()),
            _ => Err(PasskeyFault::Extensions),
        }
    }

    /// Relying party id, reserved flags, backup flags and presence; yields the relying party id.
    pub fn check<'a>(&self, party: &'a RelyingParty) -> Result<&'a str, PasskeyFault> {
        let is_ours = |id: &&String| Sha256::digest(id.as_bytes())[..] == self.rp_id_hash;
        let rp_id = party
            .rp_ids
            .iter()
            .find(is_ours)
            .ok_or(PasskeyFault::RelyingParty)?;
        if self.flags.reserved() {
            return Err(PasskeyFault::ReservedFlags);
        }
        if self.flags.backed_up() && !self.flags.backup_eligible() {
            return Err(PasskeyFault::BackupFlags);
        }
        if !self.flags.user_present() {
            return Err(PasskeyFault::NotPresent);
        }
        Ok(rp_id)
    }
}

/// How long the map of extensions is: extension identifiers are text (section 9.3).
fn extensions_length(bytes: &[u8]) -> Result<usize, Error> {
    let mut decoder = Decoder::new(bytes);
    let members = decoder
        .map()?
        .ok_or_else(|| Error::message("indefinite length"))?;
    for _ in 0..members {
        decoder.str()?;
        decoder.skip()?;
    }
    Ok(decoder.position())
}

impl Flags {
    /// UP: a test of the user's presence was passed.
    #[must_use]
    pub const fn user_present(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// UV: the user was verified.
    #[must_use]
    pub const fn user_verified(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// BE: the credential may be copied to other devices by its provider.
    #[must_use]
    pub const fn backup_eligible(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// BS: it has been.
    #[must_use]
    pub const fn backed_up(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// AT: attested credential data follow.
    #[must_use]
    pub const fn attested(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// ED: extensions follow.
    #[must_use]
    pub const fn extensions(self) -> bool {
        self.0 & 0x80 != 0
    }

    const fn reserved(self) -> bool {
        self.0 & 0x22 != 0
    }
}

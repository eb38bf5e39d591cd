//! A passkey in software, so that a development network can be tried without a person.
//!
//! It does what an authenticator and a browser do together (WebAuthn Level 3, sections 6.3.3 and
//! 5.8.1): it says that a person was present and verified where there was none. So it exists for a
//! development genesis only, and nowhere else does anything of ours make it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::Digest;
use portcullis_core::factor::NewFactor;
use portcullis_core::genesis::Mode;
use portcullis_core::passkey::{Assertion, CredentialId, challenge_for};
use portcullis_core::signature::PublicKey;
use portcullis_host::{Disk, DiskError};
use portcullis_keys::{SignError, StatementKey};
use sha2::{Digest as _, Sha256};
use std::sync::{Arc, Mutex, PoisonError};

/// A P-256 key that asserts, and its signature counter.
pub struct DevelopmentPasskey {
    key: Arc<dyn StatementKey>,
    credential: CredentialId,
    counter: Mutex<u32>,
    /// Where the counter is kept; nowhere for a passkey that ends with its process.
    keep: Option<(Arc<dyn Disk>, String)>,
}

/// What an authenticator and a browser say around a challenge. Honest ones say what is so; a drill
/// has others say what it likes, under the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceremony<'a> {
    /// The relying party id that the authenticator hashes.
    pub rp_id: &'a str,
    /// The origin that the browser saw.
    pub origin: &'a str,
    /// Whether that origin was framed by another.
    pub cross_origin: bool,
    /// Whether the authenticator verified its user (UV); it says always that one was present (UP).
    pub user_verified: bool,
    /// The signature counter.
    pub count: u32,
}

/// Why there is no passkey, or no assertion.
#[derive(Debug, thiserror::Error)]
pub enum PasskeyError {
    /// A production genesis.
    #[error("a passkey in software serves a development genesis only; use a real authenticator")]
    NotDevelopment,
    /// Not a P-256 key.
    #[error("a passkey's key is a P-256 key; make one of that kind")]
    NotP256,
    /// The counter's file.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The counter's file does not hold a number: with a lower one every assertion would be refused.
    #[error("{0} does not hold the passkey's counter; restore it")]
    Counter(String),
    /// The counter is used up.
    #[error("the passkey has asserted 2^32 - 1 times; enrol another")]
    Exhausted,
    /// The key.
    #[error(transparent)]
    Key(#[from] SignError),
}

impl DevelopmentPasskey {
    /// The passkey of this key; its counter is kept in `counter_file`.
    pub fn open(
        key: Arc<dyn StatementKey>,
        mode: Mode,
        disk: Arc<dyn Disk>,
        counter_file: String,
    ) -> Result<Self, PasskeyError> {
        let counter = read_counter(disk.as_ref(), &counter_file)?;
        Self::new(key, mode, counter, Some((disk, counter_file)))
    }

    /// The passkey of this key, that has never asserted and lives as long as this process.
    pub fn in_memory(key: Arc<dyn StatementKey>, mode: Mode) -> Result<Self, PasskeyError> {
        Self::new(key, mode, 0, None)
    }

    /// The same passkey, known by another credential id: every authenticator chooses its own.
    #[must_use]
    pub fn known_as(self, credential: CredentialId) -> Self {
        Self { credential, ..self }
    }

    fn new(
        key: Arc<dyn StatementKey>,
        mode: Mode,
        counter: u32,
        keep: Option<(Arc<dyn Disk>, String)>,
    ) -> Result<Self, PasskeyError> {
        if mode != Mode::Development {
            return Err(PasskeyError::NotDevelopment);
        }
        if !matches!(key.public_key(), PublicKey::P256(_)) {
            return Err(PasskeyError::NotP256);
        }
        let credential = CredentialId(Sha256::digest(key.public_key().as_bytes()).to_vec());
        let counter = Mutex::new(counter);
        Ok(Self {
            key,
            credential,
            counter,
            keep,
        })
    }

    /// The passkey as a factor of a realm whose relying party id is `rp_id`.
    #[must_use]
    pub fn factor(&self, rp_id: &str) -> NewFactor {
        NewFactor::Passkey {
            credential: self.credential.0.clone(),
            rp_id: rp_id.to_owned(),
            key: self.key.public_key().clone(),
        }
    }

    /// Assert the act with this digest, as a browser at `origin` would have it done.
    pub fn assert(
        &self,
        act: Digest,
        rp_id: &str,
        origin: &str,
    ) -> Result<Assertion, PasskeyError> {
        let ceremony = Ceremony {
            rp_id,
            origin,
            cross_origin: false,
            user_verified: true,
            count: self.count()?,
        };
        self.assert_as(act, &ceremony)
    }

    /// Assert the act with this digest, saying around it whatever the ceremony says.
    pub fn assert_as(
        &self,
        act: Digest,
        ceremony: &Ceremony<'_>,
    ) -> Result<Assertion, PasskeyError> {
        let client_data = ceremony.client_data(&challenge_for(&act.0));
        let authenticator_data = ceremony.authenticator_data();
        let signed = [authenticator_data.as_slice(), &Sha256::digest(&client_data)].concat();
        Ok(Assertion {
            credential: self.credential.clone(),
            signature: self.key.sign(&signed)?,
            authenticator_data,
            client_data,
        })
    }

    /// The next number, durable before it is used where it is kept: a number used twice reads as a
    /// copied key.
    fn count(&self) -> Result<u32, PasskeyError> {
        let mut counter = self.counter.lock().unwrap_or_else(PoisonError::into_inner);
        let next = counter.checked_add(1).ok_or(PasskeyError::Exhausted)?;
        if let Some((disk, name)) = &self.keep {
            disk.replace(name, next.to_string().as_bytes())?;
        }
        *counter = next;
        Ok(next)
    }
}

impl Ceremony<'_> {
    /// Section 6.1: the hash of the relying party id, the flags, the counter.
    fn authenticator_data(&self) -> Vec<u8> {
        const USER_PRESENT: u8 = 0x01;
        const USER_VERIFIED: u8 = 0x04;
        let verified = if self.user_verified { USER_VERIFIED } else { 0 };
        let mut data = Sha256::digest(self.rp_id.as_bytes()).to_vec();
        data.push(USER_PRESENT | verified);
        data.extend(self.count.to_be_bytes());
        data
    }

    /// The members in the order and spelling of section 5.8.1.1.
    fn client_data(&self, challenge: &[u8]) -> Vec<u8> {
        let challenge = URL_SAFE_NO_PAD.encode(challenge);
        let (origin, cross) = (self.origin, self.cross_origin);
        let text = format!(
            r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{origin}","crossOrigin":{cross}}}"#
        );
        text.into_bytes()
    }
}

fn read_counter(disk: &dyn Disk, name: &str) -> Result<u32, PasskeyError> {
    let Some(bytes) = disk.read(name, 16)? else {
        return Ok(0);
    };
    let number = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.parse().ok());
    number.ok_or_else(|| PasskeyError::Counter(name.to_owned()))
}

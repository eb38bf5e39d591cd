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

/// UP and UV (section 6.1).
const PRESENT_AND_VERIFIED: u8 = 0x05;

/// A P-256 key that asserts, and its signature counter.
pub struct DevelopmentPasskey {
    key: Arc<dyn StatementKey>,
    credential: CredentialId,
    counter: Option<Counter>,
}

/// How often it has asserted, for as long as its file is there.
struct Counter {
    disk: Arc<dyn Disk>,
    file: String,
    newest: Mutex<u32>,
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
        let credential = CredentialId(Sha256::digest(key.public_key().as_bytes()).to_vec());
        let passkey = Self::without_counter(key, credential, mode)?;
        let newest = Mutex::new(read_counter(disk.as_ref(), &counter_file)?);
        let counter = Counter {
            disk,
            file: counter_file,
            newest,
        };
        Ok(Self {
            counter: Some(counter),
            ..passkey
        })
    }

    /// The passkey of this key, on an authenticator that keeps no counter, as many do.
    pub fn without_counter(
        key: Arc<dyn StatementKey>,
        credential: CredentialId,
        mode: Mode,
    ) -> Result<Self, PasskeyError> {
        if mode != Mode::Development {
            return Err(PasskeyError::NotDevelopment);
        }
        if !matches!(key.public_key(), PublicKey::P256(_)) {
            return Err(PasskeyError::NotP256);
        }
        Ok(Self {
            key,
            credential,
            counter: None,
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
        let client_data = client_data(&challenge_for(&act.0), origin);
        let authenticator_data = self.authenticator_data(rp_id)?;
        let signed = [authenticator_data.as_slice(), &Sha256::digest(&client_data)].concat();
        Ok(Assertion {
            credential: self.credential.clone(),
            signature: self.key.sign(&signed)?,
            authenticator_data,
            client_data,
        })
    }

    fn authenticator_data(&self, rp_id: &str) -> Result<Vec<u8>, PasskeyError> {
        let mut data = Sha256::digest(rp_id.as_bytes()).to_vec();
        data.push(PRESENT_AND_VERIFIED);
        let count = self.counter.as_ref().map_or(Ok(0), Counter::next)?;
        data.extend(count.to_be_bytes());
        Ok(data)
    }
}

impl Counter {
    /// The next number, durable before it is used: a number used twice reads as a copied key.
    fn next(&self) -> Result<u32, PasskeyError> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let next = newest.checked_add(1).ok_or(PasskeyError::Exhausted)?;
        self.disk.replace(&self.file, next.to_string().as_bytes())?;
        *newest = next;
        Ok(next)
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

/// The members in the order and spelling of section 5.8.1.1.
fn client_data(challenge: &[u8], origin: &str) -> Vec<u8> {
    let challenge = URL_SAFE_NO_PAD.encode(challenge);
    let text = format!(
        r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#
    );
    text.into_bytes()
}

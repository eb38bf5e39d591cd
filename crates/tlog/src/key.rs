//! Keys of signed notes: names, ids, and their text encodings (C2SP signed-note).
//!
//! ```text
//! vkey       = name "+" hex(id) "+" base64(type || public key)
//! secret key = "PRIVATE+KEY+" name "+" hex(id) "+" base64(type || seed)
//! id         = SHA-256(name || 0x0A || type || public key)[:4]
//! ```

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const SECRET_PREFIX: &str = "PRIVATE+KEY+";
const MAX_NAME_BYTES: usize = 255;
const MAX_KEY_TEXT_BYTES: usize = 400;

/// The name of a key; the log's key has the log's origin as its name.
///
/// One to 255 bytes, without Unicode spaces, control characters and `+`. A URL without scheme is
/// recommended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyName(String);

/// A hint at the key that signed. Not a secure identifier: anybody can make a key with a given id.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 4]);

/// Why a name or a key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, above 255 bytes, or with a space, a control character or `+`.
    #[error("a key name has 1 to 255 bytes and no spaces, control characters or '+'")]
    BadName,
    /// Not the text encoding of a key.
    #[error("not a key: expected name+id+base64, in canonical base64 and lower-case hex")]
    NotAKey,
    /// The id does not belong to this name, type and public key: a typing error, or keys mixed up.
    #[error("the key's id does not belong to its name and public key")]
    WrongId,
    /// A key of another signature type than is needed here.
    #[error("a key of signature type {expected:#04x} is needed here, this one has {got:#04x}")]
    WrongType {
        /// Type that is needed.
        expected: u8,
        /// Type that the key says.
        got: u8,
    },
}

/// The signer has no signature to give.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key {name} could not sign: {reason}")]
pub struct SignError {
    /// Name of the key.
    pub name: String,
    /// What its holder says.
    pub reason: String,
}

impl KeyName {
    /// Checks a name.
    pub fn new(name: impl Into<String>) -> Result<Self, KeyError> {
        let name = name.into();
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.len() > MAX_NAME_BYTES || name.contains(bad) {
            return Err(KeyError::BadName);
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = KeyError;

    fn from_str(name: &str) -> Result<Self, KeyError> {
        Self::new(name)
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl KeyId {
    fn of(name: &KeyName, signature_type: u8, public: &[u8; 32]) -> Self {
        let hasher = Sha256::new()
            .chain_update(&name.0)
            .chain_update([b'\n', signature_type]);
        let [a, b, c, d, ..]: [u8; 32] = hasher.chain_update(public).finalize().into();
        Self([a, b, c, d])
    }

    pub(crate) const fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(bytes)
    }

    /// The four bytes that begin a signature.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 4] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

mod sealed {
    pub trait Sealed {}
}

/// What a key signs: [`Log`] or [`Witness`].
pub trait Role: sealed::Sealed + Clone + fmt::Debug {
    /// The identifier that C2SP signed-note assigns to the signature type.
    const SIGNATURE_TYPE: u8;
}

/// A log signs notes: Ed25519 over the note text, type `0x01`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Log {}

/// A witness cosigns checkpoints: timestamped Ed25519 (`cosignature/v1`), type `0x04`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Witness {}

impl sealed::Sealed for Log {}
impl Role for Log {
    const SIGNATURE_TYPE: u8 = 0x01;
}

impl sealed::Sealed for Witness {}
impl Role for Witness {
    const SIGNATURE_TYPE: u8 = 0x04;
}

/// A public key with its name. Written and read as a vkey.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct VerifierKey<R> {
    name: KeyName,
    id: KeyId,
    public: [u8; 32],
    role: PhantomData<R>,
}

/// The key that verifies a log's signature on its checkpoints.
pub type LogKey = VerifierKey<Log>;
/// The key that verifies a witness' cosignatures.
pub type WitnessKey = VerifierKey<Witness>;

impl<R: Role> VerifierKey<R> {
    /// A key from its parts.
    #[must_use]
    pub fn new(name: KeyName, public: [u8; 32]) -> Self {
        let id = KeyId::of(&name, R::SIGNATURE_TYPE, &public);
        Self {
            name,
            id,
            public,
            role: PhantomData,
        }
    }

    /// The key's name.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key's id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The Ed25519 public key.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.public)
            .verify(message, signature)
            .is_ok()
    }
}

impl<R: Role> fmt::Display for VerifierKey<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material = BASE64.encode(typed(R::SIGNATURE_TYPE, &self.public).as_slice());
        write!(f, "{}+{}+{material}", self.name, self.id)
    }
}

impl<R: Role> fmt::Debug for VerifierKey<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl<R: Role> FromStr for VerifierKey<R> {
    type Err = KeyError;

    /// Reads a vkey.
    fn from_str(vkey: &str) -> Result<Self, KeyError> {
        let (name, id, public) = read_key_text::<R>(vkey)?;
        let key = Self::new(name, *public);
        if key.id.to_string() == id {
            Ok(key)
        } else {
            Err(KeyError::WrongId)
        }
    }
}

/// Something that signs with a key, in this process or elsewhere.
pub trait Signer<R: Role> {
    /// The public half.
    fn key(&self) -> &VerifierKey<R>;

    /// The Ed25519 signature over exactly `message`.
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError>;
}

/// A secret key held in memory, with its name.
pub struct SigningKey<R> {
    verifier: VerifierKey<R>,
    seed: Zeroizing<[u8; 32]>,
    pair: Ed25519KeyPair,
}

/// Signs checkpoints as a log.
pub type LogSigner = SigningKey<Log>;
/// Cosigns checkpoints as a witness.
pub type WitnessSigner = SigningKey<Witness>;

impl<R: Role> SigningKey<R> {
    /// A key from its name and the 32-byte seed of RFC 8032.
    pub fn from_seed(name: KeyName, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::NotAKey)?;
        let public = pair
            .public_key()
            .as_ref()
            .try_into()
            .map_err(|_| KeyError::NotAKey)?;
        let seed = Zeroizing::new(*seed);
        Ok(Self {
            verifier: VerifierKey::new(name, public),
            seed,
            pair,
        })
    }

    /// Reads the text encoding of a secret key.
    pub fn from_secret_text(text: &str) -> Result<Self, KeyError> {
        let text = text.strip_prefix(SECRET_PREFIX).ok_or(KeyError::NotAKey)?;
        let (name, id, seed) = read_key_text::<R>(text)?;
        let key = Self::from_seed(name, &seed)?;
        if key.verifier.id.to_string() == id {
            Ok(key)
        } else {
            Err(KeyError::WrongId)
        }
    }

    /// The text encoding of the secret key, for a file that only its owner can read.
    #[must_use]
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        let VerifierKey { name, id, .. } = &self.verifier;
        let material = typed(R::SIGNATURE_TYPE, &self.seed);
        let material = Zeroizing::new(BASE64.encode(material.as_slice()));
        Zeroizing::new(format!("{SECRET_PREFIX}{name}+{id}+{}", *material))
    }
}

impl<R: Role> Signer<R> for SigningKey<R> {
    fn key(&self) -> &VerifierKey<R> {
        &self.verifier
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let failed = |reason: &str| SignError {
            name: self.verifier.name.to_string(),
            reason: reason.to_owned(),
        };
        let signature = self
            .pair
            .try_sign(message)
            .map_err(|_| failed("Ed25519 failed"))?;
        signature
            .as_ref()
            .try_into()
            .map_err(|_| failed("the signature is not of 64 bytes"))
    }
}

impl<R: Role> fmt::Debug for SigningKey<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, secret left out)", self.verifier)
    }
}

fn typed(signature_type: u8, material: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([&[signature_type], material.as_slice()].concat())
}

/// Name, id (unchecked) and 32 bytes of key material.
fn read_key_text<R: Role>(text: &str) -> Result<(KeyName, &str, Zeroizing<[u8; 32]>), KeyError> {
    if text.len() > MAX_KEY_TEXT_BYTES {
        return Err(KeyError::NotAKey);
    }
    // The base64 at the end may contain '+' itself.
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(material)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::NotAKey);
    };
    let name = KeyName::new(name)?;
    let material = Zeroizing::new(BASE64.decode(material).map_err(|_| KeyError::NotAKey)?);
    let (signature_type, material) = material.split_first().ok_or(KeyError::NotAKey)?;
    if *signature_type != R::SIGNATURE_TYPE {
        return Err(KeyError::WrongType {
            expected: R::SIGNATURE_TYPE,
            got: *signature_type,
        });
    }
    let material = material.try_into().map_err(|_| KeyError::NotAKey)?;
    Ok((name, id, Zeroizing::new(material)))
}

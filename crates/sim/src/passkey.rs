//! A customer's authenticator, whose signatures are the same in every run.
//!
//! The keys of production sign P-256 with fresh randomness; here nonces follow RFC 6979.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature as P256Signature, SigningKey};
use portcullis_core::Digest;
use portcullis_core::factor::NewFactor;
use portcullis_core::passkey::{Assertion, CredentialId, challenge_for};
use portcullis_core::signature::{PublicKey, Signature};
use portcullis_keys::StatementKey as _;
use portcullis_keys::software::SoftwareStatement;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A passkey: P-256 or Ed25519, with a counter or without.
pub struct Passkey {
    credential: Vec<u8>,
    key: Key,
    counter: Option<u32>,
}

enum Key {
    P256(Box<SigningKey>, PublicKey),
    Ed25519(SoftwareStatement),
}

impl Passkey {
    /// Passkey `n` of customer `customer`.
    ///
    /// # Panics
    /// Never: the secrets are constants below both orders.
    #[must_use]
    pub fn new(customer: u8, n: u8) -> Self {
        let mut secret = [0x31; 32];
        (secret[30], secret[31]) = (customer, n);
        let key = if n.is_multiple_of(2) {
            let key = SigningKey::from_slice(&secret).expect("below the order");
            let point = key.verifying_key().to_sec1_point(false);
            let public = point.as_bytes().try_into().expect("65 bytes");
            let public = PublicKey::p256(public).expect("on the curve");
            Key::P256(Box::new(key), public)
        } else {
            let secret = Zeroizing::new(secret);
            Key::Ed25519(SoftwareStatement::ed25519(&secret).expect("a seed"))
        };
        Self {
            credential: vec![0xcc, customer, n],
            key,
            counter: customer.is_multiple_of(3).then_some(0),
        }
    }

    /// What names it.
    #[must_use]
    pub fn credential(&self) -> &[u8] {
        &self.credential
    }

    /// The passkey, to be enrolled.
    #[must_use]
    pub fn factor(&self) -> NewFactor {
        NewFactor::Passkey {
            credential: self.credential.clone(),
            rp_id: "bank.example".into(),
            key: self.public().clone(),
        }
    }

    fn public(&self) -> &PublicKey {
        match &self.key {
            Key::P256(_, public) => public,
            Key::Ed25519(key) => key.public_key(),
        }
    }

    /// An assertion over an act's digest.
    pub fn assert(&mut self, act: Digest) -> Assertion {
        if let Some(counter) = &mut self.counter {
            *counter += 1;
        }
        let challenge = URL_SAFE_NO_PAD.encode(challenge_for(&act.0));
        let client_data = format!(
            r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"https://app.bank.example","crossOrigin":false}}"#
        );
        let mut data = Sha256::digest(b"bank.example").to_vec();
        // User present and verified.
        data.push(0x05);
        data.extend(self.counter.unwrap_or(0).to_be_bytes());
        let message = [&data[..], &Sha256::digest(client_data.as_bytes())].concat();
        Assertion {
            credential: CredentialId(self.credential.clone()),
            authenticator_data: data,
            client_data: client_data.into_bytes(),
            signature: self.sign(&message),
        }
    }

    fn sign(&self, message: &[u8]) -> Signature {
        match &self.key {
            Key::P256(key, _) => {
                let signature: P256Signature = key.sign(message);
                Signature::from_bytes(signature.normalize_s().to_bytes().into())
            }
            Key::Ed25519(key) => key.sign(message).expect("a software key signs"),
        }
    }
}

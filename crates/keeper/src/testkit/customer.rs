use super::world::id;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::Act;
use portcullis_core::factor::NewFactor;
use portcullis_core::id::{AccountId, PrincipalId, SubjectId};
use portcullis_core::passkey::{Assertion, CredentialId, challenge_for};
use portcullis_core::signature::Signature;
use portcullis_keys::StatementKey as _;
use portcullis_keys::software::SoftwareStatement;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A customer with a passkey in software: authenticator data and client data written by hand, signed
/// on P-256.
pub struct Customer {
    /// The account.
    pub account: AccountId,
    /// The holder.
    pub principal: PrincipalId,
    /// Whose.
    pub subject: SubjectId,
    /// The id of its passkey.
    pub credential: Vec<u8>,
    key: SoftwareStatement,
}

impl Customer {
    /// The customer of this number.
    #[must_use]
    pub fn number(n: u8) -> Self {
        let mut secret = [0x31; 32];
        secret[31] = n;
        Self {
            account: AccountId(id(n)),
            principal: PrincipalId(id(n ^ 0xc0)),
            subject: SubjectId(id(n)),
            credential: vec![0xcc, n],
            key: SoftwareStatement::p256(&Zeroizing::new(secret)).unwrap(),
        }
    }

    /// The same customer with another passkey.
    #[must_use]
    pub fn with_new_passkey(&self, n: u8) -> Self {
        let other = Self::number(n);
        Self {
            account: self.account,
            principal: self.principal,
            subject: self.subject,
            ..other
        }
    }

    /// The passkey, to be enrolled.
    #[must_use]
    pub fn factor(&self) -> NewFactor {
        NewFactor::Passkey {
            credential: self.credential.clone(),
            rp_id: "bank.example".into(),
            key: self.key.public_key().clone(),
        }
    }

    /// An assertion over the act's digest, by an authenticator that keeps no counter.
    #[must_use]
    pub fn assertion(&self, act: &Act) -> Assertion {
        self.assertion_number(0, act)
    }

    /// An assertion with which the authenticator's counter stands at this.
    #[must_use]
    pub fn assertion_number(&self, counter: u32, act: &Act) -> Assertion {
        let challenge = URL_SAFE_NO_PAD.encode(challenge_for(&act.digest().0));
        let origin = "https://app.bank.example";
        let client_data = format!(
            r#"{{"type":"webauthn.get","challenge":"{challenge}","origin":"{origin}","crossOrigin":false}}"#
        );
        let mut data = Sha256::digest(b"bank.example").to_vec();
        // User present and verified.
        data.push(0x05);
        data.extend(counter.to_be_bytes());
        self.sign(client_data.into_bytes(), data)
    }

    /// The passkey signs whatever it is given.
    #[must_use]
    pub fn sign(&self, client_data: Vec<u8>, authenticator_data: Vec<u8>) -> Assertion {
        let message = [&authenticator_data[..], &Sha256::digest(&client_data)].concat();
        let signature: Signature = self.key.sign(&message).unwrap();
        Assertion {
            credential: CredentialId(self.credential.clone()),
            authenticator_data,
            client_data,
            signature,
        }
    }
}

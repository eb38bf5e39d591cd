//! An authenticator of the test's own, which can be made to err in one thing and sign that.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::passkey::{
    Assertion, Credential, CredentialId, PasskeyFault, RelyingParty, Verified, challenge_for, check,
};
use portcullis_core::signature::{PublicKey, Signature, Strict};
use sha2::{Digest as _, Sha256};

pub(crate) const RP_ID: &str = "bank.example";
pub(crate) const ORIGIN: &str = "https://app.bank.example";
pub(crate) const ANDROID: &str = "android:apk-key-hash:sO4VwLbDFnAoYj8jD3hrTXP0lgVmNfSlYdZUFlpiYEE";
pub(crate) const TOP_ORIGIN: &str = "https://partner.example";
pub(crate) const ACT: [u8; 32] = [0xac; 32];

pub(crate) const UP: u8 = 0x01;
pub(crate) const UV: u8 = 0x04;

pub(crate) fn party() -> RelyingParty {
    let texts = |all: &[&str]| all.iter().map(ToString::to_string).collect();
    RelyingParty {
        rp_ids: texts(&["old.example", RP_ID]),
        origins: texts(&["https://www.bank.example", ORIGIN, ANDROID]),
        top_origins: texts(&[TOP_ORIGIN]),
    }
}

pub(crate) enum Device {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

impl Device {
    pub(crate) fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap())
    }

    pub(crate) fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    pub(crate) fn key(&self) -> PublicKey {
        match self {
            Self::Ed25519(pair) => {
                PublicKey::ed25519(pair.public_key().as_ref().try_into().unwrap()).unwrap()
            }
            Self::P256(pair) => {
                PublicKey::p256(pair.public_key().as_ref().try_into().unwrap()).unwrap()
            }
        }
    }

    pub(crate) fn assert(&self, said: &Said) -> Assertion {
        let authenticator_data = said.authenticator_data();
        let client_data = said.client_data.clone().into_bytes();
        let mut message = authenticator_data.clone();
        message.extend(Sha256::digest(&client_data));
        let signature = match self {
            Self::Ed25519(pair) => {
                Signature::from_bytes(pair.sign(&message).as_ref().try_into().unwrap())
            }
            Self::P256(pair) => {
                let der = pair.sign(&SystemRandom::new(), &message).unwrap();
                Signature::from_der_normalised(der.as_ref()).unwrap()
            }
        };
        Assertion {
            credential: CredentialId(b"credential".to_vec()),
            authenticator_data,
            client_data,
            signature,
        }
    }
}

/// What the device is made to say, valid to begin with.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) client_data: String,
    pub(crate) rp_id: &'static str,
    pub(crate) flags: u8,
    pub(crate) counter: u32,
    pub(crate) rest: Vec<u8>,
}

impl Said {
    pub(crate) fn valid() -> Self {
        let client_data = client_data("webauthn.get", &challenge_for(&ACT), ORIGIN, CLOSED);
        Self {
            client_data,
            rp_id: RP_ID,
            flags: UP | UV,
            counter: 0,
            rest: Vec::new(),
        }
    }

    fn authenticator_data(&self) -> Vec<u8> {
        let mut bytes = Sha256::digest(self.rp_id).to_vec();
        bytes.push(self.flags);
        bytes.extend(self.counter.to_be_bytes());
        bytes.extend(&self.rest);
        bytes
    }
}

/// The end of client data made in a page of the relying party's own.
pub(crate) const CLOSED: &str = r#","crossOrigin":false}"#;

/// The end of client data made in a frame under [`TOP_ORIGIN`].
pub(crate) const FRAMED: &str = r#","crossOrigin":true,"topOrigin":"https://partner.example"}"#;

pub(crate) fn client_data(kind: &str, challenge: &[u8], origin: &str, tail: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(challenge);
    format!(r#"{{"type":"{kind}","challenge":"{challenge}","origin":"{origin}"{tail}"#)
}

/// Check against [`party`], under the act's challenge, with a counter of `known` remembered.
pub(crate) fn checked(
    assertion: &Assertion,
    key: &PublicKey,
    known: u32,
) -> Result<u32, PasskeyFault> {
    let credential = Credential {
        key,
        counter: known,
    };
    let party = party();
    check(
        assertion,
        &credential,
        &party,
        &challenge_for(&ACT),
        &Strict,
    )
    .map(|v| {
        assert_eq!(v.rp_id(), RP_ID);
        Verified::counter(&v)
    })
}

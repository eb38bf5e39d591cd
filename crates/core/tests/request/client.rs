//! A client with the test keys of RFC 9421, appendix B.1.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::request::{Algorithm, Base, Parts, SignedRequest};
use portcullis_core::signature::{PublicKey, Signature};

pub(crate) enum Client {
    Ed25519,
    P256,
}

fn bytes<const N: usize>(base64url: &str) -> [u8; N] {
    URL_SAFE_NO_PAD
        .decode(base64url)
        .unwrap()
        .try_into()
        .unwrap()
}

fn p256_point() -> [u8; 65] {
    let x: [u8; 32] = bytes("qIVYZVLCrPZHGHjP17CTW0_-D9Lfw0EkjqF7xB4FivA");
    let y: [u8; 32] = bytes("Mc4nN9LTDOBhfoUeg8Ye9WedFRhnZXZJA12Qp0zZ6F0");
    [&[4][..], &x, &y].concat().try_into().unwrap()
}

impl Client {
    pub(crate) fn key(&self) -> PublicKey {
        match self {
            Self::Ed25519 => {
                PublicKey::ed25519(bytes("JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs")).unwrap()
            }
            Self::P256 => PublicKey::p256(p256_point()).unwrap(),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Signature {
        match self {
            Self::Ed25519 => {
                let seed: [u8; 32] = bytes("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU");
                let pair = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
                Signature::from_bytes(pair.sign(message).as_ref().try_into().unwrap())
            }
            Self::P256 => {
                let secret: [u8; 32] = bytes("UpuF81l-kOxbjf7T4mNSv0r5tN67Gim7rnf6EFpcYDs");
                let pair = EcdsaKeyPair::from_private_key_and_public_key(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    &secret,
                    &p256_point(),
                );
                let signature = pair.unwrap().sign(&SystemRandom::new(), message).unwrap();
                Signature::from_fixed_normalised(signature.as_ref()).unwrap()
            }
        }
    }

    pub(crate) fn parts(&self) -> Parts {
        Parts {
            algorithm: Algorithm::of(&self.key()),
            ..parts()
        }
    }

    pub(crate) fn request(&self) -> SignedRequest {
        let base = Base::new(self.parts()).unwrap().to_bytes();
        SignedRequest {
            signature: self.sign(&base),
            base,
        }
    }
}

/// Everything present, for an Ed25519 key.
pub(crate) fn parts() -> Parts {
    Parts {
        method: "POST".into(),
        authority: "gate.example:8443".into(),
        path: "/v1/acts".into(),
        query: Some("wait=true".into()),
        content_digest: Some([0xcd; 32]),
        act: Some([0xac; 32]),
        created: 1_618_884_473,
        expires: Some(1_618_884_533),
        nonce: "b3k2pp5k7z-50gnwp_yemd".into(),
        key_id: "test-key".into(),
        algorithm: Algorithm::Ed25519,
    }
}

//! The W3C's WebAuthn Level 3 vectors: every authentication ceremony.

use crate::vectors::{Section, bytes, published, sections};
use portcullis_core::passkey::authenticator_data::Header;
use portcullis_core::passkey::{
    Assertion, Credential, CredentialId, PasskeyFault, RelyingParty, check,
};
use portcullis_core::signature::{PublicKey, Signature, Strict, Verify as _};
use sha2::{Digest as _, Sha256};

/// The credential's key out of a registration, or the COSE algorithm that is not accepted.
fn credential_key(attestation_object: &[u8]) -> Result<PublicKey, i64> {
    let mut object = minicbor::Decoder::new(attestation_object);
    let members = object.map().unwrap().unwrap();
    let mut authenticator_data = &[][..];
    for _ in 0..members {
        match object.str().unwrap() {
            "authData" => authenticator_data = object.bytes().unwrap(),
            _ => object.skip().unwrap(),
        }
    }
    let (_, attested) = Header::split(authenticator_data).unwrap();
    let id = usize::from(u16::from_be_bytes(attested[16..18].try_into().unwrap()));
    cose(&attested[18 + id..])
}

fn cose(key: &[u8]) -> Result<PublicKey, i64> {
    let mut map = minicbor::Decoder::new(key);
    let members = map.map().unwrap().unwrap();
    let (mut algorithm, mut coordinates) = (0, vec![4]);
    for _ in 0..members {
        match map.i64().unwrap() {
            3 => algorithm = map.i64().unwrap(),
            -2 | -3 => coordinates.extend(map.bytes().unwrap()),
            _ => map.skip().unwrap(),
        }
    }
    match algorithm {
        -7 => Ok(PublicKey::p256(coordinates.try_into().unwrap()).unwrap()),
        -8 => Ok(PublicKey::ed25519(coordinates[1..].try_into().unwrap()).unwrap()),
        other => Err(other),
    }
}

fn assertion(section: &Section<'_>, key: &PublicKey) -> Assertion {
    Assertion {
        credential: CredentialId(bytes(section.registration, "credential_id")),
        authenticator_data: bytes(section.authentication, "authenticatorData"),
        client_data: bytes(section.authentication, "clientDataJSON"),
        signature: Signature::from_client(key, &bytes(section.authentication, "signature"))
            .unwrap(),
    }
}

/// What the profile says of a valid ceremony: it passes, unless nobody was verified, or it took
/// place in a frame that the client leaves unnamed.
fn expected(assertion: &Assertion) -> Result<(), PasskeyFault> {
    let (header, _) = Header::split(&assertion.authenticator_data).unwrap();
    let client_data = String::from_utf8(assertion.client_data.clone()).unwrap();
    if client_data.contains("\"crossOrigin\":true") && !client_data.contains("\"topOrigin\":") {
        return Err(PasskeyFault::CrossOrigin);
    }
    if header.flags.user_verified() {
        Ok(())
    } else {
        Err(PasskeyFault::NotVerified)
    }
}

#[test]
fn every_published_assertion_does_as_the_profile_says() {
    let Some(text) = published() else { return };
    let party = RelyingParty {
        rp_ids: vec!["example.org".into()],
        origins: vec!["https://example.org".into()],
        top_origins: vec!["https://example.com".into()],
    };
    let (mut passed, mut refused, mut unsupported) = (0, 0, Vec::new());
    for section in sections(&text) {
        let key = match credential_key(&bytes(section.registration, "attestationObject")) {
            Ok(key) => key,
            Err(algorithm) => {
                unsupported.push(algorithm);
                continue;
            }
        };
        let assertion = assertion(&section, &key);
        let challenge = bytes(section.authentication, "challenge");
        let credential = Credential {
            key: &key,
            counter: 0,
        };
        let got = check(&assertion, &credential, &party, &challenge, &Strict).map(|_| ());
        assert_eq!(got, expected(&assertion), "{}", section.title);
        assert!(signature_holds(&assertion, &key), "{}", section.title);
        *(if got.is_ok() {
            &mut passed
        } else {
            &mut refused
        }) += 1;
    }
    unsupported.sort_unstable();
    assert_eq!((passed, refused), (4, 7));
    assert_eq!(
        unsupported,
        [-257, -53, -36, -35],
        "RS256, Ed448, ES512, ES384"
    );
}

/// Also of those that the profile refuses: the refusal must be for the reason given alone.
fn signature_holds(assertion: &Assertion, key: &PublicKey) -> bool {
    let mut message = assertion.authenticator_data.clone();
    message.extend(Sha256::digest(&assertion.client_data));
    Strict.verify(key, &message, &assertion.signature)
}

//! The W3C's WebAuthn Level 3 vectors: every registration ceremony.

use crate::vectors::{Section, bytes, published, sections};
use portcullis_core::passkey::{CredentialId, PasskeyFault, RelyingParty};
use portcullis_gate::registration::{
    AttestationObject, AttestationResponse, Proof, RegistrationFault, RegistrationResponse, finish,
};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

fn party() -> RelyingParty {
    RelyingParty {
        rp_ids: vec!["example.org".into()],
        origins: vec!["https://example.org".into()],
        top_origins: vec!["https://example.com".into()],
    }
}

fn returned(section: &Section<'_>) -> RegistrationResponse {
    RegistrationResponse {
        raw_id: CredentialId(bytes(section.registration, "credential_id")),
        response: AttestationResponse {
            client_data: bytes(section.registration, "clientDataJSON"),
            attestation_object: bytes(section.registration, "attestationObject"),
        },
    }
}

/// A format's name, and what its statement proves of a credential that we accept.
const PROOFS: &[(&str, Proof)] = &[
    ("none", Proof::None),
    ("tpm", Proof::Unchecked),
    ("android-key", Proof::Unchecked),
    ("apple", Proof::Unchecked),
    ("fido-u2f", Proof::Certificate),
];

#[test]
fn every_published_registration_does_as_the_profile_says() {
    let Some(text) = published() else { return };
    let mut outcomes = BTreeMap::<String, u32>::new();
    for section in sections(&text) {
        let returned = returned(&section);
        let outcome = match AttestationObject::parse(&returned.response.attestation_object) {
            Err(RegistrationFault::Algorithm(algorithm)) => format!("algorithm {algorithm}"),
            Err(fault) => panic!("{}: {fault}", section.title),
            Ok(object) => {
                assert_parts(&section, &object);
                finish_as_expected(&section, &returned, &object)
            }
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    let expected = [
        ("algorithm -257", 1),
        ("algorithm -35", 1),
        ("algorithm -36", 1),
        ("algorithm -53", 1),
        ("CrossOrigin", 1),
    ];
    for (outcome, count) in expected {
        assert_eq!(
            outcomes.get(outcome),
            Some(&count),
            "{outcome}: {outcomes:?}"
        );
    }
    assert_eq!(outcomes.values().sum::<u32>(), 15, "{outcomes:?}");
}

/// Every part is the published one, and the statement proves what its format can.
fn assert_parts(section: &Section<'_>, object: &AttestationObject<'_>) {
    assert_eq!(
        object.credential.aaguid.to_vec(),
        bytes(section.registration, "aaguid")
    );
    assert_eq!(
        object.credential.id.0,
        bytes(section.registration, "credential_id")
    );
    let hash = Sha256::digest(bytes(section.registration, "clientDataJSON")).into();
    let format = object.statement.format.name();
    let expected = PROOFS.iter().find(|(name, _)| *name == format).map_or(
        if section.title.contains("Self") {
            Proof::Possession
        } else {
            Proof::Certificate
        },
        |(_, proof)| *proof,
    );
    assert_eq!(object.prove(&hash), Ok(expected), "{}", section.title);

    let forged = object.prove(&[0; 32]);
    let is_signed = matches!(expected, Proof::Possession | Proof::Certificate);
    assert_eq!(
        forged.is_err(),
        is_signed,
        "{}: over other client data",
        section.title
    );
}

/// Refused only for what the profile refuses on purpose: an unnamed frame, or nobody verified.
fn finish_as_expected(
    section: &Section<'_>,
    returned: &RegistrationResponse,
    object: &AttestationObject<'_>,
) -> String {
    let challenge = bytes(section.registration, "challenge");
    match finish(returned, &party(), &challenge) {
        Ok(registered) => {
            assert_eq!(registered.key, object.credential.key);
            registered.format.name().to_string()
        }
        Err(RegistrationFault::NotVerified) if !object.header.flags.user_verified() => {
            "not verified".into()
        }
        Err(RegistrationFault::Passkey(PasskeyFault::CrossOrigin)) => "CrossOrigin".into(),
        Err(fault) => panic!("{}: {fault}", section.title),
    }
}

#[test]
fn no_flipped_bit_passes_as_possession() {
    let Some(text) = published() else { return };
    let sections = sections(&text);
    let section = sections
        .iter()
        .find(|s| s.title.contains("Self Attestation"))
        .unwrap();
    let returned = returned(section);
    let hash = Sha256::digest(&returned.response.client_data).into();
    let object = &returned.response.attestation_object;
    let proof = |bytes: &[u8]| AttestationObject::parse(bytes).and_then(|o| o.prove(&hash));
    assert_eq!(proof(object), Ok(Proof::Possession));
    for bit in 0..object.len() * 8 {
        let mut flipped = object.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(proof(&flipped), Ok(Proof::Possession), "bit {bit}");
    }
}

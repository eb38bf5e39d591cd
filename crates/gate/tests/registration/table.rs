//! One row per fault.

use crate::made::{CHALLENGE, FLAGS, Made, ORIGIN, P256_BASE_POINT, client_data, es256, party};
use RegistrationFault::{Algorithm, AttestationObject, Credential, Key, Passkey, Statement};
use portcullis_core::factor::NewFactor;
use portcullis_core::passkey::{CredentialId, PasskeyFault};
use portcullis_core::signature::KeyFault;
use portcullis_gate::registration::{
    MAX_ATTESTATION_OBJECT, Proof, RegistrationFault, RegistrationResponse, finish,
};

#[test]
fn a_valid_registration_yields_its_credential() {
    let registered = finish(&Made::valid().returned(), &party(), &CHALLENGE).unwrap();
    assert_eq!(registered.credential, CredentialId(b"credential".to_vec()));
    assert_eq!(
        registered.key.as_bytes()[1..],
        hex::decode(P256_BASE_POINT).unwrap()
    );
    assert_eq!(
        (registered.rp_id.as_str(), registered.counter),
        ("bank.example", 0)
    );
    assert_eq!(
        (registered.format.name(), registered.proof),
        ("none", Proof::None)
    );
    assert_eq!(registered.aaguid, [0xaa; 16]);
    assert!(!registered.backup_eligible && !registered.backed_up);
    let NewFactor::Passkey {
        credential,
        rp_id,
        key,
    } = registered.factor()
    else {
        panic!()
    };
    assert_eq!(
        (credential.as_slice(), rp_id.as_str()),
        (&b"credential"[..], "bank.example")
    );
    assert_eq!(key, registered.key);
}

/// One change to a valid registration.
type Change = fn(&mut Made);

fn coded(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

#[rustfmt::skip]
const FAULTS: &[(&str, Change, RegistrationFault)] = &[
    ("another ceremony", |m| m.client_data = client_data("webauthn.get", ORIGIN), Passkey(PasskeyFault::Type)),
    ("another challenge", |m| m.client_data = m.client_data.replace("xM", "xN"), Passkey(PasskeyFault::Challenge)),
    ("another origin", |m| m.client_data = client_data("webauthn.create", "https://evil.example"), Passkey(PasskeyFault::Origin)),
    ("no JSON", |m| m.client_data.clear(), Passkey(PasskeyFault::ClientData)),
    ("bytes behind", |m| m.behind = vec![0], AttestationObject),
    ("a member twice", |m| m.statement = coded("a06861747453746d74a0"), AttestationObject),
    ("no credential", |m| m.flags &= !0x40, Credential),
    ("an empty id", |m| m.id.clear(), Credential),
    ("a long id", |m| m.id = vec![0; 1024], Credential),
    ("a key cut off", |m| m.cose.truncate(40), Credential),
    ("a key without algorithm", |m| m.cose = coded("a10102"), Credential),
    ("an endless key", |m| m.cose = coded("bf0102ff"), Credential),
    ("ES256 on another curve", |m| m.cose[6] = 2, Credential),
    ("ES256 of another kind", |m| m.cose[2] = 1, Credential),
    ("a compressed key", |m| m.cose = coded("a5010203262001215820").into_iter().chain([1; 32]).chain([0x22, 0xf5]).collect(), Credential),
    ("RS256", |m| m.cose = coded("a4010303390100204101214101"), Algorithm(-257)),
    ("another algorithm", |m| m.cose[4] = 0x25, Algorithm(-6)),
    ("a point off the curve", |m| *m.cose.last_mut().unwrap() ^= 1, Key(KeyFault::NotOnCurve)),
    ("an Ed25519 key of small order", |m| m.cose = coded("a4010103272006215820").into_iter().chain([0; 32]).collect(), Key(KeyFault::SmallOrder)),
    ("a short Ed25519 key", |m| m.cose = coded("a4010103272006214100"), Credential),
    ("extensions unannounced", |m| m.extensions = vec![0xa0], Passkey(PasskeyFault::AuthenticatorData)),
    ("extensions missing", |m| m.flags |= 0x80, Passkey(PasskeyFault::Extensions)),
    ("a reserved flag", |m| m.flags |= 0x02, Passkey(PasskeyFault::ReservedFlags)),
    ("backed up, not eligible", |m| m.flags |= 0x10, Passkey(PasskeyFault::BackupFlags)),
    ("nobody there", |m| m.flags = FLAGS & !0x01, Passkey(PasskeyFault::NotPresent)),
    ("none with members", |m| m.statement = coded("a163616c6726"), Statement),
    ("packed without signature", |m| { m.format = "packed"; m.statement = coded("a163616c6726"); }, Statement),
    ("packed with a member twice", |m| { m.format = "packed"; m.statement = coded("a263616c672663616c6726"); }, Statement),
    ("packed without certificates", |m| { m.format = "packed"; m.statement = coded("a363616c672663736967406378356380"); }, Statement),
    ("packed, forged", |m| { m.format = "packed"; m.statement = coded("a263616c67266373696740"); }, RegistrationFault::Proof),
    ("fido-u2f with a certificate that is none", |m| { m.format = "fido-u2f"; m.statement = coded("a2637369674063783563814100"); }, RegistrationFault::Proof),
    ("a format with a space", |m| m.format = "a b", Statement),
    ("a long format", |m| m.format = "abcdefghijklmnopqrstuvwxyzabcdefg", Statement),
    ("nobody verified", |m| m.flags = FLAGS & !0x04, RegistrationFault::NotVerified),
];

#[test]
fn every_fault_has_a_row() {
    for (what, change, fault) in FAULTS {
        let mut made = Made::valid();
        change(&mut made);
        assert_eq!(
            finish(&made.returned(), &party(), &CHALLENGE).err(),
            Some(*fault),
            "{what}"
        );
    }
}

#[test]
fn sizes_come_first() {
    let mut returned = Made::valid().returned();
    returned.response.attestation_object = vec![0; MAX_ATTESTATION_OBJECT + 1];
    assert_eq!(
        finish(&returned, &party(), &CHALLENGE),
        Err(RegistrationFault::Size)
    );
    let mut returned = Made::valid().returned();
    returned.response.client_data = vec![0; 2049];
    assert_eq!(
        finish(&returned, &party(), &CHALLENGE),
        Err(RegistrationFault::Size)
    );
}

#[test]
fn another_relying_party_or_id_is_refused() {
    let returned = Made::valid().returned();
    let mut other = party();
    other.rp_ids = vec!["app.bank.example".into()];
    let fault = Err(Passkey(PasskeyFault::RelyingParty));
    assert_eq!(finish(&returned, &other, &CHALLENGE), fault);

    let raw_id = CredentialId(b"other".to_vec());
    let renamed = RegistrationResponse { raw_id, ..returned };
    assert_eq!(
        finish(&renamed, &party(), &CHALLENGE),
        Err(RegistrationFault::OtherCredential)
    );
}

#[test]
fn what_proves_nothing_still_registers() {
    let mut unknown = Made::valid();
    unknown.format = "compound";
    unknown.statement = vec![0xa1, 0x61, b'x', 0x01];
    let registered = finish(&unknown.returned(), &party(), &CHALLENGE).unwrap();
    assert_eq!(
        (registered.format.name(), registered.proof),
        ("compound", Proof::Unchecked)
    );

    let mut extended = Made::valid();
    extended.flags |= 0x80;
    extended.extensions = b"\xa1\x6bcredProtect\x03".to_vec();
    assert!(finish(&extended.returned(), &party(), &CHALLENGE).is_ok());

    let mut annotated = Made::valid();
    annotated.cose = [&[0xa6][..], &es256(P256_BASE_POINT)[1..], &[4, 0x81, 2]].concat();
    assert!(
        finish(&annotated.returned(), &party(), &CHALLENGE).is_ok(),
        "a key with key_ops"
    );
}

#[test]
fn an_object_cut_anywhere_is_refused() {
    let returned = Made::valid().returned();
    let whole = &returned.response.attestation_object;
    for length in 0..whole.len() {
        let mut cut = returned.clone();
        cut.response.attestation_object.truncate(length);
        assert!(
            finish(&cut, &party(), &CHALLENGE).is_err(),
            "{length} bytes"
        );
    }
}

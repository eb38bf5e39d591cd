//! What authenticators and browsers say.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portcullis_core::passkey::RelyingParty;
use portcullis_core::passkey::authenticator_data::Header;
use portcullis_core::passkey::client_data::{self, Ceremony};
use portcullis_core::signature::Signature;
use portcullis_gate::registration::{self, AttestationObject, RegistrationResponse};
use serde_json::{Map, Value};

const CHALLENGE: [u8; 32] = [0x42; 32];
const ORIGIN: &str = "https://bank.example";

fn party() -> RelyingParty {
    RelyingParty {
        rp_ids: vec!["bank.example".into()],
        origins: vec![ORIGIN.into()],
        top_origins: vec!["https://shop.example".into()],
    }
}

/// A JSON parser that keeps the first of two equal names agrees with what the bytes were taken to say.
pub(crate) fn client_data(bytes: &[u8]) -> bool {
    let accepted = [Ceremony::Create, Ceremony::Get]
        .into_iter()
        .find(|ceremony| client_data::check(bytes, *ceremony, &CHALLENGE, &party()).is_ok());
    let Some(ceremony) = accepted else {
        return false;
    };
    // Members behind those that decide are the client's business; JSON they need not be.
    let Ok(said) = serde_json::from_slice::<FirstOfEach>(bytes) else {
        return true;
    };
    let kind = match ceremony {
        Ceremony::Create => "webauthn.create",
        Ceremony::Get => "webauthn.get",
    };
    assert_eq!(said.0["type"], kind);
    assert_eq!(said.0["challenge"], URL_SAFE_NO_PAD.encode(CHALLENGE));
    assert_eq!(said.0["origin"], ORIGIN);
    true
}

/// A JSON object of which a name that comes twice has its first value.
struct FirstOfEach(Map<String, Value>);

impl<'de> serde::Deserialize<'de> for FirstOfEach {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> serde::de::Visitor<'de> for Members {
            type Value = FirstOfEach;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut members: A,
            ) -> Result<FirstOfEach, A::Error> {
                let mut first = Map::new();
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    first.entry(name).or_insert(value);
                }
                Ok(FirstOfEach(first))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// The fixed part is what the bytes have at its places.
pub(crate) fn authenticator_data(bytes: &[u8]) -> bool {
    let Ok((header, rest)) = Header::split(bytes) else {
        return false;
    };
    let fixed = [
        &header.rp_id_hash[..],
        &[header.flags.0],
        &header.counter.to_be_bytes(),
        rest,
    ];
    assert_eq!(fixed.concat(), bytes);
    header.check_extensions(rest).is_ok()
}

pub(crate) fn attestation_object(bytes: &[u8]) -> bool {
    let Ok(object) = AttestationObject::parse(bytes) else {
        return false;
    };
    let _ = object.header.check(&party());
    let _ = object.prove(&[0; 32]);
    assert!(object.header.flags.attested());
    true
}

/// Authenticator data with a credential and its COSE key, in an object that attests nothing.
pub(crate) fn credential_key(bytes: &[u8]) -> bool {
    attestation_object(&unattested(bytes))
}

fn unattested(authenticator_data: &[u8]) -> Vec<u8> {
    let mut object = Vec::new();
    let mut encoder = minicbor::Encoder::new(&mut object);
    let written = encoder
        .map(3)
        .and_then(|e| e.str("fmt")?.str("none"))
        .and_then(|e| e.str("attStmt")?.map(0))
        .and_then(|e| e.str("authData")?.bytes(authenticator_data));
    written.expect("a vector takes everything");
    object
}

/// A registration is refused, or is of the one origin, under the one challenge.
pub(crate) fn registration(bytes: &[u8]) -> bool {
    let Ok(returned) = serde_json::from_slice::<RegistrationResponse>(bytes) else {
        return false;
    };
    if registration::finish(&returned, &party(), &CHALLENGE).is_ok() {
        let data = &returned.response.client_data;
        assert!(client_data::check(data, Ceremony::Create, &CHALLENGE, &party()).is_ok());
    }
    true
}

/// What DER gives is normal: taken as fixed bytes it stays itself.
pub(crate) fn der_signature(bytes: &[u8]) -> bool {
    let Ok(signature) = Signature::from_der_normalised(bytes) else {
        return false;
    };
    assert_eq!(
        Signature::from_fixed_normalised(signature.as_bytes()),
        Ok(signature)
    );
    true
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let challenge = URL_SAFE_NO_PAD.encode(CHALLENGE);
    let data = |kind: &str, more: &str| {
        let text = format!(
            r#"{{"type":"webauthn.{kind}","challenge":"{challenge}","origin":"{ORIGIN}"{more}}}"#
        );
        text.into_bytes()
    };
    let mut credential = portcullis_core::Digest::plain(b"bank.example").0.to_vec();
    credential.extend([0x45, 0, 0, 0, 7]);
    credential.extend([0; 16]);
    credential.extend([0, 4, 1, 2, 3, 4]);
    // { 1: 1 (OKP), 3: -8 (EdDSA), -1: 6 (Ed25519), -2: the base point }
    credential.extend([
        0xa4, 0x01, 0x01, 0x03, 0x27, 0x20, 0x06, 0x21, 0x58, 0x20, 0x58,
    ]);
    credential.extend([0x66; 31]);
    let object = unattested(&credential);
    let created = data("create", r#","crossOrigin":false"#);
    let registration = serde_json::json!({
        "rawId": URL_SAFE_NO_PAD.encode([1, 2, 3, 4]),
        "response": {
            "clientDataJSON": URL_SAFE_NO_PAD.encode(&created),
            "attestationObject": URL_SAFE_NO_PAD.encode(&object),
        },
    });
    let top = r#","crossOrigin":true,"topOrigin":"https://shop.example""#;
    vec![
        // r and s are one.
        vec![0x30, 6, 2, 1, 1, 2, 1, 1],
        data("get", ""),
        data("get", top),
        data("get", r#","androidPackageName":"example.bank""#),
        data(
            "get",
            r#","crossOrigin":false,"more":[1,{"type":"webauthn.get"}]"#,
        ),
        created,
        credential,
        object,
        registration.to_string().into_bytes(),
    ]
}

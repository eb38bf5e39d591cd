//! Every flipped bit is refused, and no bytes make the checks panic or part from a JSON parser.

use crate::device::{ACT, Device, ORIGIN, Said, TOP_ORIGIN, UP, UV, checked, party};
use portcullis_core::passkey::authenticator_data::Header;
use portcullis_core::passkey::client_data::{Ceremony, check};
use portcullis_core::passkey::{Assertion, challenge_for};
use portcullis_core::signature::Signature;
use proptest::prelude::*;
use proptest::sample::Index;

fn flip(bytes: &mut [u8], bit: Index) {
    let bit = bit.index(bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}

fn said() -> impl Strategy<Value = Said> {
    let flags = prop::sample::select(vec![UP | UV, UP | UV | 0x08, UP | UV | 0x18]);
    (flags, any::<u32>()).prop_map(|(flags, counter)| Said {
        flags,
        counter,
        ..Said::valid()
    })
}

proptest! {
    #[test]
    fn one_flipped_bit_is_refused(said in said(), p256 in any::<bool>(), part in 0..3, bit: Index) {
        let device = if p256 { Device::p256() } else { Device::ed25519() };
        let mut assertion = device.assert(&said);
        prop_assert_eq!(checked(&assertion, &device.key(), 0), Ok(said.counter));
        match part {
            0 => flip(&mut assertion.authenticator_data, bit),
            1 => flip(&mut assertion.client_data, bit),
            _ => {
                let mut signature = *assertion.signature.as_bytes();
                flip(&mut signature, bit);
                assertion.signature = Signature::from_bytes(signature);
            }
        }
        prop_assert!(checked(&assertion, &device.key(), 0).is_err());
    }

    #[test]
    fn foreign_bytes_are_refused_without_a_panic(
        client_data in prop::collection::vec(any::<u8>(), 0..200),
        authenticator_data in prop::collection::vec(any::<u8>(), 0..200),
        signature: [u8; 32],
    ) {
        let device = Device::ed25519();
        let mut assertion = device.assert(&Said::valid());
        let signature = Signature::from_bytes([signature, signature].concat().try_into().unwrap());
        assertion.authenticator_data.clone_from(&authenticator_data);
        prop_assert!(checked(&assertion, &device.key(), 0).is_err());
        if let Ok((header, rest)) = Header::split(&authenticator_data) {
            let _ = header.check_extensions(rest);
        }
        assertion = Assertion { client_data, signature, ..assertion };
        prop_assert!(checked(&assertion, &device.key(), 0).is_err());
    }

    /// Whatever passes reads the same to a JSON parser, where that can read it at all.
    #[test]
    fn what_passes_means_the_same_to_a_json_parser(
        tail in prop::sample::select(TAILS.to_vec()),
        edits in prop::collection::vec((any::<Index>(), prop::sample::select(SPLICES.to_vec())), 0..3),
    ) {
        let mut text = Said::valid().client_data.replace(crate::device::CLOSED, tail);
        for (at, splice) in edits {
            // Between two characters: an earlier splice may have brought one of several bytes.
            let at = text.floor_char_boundary(at.index(text.len() + 1));
            text.insert_str(at, splice);
        }
        let passes = check(text.as_bytes(), Ceremony::Get, &challenge_for(&ACT), &party()).is_ok();
        if let (true, Ok(json)) = (passes, serde_json::from_str::<serde_json::Value>(&text)) {
            prop_assert_eq!(&json["type"], "webauthn.get");
            prop_assert_eq!(&json["origin"], ORIGIN);
            let framed = json["crossOrigin"].as_bool().unwrap_or(false);
            prop_assert!(!framed || json["topOrigin"] == TOP_ORIGIN, "{}", text);
        }
    }
}

const TAILS: &[&str] = &[
    crate::device::CLOSED,
    crate::device::FRAMED,
    "}",
    r#","crossOrigin":true}"#,
    r#","crossOrigin":false,"more":{"a":[1,"}"]}}"#,
    r#","androidPackageName":"example.bank"}"#,
];

const SPLICES: &[&str] = &[
    "\"", "\\", "{", "}", ",", ":", " ", "true", "false", "\\u0022", "a", "é",
];

//! Keys and signatures: Wycheproof whole, the torsion points, encodings, and every flipped bit.
#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use portcullis_core::signature::{
    AlreadyChecked, KeyFault, PublicKey, Signature, SignatureFault, Strict, Verify,
};
use proptest::prelude::*;
use wycheproof::{TestResult, ecdsa, eddsa};

const MESSAGE: &[u8] = b"one exact thing";

fn ed25519_signed(message: &[u8]) -> (PublicKey, Signature) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let key = PublicKey::ed25519(pair.public_key().as_ref().try_into().unwrap()).unwrap();
    (
        key,
        Signature::from_bytes(pair.sign(message).as_ref().try_into().unwrap()),
    )
}

fn p256_signed_der(message: &[u8]) -> (PublicKey, Vec<u8>) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let key = PublicKey::p256(pair.public_key().as_ref().try_into().unwrap()).unwrap();
    let der = pair.sign(&SystemRandom::new(), message).unwrap();
    (key, der.as_ref().to_vec())
}

/// The group's order, written here a second time.
fn p256_order() -> [u8; 32] {
    let mut order = [0; 32];
    let text = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    hex::decode_to_slice(text, &mut order).unwrap();
    order
}

#[test]
fn wycheproof_ed25519() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut run = 0;
    for group in set.test_groups {
        let key = PublicKey::ed25519(group.key.pk[..].try_into().unwrap()).unwrap();
        for test in group.tests {
            let held = <[u8; 64]>::try_from(&test.sig[..])
                .is_ok_and(|s| Strict.verify(&key, &test.msg, &Signature::from_bytes(s)));
            assert_eq!(
                held,
                test.result == TestResult::Valid,
                "ed25519 {}: {}",
                test.tc_id,
                test.comment
            );
            run += 1;
        }
    }
    assert!(run >= 140, "only {run} vectors");
}

fn wycheproof_p256(
    name: ecdsa::TestName,
    normalise: fn(&[u8]) -> Result<Signature, SignatureFault>,
) {
    let set = ecdsa::TestSet::load(name).unwrap();
    let mut run = 0;
    for group in set.test_groups {
        let key = PublicKey::p256(group.key.key[..].try_into().unwrap()).unwrap();
        for test in group.tests {
            let held = normalise(&test.sig).is_ok_and(|s| Strict.verify(&key, &test.msg, &s));
            assert_eq!(
                held,
                test.result == TestResult::Valid,
                "{name:?} {}: {}",
                test.tc_id,
                test.comment
            );
            run += 1;
        }
    }
    assert!(run >= 200, "only {run} vectors");
}

#[test]
fn wycheproof_p256_der() {
    wycheproof_p256(
        ecdsa::TestName::EcdsaSecp256r1Sha256,
        Signature::from_der_normalised,
    );
}

#[test]
fn wycheproof_p256_fixed() {
    wycheproof_p256(
        ecdsa::TestName::EcdsaSecp256r1Sha256P1363,
        Signature::from_fixed_normalised,
    );
}

#[test]
fn every_point_of_small_order_is_refused() {
    for point in curve25519_dalek::constants::EIGHT_TORSION {
        let encoded = point.compress().to_bytes();
        assert_eq!(
            PublicKey::ed25519(encoded),
            Err(KeyFault::SmallOrder),
            "{encoded:02x?}"
        );
    }
}

#[test]
fn second_spellings_of_a_point_are_refused() {
    for low in 0xed..=0xff {
        for top in [0x7f, 0xff] {
            let mut encoded = [0xff; 32];
            (encoded[0], encoded[31]) = (low, top);
            assert_eq!(PublicKey::ed25519(encoded), Err(KeyFault::NotCanonical));
        }
    }
}

/// With R of small order and s = 0, `s·B = R + k·A` can hold for a crafted key; strictness says no.
#[test]
fn a_signature_with_r_of_small_order_does_not_hold() {
    let (key, _) = ed25519_signed(MESSAGE);
    for point in curve25519_dalek::constants::EIGHT_TORSION {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(point.compress().as_bytes());
        assert!(!Strict.verify(&key, MESSAGE, &Signature::from_bytes(bytes)));
    }
}

#[test]
fn a_point_off_the_curve_is_no_key() {
    let (key, _) = p256_signed_der(MESSAGE);
    let good: [u8; 65] = key.as_bytes().try_into().unwrap();
    assert!(PublicKey::p256(good).is_ok());
    for (index, value) in [
        (0, 2),
        (0, 0),
        (0, 6),
        (33, good[33] ^ 1),
        (64, good[64] ^ 0x80),
    ] {
        let mut bad = good;
        bad[index] = value;
        assert_eq!(
            PublicKey::p256(bad),
            Err(KeyFault::NotOnCurve),
            "byte {index}"
        );
    }
    let mut neutral = [0; 65];
    neutral[0] = 4;
    assert_eq!(PublicKey::p256(neutral), Err(KeyFault::NotOnCurve));
}

#[test]
fn high_s_is_refused_and_normalised() {
    let (key, der) = p256_signed_der(MESSAGE);
    let low = Signature::from_der_normalised(&der).unwrap();
    assert!(Strict.verify(&key, MESSAGE, &low));

    let high = Signature::from_bytes(with_other_s(low.as_bytes()));
    assert!(
        !Strict.verify(&key, MESSAGE, &high),
        "the twin signature must not hold"
    );
    assert_eq!(Signature::from_fixed_normalised(high.as_bytes()), Ok(low));
    assert_eq!(Signature::from_fixed_normalised(low.as_bytes()), Ok(low));
}

/// n - s by a second route: two's complement, byte by byte from the end.
fn with_other_s(signature: &[u8; 64]) -> [u8; 64] {
    let mut twin = *signature;
    let mut carry = 1;
    for i in (0..32).rev() {
        let sum = u16::from(p256_order()[i]) + u16::from(!signature[32 + i]) + carry;
        twin[32 + i] = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    twin
}

#[test]
fn r_and_s_outside_the_group_are_named() {
    let (zero, order, one) = ([0; 32], p256_order(), {
        let mut one = [0; 32];
        one[31] = 1;
        one
    });
    for (r, s) in [
        (zero, one),
        (one, zero),
        (order, one),
        (one, order),
        ([0xff; 32], one),
    ] {
        let fixed = [r, s].concat();
        assert_eq!(
            Signature::from_fixed_normalised(&fixed),
            Err(SignatureFault::OutOfRange)
        );
    }
    assert_eq!(
        Signature::from_fixed_normalised(&[1; 63]),
        Err(SignatureFault::WrongLength)
    );
    assert_eq!(
        Signature::from_fixed_normalised(&[1; 65]),
        Err(SignatureFault::WrongLength)
    );
}

#[test]
fn only_der_is_taken_for_der() {
    let rows: &[(&str, &[u8])] = &[
        ("nothing", &[]),
        ("not a sequence", &[0x31, 6, 2, 1, 1, 2, 1, 1]),
        ("long-form length", &[0x30, 0x81, 6, 2, 1, 1, 2, 1, 1]),
        ("indefinite length", &[0x30, 0x80, 2, 1, 1, 2, 1, 1, 0, 0]),
        ("cut off", &[0x30, 6, 2, 1, 1, 2, 1]),
        ("one integer", &[0x30, 3, 2, 1, 1]),
        ("three integers", &[0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1]),
        ("bytes behind", &[0x30, 6, 2, 1, 1, 2, 1, 1, 0]),
        ("empty integer", &[0x30, 5, 2, 0, 2, 1, 1]),
        ("negative r", &[0x30, 6, 2, 1, 0x80, 2, 1, 1]),
        ("needless zero", &[0x30, 7, 2, 2, 0, 1, 2, 1, 1]),
    ];
    for (what, der) in rows {
        assert_eq!(
            Signature::from_der_normalised(der),
            Err(SignatureFault::NotDer),
            "{what}"
        );
    }
    let mut long = vec![0x30, 38, 2, 33, 1];
    long.extend([0; 32]);
    long.extend([2, 1, 1]);
    assert_eq!(
        Signature::from_der_normalised(&long),
        Err(SignatureFault::OutOfRange)
    );
    let zeros = [0x30, 6, 2, 1, 0, 2, 1, 0];
    assert_eq!(
        Signature::from_der_normalised(&zeros),
        Err(SignatureFault::OutOfRange)
    );
}

#[test]
fn keys_and_signatures_travel() {
    let (edwards, signature) = ed25519_signed(MESSAGE);
    let (weierstrass, _) = p256_signed_der(MESSAGE);
    for (key, kind, length) in [(edwards, 1, 32), (weierstrass, 2, 65)] {
        let cbor = minicbor::to_vec(&key).unwrap();
        assert_eq!(cbor[..2], [0x82, kind]);
        assert_eq!(key.as_bytes().len(), length);
        assert!(cbor.ends_with(key.as_bytes()));
        assert_eq!(minicbor::decode::<PublicKey>(&cbor).unwrap(), key);
        let json = serde_json::to_string(&key).unwrap();
        assert_eq!(serde_json::from_str::<PublicKey>(&json).unwrap(), key);
    }
    let cbor = minicbor::to_vec(signature).unwrap();
    assert_eq!(cbor.len(), 66);
    assert_eq!(minicbor::decode::<Signature>(&cbor).unwrap(), signature);
    let json = serde_json::to_string(&signature).unwrap();
    assert_eq!(serde_json::from_str::<Signature>(&json).unwrap(), signature);
}

#[test]
fn the_json_of_a_key_reads_as_promised() {
    // The key of RFC 8032, section 7.1, test 1, as RFC 8037, appendix A.2 writes it.
    let hex = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let key = PublicKey::ed25519(hex::decode(hex).unwrap().try_into().unwrap()).unwrap();
    let expected = r#"{"kind":"ed25519","key":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    assert_eq!(serde_json::to_string(&key).unwrap(), expected);
}

#[test]
fn no_other_structure_is_a_key() {
    let (key, _) = p256_signed_der(MESSAGE);
    let good = minicbor::to_vec(&key).unwrap();
    let mut off_curve = good.clone();
    *off_curve.last_mut().unwrap() ^= 1;
    let mut other_kind = good.clone();
    other_kind[1] = 3;
    let mut as_ed25519 = good.clone();
    as_ed25519[1] = 1;
    for bad in [
        &off_curve[..],
        &other_kind,
        &as_ed25519,
        &good[..good.len() - 1],
        &[0x81, 1],
        &[0x9f, 1, 0xff],
    ] {
        assert!(minicbor::decode::<PublicKey>(bad).is_err(), "{bad:02x?}");
    }
}

#[test]
fn the_dangerous_door_looks_at_nothing() {
    let (key, _) = ed25519_signed(MESSAGE);
    let door = AlreadyChecked::below_own_durable_checkpoint();
    assert!(door.verify(&key, b"anything", &Signature::from_bytes([0; 64])));
}

proptest! {
    #[test]
    fn der_round_trips_what_another_library_made(message in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (key, der) = p256_signed_der(&message);
        let signature = Signature::from_der_normalised(&der).unwrap();
        prop_assert!(Strict.verify(&key, &message, &signature));
    }

    #[test]
    fn one_flipped_bit_and_it_does_not_hold(bit in 0usize..512, p256 in any::<bool>()) {
        let (key, signature) = if p256 {
            let (key, der) = p256_signed_der(MESSAGE);
            (key, Signature::from_der_normalised(&der).unwrap())
        } else {
            ed25519_signed(MESSAGE)
        };
        let mut flipped = *signature.as_bytes();
        flipped[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!Strict.verify(&key, MESSAGE, &Signature::from_bytes(flipped)));

        let mut message = MESSAGE.to_vec();
        let bit = bit % (8 * message.len());
        message[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!Strict.verify(&key, &message, &signature));
    }

    #[test]
    fn no_bytes_make_the_parsers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = Signature::from_der_normalised(&bytes);
        let _ = Signature::from_fixed_normalised(&bytes);
        let _ = minicbor::decode::<PublicKey>(&bytes);
    }
}

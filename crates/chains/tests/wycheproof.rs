//! Wycheproof's signatures on secp256k1, checked by recovering their key.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use portcullis_chains::ethereum::{Signature, SignatureError, address_of};
use secp256k1::PublicKey;
use sha2::{Digest, Sha256};
use wycheproof::TestResult;
use wycheproof::ecdsa::{Test, TestName, TestSet};

#[test]
fn secp256k1() {
    let set = TestSet::load(TestName::EcdsaSecp256k1Sha256P1363).unwrap();
    let (mut holds, mut high) = (0, 0);
    for group in set.test_groups {
        let key = PublicKey::from_slice(group.key.key.as_ref()).unwrap();
        for test in group.tests {
            match check(&test, address_of(&key)) {
                Ok(true) => {
                    assert_ne!(
                        test.result,
                        TestResult::Invalid,
                        "{}: {}",
                        test.tc_id,
                        test.comment
                    );
                    holds += 1;
                }
                Err(SignatureError::HighS) => high += 1,
                Ok(false) | Err(_) => {
                    assert_ne!(
                        test.result,
                        TestResult::Valid,
                        "{}: {}",
                        test.tc_id,
                        test.comment
                    );
                }
            }
        }
    }
    assert!(
        holds > 50 && high > 50,
        "{holds} hold, {high} have the high s"
    );
}

/// The rule of Bitcoin, and ours: the lower `s` only, and nothing but what the set calls valid.
#[test]
fn secp256k1_with_the_lower_s_only() {
    let set = TestSet::load(TestName::EcdsaSecp256k1Sha256Bitcoin).unwrap();
    let mut run = 0;
    for group in set.test_groups {
        let key = PublicKey::from_slice(group.key.key.as_ref()).unwrap();
        for test in group.tests {
            let read = secp256k1::ecdsa::Signature::from_der(&test.sig);
            let held = read.is_ok_and(|read| {
                let numbers = read.serialize_compact();
                check_numbers(&numbers, &test.msg, address_of(&key)) == Ok(true)
            });
            let (id, comment) = (test.tc_id, &test.comment);
            // A point whose x is above the order: Ethereum's one bit of parity cannot name it.
            let nameless = comment == "k*G has a large x-coordinate";
            let valid = test.result == TestResult::Valid && !nameless;
            assert_eq!(held, valid, "{id}: {comment}");
            run += 1;
        }
    }
    assert!(run > 400, "only {run} vectors");
}

/// Whether a parity exists with which the signature is by this address.
fn check(test: &Test, address: [u8; 20]) -> Result<bool, SignatureError> {
    match <[u8; 64]>::try_from(test.sig.as_ref()) {
        Ok(numbers) => check_numbers(&numbers, &test.msg, address),
        Err(_) => Ok(false),
    }
}

fn check_numbers(
    numbers: &[u8; 64],
    message: &[u8],
    address: [u8; 20],
) -> Result<bool, SignatureError> {
    let digest = Sha256::digest(message).into();
    let (r, s) = (
        numbers[..32].try_into().unwrap(),
        numbers[32..].try_into().unwrap(),
    );
    let (even, odd) = (Signature::new(r, s, false)?, Signature::new(r, s, true)?);
    Ok([even, odd]
        .iter()
        .any(|signature| signature.recover(&digest) == Ok(address)))
}

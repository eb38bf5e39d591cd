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

/// Whether a parity exists with which the signature is by this address.
fn check(test: &Test, address: [u8; 20]) -> Result<bool, SignatureError> {
    let digest = Sha256::digest(&test.msg).into();
    let Ok(numbers) = <[u8; 64]>::try_from(test.sig.as_ref()) else {
        return Ok(false);
    };
    let (r, s) = (
        numbers[..32].try_into().unwrap(),
        numbers[32..].try_into().unwrap(),
    );
    let (even, odd) = (Signature::new(r, s, false)?, Signature::new(r, s, true)?);
    Ok([even, odd]
        .iter()
        .any(|signature| signature.recover(&digest) == Ok(address)))
}

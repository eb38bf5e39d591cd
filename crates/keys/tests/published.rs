//! What locks a key file, on published vectors: the cipher on all of Wycheproof's, the derivation on
//! RFC 9106's.

#![allow(clippy::unwrap_used, reason = "a test")]

use argon2::{Algorithm, Argon2, AssociatedData, ParamsBuilder, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use wycheproof::TestResult;
use wycheproof::aead::{Test, TestName, TestSet};

#[test]
fn xchacha20_poly1305() {
    let set = TestSet::load(TestName::XChaCha20Poly1305).unwrap();
    let mut run = 0;
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        let (id, comment) = (test.tc_id, &test.comment);
        let opened = open(test);
        if test.result == TestResult::Valid {
            assert_eq!(opened.as_deref(), Some(test.pt.as_ref()), "{id}: {comment}");
            assert_eq!(
                sealed(test),
                [&test.ct[..], &test.tag].concat(),
                "{id}: {comment}"
            );
        } else {
            assert_eq!(opened, None, "{id}: {comment}");
        }
        run += 1;
    }
    assert!(run > 250, "only {run} vectors");
}

fn nonce(test: &Test) -> Option<XNonce> {
    let nonce: [u8; 24] = test.nonce.as_ref().try_into().ok()?;
    Some(nonce.into())
}

fn open(test: &Test) -> Option<Vec<u8>> {
    let cipher = XChaCha20Poly1305::new_from_slice(&test.key).ok()?;
    let msg = [&test.ct[..], &test.tag].concat();
    let payload = Payload {
        msg: &msg,
        aad: &test.aad,
    };
    cipher.decrypt(&nonce(test)?, payload).ok()
}

fn sealed(test: &Test) -> Vec<u8> {
    let cipher = XChaCha20Poly1305::new_from_slice(&test.key).unwrap();
    let payload = Payload {
        msg: &test.pt,
        aad: &test.aad,
    };
    cipher.encrypt(&nonce(test).unwrap(), payload).unwrap()
}

/// RFC 9106, section 5.3.
#[test]
fn argon2id() {
    let mut params = ParamsBuilder::new();
    params.m_cost(32).t_cost(3).p_cost(4).output_len(32);
    params.data(AssociatedData::new(&[4; 12]).unwrap());
    let params = params.build().unwrap();
    let secret = [3; 8];
    let argon2 =
        Argon2::new_with_secret(&secret, Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut tag = [0; 32];
    argon2
        .hash_password_into(&[1; 32], &[2; 16], &mut tag)
        .unwrap();
    let expected = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659";
    assert_eq!(hex::encode(tag), expected);
}

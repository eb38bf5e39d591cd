//! A wallet key that never signs twice alike, as hardware may: two signatures over one plan would be
//! two transactions.

use portcullis_chains::ethereum::{Signature, address_of};
use portcullis_keys::{SignError, WalletKey};
use secp256k1::{Scalar, Secp256k1, SecretKey};
use std::sync::atomic::{AtomicU8, Ordering};

pub(crate) struct Fickle {
    secret: SecretKey,
    next: AtomicU8,
}

/// The order of secp256k1 less two: what a number is raised to for its inverse.
const ORDER_LESS_TWO: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x3f,
];

impl Fickle {
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        let secret = SecretKey::from_byte_array(secret).unwrap();
        let next = AtomicU8::new(1);
        Self { secret, next }
    }
}

impl WalletKey for Fickle {
    fn address(&self) -> [u8; 20] {
        address_of(&self.secret.public_key(&Secp256k1::new()))
    }

    /// ECDSA by the book (SEC 1, section 4.1.3), under a nonce that only a test may use.
    fn sign(&self, digest: &[u8; 32]) -> Result<Signature, SignError> {
        let mut nonce = [0x11; 32];
        nonce[31] = self.next.fetch_add(1, Ordering::SeqCst);
        let nonce = SecretKey::from_byte_array(nonce).unwrap();
        let point = nonce.public_key(&Secp256k1::new()).serialize_uncompressed();
        let r: [u8; 32] = point[1..33].try_into().unwrap();
        let odd = point[64] & 1 == 1;
        let times =
            |a: SecretKey, b: &[u8; 32]| a.mul_tweak(&Scalar::from_be_bytes(*b).unwrap()).unwrap();
        let message = Scalar::from_be_bytes(*digest).unwrap();
        let sum = times(self.secret, &r).add_tweak(&message).unwrap();
        let s = times(sum, &inverse(nonce).secret_bytes());
        let low = Signature::new(r, s.secret_bytes(), odd);
        let high = || Signature::new(r, s.negate().secret_bytes(), !odd);
        let signature = low.or_else(|_| high()).unwrap();
        assert_eq!(signature.recover(digest), Ok(self.address()));
        Ok(signature)
    }
}

fn inverse(number: SecretKey) -> SecretKey {
    let base = number.secret_bytes();
    let times =
        |a: SecretKey, b: &[u8; 32]| a.mul_tweak(&Scalar::from_be_bytes(*b).unwrap()).unwrap();
    let bits = ORDER_LESS_TWO
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1));
    // The order's highest bit is set.
    bits.skip(1).fold(number, |power, bit| {
        let squared = times(power, &power.secret_bytes());
        if bit { times(squared, &base) } else { squared }
    })
}

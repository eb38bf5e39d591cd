//! Each signature of a bundle is checked once, however often the bundle asks for it.

use crate::digest::Digest;
use crate::signature::{PublicKey, Signature, Verify};
use portcullis_chains::bitcoin::Claimed;
use portcullis_chains::ethereum::SignedTx;
use std::cell::RefCell;
use std::collections::HashMap;

/// Remembers every answer, no less that a signature does not hold: whoever makes a bundle repeats those.
/// It lives as long as one bundle is judged, whose size bounds it.
pub(super) struct Once<'a> {
    verify: &'a dyn Verify,
    answers: RefCell<HashMap<(PublicKey, Digest, Signature), bool>>,
}

impl<'a> Once<'a> {
    pub(super) fn new(verify: &'a dyn Verify) -> Self {
        let answers = RefCell::default();
        Self { verify, answers }
    }
}

impl Verify for Once<'_> {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let asked = (key.clone(), Digest::plain(message), *signature);
        let mut answers = self.answers.borrow_mut();
        let answer = answers.entry(asked);
        *answer.or_insert_with(|| self.verify.verify(key, message, signature))
    }

    fn is_signed_by(&self, tx: &SignedTx, address: [u8; 20]) -> bool {
        self.verify.is_signed_by(tx, address)
    }

    fn is_spend_of(&self, plan: &Claimed, transaction: &[u8]) -> bool {
        self.verify.is_spend_of(plan, transaction)
    }
}

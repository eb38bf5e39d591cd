//! A herald's word that it keeps sealed contacts, which the gate may forget (`docs/spec/contact.md`).

use crate::codec::encode;
use crate::digest::{Digest, Domain};
use crate::id::KeeperId;
use crate::signature::{Signature, Verify};
use crate::state::State;
use crate::time::{Span, Time};
use minicbor::{Decode, Encode};

/// Most commitments in one word.
pub const MAX_KEPT: usize = 256;
/// How long a word counts from its signing: sent again later it would have the gate forget what has
/// come anew.
const FRESH: Span = Span::seconds(60);

/// What the herald keeps.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Kept {
    /// The network.
    #[n(0)]
    pub genesis: Digest,
    /// The herald.
    #[n(1)]
    pub keeper: KeeperId,
    /// When it says so.
    #[n(2)]
    pub time: Time,
    /// Commitments to the envelopes that it has on a disk of its own.
    #[n(3)]
    pub contacts: Vec<Digest>,
}

/// The same with the herald's signature over `"portcullis/contacts-kept/v1" ‖ 0x00 ‖ CBOR(kept)`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedKept {
    /// What is said.
    #[n(0)]
    pub kept: Kept,
    /// By its statement key.
    #[n(1)]
    pub signature: Signature,
}

impl Kept {
    /// The bytes that the herald signs.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        Domain::ContactsKept.signed_bytes(&encode(self))
    }
}

impl SignedKept {
    /// Whether the network's herald has just said so, by the key that is in force for it.
    #[must_use]
    pub fn counts(&self, state: &State, now: Time, verify: &dyn Verify) -> bool {
        let (kept, network) = (&self.kept, state.network());
        let is_now = now.since(kept.time) <= FRESH && kept.time.since(now) <= FRESH;
        let herald = network.herald().filter(|herald| herald.id == kept.keeper);
        let herald = herald.and_then(|herald| state.keeper(herald.id));
        let is_ours = kept.genesis == network.digest() && kept.contacts.len() <= MAX_KEPT;
        is_now
            && is_ours
            && herald.is_some_and(|herald| {
                verify.verify(&herald.key, &kept.signed_bytes(), &self.signature)
            })
    }
}

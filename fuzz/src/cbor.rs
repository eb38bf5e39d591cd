//! Canonical CBOR: what decodes is written again byte for byte, and says the same in JSON.

use crate::world;
use minicbor::{Decode, Encode};
use portcullis_core::act::MAX_ACT;
use portcullis_core::board::{MAX_PAGE, MAX_POSTING, Posting, SignedPage};
use portcullis_core::codec::{CodecError, decode, encode};
use portcullis_core::entry::MAX_ENTRY;
use portcullis_core::evidence::Attestation;
use portcullis_core::follow::{FollowAnswer, MAX_ANSWER};
use portcullis_core::genesis::{GenesisFault, MAX_GENESIS};
use portcullis_core::receipt::{self, Receipt};
use portcullis_core::report::{Report, Verdicts};
use portcullis_core::signature::Strict;
use portcullis_core::statement::SignedStatement;
use portcullis_core::{Act, Digest, Entry, Evidence, Network, SignedGenesis, State};
use portcullis_gate::server::MAX_BODY;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

pub(crate) fn act(bytes: &[u8]) -> bool {
    let Ok(act) = decode::<Act>(bytes, MAX_ACT) else {
        return false;
    };
    assert_eq!(encode(&act), bytes);
    says_the_same_in_json(&act);
    one_digest_one_meaning(act.digest(), bytes);
    true
}

pub(crate) fn evidence(bytes: &[u8]) -> bool {
    both_ways::<Evidence>(bytes, MAX_ENTRY)
}

/// A vendor's word as the gate reads it: JSON and nothing beside it.
pub(crate) fn vendor_answer(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Attestation>(bytes).is_ok_and(|attestation| {
        says_the_same_in_json(&attestation);
        true
    })
}

pub(crate) fn statement(bytes: &[u8]) -> bool {
    let taken = both_ways::<SignedStatement>(bytes, MAX_ENTRY);
    if let Ok(signed) = decode::<SignedStatement>(bytes, MAX_ENTRY) {
        let _ = world::state().accepts(&signed, &Strict);
    }
    taken | canonical::<Report>(bytes, MAX_BODY) | canonical::<Verdicts>(bytes, MAX_BODY)
}

pub(crate) fn board_page(bytes: &[u8]) -> bool {
    both_ways::<Posting>(bytes, MAX_POSTING) | canonical::<SignedPage>(bytes, MAX_PAGE)
}

pub(crate) fn entry(bytes: &[u8]) -> bool {
    let entry = Entry::from_bytes(bytes);
    if bytes.len() > MAX_ENTRY {
        assert!(matches!(entry, Err(CodecError::TooLarge { .. })));
    }
    entry.is_ok_and(|entry| {
        assert_eq!(entry.to_bytes(), bytes);
        true
    })
}

/// Whatever stands in a journal can be applied, leads everybody to the same state, and, where it is
/// void, leaves accounts and wallets as they were.
pub(crate) fn apply(bytes: &[u8]) -> bool {
    let before = world::state();
    let (mut ours, mut theirs) = (before.clone(), before.clone());
    let (one, two) = (ours.apply(bytes, &Strict), theirs.apply(bytes, &Strict));
    assert_eq!(one.effects, two.effects);
    assert_eq!(ours.digest(), theirs.digest());
    assert_eq!(ours.size(), before.size() + 1);
    if one.void.is_some() {
        assert_eq!(ours.facts().wallets, before.facts().wallets);
        assert_eq!(ours.facts().releases.len(), before.facts().releases.len());
    }
    one.void.is_none()
}

pub(crate) fn follow_answer(bytes: &[u8]) -> bool {
    let answer = FollowAnswer::from_bytes(bytes);
    assert!(answer.is_err() || bytes.len() <= MAX_ANSWER);
    answer.is_ok_and(|answer| {
        assert_eq!(encode(&answer), bytes);
        true
    })
}

pub(crate) fn genesis(bytes: &[u8]) -> bool {
    let Ok(signed) = SignedGenesis::parse(bytes) else {
        return false;
    };
    assert!(bytes.len() <= MAX_GENESIS);
    assert_eq!(encode(&signed), bytes);
    let pinned = world::world().network.digest();
    let opened = Network::open(bytes, pinned, &Strict);
    match opened {
        Ok(network) => assert_eq!(network.digest(), pinned),
        Err(GenesisFault::NotPinned) => assert_ne!(signed.genesis.digest(), pinned),
        Err(_) => {}
    }
    true
}

/// A receipt that holds says what the vector with its act says, whatever else was changed in it.
pub(crate) fn receipt(bytes: &[u8]) -> bool {
    let Ok(read) = serde_json::from_slice::<Receipt>(bytes) else {
        return false;
    };
    let pinned = world::world().network.digest();
    if let Ok(shown) = receipt::verify(&read, pinned, &Strict) {
        assert_eq!(shown.act, read.act);
        let said = format!("{:?} {:?} {:?}", shown.asset, shown.to, shown.amount);
        one_digest_one_meaning(shown.act, said.as_bytes());
    }
    true
}

pub(crate) fn snapshot(bytes: &[u8]) -> bool {
    let network = world::world().network.clone();
    let Ok(state) = State::from_snapshot(bytes, network) else {
        return false;
    };
    // It is its keeper's own and signed, so another spelling is nobody's attack; but one is kept.
    let kept = state.to_snapshot();
    let again = State::from_snapshot(&kept, world::world().network.clone());
    assert!(again.is_ok_and(|again| again.to_snapshot() == kept));
    true
}

fn canonical<T: Encode<()> + for<'b> Decode<'b, ()>>(bytes: &[u8], cap: usize) -> bool {
    let value = decode::<T>(bytes, cap);
    if bytes.len() > cap {
        assert!(matches!(value, Err(CodecError::TooLarge { .. })));
    }
    value.is_ok_and(|value| {
        assert_eq!(encode(&value), bytes);
        true
    })
}

fn both_ways<T>(bytes: &[u8], cap: usize) -> bool
where
    T: Encode<()> + for<'b> Decode<'b, ()> + Serialize + DeserializeOwned,
{
    if let Ok(value) = decode::<T>(bytes, cap) {
        says_the_same_in_json(&value);
    }
    canonical::<T>(bytes, cap)
}

/// JSON is only another spelling: it leads back to the same bytes.
pub(crate) fn says_the_same_in_json<T: Encode<()> + Serialize + DeserializeOwned>(value: &T) {
    let json = serde_json::to_vec(value).unwrap();
    let again: T = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        encode(&again),
        encode(value),
        "{}",
        String::from_utf8_lossy(&json)
    );
}

/// Over a whole run: two meanings never share a digest.
fn one_digest_one_meaning(digest: Digest, meaning: &[u8]) {
    static SEEN: Mutex<BTreeMap<Digest, Vec<u8>>> = Mutex::new(BTreeMap::new());
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Bounded: a fuzzer runs for hours.
    if seen.len() < 10_000 {
        let known = seen.entry(digest).or_insert_with(|| meaning.to_vec());
        assert_eq!(known, meaning);
    }
}

use super::network::{KEEPER, KEEPER_SEED, STRANGER_SEED, key};
use portcullis_core::act::{Act, ActKind, Scope, Suspend};
use portcullis_core::board::Posting;
use portcullis_core::factor::NewFactor;
use portcullis_core::id::{ActId, PrincipalId};
use portcullis_core::realm::Realm;
use portcullis_core::request::{Algorithm, Base, Parts, SignedRequest};
use portcullis_core::{Digest, Evidence, Time};
use portcullis_keys::StatementKey;

/// A suspension of everything by the keeper, number `n`.
pub fn suspend(genesis: Digest, n: u32, expires: Time) -> Act {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&n.to_be_bytes());
    Act {
        genesis,
        realm: Realm::Staff,
        principal: PrincipalId(KEEPER.0),
        account: None,
        id: ActId(id),
        checkpoint: Digest([7; 32]),
        expires,
        kind: ActKind::Suspend(Suspend {
            scope: Scope::Everything,
        }),
    }
}

/// A request over the act by the key with this seed, which says that it is `key_id`'s.
pub fn request(act: &Act, seed: [u8; 32], key_id: &str) -> SignedRequest {
    let base = Base::new(Parts {
        method: "POST".into(),
        authority: "board.example".into(),
        path: "/postings".into(),
        query: None,
        content_digest: None,
        act: Some(act.digest().0),
        created: 1_700_000_000,
        expires: None,
        nonce: "0123456789abcdef".into(),
        key_id: key_id.into(),
        algorithm: Algorithm::Ed25519,
    });
    let base = base.unwrap().to_bytes();
    let signature = key(seed).sign(&base).unwrap();
    SignedRequest { base, signature }
}

pub fn key_id(seed: [u8; 32]) -> String {
    let key = key(seed).public_key().clone();
    NewFactor::RequestKey { key }.id().to_string()
}

/// A posting whose one proof nobody in genesis made.
pub fn by_stranger(act: Act) -> Posting {
    let request = request(&act, STRANGER_SEED, &key_id(STRANGER_SEED));
    with_request(act, request)
}

pub fn by_keeper(act: Act) -> Posting {
    let request = request(&act, KEEPER_SEED, &key_id(KEEPER_SEED));
    with_request(act, request)
}

pub fn with_request(act: Act, request: SignedRequest) -> Posting {
    let evidence = Evidence {
        requests: vec![request],
        ..Evidence::default()
    };
    Posting { act, evidence }
}

pub fn json(posting: &Posting) -> Vec<u8> {
    serde_json::to_vec(posting).unwrap()
}

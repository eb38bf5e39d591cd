//! The vectors in `docs/spec/passkey.md`.

use portcullis_core::passkey::{Assertion, Credential, RelyingParty, challenge_for, check};
use portcullis_core::signature::{PublicKey, Strict};
use serde_json::Value;

const SPEC: &str = include_str!("../../../../docs/spec/passkey.md");

fn vectors() -> Vec<Value> {
    let blocks = SPEC.split("```json\n").skip(1);
    blocks
        .map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap())
        .collect()
}

fn from_hex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn the_specification_says_what_the_code_does() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 2);
    for vector in vectors {
        let challenge = challenge_for(&from_hex(&vector["act_digest"]).try_into().unwrap());
        assert_eq!(challenge.to_vec(), from_hex(&vector["challenge"]));

        let assertion: Assertion = minicbor::decode(&from_hex(&vector["cbor"])).unwrap();
        assert_eq!(
            minicbor::to_vec(&assertion).unwrap(),
            from_hex(&vector["cbor"])
        );
        assert_eq!(
            serde_json::to_value(&assertion).unwrap(),
            vector["assertion"]
        );

        let key: PublicKey = serde_json::from_value(vector["key"].clone()).unwrap();
        let text = |name: &str| vec![vector[name].as_str().unwrap().to_string()];
        let party = RelyingParty {
            rp_ids: text("rp_id"),
            origins: text("origin"),
            top_origins: vec![],
        };
        let credential = Credential {
            key: &key,
            counter: 0,
        };
        let verified = check(&assertion, &credential, &party, &challenge, &Strict).unwrap();
        assert_eq!(u64::from(verified.counter()), vector["counter"]);
        assert_eq!(verified.backed_up(), vector["backed_up"]);
    }
}

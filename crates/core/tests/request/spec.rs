//! The vectors in `docs/spec/request.md`.

use crate::client::Client;
use portcullis_core::request::{Received, SignedRequest, check};
use portcullis_core::signature::{PublicKey, Strict};
use serde_json::Value;

const SPEC: &str = include_str!("../../../../docs/spec/request.md");

fn vectors() -> Vec<Value> {
    let blocks = SPEC.split("```json\n").skip(1);
    blocks
        .map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap())
        .collect()
}

#[test]
fn the_specification_says_what_the_code_does() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 2);
    for (vector, client) in vectors.iter().zip([Client::Ed25519, Client::P256]) {
        let text = |name: &str| vector[name].as_str();
        let received = Received {
            method: text("method").unwrap(),
            authority: text("authority").unwrap(),
            path: text("path").unwrap(),
            query: text("query"),
            body: text("body").unwrap_or_default().as_bytes(),
            content_digest: text("Content-Digest"),
            portcullis_act: text("Portcullis-Act"),
            signature_input: text("Signature-Input").unwrap(),
            signature: text("Signature").unwrap(),
        };
        let request = received.signed_request().unwrap();
        assert_eq!(
            String::from_utf8(request.base.clone()).unwrap(),
            text("base").unwrap()
        );

        let cbor = hex::decode(text("cbor").unwrap()).unwrap();
        assert_eq!(minicbor::to_vec(&request).unwrap(), cbor);
        assert_eq!(minicbor::decode::<SignedRequest>(&cbor).unwrap(), request);

        let key: PublicKey = serde_json::from_value(vector["key"].clone()).unwrap();
        assert_eq!(key, client.key());
        assert!(check(&request, &key, &Strict).is_ok());
    }
}

//! Every flipped bit is refused; what is read is what was written; no bytes make the parsers panic.

use crate::client::{Client, parts};
use portcullis_core::request::{Base, Parts, Received, RequestFault, check, parse_base};
use portcullis_core::signature::{Signature, Strict};
use proptest::prelude::*;
use proptest::sample::Index;

fn flip(bytes: &mut [u8], bit: Index) {
    let bit = bit.index(bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}

fn any_parts() -> impl Strategy<Value = Parts> {
    let target = (
        "[A-Z]{1,16}",
        "[a-z0-9.:-]{1,40}",
        "/[!$&-;=@-Z_a-z~]{0,60}",
    );
    let query = proptest::option::of("[!$&-;=?@-Z_a-z~]{0,60}");
    let digests = (any::<Option<[u8; 32]>>(), any::<Option<[u8; 32]>>());
    let times = (0..1_000_000_000u64, proptest::option::of(1..1_000_000u64));
    let names = ("[A-Za-z0-9_-]{16,64}", "[!#-+.-:<-\\[\\]-~]{1,128}");
    (target, query, digests, times, names).prop_map(|(target, query, digests, times, names)| {
        Parts {
            method: target.0,
            authority: target.1,
            path: target.2,
            query,
            content_digest: digests.0,
            act: digests.1,
            created: times.0,
            expires: times.1.map(|later| times.0 + later),
            nonce: names.0,
            key_id: names.1,
            ..parts()
        }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(parts in any_parts()) {
        let base = Base::new(parts).unwrap();
        prop_assert_eq!(parse_base(&base.to_bytes()), Ok(base));
    }

    #[test]
    fn one_flipped_bit_is_refused(p256 in any::<bool>(), in_base in any::<bool>(), bit: Index) {
        let client = if p256 { Client::P256 } else { Client::Ed25519 };
        let mut request = client.request();
        if in_base {
            flip(&mut request.base, bit);
        } else {
            let mut signature = *request.signature.as_bytes();
            flip(&mut signature, bit);
            request.signature = Signature::from_bytes(signature);
        }
        prop_assert!(check(&request, &client.key(), &Strict).is_err());
    }

    /// Edits of a base either break the form or read as themselves: never as something else.
    #[test]
    fn what_is_read_is_written(
        edits in prop::collection::vec((any::<Index>(), prop::sample::select(SPLICES.to_vec())), 1..4),
    ) {
        let mut text = String::from_utf8(Base::new(parts()).unwrap().to_bytes()).unwrap();
        for (at, splice) in edits {
            text.insert_str(at.index(text.len() + 1), splice);
        }
        if let Ok(base) = parse_base(text.as_bytes()) {
            prop_assert_eq!(base.to_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn foreign_headers_are_refused_without_a_panic(input in "\\PC{0,80}", signature in "\\PC{0,80}") {
        let received = Received {
            method: "GET",
            authority: "gate.example",
            path: "/",
            query: None,
            body: &[],
            content_digest: None,
            portcullis_act: None,
            signature_input: &input,
            signature: &signature,
        };
        let fault: Result<_, RequestFault> = received.signed_request();
        prop_assert!(fault.is_err());
    }
}

const SPLICES: &[&str] = &[
    "\n",
    "\"",
    ";",
    "=",
    "(",
    ")",
    ":",
    " ",
    "0",
    "a",
    "?",
    "\"@query\": ?\n",
    "\r",
    ",",
    "\\",
];

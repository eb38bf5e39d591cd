//! The vectors of `docs/spec/vectors/mandates.json`: what a verifier in any language has to answer.

#![allow(
    clippy::unwrap_used,
    reason = "a vector that is wrong is a failed test"
)]

use portcullis_mandate::{Mandate, Once, Refused, Signed, Verifier};
use serde_json::Value;
use std::collections::BTreeSet;
use std::convert::Infallible;

const VECTORS: &str = include_str!("../../../docs/spec/vectors/mandates.json");

struct Paid(BTreeSet<[u8; 32]>);

impl Once for Paid {
    type Error = Infallible;

    fn first(&mut self, act: &[u8; 32]) -> Result<bool, Infallible> {
        Ok(self.0.insert(*act))
    }
}

fn bytes<const N: usize>(of: &Value) -> [u8; N] {
    hex::decode(of.as_str().unwrap())
        .unwrap()
        .try_into()
        .unwrap()
}

fn name(refused: &Refused<Infallible>) -> &'static str {
    match refused {
        Refused::Malformed(_) => "malformed",
        Refused::Signature => "signature",
        Refused::OtherNetwork => "other-network",
        Refused::OtherWallet => "other-wallet",
        Refused::Void => "void",
        Refused::Expired => "expired",
        Refused::Again => "again",
        Refused::Unknown(never) => match *never {},
    }
}

#[test]
fn every_vector_is_answered_as_it_says() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let keys = vectors["keys"].as_array().unwrap().iter().map(bytes);
    let verifier = Verifier {
        network: bytes(&vectors["network"]),
        wallet: bytes(&vectors["wallet"]),
        keys: keys.collect(),
    };
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() >= 30);
    for case in cases {
        let paid = case["paid"].as_array().into_iter().flatten().map(bytes);
        let mut paid = Paid(paid.collect());
        let now = case["now"].as_u64().unwrap();
        let signed = case["signed"].as_str().unwrap();
        let answer = match verifier.admit(signed.as_bytes(), now, &mut paid) {
            Ok(pay) => serde_json::json!({
                "asset": pay.asset, "to": pay.to, "amount": pay.amount.to_string(),
            }),
            Err(refused) => Value::from(name(&refused)),
        };
        assert_eq!(answer, case["answer"], "{}", case["name"]);
    }
}

proptest::proptest! {
    /// Whatever reads is written as it was, so that one permission has one text.
    #[test]
    fn one_mandate_has_one_text(at in 0_usize..400, byte: u8) {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let mut signed = vectors["cases"][0]["signed"].as_str().unwrap().as_bytes().to_vec();
        let at = at % signed.len();
        signed[at] = byte;
        if let Ok(read) = Signed::from_bytes(&signed) {
            proptest::prop_assert_eq!(read.to_bytes(), signed);
            proptest::prop_assert_eq!(read.mandate.to_string().parse::<Mandate>(), Ok(read.mandate));
        }
    }
}

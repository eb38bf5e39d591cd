//! Signed transactions against those that ethers made, and the bounds of signatures.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use portcullis_chains::ethereum::{
    MAX_TX, Signature, SignatureError, SignedTx, Transfer, TxError, UnsignedTx, address_of,
};
use secp256k1::{Message, SECP256K1, SecretKey};
use serde_json::Value;

const SPEC: &str = include_str!("../../../docs/spec/ethereum.md");

fn sign(key: &[u8], digest: [u8; 32]) -> Signature {
    let key = SecretKey::from_byte_array(key.try_into().unwrap()).unwrap();
    let signature = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(digest), &key);
    let (parity, numbers) = signature.serialize_compact();
    let bytes: Vec<u8> = [&numbers[..], &[u8::try_from(i32::from(parity)).unwrap()]].concat();
    Signature::from_bytes(&bytes.try_into().unwrap()).unwrap()
}

#[test]
fn spec() {
    for vector in common::vectors(SPEC) {
        let unsigned = common::bytes(&vector["unsigned"]);
        let tx = match (UnsignedTx::from_bytes(&unsigned), &vector["plain"]) {
            (Ok(tx), _) => tx,
            (Err(error), why) => {
                assert_eq!(why, &Value::from("no transaction"), "{vector} {error}");
                continue;
            }
        };
        match Transfer::decode(&tx) {
            Ok(transfer) => assert_eq!(described(&transfer), vector["plain"]),
            Err(why) => assert_eq!(Value::from(why.to_string()), vector["plain"]),
        }
        if vector["key"].is_string() {
            signs_as_said(&vector, tx);
        }
    }
}

fn described(transfer: &Transfer) -> Value {
    serde_json::json!({
        "asset": transfer.asset(),
        "to": transfer.to(),
        "amount": transfer.amount(),
        "nonce": transfer.nonce().to_string(),
        "fee_ceiling": transfer.fee_ceiling(),
    })
}

fn signs_as_said(vector: &Value, tx: UnsignedTx) {
    assert_eq!(
        hex::encode(tx.sighash()),
        vector["sighash"].as_str().unwrap()
    );
    let signature = sign(&common::bytes(&vector["key"]), tx.sighash());
    let signed = SignedTx::assemble(tx, signature);
    assert_eq!(
        hex::encode(signed.to_bytes()),
        vector["signed"].as_str().unwrap()
    );
    assert_eq!(hex::encode(signed.hash()), vector["hash"].as_str().unwrap());
    assert_eq!(
        hex::encode(signed.recover().unwrap()),
        vector["from"].as_str().unwrap()
    );
}

#[test]
fn typed_transactions_of_ethers() {
    let Some(cases) = common::ethers("typed-transactions") else {
        return;
    };
    let (mut read, mut refused) = (0, 0);
    for case in cases {
        let (unsigned, signed) = (
            common::bytes(&case["unsigned"]),
            common::bytes(&case["signed"]),
        );
        let lists = case["tx"]["accessList"]
            .as_array()
            .is_some_and(|list| !list.is_empty());
        let got = UnsignedTx::from_bytes(&unsigned);
        if case["tx"]["type"] == 1 || lists {
            let want = if lists && case["tx"]["type"] == 2 {
                TxError::AccessList
            } else {
                TxError::Type
            };
            let want = if unsigned.len() > MAX_TX {
                TxError::TooLong
            } else {
                want
            };
            assert_eq!(got, Err(want), "{}", case["name"]);
            assert!(SignedTx::from_bytes(&signed).is_err());
            refused += 1;
        } else {
            same_as_ethers(&case, got.unwrap(), &unsigned, &signed);
            read += 1;
        }
    }
    assert_eq!((read, refused), (376, 1416));
}

fn same_as_ethers(case: &Value, tx: UnsignedTx, unsigned: &[u8], signed: &[u8]) {
    assert_eq!(tx.to_bytes(), unsigned);
    let key = common::bytes(&case["key"]);
    let ours = SignedTx::assemble(
        tx,
        sign(&key, UnsignedTx::from_bytes(unsigned).unwrap().sighash()),
    );
    assert_eq!(
        hex::encode(ours.to_bytes()),
        hex::encode(signed),
        "{}",
        case["name"]
    );
    let read = SignedTx::from_bytes(signed).unwrap();
    assert_eq!(read, ours);
    assert_eq!(
        read.recover().unwrap().to_vec(),
        common::bytes(&case["address"])
    );
}

#[test]
fn legacy_transactions_of_ethers_are_refused() {
    let Some(cases) = common::ethers("transactions") else {
        return;
    };
    assert!(cases.len() > 1000);
    for case in cases {
        for name in ["unsignedTransaction", "unsignedTransactionChainId5"] {
            let bytes = common::bytes(&case[name]);
            assert!(matches!(
                UnsignedTx::from_bytes(&bytes),
                Err(TxError::Type | TxError::TooLong)
            ));
        }
        for name in ["signedTransaction", "signedTransactionChainId5"] {
            assert!(SignedTx::from_bytes(&common::bytes(&case[name])).is_err());
        }
    }
}

#[test]
fn bounds_of_signatures() {
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    let before_order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140";
    let half = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";
    let above_half = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a1";
    let zero = &"00".repeat(32);
    let table = [
        (before_order, half, Ok(())),
        (zero, half, Err(SignatureError::OutOfRange)),
        (half, zero, Err(SignatureError::OutOfRange)),
        (order, half, Err(SignatureError::OutOfRange)),
        (half, order, Err(SignatureError::OutOfRange)),
        (half, above_half, Err(SignatureError::HighS)),
        (half, before_order, Err(SignatureError::HighS)),
    ];
    let number = |text: &str| hex::decode(text).unwrap().try_into().unwrap();
    for (r, s, want) in table {
        assert_eq!(
            Signature::new(number(r), number(s), true).map(|_| ()),
            want,
            "{r} {s}"
        );
    }
    assert_eq!(
        Signature::from_bytes(&[1; 65]).map(|s| s.to_bytes()),
        Ok([1; 65])
    );
    let mut third = [1; 65];
    third[64] = 2;
    assert_eq!(Signature::from_bytes(&third), Err(SignatureError::Parity));
}

/// The other root of every signature recovers the same key with the other parity; it is refused, or
/// one payment would have two hashes.
#[test]
fn the_twin_of_a_signed_transaction_is_refused() {
    let vectors = common::vectors(SPEC);
    let vector = vectors.iter().find(|v| v["signed"].is_string()).unwrap();
    let signed = common::bytes(&vector["signed"]);
    let tx = SignedTx::from_bytes(&signed).unwrap();
    let (order, mut s) = (
        alloy_primitives::uint!(
            0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256
        ),
        [0; 32],
    );
    s.copy_from_slice(&tx.signature().to_bytes()[32..64]);
    let twin: [u8; 32] = (order - alloy_primitives::U256::from_be_bytes(s)).to_be_bytes();
    let at = signed.len() - 32;
    let mut other = [&signed[..at], &twin].concat();
    let parity = at - 35;
    other[parity] = if other[parity] == 1 { 0x80 } else { 1 };
    assert_eq!(
        SignedTx::from_bytes(&other),
        Err(SignatureError::HighS.into())
    );
}

/// No other raw bytes pass for the planned transaction signed by the wallet.
#[test]
fn every_flipped_bit_of_a_signed_transaction_is_seen() {
    let vectors = common::vectors(SPEC);
    for vector in vectors.iter().filter(|v| v["signed"].is_string()) {
        let (signed, wallet) = (
            common::bytes(&vector["signed"]),
            common::bytes(&vector["from"]),
        );
        let planned = common::bytes(&vector["unsigned"]);
        for (at, bit) in (0..signed.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            let mut changed = signed.clone();
            changed[at] ^= 1 << bit;
            let Ok(tx) = SignedTx::from_bytes(&changed) else {
                continue;
            };
            let same = tx.unsigned().to_bytes() == planned
                && tx.recover().is_ok_and(|from| from.to_vec() == wallet);
            assert!(!same, "byte {at} bit {bit}");
        }
    }
}

#[test]
fn addresses_of_ethers() {
    let Some(cases) = common::ethers("transactions") else {
        return;
    };
    for case in cases {
        let key = common::bytes(&case["privateKey"]).try_into().unwrap();
        let key = SecretKey::from_byte_array(key)
            .unwrap()
            .public_key(SECP256K1);
        assert_eq!(
            address_of(&key).to_vec(),
            common::bytes(&case["accountAddress"])
        );
    }
}

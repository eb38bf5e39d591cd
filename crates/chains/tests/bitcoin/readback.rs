//! A raw transaction read back against the plan: one row per way in which it is not the plan, signed.

use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::secp256k1::ecdsa;
use bitcoin::{Transaction, Witness};
use portcullis_chains::bitcoin::{MAX_SIGNED, NotSigned, SignedTx};

use crate::kit::{checked, demands, example, signatures, signed};

type Change = fn(&mut Transaction);

fn parts(tx: &mut Transaction, input: usize, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let mut parts = tx.input[input].witness.to_vec();
    change(&mut parts);
    tx.input[input].witness = Witness::from_slice(&parts);
}

/// The same signature with the other `s`, which is valid mathematics and which nodes do not relay.
fn high_s(parts: &mut [Vec<u8>]) {
    let der = &parts[0][..parts[0].len() - 1];
    let low = ecdsa::Signature::from_der(der).unwrap().serialize_compact();
    let mut high = low;
    let s = bitcoin::secp256k1::SecretKey::from_slice(&low[32..]).unwrap();
    high[32..].copy_from_slice(&s.negate().secret_bytes());
    let high = ecdsa::Signature::from_compact(&high).unwrap();
    parts[0] = [&high.serialize_der()[..], &[1]].concat();
}

/// The same numbers with a needless zero before `r`.
fn padded(signature: &mut Vec<u8>) {
    signature[1] += 1;
    signature[3] += 1;
    signature.insert(4, 0);
}

/// Input 0 is P2WPKH, input 1 P2TR.
#[test]
fn what_is_not_the_plan_signed_by_the_wallet() {
    let (_, payments, plan) = example();
    let plan = checked(&plan, &demands(&payments, None));
    let raw = signed(&plan).to_bytes();
    let read = SignedTx::read(&raw, &plan).unwrap();
    assert_eq!((read.to_bytes(), read.txid()), (raw.clone(), plan.txid()));
    assert_eq!(read.witness(1).unwrap().len(), 1);
    let table: [(&str, NotSigned, Change); 13] = [
        ("another amount", NotSigned::OtherTransaction, |tx| {
            tx.output[0].value += bitcoin::Amount::ONE_SAT;
        }),
        ("a script in an input", NotSigned::OtherTransaction, |tx| {
            tx.input[0].script_sig = bitcoin::ScriptBuf::from_bytes(vec![0x51]);
        }),
        ("no witness", NotSigned::Witness(0), |tx| {
            tx.input[0].witness.clear();
        }),
        ("a part more", NotSigned::Witness(0), |tx| {
            parts(tx, 0, |p| p.push(vec![1]));
        }),
        ("an annex", NotSigned::Witness(1), |tx| {
            parts(tx, 1, |p| p.push(vec![0x50]));
        }),
        ("SIGHASH_SINGLE", NotSigned::Witness(0), |tx| {
            parts(tx, 0, |p| *p[0].last_mut().unwrap() = 3);
        }),
        ("a sighash byte on P2TR", NotSigned::Witness(1), |tx| {
            parts(tx, 1, |p| p[0].push(1));
        }),
        ("another key", NotSigned::Witness(0), |tx| {
            parts(tx, 0, |p| p[1][5] ^= 1);
        }),
        ("a wrong bit in ECDSA", NotSigned::Signature(0), |tx| {
            parts(tx, 0, |p| p[0][40] ^= 1);
        }),
        ("a wrong bit in Schnorr", NotSigned::Signature(1), |tx| {
            parts(tx, 1, |p| p[0][40] ^= 1);
        }),
        ("a high s", NotSigned::Signature(0), |tx| {
            parts(tx, 0, |p| high_s(p));
        }),
        ("DER with a zero more", NotSigned::Witness(0), |tx| {
            parts(tx, 0, |p| padded(&mut p[0]));
        }),
        ("no DER", NotSigned::Witness(0), |tx| {
            parts(tx, 0, |p| p[0][0] = 0x31);
        }),
    ];
    for (what, why, change) in table {
        let mut tx: Transaction = deserialize(&raw).unwrap();
        change(&mut tx);
        assert_eq!(SignedTx::read(&serialize(&tx), &plan), Err(why), "{what}");
    }
    for end in 0..raw.len() {
        assert_eq!(
            SignedTx::read(&raw[..end], &plan),
            Err(NotSigned::Malformed)
        );
    }
    assert_eq!(
        SignedTx::read(&vec![0; MAX_SIGNED + 1], &plan),
        Err(NotSigned::TooLarge)
    );
}

#[test]
fn signatures_are_verified_as_they_come() {
    let (_, payments, plan) = example();
    let plan = checked(&plan, &demands(&payments, None));
    let good = signatures(&plan);
    assert!(plan.finish(&good).is_ok());
    assert_eq!(plan.finish(&good[..1]), Err(NotSigned::Count));
    assert_eq!(
        plan.finish(&[good[1], good[0]]),
        Err(NotSigned::Signature(0))
    );
    for at in 0..2 {
        for wrong in [[0; 64], [0xff; 64], [1; 64]] {
            let mut bad = good.clone();
            bad[at] = wrong;
            assert_eq!(plan.finish(&bad), Err(NotSigned::Signature(at)));
        }
    }
}

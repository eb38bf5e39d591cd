//! Transactions, beside alloy; identifiers and amounts, beside the standard library.

use alloy_consensus::{SignableTransaction as _, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::{Decodable2718 as _, Encodable2718 as _};
use portcullis_chains::caip::{Address, AssetId};
use portcullis_chains::ethereum::{SignedTx, TRANSFER_TOPIC, Transfer, TransferLog, UnsignedTx};
use portcullis_chains::{Amount, ChainId};
use std::fmt::Display;
use std::str::FromStr;

/// What we take for an unsigned transaction, alloy takes for the same; and a plain transfer builds
/// the very bytes that it was read from.
pub(crate) fn unsigned(bytes: &[u8]) -> bool {
    let Ok(tx) = UnsignedTx::from_bytes(bytes) else {
        return false;
    };
    assert_eq!(tx.to_bytes(), bytes);
    let mut rest = &bytes[1..];
    let theirs: TxEip1559 = alloy_rlp::Decodable::decode(&mut rest).expect("for alloy too");
    assert!(rest.is_empty());
    assert_eq!((theirs.chain_id, theirs.nonce), (tx.chain(), tx.nonce()));
    assert_eq!(theirs.signature_hash().0, tx.sighash());
    if let Ok(transfer) = Transfer::decode(&tx) {
        assert_eq!(transfer.build().to_bytes(), bytes);
    }
    true
}

pub(crate) fn signed(bytes: &[u8]) -> bool {
    let Ok(tx) = SignedTx::from_bytes(bytes) else {
        return false;
    };
    assert_eq!(tx.to_bytes(), bytes);
    let theirs = TxEnvelope::decode_2718(&mut &bytes[..]).expect("for alloy too");
    assert_eq!(theirs.hash().0, tx.hash());
    assert_eq!(theirs.encoded_2718(), bytes);
    let _ = tx.recover();
    true
}

/// An address, up to four topics, the rest data.
pub(crate) fn token_log(bytes: &[u8]) -> bool {
    let Some((contract, rest)) = bytes.split_first_chunk::<20>() else {
        return false;
    };
    let (topics, data) = rest.as_chunks::<32>();
    let count = topics.len().min(3);
    let data = [topics[count..].as_flattened(), data].concat();
    TransferLog::parse(*contract, &topics[..count], &data).is_some()
}

pub(crate) fn caip(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else {
        return false;
    };
    let kinds = [
        spelt_once::<ChainId>(text),
        spelt_once::<AssetId>(text),
        spelt_once::<Address>(text),
    ];
    for canonical in [
        ChainId::from_canonical(text).map(|id| id.to_string()),
        AssetId::from_canonical(text).map(|id| id.to_string()),
        Address::from_canonical(text).map(|id| id.to_string()),
    ] {
        assert!(canonical.is_err() || canonical.as_deref() == Ok(text));
    }
    assert!(
        kinds.iter().filter(|is| **is).count() <= 1,
        "{text} is two things"
    );
    kinds.contains(&true)
}

/// However it was written, it is written in one way, which is read as the same.
fn spelt_once<T: FromStr + Display + PartialEq>(text: &str) -> bool {
    text.parse::<T>().is_ok_and(|value| {
        let again = value.to_string().parse::<T>();
        assert!(again.is_ok_and(|again| again == value), "{text}");
        true
    })
}

/// Digits of a number below 2^128, in one spelling.
pub(crate) fn amount(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else {
        return false;
    };
    let theirs = text
        .parse::<u128>()
        .ok()
        .filter(|number| number.to_string() == text);
    let ours = text.parse::<Amount>().ok();
    assert_eq!(ours, theirs.map(Amount), "{text}");
    ours.is_some()
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let party = |byte: u8| [[0; 12].as_slice(), &[byte; 20]].concat();
    let mut log = vec![0x70; 20];
    for part in [
        TRANSFER_TOPIC.to_vec(),
        party(1),
        party(2),
        vec![0; 31],
        vec![9],
    ] {
        log.extend(part);
    }
    let texts = ["0", "340282366920938463463374607431768211455"];
    texts
        .iter()
        .map(|text| text.as_bytes().to_vec())
        .chain([log])
        .collect()
}

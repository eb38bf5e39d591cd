//! What decodes as a plain transfer, and what does not. Transactions are written by
//! alloy-consensus, so that the bytes come from somewhere else than our own encoder.

#![allow(
    clippy::unwrap_used,
    clippy::too_many_lines,
    reason = "helpers of tests; tables are long"
)]

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxLegacy};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address as EthAddress, Bytes, TxKind, U256, keccak256};
use alloy_rlp::Error;
use portcullis_chains::ethereum::{
    Fees, FeesError, MAX_TX, NotPlain, OtherChain, Transfer, TxError, UnsignedTx, replaces,
};
use portcullis_chains::{Address, Amount, AssetId};
use proptest::prelude::*;

const WALLET: [u8; 20] = [0x11; 20];
const PAYEE: [u8; 20] = [0x22; 20];
const TOKEN: [u8; 20] = [0x33; 20];
const COIN: AssetId = AssetId::EvmNative { chain: 1 };

fn fees() -> Fees {
    Fees::new(30_000_000_000, 2_000_000_000, 21_000).unwrap()
}

fn at(address: [u8; 20]) -> Address {
    Address::Evm { chain: 1, address }
}

fn pay(asset: AssetId, amount: u128) -> Transfer {
    Transfer::new(asset, at(PAYEE), Amount(amount), 7, fees()).unwrap()
}

fn token() -> AssetId {
    AssetId::EvmErc20 {
        chain: 1,
        contract: TOKEN,
    }
}

/// The same payment of one ether in the oracle's words.
fn foreign() -> TxEip1559 {
    TxEip1559 {
        chain_id: 1,
        nonce: 7,
        gas_limit: 21_000,
        max_fee_per_gas: 30_000_000_000,
        max_priority_fee_per_gas: 2_000_000_000,
        to: TxKind::Call(PAYEE.into()),
        value: U256::from(10u128.pow(18)),
        ..TxEip1559::default()
    }
}

fn foreign_call(data: Vec<u8>) -> TxEip1559 {
    let to = TxKind::Call(TOKEN.into());
    TxEip1559 {
        to,
        value: U256::ZERO,
        input: data.into(),
        ..foreign()
    }
}

/// ABI data: a function's signature and its words.
fn call(signature: &str, words: &[[u8; 32]]) -> Vec<u8> {
    [&keccak256(signature)[..4], &words.concat()].concat()
}

fn word(address: [u8; 20]) -> [u8; 32] {
    EthAddress::from(address).into_word().0
}

fn number(value: u128) -> [u8; 32] {
    U256::from(value).to_be_bytes()
}

fn decode(tx: &TxEip1559) -> Result<Transfer, NotPlain> {
    Transfer::decode(&UnsignedTx::from_bytes(&tx.encoded_for_signing()).unwrap())
}

#[test]
fn both_kinds_are_built_as_the_oracle_builds_them() {
    let ether = pay(COIN, 10u128.pow(18));
    assert_eq!(ether.build().to_bytes(), foreign().encoded_for_signing());
    assert_eq!(ether.build().sighash(), foreign().signature_hash().0);

    let data = call(
        "transfer(address,uint256)",
        &[word(PAYEE), number(5_000_000)],
    );
    let coins = pay(token(), 5_000_000);
    assert_eq!(
        coins.build().to_bytes(),
        foreign_call(data.clone()).encoded_for_signing()
    );
    assert_eq!(decode(&foreign_call(data)), Ok(coins));
}

#[test]
fn what_is_not_plain() {
    let transfer = "transfer(address,uint256)";
    let good = call(transfer, &[word(PAYEE), number(5)]);
    let dirty = |at: usize| {
        let mut word = word(PAYEE);
        word[at] = 1;
        word
    };
    let large = U256::from(1u128 << 127)
        .wrapping_mul(U256::from(2))
        .to_be_bytes();
    let table = [
        (
            "approve",
            call("approve(address,uint256)", &[word(PAYEE), number(5)]),
            NotPlain::Call,
        ),
        (
            "transferFrom",
            call(
                "transferFrom(address,address,uint256)",
                &[word(WALLET), word(PAYEE), number(5)],
            ),
            NotPlain::Call,
        ),
        ("permit-like data", vec![0xd5; 228], NotPlain::Call),
        (
            "a module's execution",
            call(
                "execTransactionFromModule(address,uint256,bytes,uint8)",
                &[word(PAYEE), number(5), number(128), number(1), number(0)],
            ),
            NotPlain::Call,
        ),
        ("one byte of data", vec![0], NotPlain::Call),
        (
            "three bytes of the selector",
            good[..3].to_vec(),
            NotPlain::Call,
        ),
        ("selector only", good[..4].to_vec(), NotPlain::CallLength),
        ("one byte short", good[..67].to_vec(), NotPlain::CallLength),
        (
            "one byte more",
            [&good[..], &[0]].concat(),
            NotPlain::CallLength,
        ),
        (
            "a word more",
            [&good[..], &[0; 32]].concat(),
            NotPlain::CallLength,
        ),
        (
            "dirty padding, first",
            call(transfer, &[dirty(0), number(5)]),
            NotPlain::Padding,
        ),
        (
            "dirty padding, last",
            call(transfer, &[dirty(11), number(5)]),
            NotPlain::Padding,
        ),
        (
            "too many tokens",
            call(transfer, &[word(PAYEE), large]),
            NotPlain::AmountTooLarge,
        ),
    ];
    for (name, data, want) in table {
        assert_eq!(decode(&foreign_call(data)), Err(want), "{name}");
    }

    let create = TxEip1559 {
        to: TxKind::Create,
        ..foreign()
    };
    let both = TxEip1559 {
        value: U256::from(1),
        ..foreign_call(good)
    };
    let rich = TxEip1559 {
        value: U256::from(u128::MAX) + U256::from(1),
        ..foreign()
    };
    let tip = TxEip1559 {
        max_priority_fee_per_gas: 30_000_000_001,
        ..foreign()
    };
    let dear = TxEip1559 {
        max_fee_per_gas: u128::MAX,
        ..foreign()
    };
    for (name, tx, want) in [
        ("contract creation", create, NotPlain::Creation),
        ("ether with a call", both, NotPlain::ValueWithCall),
        ("too much ether", rich, NotPlain::AmountTooLarge),
        (
            "tip above the whole",
            tip,
            NotPlain::Fees(FeesError::PriorityAboveMax),
        ),
        (
            "fees beyond counting",
            dear,
            NotPlain::Fees(FeesError::Overflow),
        ),
    ] {
        assert_eq!(decode(&tx), Err(want), "{name}");
    }
}

#[test]
fn what_is_no_transaction_of_ours() {
    let good = foreign().encoded_for_signing();
    let item = AccessListItem {
        address: TOKEN.into(),
        storage_keys: vec![],
    };
    let listed = TxEip1559 {
        access_list: AccessList(vec![item]),
        ..foreign()
    };
    let legacy = TxLegacy {
        chain_id: Some(1),
        ..TxLegacy::default()
    };
    let long = TxEip1559 {
        input: Bytes::from(vec![0; MAX_TX]),
        ..foreign()
    };
    let table = [
        ("nothing", vec![], TxError::Type),
        ("legacy", legacy.encoded_for_signing(), TxError::Type),
        (
            "type 1",
            TxEip2930::default().encoded_for_signing(),
            TxError::Type,
        ),
        (
            "access list",
            listed.encoded_for_signing(),
            TxError::AccessList,
        ),
        ("too long", long.encoded_for_signing(), TxError::TooLong),
        (
            "a byte after it",
            [&good[..], &[0]].concat(),
            TxError::Trailing,
        ),
        ("type only", vec![2], TxError::Rlp(Error::InputTooShort)),
        (
            "a string, no list",
            vec![2, 0x83, 1, 2, 3],
            TxError::Rlp(Error::UnexpectedString),
        ),
        (
            "an empty list",
            vec![2, 0xc0],
            TxError::Rlp(Error::InputTooShort),
        ),
        (
            "a field after the last",
            with_field(9, &[5]),
            TxError::Trailing,
        ),
        (
            "payee of 19 bytes",
            with_field(5, &[&[0x93][..], &[1; 19]].concat()),
            TxError::Payee,
        ),
        (
            "payee of 21 bytes",
            with_field(5, &[&[0x95][..], &[1; 21]].concat()),
            TxError::Payee,
        ),
        (
            "zero as a byte",
            with_field(1, &[0]),
            TxError::Rlp(Error::LeadingZero),
        ),
        (
            "a leading zero",
            with_field(1, &[0x82, 0, 7]),
            TxError::Rlp(Error::LeadingZero),
        ),
        (
            "a short number spelt long",
            with_field(1, &[0x81, 7]),
            TxError::Rlp(Error::NonCanonicalSingleByte),
        ),
        (
            "a short length spelt long",
            with_field(1, &[0xb8, 1, 0x90]),
            TxError::Rlp(Error::NonCanonicalSize),
        ),
        (
            "a nonce of nine bytes",
            with_field(1, &[0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
            TxError::Rlp(Error::Overflow),
        ),
        (
            "a list for a number",
            with_field(1, &[0xc1, 7]),
            TxError::Rlp(Error::UnexpectedList),
        ),
        (
            "bytes for the access list",
            with_field(8, &[0x80]),
            TxError::Rlp(Error::UnexpectedString),
        ),
    ];
    for (name, bytes, want) in table {
        assert_eq!(UnsignedTx::from_bytes(&bytes), Err(want), "{name}");
    }
}

/// The good transaction with one field, given as RLP, in the place of another or after the last.
fn with_field(at: usize, field: &[u8]) -> Vec<u8> {
    let nine: [&[u8]; 9] = [
        &[1],
        &[7],
        &[2],
        &[30],
        &[0x82, 0x52, 0x08],
        &[0x80],
        &[5],
        &[0x80],
        &[0xc0],
    ];
    let mut fields = nine.to_vec();
    fields.splice(at..fields.len().min(at + 1), [field]);
    let payload = fields.concat();
    let head = 0xc0 + u8::try_from(payload.len()).unwrap();
    assert!(head <= 0xf7);
    [&[2, head], &payload[..]].concat()
}

#[test]
fn asset_and_payee_share_a_chain() {
    let elsewhere = Address::Evm {
        chain: 2,
        address: PAYEE,
    };
    assert!(matches!(
        Transfer::new(COIN, elsewhere, Amount(1), 0, fees()),
        Err(OtherChain { .. })
    ));
}

#[test]
fn replacements() {
    let (wallet, planned) = (at(WALLET), pay(token(), 5));
    let dearer = Fees::new(60_000_000_000, 3_000_000_000, 90_000).unwrap();
    let with = |asset, to, amount, nonce| {
        Transfer::new(asset, at(to), Amount(amount), nonce, dearer).unwrap()
    };
    let void = Transfer::void(wallet, 7, dearer).unwrap();
    let elsewhere = Address::Evm {
        chain: 2,
        address: WALLET,
    };
    let table = [
        ("same payment, other fees", with(token(), PAYEE, 5, 7), true),
        ("void", void, true),
        ("other amount", with(token(), PAYEE, 6, 7), false),
        ("other payee", with(token(), TOKEN, 5, 7), false),
        ("other asset", with(COIN, PAYEE, 5, 7), false),
        ("next nonce", with(token(), PAYEE, 5, 8), false),
        (
            "void at the next nonce",
            Transfer::void(wallet, 8, dearer).unwrap(),
            false,
        ),
        (
            "void on another chain",
            Transfer::void(elsewhere, 7, dearer).unwrap(),
            false,
        ),
        (
            "void of another wallet",
            Transfer::void(at(PAYEE), 7, dearer).unwrap(),
            false,
        ),
        ("something to itself", with(COIN, WALLET, 1, 7), false),
        ("no tokens to itself", with(token(), WALLET, 0, 7), false),
    ];
    for (name, next, want) in table {
        assert_eq!(replaces(&planned, &next, &wallet), want, "{name}");
    }
    assert!(
        !replaces(&void, &planned, &wallet),
        "what is void stays void"
    );
    assert!(replaces(&void, &void, &wallet));
    assert!(void.is_void(&wallet) && !void.is_void(&elsewhere));
}

#[test]
fn ceiling() {
    assert_eq!(pay(COIN, 1).fee_ceiling(), Amount(30_000_000_000 * 21_000));
}

fn any_transfer() -> impl Strategy<Value = Transfer> {
    let fees = (any::<u64>(), any::<u64>(), any::<u64>())
        .prop_map(|(a, b, gas)| Fees::new(a.max(b).into(), a.min(b).into(), gas).unwrap());
    let amount = prop_oneof![any::<u128>(), 0..300u128];
    let small = prop_oneof![any::<u64>(), 0..300u64];
    (
        small.clone(),
        any::<Option<[u8; 20]>>(),
        any::<[u8; 20]>(),
        amount,
        small,
        fees,
    )
        .prop_map(|(chain, token, address, amount, nonce, fees)| {
            let coin = AssetId::EvmNative { chain };
            let asset = token.map_or(coin, |contract| AssetId::EvmErc20 { chain, contract });
            let to = Address::Evm { chain, address };
            Transfer::new(asset, to, Amount(amount), nonce, fees).unwrap()
        })
}

proptest! {
    #[test]
    fn building_and_decoding_are_inverse(transfer in any_transfer()) {
        let bytes = transfer.build().to_bytes();
        let tx = UnsignedTx::from_bytes(&bytes).unwrap();
        prop_assert_eq!(tx.to_bytes(), bytes);
        prop_assert_eq!(Transfer::decode(&tx), Ok(transfer));
    }

    #[test]
    fn bytes_and_meaning_agree(transfer in any_transfer(), at: proptest::sample::Index, bit in 0..8u8) {
        let bytes = transfer.build().to_bytes();
        let mut changed = bytes.clone();
        changed[at.index(bytes.len())] ^= 1 << bit;
        if let Ok(tx) = UnsignedTx::from_bytes(&changed) {
            prop_assert_ne!(Transfer::decode(&tx), Ok(transfer));
        }
    }

    #[test]
    fn any_bytes_are_answered(mut bytes: Vec<u8>) {
        let _ = UnsignedTx::from_bytes(&bytes);
        bytes.insert(0, 2);
        if let Ok(tx) = UnsignedTx::from_bytes(&bytes) {
            prop_assert_eq!(tx.to_bytes(), bytes);
        }
    }
}

#[test]
fn every_other_byte_means_something_else() {
    for transfer in [pay(COIN, 10u128.pow(18)), pay(token(), 5_000_000)] {
        let bytes = transfer.build().to_bytes();
        for (at, byte) in (0..bytes.len()).flat_map(|at| (0..=255).map(move |byte| (at, byte))) {
            let mut changed = bytes.clone();
            changed[at] = byte;
            if let Ok(tx) = UnsignedTx::from_bytes(&changed) {
                assert_eq!(
                    Transfer::decode(&tx) == Ok(transfer),
                    changed == bytes,
                    "{at} {byte}"
                );
            }
        }
        for short in 0..bytes.len() {
            assert!(UnsignedTx::from_bytes(&bytes[..short]).is_err(), "{short}");
        }
    }
}

//! The vectors of `docs/spec/caip.md`, and addresses that ethers computed.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use portcullis_chains::caip::{CaipError, MAX_TEXT, checksummed};
use portcullis_chains::{Address, AssetId, ChainId};
use proptest::prelude::*;

const SPEC: &str = include_str!("../../../docs/spec/caip.md");

#[test]
fn vectors() {
    for vector in common::vectors(SPEC) {
        match vector["kind"].as_str().unwrap() {
            "chain" => common::check_name::<ChainId>(&vector),
            "asset" => common::check_name::<AssetId>(&vector),
            "address" => common::check_name::<Address>(&vector),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn checksums_agree_with_ethers() {
    let Some(accounts) = common::ethers("accounts") else {
        return;
    };
    assert!(accounts.len() > 1000);
    for account in accounts {
        let (plain, cased) = (&account["address"], &account["checksumAddress"]);
        let (plain, cased) = (plain.as_str().unwrap(), cased.as_str().unwrap());
        let address: Address = format!("eip155:1:{cased}").parse().unwrap();
        assert_eq!(address.to_string(), format!("eip155:1:{plain}"));
        let bytes = hex::decode(&plain[2..]).unwrap().try_into().unwrap();
        assert_eq!(checksummed(&bytes), cased);
        for wrong in one_letter_in_the_other_case(cased) {
            let lower = wrong[2..].chars().all(|c| !c.is_ascii_uppercase());
            let read = format!("eip155:1:{wrong}").parse::<Address>();
            assert_eq!(read.is_ok(), lower, "{wrong}");
        }
    }
}

fn one_letter_in_the_other_case(text: &str) -> Vec<String> {
    let flip = |c: char| {
        if c.is_ascii_uppercase() {
            c.to_ascii_lowercase()
        } else {
            c.to_ascii_uppercase()
        }
    };
    let letters = text
        .char_indices()
        .skip(2)
        .filter(|(_, c)| c.is_ascii_alphabetic());
    letters
        .map(|(at, c)| format!("{}{}{}", &text[..at], flip(c), &text[at + 1..]))
        .collect()
}

#[test]
fn length_is_capped_before_reading() {
    let long = format!("eip155:{}", "1".repeat(MAX_TEXT));
    assert_eq!(long.parse::<ChainId>(), Err(CaipError::TooLong));
    assert_eq!(long.parse::<AssetId>(), Err(CaipError::TooLong));
    assert_eq!(long.parse::<Address>(), Err(CaipError::TooLong));
}

#[test]
fn foreign_cbor_is_refused() {
    for foreign in [
        "01",
        "4101",
        "f6",
        "7f686569703135353a31ff",
        "686569703135353aff",
        "68656970",
    ] {
        assert!(
            minicbor::decode::<ChainId>(&hex::decode(foreign).unwrap()).is_err(),
            "{foreign}"
        );
    }
}

proptest! {
    #[test]
    fn round_trips(chain: u64, bytes: [u8; 20]) {
        let address = Address::Evm { chain, address: bytes };
        prop_assert_eq!(Address::from_canonical(&address.to_string()), Ok(address));
        for asset in [AssetId::EvmNative { chain }, AssetId::EvmErc20 { chain, contract: bytes }] {
            prop_assert_eq!(AssetId::from_canonical(&asset.to_string()), Ok(asset));
            prop_assert_eq!(asset.chain(), address.chain());
        }
        let shown = format!("eip155:{chain}:{}", checksummed(&bytes));
        prop_assert_eq!(shown.parse::<Address>(), Ok(address));
    }

    #[test]
    fn any_text_is_answered(text in "eip155:.{0,60}") {
        if let Ok(address) = text.parse::<Address>() {
            prop_assert_eq!(address.to_string(), text.to_lowercase());
        }
    }

    /// Of a chain that is known by its name alone every spelling is a name of its own.
    #[test]
    fn a_name_is_taken_as_it_stands(text in "[a-z0-9-]{1,9}:[-_.a-zA-Z0-9]{0,34}(:[-.%?=a-zA-Z0-9]{0,140}|/[a-z0-9]{2,5}:.{0,140})") {
        if let Ok(address) = text.parse::<Address>() {
            prop_assert_eq!(address.to_string(), text.clone());
            prop_assert_eq!(minicbor::decode::<Address>(&minicbor::to_vec(address).unwrap()).unwrap(), address);
        }
        if let Ok(asset) = text.parse::<AssetId>() {
            prop_assert_eq!(asset.to_string(), text.clone());
            prop_assert_eq!(AssetId::from_canonical(&text), Ok(asset));
        }
    }

    #[test]
    fn names_are_compared_by_their_texts(one in "xrpl:0:[a-b]{1,3}", other in "xrpl:0:[a-b]{1,3}") {
        let read = |text: &str| text.parse::<Address>().unwrap();
        prop_assert_eq!(read(&one).cmp(&read(&other)), one.cmp(&other));
        prop_assert_eq!(read(&one) == read(&other), one == other);
    }
}

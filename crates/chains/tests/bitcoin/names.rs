//! The vectors of `docs/spec/bitcoin.md`, and those of BIP 86, 173, 341 and 350.

use std::str::FromStr;

use bitcoin::blockdata::constants::genesis_block;
use bitcoin::{Network, ScriptBuf};
use portcullis_chains::bitcoin::{Lock, OwnedKey};
use portcullis_chains::caip::{BitcoinAddress, BitcoinAsset, BitcoinChain, CaipError, NamedChain};
use portcullis_chains::{Address, AssetId, ChainId};
use proptest::prelude::*;

use crate::common;

const SPEC: &str = include_str!("../../../../docs/spec/bitcoin.md");

const CHAINS: [(BitcoinChain, Network); 5] = [
    (BitcoinChain::Mainnet, Network::Bitcoin),
    (BitcoinChain::Testnet3, Network::Testnet),
    (BitcoinChain::Testnet4, Network::Testnet4),
    (BitcoinChain::Signet, Network::Signet),
    (BitcoinChain::Regtest, Network::Regtest),
];

#[test]
fn vectors() {
    for vector in common::vectors(SPEC) {
        match vector["kind"].as_str().unwrap() {
            "chain" => common::check_name::<BitcoinChain>(&vector),
            "asset" => common::check_name::<BitcoinAsset>(&vector),
            "address" => common::check_name::<BitcoinAddress>(&vector),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn chains_are_named_by_their_first_blocks() {
    for (chain, network) in CHAINS {
        let hash = genesis_block(network).block_hash().to_string();
        assert_eq!(chain.to_string(), format!("bip122:{}", &hash[..32]));
        assert_eq!(chain.to_string().parse(), Ok(chain));
    }
}

/// What acts carry is one of these names or any other, never two of one chain.
#[test]
fn acts_carry_them() {
    let chain = BitcoinChain::Mainnet;
    let address = BitcoinAddress::new(chain, Lock::P2wpkh([1; 20]));
    let asset = BitcoinAsset { chain };
    assert_eq!(address.to_string().parse(), Ok(Address::Bitcoin(address)));
    assert_eq!(chain.to_string().parse(), Ok(ChainId::Bitcoin(chain)));
    assert_eq!(asset.to_string().parse(), Ok(AssetId::Bitcoin(asset)));
    assert!(chain.to_string().parse::<NamedChain>().is_err());
    assert!("eip155:1".parse::<NamedChain>().is_err());
}

fn on(chain: BitcoinChain, bare: &str) -> Result<BitcoinAddress, CaipError> {
    BitcoinAddress::from_str(&format!("{chain}:{bare}"))
}

/// The lists of BIP 350 (which has those of BIP 173 in them), valid ones with their scripts.
#[test]
fn segwit_addresses_of_bip_350() {
    let Some(text) = common::bip("bip-0350.mediawiki") else {
        return;
    };
    let (_, text) = text
        .split_once("native segregated witness addresses===")
        .unwrap();
    let (valid, invalid) = text.split_once("invalid segwit addresses").unwrap();
    let mut seen = 0;
    for line in valid.lines().filter(|line| line.starts_with("* <tt>")) {
        let parts: Vec<&str> = line.split(['<', '>']).collect();
        let (address, script) = (parts[2], ScriptBuf::from_hex(parts[6]).unwrap());
        let test = address.to_lowercase().starts_with("tb");
        let (own, other) = if test {
            (BitcoinChain::Testnet3, BitcoinChain::Mainnet)
        } else {
            (BitcoinChain::Mainnet, BitcoinChain::Testnet3)
        };
        match Lock::from_script(&script) {
            Some(lock) => {
                let read = on(own, address).unwrap();
                assert_eq!(read, BitcoinAddress::new(own, lock));
                assert_eq!(read.bare(), address.to_lowercase());
            }
            None => assert_eq!(
                on(own, address),
                Err(CaipError::WitnessVersion),
                "{address}"
            ),
        }
        assert_eq!(
            on(other, address),
            Err(CaipError::OtherNetwork),
            "{address}"
        );
        seen += 1;
    }
    assert_eq!(seen, 8);
    let invalid = invalid.lines().filter(|line| line.starts_with("* <tt>"));
    let refused = invalid.map(|line| {
        let address = line.split(['<', '>']).nth(2).unwrap();
        for (chain, _) in CHAINS {
            assert_eq!(
                on(chain, address),
                Err(CaipError::BitcoinAddress),
                "{address}"
            );
        }
    });
    assert_eq!(refused.count(), 15);
}

/// BIP 86's first receiving address, and the first entry of BIP 341's wallet vectors.
#[test]
fn taproot_keys_without_scripts() {
    let table = [
        (
            "cc8a4bc64d897bddc5fbc2f670f7a8ba0b386779106cf1223c6fc5d7cd6fc115",
            None,
            "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
        ),
        (
            "d6889cb081036e0faefa3a35157ad71086b123b2b144b649798b494c300a961d",
            Some("b86e7be8f39bab32a6f2c0443abbc210f0edac0e2c53d501b36b64437d9c6c70"),
            "bc1p2wsldez5mud2yam29q22wgfh9439spgduvct83k3pm50fcxa5dps59h4z5",
        ),
    ];
    for (internal, tweak, address) in table {
        let internal: [u8; 32] = hex::decode(internal).unwrap().try_into().unwrap();
        let key = OwnedKey::p2tr(&internal).unwrap();
        assert_eq!(
            BitcoinAddress::new(BitcoinChain::Mainnet, key.lock()).bare(),
            address
        );
        if let Some(tweak) = tweak {
            assert_eq!(key.tweak().map(hex::encode).as_deref(), Some(tweak));
        }
    }
    assert!(OwnedKey::p2tr(&[0xff; 32]).is_err());
    assert!(OwnedKey::p2wpkh(&[5; 33]).is_err());
}

proptest! {
    #[test]
    fn every_lock_on_every_chain_has_one_name(
        short in any::<[u8; 20]>(),
        long in any::<[u8; 32]>(),
        at in 0_usize..200,
    ) {
        let locks = [
            Lock::P2pkh(short), Lock::P2sh(short), Lock::P2wpkh(short), Lock::P2wsh(long), Lock::P2tr(long),
        ];
        for (chain, _) in CHAINS {
            for lock in locks {
                let address = BitcoinAddress::new(chain, lock);
                let text = address.to_string();
                prop_assert_eq!(BitcoinAddress::from_canonical(&text), Ok(address));
                let bech32 = !matches!(lock, Lock::P2pkh(_) | Lock::P2sh(_));
                let upper = on(chain, &address.bare().to_uppercase());
                prop_assert_eq!(upper == Ok(address), bech32);
                let mut typo = text.into_bytes();
                let at = at % typo.len();
                typo[at] = if typo[at] == b'q' { b'p' } else { b'q' };
                let typo = String::from_utf8(typo).unwrap();
                prop_assert!(typo.parse::<BitcoinAddress>().is_err());
            }
        }
    }
}

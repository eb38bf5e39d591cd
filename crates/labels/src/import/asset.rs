//! Which chain's addresses an asset has.

use super::{EvmReach, Reject};
use crate::address::{AddressError, Chain, Key};

/// A chain on which an asset lives; for Ethereum's addresses with the chain's number in EIP-155, or
/// none where the asset lives on several.
pub(super) type Place = (Chain, Option<u64>);

/// A token of several chains, tried in this order; no text is an address of two of them.
const TOKEN: &[Place] = &[
    (Chain::Evm, None),
    (Chain::Tron, None),
    (Chain::Bitcoin, None),
];

/// The chains of an asset or network, by its symbol in TagPacks and in OFAC's list.
pub(super) fn places(symbol: &str) -> Option<&'static [Place]> {
    Some(match symbol {
        "BTC" | "XBT" => &[(Chain::Bitcoin, None)],
        "BCH" => &[(Chain::BitcoinCash, None)],
        "BSV" => &[(Chain::BitcoinSv, None)],
        "BTG" => &[(Chain::BitcoinGold, None)],
        "LTC" => &[(Chain::Litecoin, None)],
        "DOGE" => &[(Chain::Dogecoin, None)],
        "DASH" => &[(Chain::Dash, None)],
        "ZEC" => &[(Chain::Zcash, None)],
        "XVG" => &[(Chain::Verge, None)],
        "TRX" | "TRON" => &[(Chain::Tron, None)],
        "XRP" => &[(Chain::Xrp, None)],
        "XMR" => &[(Chain::Monero, None)],
        "ETH" => &[(Chain::Evm, Some(1))],
        "ETC" => &[(Chain::Evm, Some(61))],
        "BSC" | "BNB" | "BEP20" => &[(Chain::Evm, Some(56))],
        "ARB" => &[(Chain::Evm, Some(42_161))],
        "MATIC" | "POL" => &[(Chain::Evm, Some(137))],
        "AVAX" => &[(Chain::Evm, Some(43_114))],
        "KCS" => &[(Chain::Evm, None)],
        // Tether began on Bitcoin, by way of Omni.
        "USDT" | "USDC" => TOKEN,
        _ => return None,
    })
}

/// The key of an address, and whether it stands under an asset of another chain.
pub(super) struct Found {
    pub(super) key: Key,
    pub(super) elsewhere: bool,
}

/// The key of an address that a list gives for such a place.
///
/// Lists err: OFAC's names an address of Tron's under Bitcoin. What is unmistakably an address of one
/// other chain is taken as that, because the label is for whoever holds its key.
pub(super) fn key(places: &[Place], address: &str, reach: EvmReach) -> Result<Found, Reject> {
    let mut fault = AddressError::Form;
    for (chain, number) in places {
        match Key::read(*chain, address) {
            Ok(key) => {
                let named = number.filter(|_| reach == EvmReach::NamedChain);
                let named = named.and_then(|chain| key.on_evm_chain(chain));
                return Ok(Found {
                    key: named.unwrap_or(key),
                    elsewhere: false,
                });
            }
            // Of several chains the one that the text was mistyped for says so.
            Err(error) if fault != AddressError::Checksum => fault = error,
            Err(_) => {}
        }
    }
    let foreign = matches!(fault, AddressError::Network | AddressError::Characters);
    let other = if foreign { only_chain(address) } else { None };
    other.ok_or(Reject::Address(fault)).map(|key| Found {
        key,
        elsewhere: true,
    })
}

/// The key of a text that is an address of one chain and of no other.
fn only_chain(address: &str) -> Option<Key> {
    let read = |chain: &Chain| Key::read(*chain, address).ok();
    let mut keys = Chain::ALL.iter().filter_map(read);
    keys.next().filter(|_| keys.next().is_none())
}

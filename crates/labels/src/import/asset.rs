//! Which chain's addresses an asset has.

use super::{EvmReach, Reject};
use crate::address::{AddressError, Chain, Key};

/// A chain on which an asset lives; for Ethereum's addresses with the chain's number in EIP-155, or
/// none where the asset lives on several.
type Place = (Chain, Option<u64>);

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

/// The key of an address of such a place.
pub(super) fn key(places: &[Place], address: &str, reach: EvmReach) -> Result<Key, Reject> {
    let mut fault = AddressError::Form;
    for (chain, number) in places {
        match Key::read(*chain, address) {
            Ok(key) => {
                let named = number.filter(|_| reach == EvmReach::NamedChain);
                return Ok(named
                    .and_then(|chain| key.on_evm_chain(chain))
                    .unwrap_or(key));
            }
            // Of several chains the one that the text was mistyped for says so.
            Err(error) if fault != AddressError::Checksum => fault = error,
            Err(_) => {}
        }
    }
    Err(Reject::Address(fault))
}

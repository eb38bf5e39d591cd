//! Amounts as people write them. The journal knows base units only.

use portcullis_chains::{Amount, AssetId};
use std::collections::BTreeMap;

/// An amount in decimal units and base units, without its asset, for where that is named already.
pub(crate) fn units(amount: Amount, asset: AssetId, decimals: &BTreeMap<AssetId, u8>) -> String {
    match places(asset, decimals) {
        Some(places) => format!("{} ({amount} base units)", amount.in_units(places)),
        None => format!("{amount} base units"),
    }
}

/// How many digits people write after the point, where that is known.
fn places(asset: AssetId, decimals: &BTreeMap<AssetId, u8>) -> Option<u8> {
    let of_coin = match asset {
        AssetId::EvmNative { .. } => Some(18),
        AssetId::Bitcoin(_) => Some(8),
        AssetId::EvmErc20 { .. } | AssetId::Named(_) => None,
    };
    decimals.get(&asset).copied().or(of_coin)
}

/// An amount in decimal units, where those are known, and always in base units.
pub(crate) fn both(amount: Amount, asset: AssetId, decimals: &BTreeMap<AssetId, u8>) -> String {
    match places(asset, decimals) {
        Some(places) => {
            let written = amount.in_units(places);
            format!("{written} of {asset} ({amount} base units)")
        }
        None => format!("{amount} base units of {asset} (decimals unknown)"),
    }
}

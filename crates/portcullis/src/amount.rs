//! Amounts as people write them. The journal knows base units only.

use portcullis_chains::{Amount, AssetId};
use std::collections::BTreeMap;

/// `0.25` for 250,000,000,000,000,000 base units at 18 decimals.
pub(crate) fn decimal(amount: Amount, decimals: u8) -> String {
    let digits = amount.to_string();
    let places = usize::from(decimals);
    let digits = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    }
}

/// An amount in decimal units and base units, without its asset, for where that is named already.
pub(crate) fn units(amount: Amount, asset: AssetId, decimals: &BTreeMap<AssetId, u8>) -> String {
    match places(asset, decimals) {
        Some(places) => format!("{} ({amount} base units)", decimal(amount, places)),
        None => format!("{amount} base units"),
    }
}

/// How many digits people write after the point, where that is known.
fn places(asset: AssetId, decimals: &BTreeMap<AssetId, u8>) -> Option<u8> {
    let of_coin = matches!(asset, AssetId::EvmNative { .. }).then_some(18);
    decimals.get(&asset).copied().or(of_coin)
}

/// An amount in decimal units, where those are known, and always in base units.
pub(crate) fn both(amount: Amount, asset: AssetId, decimals: &BTreeMap<AssetId, u8>) -> String {
    match places(asset, decimals) {
        Some(decimals) => {
            let written = decimal(amount, decimals);
            format!("{written} of {asset} ({amount} base units)")
        }
        None => format!("{amount} base units of {asset} (decimals unknown)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let table = [
            (0, 18, "0"),
            (1, 18, "0.000000000000000001"),
            (250_000_000_000_000_000, 18, "0.25"),
            (1_000_000_000_000_000_000, 18, "1"),
            (12_345_000_000_000_000_000, 18, "12.345"),
            (7, 0, "7"),
            (70, 0, "70"),
            (1_500_000, 6, "1.5"),
            (u128::MAX, 30, "340282366.920938463463374607431768211455"),
        ];
        for (amount, decimals, want) in table {
            assert_eq!(decimal(Amount(amount), decimals), want);
        }
    }
}

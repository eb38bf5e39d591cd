//! How the platform writes amounts of its assets. The journal knows base units only.

use portcullis_chains::{Amount, AssetId};
use serde::Deserialize;
use std::collections::BTreeMap;

/// By asset; what stands nowhere is written in base units.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Assets(BTreeMap<AssetId, Asset>);

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asset {
    /// Digits after the point.
    decimals: u8,
    /// What people call it; its CAIP-19 name otherwise.
    #[serde(default)]
    symbol: Option<String>,
}

impl Assets {
    /// An amount as a letter says it.
    pub(crate) fn written(&self, amount: Amount, asset: AssetId) -> String {
        match self.0.get(&asset) {
            Some(Asset { decimals, symbol }) => {
                let amount = amount.in_units(*decimals);
                match symbol {
                    Some(symbol) => format!("{amount} {symbol}"),
                    None => format!("{amount} of {asset}"),
                }
            }
            None => format!("{amount} base units of {asset}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_the_platform_writes_them() {
        let text = r#"
            "eip155:1/slip44:60" = { decimals = 18, symbol = "ETH" }
            "eip155:1/erc20:0xdAC17F958D2ee523a2206206994597C13D831ec7" = { decimals = 6 }
        "#;
        let assets: Assets = toml::from_str(text).unwrap();
        let dollar = "eip155:1/erc20:0xdac17f958d2ee523a2206206994597c13d831ec7";
        let table = [
            ("eip155:1/slip44:60", "0.0000000000025 ETH".to_owned()),
            (dollar, format!("2.5 of {dollar}")),
            (
                "eip155:137/slip44:60",
                "2500000 base units of eip155:137/slip44:60".into(),
            ),
        ];
        for (asset, want) in table {
            let written = assets.written(Amount(2_500_000), asset.parse().unwrap());
            assert_eq!(written, want);
        }
    }
}

use core::fmt;
use core::str::FromStr;

use super::{BitcoinAsset, CaipError, ChainId, NamedAsset, evm, text};

/// An asset, named as in CAIP-19.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AssetId {
    /// The coin in which a chain with Ethereum's transactions takes its fees; `…/slip44:60`
    /// whatever the chain calls it.
    EvmNative {
        /// The chain id of EIP-155.
        chain: u64,
    },
    /// A token under ERC-20; `…/erc20:CONTRACT`.
    EvmErc20 {
        /// The chain id of EIP-155.
        chain: u64,
        /// The address of the token's contract.
        contract: [u8; 20],
    },
    /// The coin of a chain with Bitcoin's transactions; `…/slip44:0`.
    Bitcoin(BitcoinAsset),
    /// Any asset of a chain that is known by its name alone.
    Named(NamedAsset),
}

impl AssetId {
    /// The chain on which the asset lives.
    #[must_use]
    pub const fn chain(&self) -> ChainId {
        match *self {
            Self::EvmNative { chain } | Self::EvmErc20 { chain, .. } => ChainId::Evm { chain },
            Self::Bitcoin(BitcoinAsset { chain }) => ChainId::Bitcoin(chain),
            Self::Named(asset) => ChainId::Named(asset.chain()),
        }
    }
}

impl FromStr for AssetId {
    type Err = CaipError;

    fn from_str(text: &str) -> Result<Self, CaipError> {
        let form = CaipError::Form("CHAIN/NAMESPACE:REFERENCE");
        let (chain, asset) = text::capped(text)?.split_once('/').ok_or(form)?;
        let chain = match chain.parse()? {
            ChainId::Evm { chain } => chain,
            ChainId::Bitcoin(_) => return text.parse().map(Self::Bitcoin),
            ChainId::Named(_) => return text.parse().map(Self::Named),
        };
        match asset.split_once(':').ok_or(form)? {
            ("slip44", "60") => Ok(Self::EvmNative { chain }),
            ("erc20", contract) => Ok(Self::EvmErc20 {
                chain,
                contract: evm::parse(contract)?,
            }),
            _ => Err(CaipError::Asset),
        }
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EvmNative { chain } => write!(f, "eip155:{chain}/slip44:60"),
            Self::EvmErc20 { chain, contract } => {
                write!(f, "eip155:{chain}/erc20:{}", evm::Hex(contract))
            }
            Self::Bitcoin(asset) => asset.fmt(f),
            Self::Named(asset) => asset.fmt(f),
        }
    }
}

text::on_the_wire!(
    AssetId,
    "an asset as in CAIP-19, for example eip155:1/slip44:60"
);

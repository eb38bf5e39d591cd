use core::fmt;
use core::str::FromStr;

use super::{BitcoinChain, CaipError, NamedChain, text};

/// A chain, named as in CAIP-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChainId {
    /// A chain with Ethereum's transactions; `eip155:NUMBER`.
    Evm {
        /// The chain id of EIP-155, which each transaction's signature covers.
        chain: u64,
    },
    /// A chain with Bitcoin's transactions; `bip122:…`.
    Bitcoin(BitcoinChain),
    /// Any other, known by its name alone; `NAMESPACE:REFERENCE`.
    Named(NamedChain),
}

impl ChainId {
    /// The chain id of EIP-155, if the chain has one.
    #[must_use]
    pub const fn evm(&self) -> Option<u64> {
        match *self {
            Self::Evm { chain } => Some(chain),
            Self::Bitcoin(_) | Self::Named(_) => None,
        }
    }
}

impl FromStr for ChainId {
    type Err = CaipError;

    fn from_str(text: &str) -> Result<Self, CaipError> {
        let text = text::capped(text)?;
        let (namespace, reference) = text
            .split_once(':')
            .ok_or(CaipError::Form("NAMESPACE:REFERENCE"))?;
        if namespace == "eip155" {
            let chain = chain_number(reference)?;
            return Ok(Self::Evm { chain });
        }
        match text.parse() {
            Ok(chain) => Ok(Self::Bitcoin(chain)),
            Err(_) => Ok(Self::Named(text.parse()?)),
        }
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evm { chain } => write!(f, "eip155:{chain}"),
            Self::Bitcoin(chain) => chain.fmt(f),
            Self::Named(chain) => chain.fmt(f),
        }
    }
}

text::on_the_wire!(ChainId, "a chain as in CAIP-2, for example eip155:1");

fn chain_number(text: &str) -> Result<u64, CaipError> {
    let canonical =
        text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if !canonical {
        return Err(CaipError::ChainNumber);
    }
    text.parse().map_err(|_| CaipError::ChainNumber)
}

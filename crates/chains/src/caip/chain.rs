use core::fmt;
use core::str::FromStr;

use super::{CaipError, text};

/// A chain, named as in CAIP-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChainId {
    /// A chain with Ethereum's transactions; `eip155:NUMBER`.
    Evm {
        /// The chain id of EIP-155, which each transaction's signature covers.
        chain: u64,
    },
}

impl FromStr for ChainId {
    type Err = CaipError;

    fn from_str(text: &str) -> Result<Self, CaipError> {
        let text = text::capped(text)?;
        let (namespace, reference) = text
            .split_once(':')
            .ok_or(CaipError::Form("NAMESPACE:REFERENCE"))?;
        match namespace {
            "eip155" => Ok(Self::Evm {
                chain: chain_number(reference)?,
            }),
            _ => Err(CaipError::Namespace),
        }
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evm { chain } => write!(f, "eip155:{chain}"),
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

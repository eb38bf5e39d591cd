use core::fmt;
use core::str::FromStr;

use super::{BitcoinAddress, CaipError, ChainId, NamedAddress, evm, text};

/// An address on one chain, named as in CAIP-10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// An address on a chain with Ethereum's transactions; `eip155:NUMBER:0x…`.
    Evm {
        /// The chain id of EIP-155.
        chain: u64,
        /// The last 20 bytes of Keccak-256 over the public key, or the address of a contract.
        address: [u8; 20],
    },
    /// An address on a chain with Bitcoin's transactions; `bip122:…:bc1…`.
    Bitcoin(BitcoinAddress),
    /// An address on a chain that is known by its name alone.
    Named(NamedAddress),
}

impl Address {
    /// The chain on which the address is meant.
    #[must_use]
    pub const fn chain(&self) -> ChainId {
        match *self {
            Self::Evm { chain, .. } => ChainId::Evm { chain },
            Self::Bitcoin(address) => ChainId::Bitcoin(address.chain()),
            Self::Named(address) => ChainId::Named(address.chain()),
        }
    }

    /// The twenty bytes of an address on a chain with Ethereum's transactions.
    #[must_use]
    pub const fn evm(&self) -> Option<[u8; 20]> {
        match *self {
            Self::Evm { address, .. } => Some(address),
            Self::Bitcoin(_) | Self::Named(_) => None,
        }
    }
}

impl FromStr for Address {
    type Err = CaipError;

    fn from_str(text: &str) -> Result<Self, CaipError> {
        let (chain, address) = text::capped(text)?
            .rsplit_once(':')
            .ok_or(CaipError::Form("NAMESPACE:REFERENCE:ADDRESS"))?;
        match chain.parse()? {
            ChainId::Evm { chain } => Ok(Self::Evm {
                chain,
                address: evm::parse(address)?,
            }),
            ChainId::Bitcoin(_) => text.parse().map(Self::Bitcoin),
            ChainId::Named(_) => text.parse().map(Self::Named),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Evm { chain, address } => write!(f, "eip155:{chain}:{}", evm::Hex(address)),
            Self::Bitcoin(address) => address.fmt(f),
            Self::Named(address) => address.fmt(f),
        }
    }
}

text::on_the_wire!(
    Address,
    "an address as in CAIP-10, for example eip155:1:0x…"
);

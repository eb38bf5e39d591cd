//! Names as an account keeps them.
//!
//! State keeps millions. A name of a chain that is known by its name alone is some 180 bytes wide, wherever it
//! stands; here it has an allocation of its own, so that no other account reserves the room. CBOR is that of
//! the name.

use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use portcullis_chains::caip::{
    Address, AssetId, BitcoinAddress, BitcoinAsset, NamedAddress, NamedAsset,
};

/// An [`Address`] in 40 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptAddress {
    /// As [`Address::Evm`].
    Evm {
        /// The chain id of EIP-155.
        chain: u64,
        /// The address.
        address: [u8; 20],
    },
    /// As [`Address::Bitcoin`].
    Bitcoin(BitcoinAddress),
    /// As [`Address::Named`].
    Named(Box<NamedAddress>),
}

impl KeptAddress {
    /// The address.
    #[must_use]
    pub fn get(&self) -> Address {
        match self {
            Self::Evm { chain, address } => Address::Evm {
                chain: *chain,
                address: *address,
            },
            Self::Bitcoin(address) => Address::Bitcoin(*address),
            Self::Named(address) => Address::Named(**address),
        }
    }
}

impl From<Address> for KeptAddress {
    fn from(address: Address) -> Self {
        match address {
            Address::Evm { chain, address } => Self::Evm { chain, address },
            Address::Bitcoin(address) => Self::Bitcoin(address),
            Address::Named(address) => Self::Named(Box::new(address)),
        }
    }
}

/// An [`AssetId`] in 40 bytes, in the same order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeptAsset {
    /// As [`AssetId::EvmNative`].
    EvmNative {
        /// The chain id of EIP-155.
        chain: u64,
    },
    /// As [`AssetId::EvmErc20`].
    EvmErc20 {
        /// The chain id of EIP-155.
        chain: u64,
        /// The token's contract.
        contract: [u8; 20],
    },
    /// As [`AssetId::Bitcoin`].
    Bitcoin(BitcoinAsset),
    /// As [`AssetId::Named`].
    Named(Box<NamedAsset>),
}

impl KeptAsset {
    /// The asset.
    #[must_use]
    pub fn get(&self) -> AssetId {
        match self {
            Self::EvmNative { chain } => AssetId::EvmNative { chain: *chain },
            Self::EvmErc20 { chain, contract } => AssetId::EvmErc20 {
                chain: *chain,
                contract: *contract,
            },
            Self::Bitcoin(asset) => AssetId::Bitcoin(*asset),
            Self::Named(asset) => AssetId::Named(**asset),
        }
    }
}

impl From<AssetId> for KeptAsset {
    fn from(asset: AssetId) -> Self {
        match asset {
            AssetId::EvmNative { chain } => Self::EvmNative { chain },
            AssetId::EvmErc20 { chain, contract } => Self::EvmErc20 { chain, contract },
            AssetId::Bitcoin(asset) => Self::Bitcoin(asset),
            AssetId::Named(asset) => Self::Named(Box::new(asset)),
        }
    }
}

/// Implements the wire of the name that is kept.
macro_rules! as_the_name {
    ($kept:ty, $name:ty) => {
        impl<C> Encode<C> for $kept {
            fn encode<W: Write>(
                &self,
                e: &mut Encoder<W>,
                context: &mut C,
            ) -> Result<(), encode::Error<W::Error>> {
                self.get().encode(e, context)
            }
        }

        impl<'b, C> Decode<'b, C> for $kept {
            fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
                <$name>::decode(d, context).map(Self::from)
            }
        }
    };
}

as_the_name!(KeptAddress, Address);
as_the_name!(KeptAsset, AssetId);

#[cfg(test)]
mod tests {
    use super::*;

    /// The figure that `portcullis bench memory` hangs on.
    #[test]
    fn what_is_kept_is_narrow() {
        assert!(size_of::<KeptAddress>() <= 40);
        assert!(size_of::<KeptAsset>() <= 40);
    }

    #[test]
    fn what_is_kept_is_the_name() {
        for text in [
            "eip155:1:0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
            "bip122:000000000019d6689c085ae165831e93:bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
            "xrpl:0:rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh?dt=17",
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(KeptAddress::from(address).get(), address);
        }
        let assets = [
            "eip155:1/slip44:60",
            "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
            "bip122:000000000019d6689c085ae165831e93/slip44:0",
            "xrpl:0/slip44:144",
        ]
        .map(|text| text.parse::<AssetId>().unwrap());
        for pair in assets.windows(2) {
            let kept = [pair[0], pair[1]].map(KeptAsset::from);
            assert_eq!(kept[0].get(), pair[0]);
            assert_eq!(kept[0].cmp(&kept[1]), pair[0].cmp(&pair[1]));
        }
    }
}

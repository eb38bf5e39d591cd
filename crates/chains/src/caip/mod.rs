//! Names of chains, assets and addresses, as the Chain Agnostic Improvement Proposals write them.
//!
//! | type | proposal | canonical text |
//! | --- | --- | --- |
//! | [`ChainId`] | CAIP-2 | `eip155:1` |
//! | [`AssetId`] | CAIP-19 | `eip155:1/slip44:60`, `eip155:1/erc20:0x…` |
//! | [`Address`] | CAIP-10 | `eip155:1:0x…` |
//! | [`BitcoinChain`] | CAIP-2 | `bip122:000000000019d6689c085ae165831e93` |
//! | [`BitcoinAsset`] | CAIP-19 | `bip122:000000000019d6689c085ae165831e93/slip44:0` |
//! | [`BitcoinAddress`] | CAIP-10 | `bip122:000000000019d6689c085ae165831e93:bc1…` |
//! | [`NamedChain`], [`NamedAsset`], [`NamedAddress`] | all three | any other, as it is written |
//!
//! Each value has exactly one canonical text, and that text is what gets signed: hexadecimal in
//! lower case, decimals without leading zeros, bech32 in lower case. [`core::str::FromStr`] and JSON
//! read what people write, so they also take a checksummed address (EIP-55) and check it, and bech32
//! in upper case; CBOR takes the canonical text only. `docs/spec/caip.md` has the rules and vectors.

mod address;
mod asset;
mod bitcoin;
mod chain;
mod evm;
mod named;
pub(crate) mod text;

pub use address::Address;
pub use asset::AssetId;
pub use bitcoin::{BitcoinAddress, BitcoinAsset, BitcoinChain};
pub use chain::ChainId;
pub use evm::checksummed;
pub use named::{NamedAddress, NamedAsset, NamedChain};

/// The longest text that is looked at, in bytes: the longest that CAIP-19 can write.
pub const MAX_TEXT: usize = 179;

/// Why a text names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaipError {
    /// Longer than [`MAX_TEXT`].
    #[error("the name is too long: at most {MAX_TEXT} bytes")]
    TooLong,
    /// Parts are missing or too many.
    #[error("the name does not have the form {0}")]
    Form(&'static str),
    /// A namespace that CAIP-2 or CAIP-19 cannot write.
    #[error("no namespace: three to eight of a-z, 0-9 and -")]
    Namespace,
    /// A chain number with leading zeros, other characters, or above 2^64 − 1.
    #[error("a chain number is decimal, without leading zeros, below 2^64")]
    ChainNumber,
    /// An asset that is neither `slip44:60` nor `erc20:0x…`.
    #[error("unknown asset: use slip44:60 for the chain's own coin or erc20:0x… for a token")]
    Asset,
    /// Not `0x` and 40 hexadecimal digits.
    #[error("an address is 0x and 40 hexadecimal digits")]
    Hex,
    /// Upper-case letters that are not the checksum of the address.
    #[error("the checksum (EIP-55) of the address is wrong: copy it again from its source")]
    Checksum,
    /// No first block.
    #[error(
        "no chain of Bitcoin's kind: name it bip122: and the first 32 digits of its first block's hash, in lower case"
    )]
    Bip122,
    /// Another asset than the coin itself.
    #[error("unknown asset: the coin of a Bitcoin chain is slip44:0")]
    BitcoinAsset,
    /// No address, or one with a wrong checksum, in mixed case or of a wrong length.
    #[error("no Bitcoin address, or its checksum is wrong: copy it again from its source")]
    BitcoinAddress,
    /// An address of another network than the chain's.
    #[error("the Bitcoin address belongs to another network than the chain")]
    OtherNetwork,
    /// A witness program whose meaning is not known.
    #[error("the address has a witness version that is not in use: anybody could take the coins")]
    WitnessVersion,
    /// Right, but not the canonical text.
    #[error("not the canonical text: write hexadecimal digits and bech32 in lower case")]
    NotCanonical,
}

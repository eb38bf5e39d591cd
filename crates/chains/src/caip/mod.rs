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
//!
//! Each value has exactly one canonical text, and that text is what gets signed: hexadecimal in
//! lower case, decimals without leading zeros, bech32 in lower case. [`core::str::FromStr`] and JSON
//! read what people write, so they also take a checksummed address (EIP-55) and check it, and bech32
//! in upper case; CBOR takes the canonical text only. `docs/spec/caip.md` has the rules and vectors.
//!
//! The names on Bitcoin stand beside the three enums that acts carry until acts can carry them, too.

mod address;
mod asset;
mod bitcoin;
mod chain;
mod evm;
pub(crate) mod text;

pub use address::Address;
pub use asset::AssetId;
pub use bitcoin::{BitcoinAddress, BitcoinAsset, BitcoinChain};
pub use chain::ChainId;
pub use evm::checksummed;

/// The longest text that is looked at, in bytes. The longest canonical text of today has 104.
pub const MAX_TEXT: usize = 128;

/// Why a text names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaipError {
    /// Longer than [`MAX_TEXT`].
    #[error("the name is too long: at most {MAX_TEXT} bytes")]
    TooLong,
    /// Parts are missing or too many.
    #[error("the name does not have the form {0}")]
    Form(&'static str),
    /// A namespace that this version does not know.
    #[error("unknown namespace: chains are named eip155:NUMBER")]
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
    /// No first block of a known chain.
    #[error(
        "unknown Bitcoin chain: name it bip122: and the first 32 digits of its first block's hash"
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

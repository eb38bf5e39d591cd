//! Names of chains, assets and addresses, as the Chain Agnostic Improvement Proposals write them.
//!
//! | type | proposal | canonical text |
//! | --- | --- | --- |
//! | [`ChainId`] | CAIP-2 | `eip155:1` |
//! | [`AssetId`] | CAIP-19 | `eip155:1/slip44:60`, `eip155:1/erc20:0x…` |
//! | [`Address`] | CAIP-10 | `eip155:1:0x…` |
//!
//! Each value has exactly one canonical text, and that text is what gets signed: hexadecimal in
//! lower case, decimals without leading zeros. [`core::str::FromStr`] and JSON read what people
//! write, so they also take a checksummed address (EIP-55) and check it; CBOR takes the canonical
//! text only. `docs/spec/caip.md` has the rules and vectors.

mod address;
mod asset;
mod chain;
mod evm;
pub(crate) mod text;

pub use address::Address;
pub use asset::AssetId;
pub use chain::ChainId;
pub use evm::checksummed;

/// The longest text that is looked at, in bytes. The longest canonical text of today has 76.
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
    /// Right, but not the canonical text.
    #[error("not the canonical text: write hexadecimal digits in lower case")]
    NotCanonical,
}

//! One key for each address, however it is spelt.
//!
//! An address is read by the rules of its chain, its checksum verified where the format has one, and
//! becomes a [`Key`]: the shape and the bytes that all spellings of it have in common. Two texts
//! name the same receiver if and only if their keys are equal. `docs/spec/labels.md` has the table of
//! shapes and spellings.

mod base58;
mod cashaddr;
mod chain;
mod coin;
mod evm;
mod key;
mod monero;
mod ripple;
mod segwit;
mod shape;
mod spelling;
mod tron;
mod zcash;

pub use chain::Chain;
pub use key::{Key, MAX_WIDTH};
pub use shape::{Form, Shape};

/// The longest text that is looked at, in bytes. The longest address that is read has 106, and 74
/// may stand before it.
pub const MAX_ADDRESS: usize = 192;

/// Why a text is no address that can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum AddressError {
    /// Longer than [`MAX_ADDRESS`].
    #[error("the address is too long: at most {MAX_ADDRESS} bytes")]
    TooLong,
    /// A character that the encoding does not have, or letters of both cases where one is wanted.
    #[error("the address has a character that its encoding does not have")]
    Characters,
    /// Too many or too few bytes.
    #[error("the address has the wrong length for its chain")]
    Length,
    /// Parts of it were mistyped.
    #[error("the checksum of the address is wrong: copy it again from its source")]
    Checksum,
    /// An address of another chain, or of a test network.
    #[error("the address is not one of this chain's main network")]
    Network,
    /// A form that has no key of its own, such as Zcash's unified addresses, which hold several
    /// receivers, or a witness program of a version to come.
    #[error("the address has a form that cannot be compared: list each receiver that it holds")]
    Form,
    /// A destination tag that is no number below 2^32, or one where the chain has none, or two.
    #[error("a destination tag is one number below 2^32, on the XRP Ledger only")]
    Tag,
    /// No chain of this name.
    #[error(
        "unknown chain: write CHAIN:ADDRESS, with the chain as in CAIP-2 or one of evm, bitcoin, bitcoincash, bitcoinsv, \
         bitcoingold, litecoin, dogecoin, dash, zcash, verge, tron, xrp, monero"
    )]
    Chain,
}

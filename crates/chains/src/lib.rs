//! Names and transactions of public chains: parse, build, check.
//!
//! Everything here is a pure function over bytes. [`caip`] names chains, assets and addresses as
//! one text each, [`Amount`] counts base units, and [`ethereum`] builds the one kind of transaction
//! that Portcullis signs, a *plain transfer*, and reads it back from its bytes. What does not read
//! back as a plain transfer is never signed.

pub mod amount;
pub mod caip;
pub mod ethereum;

pub use amount::Amount;
pub use caip::{Address, AssetId, ChainId};

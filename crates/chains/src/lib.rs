//! Names and transactions of public chains: parse, build, check.
//!
//! Everything here is a pure function over bytes. [`caip`] names chains, assets and addresses as
//! one text each, [`Amount`] counts base units, and [`ethereum`] builds the one kind of transaction
//! that Portcullis signs there, a *plain transfer*, and reads it back from its bytes. What does not
//! read back as a plain transfer is never signed. [`bitcoin`] plans payments out of unspent outputs,
//! and only what passes its check can be signed.

pub mod amount;
pub mod bitcoin;
pub mod caip;
pub mod ethereum;

pub use amount::Amount;
pub use caip::{Address, AssetId, ChainId};

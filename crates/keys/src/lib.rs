//! The seam to secret keys.
//!
//! Whoever signs holds a [`WalletKey`] (transactions with Ethereum's rules), a [`CoinKey`] (those with Bitcoin's)
//! or a [`StatementKey`] (everything else) and does not know whether the secret is in this process or in a
//! machine that never gives it out. What every such key promises is written at the three traits;
//! [`conformance`] holds an implementation to it. [`software`] and [`SoftwareCoin`] are the keys of this
//! crate, and [`KeyFile`] the encrypted file from which they come (`docs/spec/key-file.md`). [`webhook`] posts what such a key signs.

mod coin;
pub mod conformance;
pub mod file;
mod key;
mod memo;
mod note;
pub mod software;
pub mod webhook;

pub use coin::{CoinKey, SoftwareCoin};
pub use file::{Cost, KeyFile, KeyFileError, Kind, Name, Passphrase};
pub use key::{SignError, StatementKey, WalletKey};
pub use memo::Memo;
pub use note::NoteKey;

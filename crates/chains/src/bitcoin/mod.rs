//! Plans of payments on chains with Bitcoin's transactions, and what a signer demands of them.
//!
//! The way out: each claim of a node about an unspent output becomes a [`Coin`] or is refused; a
//! [`Plan`] pays several releases from coins; its bytes ([`Plan::to_psbt`]) stand in the journal.
//! A signer trusts none of it: [`Checked`] is the only thing that has sighashes, and only the check
//! of those bytes against the signer's own [`Wallet`] and [`Demands`] builds one. Signatures over
//! [`Checked::sighashes`] make a [`SignedTx`] with [`Checked::finish`]. The way back is
//! [`SignedTx::read`]: whether a raw transaction is exactly the plan, signed by the wallet.
//!
//! Wallets spend P2WPKH (BIP 143) and P2TR by its key path (BIP 341, keys as in BIP 86); payees may
//! have any of the five locks of [`Lock`]. Every input can be replaced (BIP 125), every signature
//! covers all inputs and outputs, and change goes to the wallet's own lock or nowhere.
//! `docs/design/060-bitcoin-plans.md` has the reasons.

mod check;
mod claimed;
mod coin;
mod fee;
mod lock;
mod payment;
mod plan;
mod psbt;
mod sats;
mod select;
mod sign;
mod signed;
mod size;
mod spends;
mod wallet;

pub use bitcoin::{OutPoint, Txid};

/// A transaction's id from its hash, in the order of the bytes of transactions.
#[must_use]
pub fn txid(hash: [u8; 32]) -> Txid {
    use bitcoin::hashes::Hash as _;
    Txid::from_byte_array(hash)
}

pub use check::{Checked, Demands, Refused};
pub use claimed::Claimed;
pub use coin::{Coin, CoinError, MAX_PREVIOUS, Unspent};
pub use fee::{FeeRate, FeeRateError, Standing};
pub use lock::Lock;
pub use payment::{MAX_PAYMENTS, Payment, PaymentError};
pub use plan::{MAX_LOCK_HEIGHT, MAX_VIRTUAL_BYTES, Plan, PlanError, Terms};
pub use psbt::{MAX_PSBT, Map, PsbtError};
pub use sats::{Sats, TooMuch};
pub use sign::{Scheme, Sighash};
pub use signed::{MAX_SIGNED, NotSigned, SignedTx};
pub use wallet::{NotAKey, OwnedKey, Wallet};

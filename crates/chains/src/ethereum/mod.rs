//! Plain transfers on chains with Ethereum's transactions.
//!
//! The way out is [`Transfer::build`], then a signature over [`UnsignedTx::sighash`], then
//! [`SignedTx::assemble`]. The way back is [`SignedTx::from_bytes`], [`SignedTx::recover`],
//! [`SignedTx::unsigned`] and [`Transfer::decode`]: with it anybody checks that a raw transaction
//! is exactly the planned bytes, signed by the wallet, and what it pays to whom.
//!
//! Only transactions of EIP-1559 with an empty access list exist here, and only two of their shapes
//! decode: ether with no data, and `transfer(address,uint256)` of ERC-20 with no ether. Formats and
//! vectors are in `docs/spec/ethereum.md`.

mod erc20;
mod fees;
mod rlp;
mod signed;
mod transfer;
mod tx;

pub use erc20::{TRANSFER_TOPIC, TransferLog};
pub use fees::{Fees, FeesError};
pub use signed::{Signature, SignatureError, SignedTx, address_of};
pub use transfer::{NotPlain, OtherChain, Transfer, replaces};
pub use tx::{MAX_TX, TxError, UnsignedTx};

//! Mandates: a signer's permission for exactly one payment, for a platform whose own wallet service or
//! custodian makes the transaction, on any chain.
//!
//! A [`Mandate`] is ten lines of text and a signature. The text stands as the plan in the journal's release
//! entry; the signer decides again by itself, signs these bytes or nothing, and its receipt carries them.
//! Whoever holds the wallet has one call to make before it pays, [`Verifier::admit`], and pays exactly what
//! comes out of it. `docs/spec/mandate.md` says the same in a hundred lines, for any language.
//!
//! ```
//! # use portcullis_mandate::{Once, Verifier};
//! # use std::collections::BTreeSet;
//! /// The wallet service's own table of payments, with a unique key on the act.
//! struct Payments(BTreeSet<[u8; 32]>);
//!
//! impl Once for Payments {
//!     type Error = std::convert::Infallible;
//!
//!     fn first(&mut self, act: &[u8; 32]) -> Result<bool, Self::Error> {
//!         Ok(self.0.insert(*act))
//!     }
//! }
//!
//! # let signed: &[u8] = b"";
//! let verifier = Verifier { network: [1; 32], wallet: [2; 16], keys: vec![[3; 32]] };
//! let now_ms = 1_764_316_800_000;
//! match verifier.admit(signed, now_ms, &mut Payments(BTreeSet::new())) {
//!     Ok(payment) => println!("pay {} of {} to {}", payment.amount, payment.asset, payment.to),
//!     Err(refused) => println!("nothing was paid: {refused}"),
//! }
//! ```

mod mandate;
mod read;
mod signed;
#[cfg(feature = "verify")]
mod verify;

pub use mandate::{Mandate, Payment, Permits};
pub use read::Malformed;
pub use signed::{MAX_SIGNED, Signed};
#[cfg(feature = "verify")]
pub use verify::{Once, Refused, Verifier};

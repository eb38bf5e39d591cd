//! Mandates: a signer's permission for exactly one payment, for a platform whose own wallet service or
//! custodian makes the transaction, on any chain.
//!
//! A [`Mandate`] is nine lines of text and one of signature. The text stands as the plan in the journal's release
//! entry; the signer decides again by itself, signs these bytes or nothing, and its receipt carries them.
//! Whoever holds the wallet has one call to make before it pays, [`Verifier::admit`], and pays exactly what
//! comes out of it. `docs/spec/mandate.md` says the same in a hundred lines, for any language;
//! `examples/wallet_service.rs` is a program.
//!
//! ```
//! # use portcullis_mandate::{Once, Verifier};
//! # use std::collections::BTreeSet;
//! /// Stands for the wallet service's own table of payments, with a unique key on the act.
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
//! # let vectors = include_str!("../../../docs/spec/vectors/mandates.json");
//! # let vectors: serde_json::Value = serde_json::from_str(vectors)?;
//! # let signed = vectors["cases"][0]["signed"].as_str().ok_or("no text")?.as_bytes();
//! # let mut key = [0; 32];
//! # hex::decode_to_slice(vectors["keys"][0].as_str().ok_or("no key")?, &mut key)?;
//! let verifier = Verifier { network: [0x11; 32], wallet: [0x22; 16], keys: vec![key] };
//! let mut payments = Payments(BTreeSet::new());
//! let now_ms = 1_795_859_999_999;
//! let payment = verifier.admit(signed, now_ms, &mut payments)?;
//! assert_eq!(payment.amount, 1_500_000);
//! assert_eq!(payment.to, "xrpl:0:rEb8TK3gBgk5auZkwc6sHnwrGVJH8DuaLh?dt=17");
//! // Now it is paid, and never again.
//! assert!(verifier.admit(signed, now_ms, &mut payments).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
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

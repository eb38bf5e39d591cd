//! The sealed contact (`docs/spec/contact.md`): how a customer is reached, readable by the herald alone;
//! and the sealed TOTP seeds and codes (`docs/spec/totp.md`), which it alone reads, too.
//!
//! The journal holds no address: it commits to the sealed envelope, and the envelope itself goes from the
//! back end by way of the gate to the herald, none of whom but the last can read it. Sealed is by HPKE
//! (RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305), bound to network and account.

mod contact;
mod envelope;
mod random;
mod recovery_code;
mod sealed_code;
mod totp;

pub use contact::{Contact, ContactFault, MAX_CODE, Reach};
pub use envelope::{Envelope, EnvelopeFault, MAX_ENVELOPE, SealingSecret};
pub use recovery_code::{RecoveryCode, RecoveryCodeFault};
pub use sealed_code::{open_code, seal_code};
pub use totp::{Algorithm, Digits, Seed, SeedFault, algorithm};

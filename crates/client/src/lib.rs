//! Whoever asks: everything that speaks to a gate from outside.
//!
//! A client trusts its gate as little as a keeper does. It computes an act's bytes, digest and
//! challenge itself ([`ActBuilder`]), signs every request ([`RequestSigner`]) and refuses an answer
//! that speaks of another digest ([`Gate`]). [`verify`] re-derives a journal offline.
//!
//! [`DevelopmentPasskey`] and [`Issuer`] stand in for a customer's authenticator and for the
//! platform's onboarding and ledger systems; a platform has those elsewhere.

mod act;
mod answer;
mod backtest;
mod board;
mod browser;
mod contact;
mod endpoint;
mod gate;
mod issuer;
mod machine;
mod outline;
mod passkey;
mod request;
mod totp;
pub mod verify;

pub use act::ActBuilder;
pub use answer::{
    Accepted, Account, Address, CheckpointNow, Factor, Holder, Holders, InForce, InForceDigests,
    KeeperKey, LabelLists, LabelsPut, Latch, PolicyInForce, Problem, ReEnrolment, Standing, Status,
    Takes, Webhook, WithheldRelease,
};
pub use backtest::{Backtest, Difference, backtest, in_short};
pub use board::{Board, BoardError};
pub use browser::{BrowserAssertion, challenge_text};
pub use contact::{SealError, seal};
pub use endpoint::{Endpoint, NotAnEndpoint};
pub use gate::{Gate, GateError, Question, act_of_path, same_act};
pub use issuer::Issuer;
pub use machine::Machine;
pub use outline::{Asker, Outline, Surroundings};
pub use passkey::{Ceremony, DevelopmentPasskey, PasskeyError};
pub use portcullis_contact::{
    Algorithm, Contact, Digits, Envelope, Reach, RecoveryCode, RecoveryCodeFault, Seed, SeedFault,
    algorithm,
};
pub use request::{RequestError, RequestSigner, Signed, Unsigned};
pub use totp::{seal_code, seal_seed};

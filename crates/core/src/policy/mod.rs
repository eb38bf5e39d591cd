//! Policy: Cedar text beside the limits. It only ever takes away: what core's own checks refuse, no
//! `permit` brings back, and acts that only take away are not asked about at all.
//!
//! The text is small and its data stands beside it ([`Policy`]). Core computes the [`Facts`] of an act,
//! which are few and discrete; the [`Engine`] answers from them alone. docs/design/031 has the reasons.

mod beside;
mod candidate;
mod document;
mod engine;
mod facts;
mod rates;
mod remarks;
mod shape;

pub use candidate::Candidate;
pub use document::{List, MAX_TEXT, Name, Policy, PolicyFault, Tiers};
pub use engine::{Answer, Engine, Statement, Verdict, Wanted};
pub use facts::{ASKED, Attested, BESIDE, Facts, Labelled, Money, NO_TIERS, Shares, whole_hours};
pub(crate) use rates::median;
pub use rates::{FEWEST, FiatLimit, Publisher, Quote, Rate, RateRules, Scale, SignedQuote};
pub use remarks::Remarks;

/// What a policy may ask about, in Cedar's own schema language.
pub const SCHEMA: &str = include_str!("portcullis.cedarschema");

/// A policy's answer to the facts of one act: what made a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What core computed.
    pub facts: Facts,
    /// What the policy says to that.
    pub answer: std::sync::Arc<Answer>,
}

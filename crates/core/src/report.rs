//! What a keeper posts to its gate: statements, many in one request, and the gate's word about each.
//!
//! Nothing is believed of the answer: a keeper says again what its own replica does not have.

use crate::reason::Reason;
use crate::statement::SignedStatement;
use minicbor::{Decode, Encode};

/// Most statements of one report. With these, a report of any keeper stays below what a gate takes.
pub const MAX_STATEMENTS: usize = 128;

/// The body of `POST /v1/statements`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Report(#[n(0)] pub Vec<SignedStatement>);

/// The answer: for each statement, in their order, the number of the refusal, or nothing where the
/// statement fits the journal and waits for its place there.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Verdicts(#[n(0)] Vec<Option<u16>>);

impl Verdicts {
    /// Of these outcomes.
    #[must_use]
    pub fn of(outcomes: &[Result<(), Reason>]) -> Self {
        let refusal = |outcome: &Result<(), Reason>| outcome.err().map(Reason::number);
        Self(outcomes.iter().map(refusal).collect())
    }

    /// One for each of so many statements, or nothing: then it answers something else.
    #[must_use]
    pub fn on(self, statements: usize) -> Option<Vec<Option<u16>>> {
        (self.0.len() == statements).then_some(self.0)
    }
}

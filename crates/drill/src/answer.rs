//! What the gate made of something that was sent to it.

use portcullis_client::{Accepted, GateError};
use portcullis_core::{Decision, Reason};

/// The gate's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Taken, and in effect.
    Released,
    /// Taken; it waits.
    Held,
    /// Refused.
    Refused(Reason),
    /// Something else: no answer, or one without a numbered reason.
    Lost(String),
}

impl Answer {
    /// The refusal's number, if it is one.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self {
            Self::Refused(reason) => Some(*reason),
            _ => None,
        }
    }

    /// In a word and a number, for people.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Released => "released".into(),
            Self::Held => "held".into(),
            Self::Refused(reason) => format!("{} {}", reason.number(), reason.slug()),
            Self::Lost(why) => format!("no answer: {why}"),
        }
    }
}

impl From<Result<Accepted, GateError>> for Answer {
    fn from(answer: Result<Accepted, GateError>) -> Self {
        match answer {
            Ok(accepted) => match accepted.decision {
                Some(Decision::Hold { .. }) => Self::Held,
                Some(Decision::Refuse { reason }) => Self::Refused(reason),
                Some(Decision::Release) | None => Self::Released,
            },
            Err(error) => match error.reason() {
                Some(reason) => Self::Refused(reason),
                None => Self::Lost(error.to_string()),
            },
        }
    }
}

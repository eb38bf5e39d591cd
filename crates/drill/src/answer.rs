//! What the gate made of something that was sent to it.

use portcullis_client::{Accepted, GateError};
use portcullis_core::decide::payment::PlanFault;
use portcullis_core::decision::Need;
use portcullis_core::{Decision, Reason, VoidReason};

/// The gate's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Taken, and in effect.
    Released,
    /// Taken; it waits for nothing but those with whom it is paid in one transaction, and goes out by itself.
    Batched,
    /// Taken; it waits.
    Held,
    /// Refused.
    Refused(Reason),
    /// The answer that the same act had before: nothing new was taken.
    Again,
    /// Journaled by a hostile gate and void for everybody who decides again.
    Void(Cause),
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
            Self::Batched => "released, to be paid with others".into(),
            Self::Held => "held".into(),
            Self::Again => "the first answer again, nothing new".into(),
            Self::Refused(reason) => format!("{} {}", reason.number(), reason.slug()),
            Self::Void(cause) => format!("void: {}", cause.text()),
            Self::Lost(why) => format!("no answer: {why}"),
        }
    }
}

/// Why a journaled entry counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    /// It says released where the decision is a refusal.
    Refused(Reason),
    /// It says released where the act still waits.
    StillHeld,
    /// The planned bytes are not the act's.
    OtherPlan,
    /// The planned fee is above the wallet's ceiling.
    Fee,
    /// Its time lies before an earlier entry's.
    TimeGoesBack,
    /// A checkpoint that no quorum cosigned.
    NoQuorum,
    /// Anything else.
    Other,
}

impl Cause {
    fn text(self) -> String {
        match self {
            Self::Refused(reason) => format!("{} {}", reason.number(), reason.slug()),
            Self::StillHeld => "the act still waits".into(),
            Self::OtherPlan => "the planned bytes are not the act's".into(),
            Self::Fee => "the planned fee is above the wallet's ceiling".into(),
            Self::TimeGoesBack => "its time goes back".into(),
            Self::NoQuorum => "no quorum cosigned the checkpoint".into(),
            Self::Other => "another fault".into(),
        }
    }
}

impl From<&VoidReason> for Cause {
    fn from(void: &VoidReason) -> Self {
        match void {
            VoidReason::Decision { decided, .. } => match **decided {
                Decision::Refuse { reason } => Self::Refused(reason),
                Decision::Hold { .. } => Self::StillHeld,
                Decision::Release => Self::Other,
            },
            VoidReason::Plan(PlanFault::Fee) => Self::Fee,
            VoidReason::Plan(_) => Self::OtherPlan,
            VoidReason::TimeGoesBack => Self::TimeGoesBack,
            VoidReason::Checkpoint => Self::NoQuorum,
            _ => Self::Other,
        }
    }
}

impl From<Result<Accepted, GateError>> for Answer {
    fn from(answer: Result<Accepted, GateError>) -> Self {
        match answer {
            Ok(accepted) => match accepted.decision {
                Some(Decision::Hold { needs, .. }) if needs == [Need::Batch] => Self::Batched,
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

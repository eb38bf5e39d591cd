//! Failures, as people meet them: what happened, what that means for what they have, what to do next.

use crate::out::warn;
use portcullis_client::{BoardError, RequestError};
use portcullis_client::{GateError, NotAnEndpoint, PasskeyError};
use portcullis_core::Reason;
use portcullis_core::genesis::GenesisFault;
use portcullis_core::reason::Retry;
use portcullis_host::DiskError;
use portcullis_host::clock::NotDevelopment;
use portcullis_keys::file::{NameError, PassphraseError};
use portcullis_keys::{KeyFileError, SignError};
use std::process::ExitCode;

/// How a command ended where it did not end well. The number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Something that was checked does not hold.
    Wrong = 1,
    /// The command line or a file is not as it must be.
    Usage = 2,
    /// Refused.
    Refused = 3,
    /// No answer.
    NoAnswer = 4,
    /// A process stopped.
    Stopped = 5,
}

impl Exit {
    /// What it means for what somebody has.
    fn kept(self) -> &'static str {
        match self {
            Self::Wrong => "Nothing was changed by checking.",
            Self::Usage => "Nothing was done.",
            Self::Refused => "Nothing was changed, and nothing was lost.",
            Self::NoAnswer => {
                "Nothing is lost: whatever was taken stands in the journal, and an act counts once."
            }
            Self::Stopped => {
                "What was acknowledged is safe on disk; a restart recovers from there."
            }
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)
    }
}

/// A failure.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    what: String,
    /// What it means for what somebody has, where that is not what the exit code says.
    kept: Option<&'static str>,
    next: String,
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "errors end here; by value each call site stays a plain map_err"
)]
impl Failure {
    pub(crate) fn new(exit: Exit, what: impl ToString, next: impl ToString) -> Self {
        let (what, next) = (what.to_string(), next.to_string());
        Self {
            exit,
            what,
            kept: None,
            next,
        }
    }

    /// The same failure, which means this for what somebody has.
    pub(crate) fn keeping(self, kept: &'static str) -> Self {
        let kept = Some(kept);
        Self { kept, ..self }
    }

    /// The same failure, after which this is to be done.
    pub(crate) fn then(self, next: impl ToString) -> Self {
        let next = next.to_string();
        Self { next, ..self }
    }

    pub(crate) fn usage(what: impl ToString, next: impl ToString) -> Self {
        Self::new(Exit::Usage, what, next)
    }

    /// Say it, and give the exit code.
    pub(crate) fn tell(&self) -> ExitCode {
        warn(format_args!("portcullis: {}", self.what));
        warn(self.kept.unwrap_or_else(|| self.exit.kept()));
        if !self.next.is_empty() {
            warn(format_args!("Next: {}", self.next));
        }
        ExitCode::from(self.exit as u8)
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    pub(crate) fn what(&self) -> &str {
        &self.what
    }
}

impl From<GateError> for Failure {
    fn from(error: GateError) -> Self {
        let (exit, next) = match &error {
            GateError::NoAnswer(_) => (
                Exit::NoAnswer,
                "see that the gate runs and is reached (portcullis doctor), then ask for the act under its digest",
            ),
            GateError::Refused(problem) => (Exit::Refused, after_refusal(problem.reason())),
            GateError::Unreadable { .. } => (
                Exit::NoAnswer,
                "see that the address is a gate's, and of this version",
            ),
            GateError::OtherAct { .. } => (Exit::Wrong, "portcullis verify journal"),
            GateError::Request(_) | GateError::Method(_) | GateError::Target(_) => {
                (Exit::Usage, "")
            }
        };
        Self::new(exit, error, next)
    }
}

/// What to do about a refusal, by its own word on repeating.
pub(crate) fn after_refusal(reason: Option<Reason>) -> &'static str {
    match reason.map(Reason::retry) {
        Some(Retry::Later) => "send the same again later: with the same act it counts once",
        Some(Retry::Anew) => "make a new act, or bring the evidence that the detail names",
        Some(Retry::Never) => {
            "correct what the detail names; docs/spec/reasons.md has every reason"
        }
        None => "look the path up in the gate's /openapi.json",
    }
}

impl From<BoardError> for Failure {
    fn from(error: BoardError) -> Self {
        match error {
            BoardError::Answer(error) => error.into(),
            BoardError::Loosens => Self::usage(error, ""),
            other => Self::new(
                Exit::Wrong,
                other,
                "compare the board's address with your records",
            ),
        }
    }
}

/// Errors whose own text says what to do.
macro_rules! usage {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::usage(error, "")
            }
        })*
    };
}

usage!(
    DiskError,
    GenesisFault,
    KeyFileError,
    NameError,
    NotAnEndpoint,
    NotDevelopment,
    PassphraseError,
    PasskeyError,
    RequestError,
    SignError,
);

//! What a board looks at before it takes a posting: nothing that needs state, and everything that
//! makes a posting useless in every state.

use super::store::StoreError;
use crate::response::Response;
use portcullis_core::board::{MAX_POSTING, Posting};
use portcullis_core::evidence::{Evidence, MAX_PIECES};
use portcullis_core::link::LONGEST_LINK;
use portcullis_core::request::parse_base;
use portcullis_core::{Digest, Reason, Span, Time};
use portcullis_keys::SignError;

/// The longest life of an act, as `decide` judges it.
const LONGEST_LIFE: Span = Span::hours(24);

/// Why a posting is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// By a numbered reason.
    #[error("{0}")]
    Reason(Reason),
    /// Not the JSON of a posting.
    #[error("not a posting: {0}")]
    Json(serde_json::Error),
    /// It has a stamp already.
    #[error("`posted` is the board's to add: post act and evidence without it")]
    Stamped,
    /// The act gives something.
    #[error("a stop board takes restricting acts only; send this one to the gate")]
    Loosening,
    /// All places are taken, or too many postings came within a minute.
    #[error("the board has no room for this posting at present; nothing was kept")]
    NoRoom {
        /// Seconds after which asking again makes sense.
        retry_after: u64,
    },
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] SignError),
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A disk error has happened before.
    #[error("the board has stopped after a disk error; it must be started again")]
    Stopped,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::Reason(reason)
    }
}

impl Refusal {
    pub(crate) fn response(&self) -> Response {
        let detail = self.to_string();
        match self {
            Self::Reason(reason @ Reason::TooLarge) => Response::refused(413, *reason),
            Self::Reason(reason) => Response::refused(422, *reason),
            Self::Json(_) | Self::Stamped => {
                Response::refused_because(400, Reason::Malformed, &detail)
            }
            Self::Loosening => Response::problem(422, "Unprocessable Content", &detail),
            Self::NoRoom { retry_after } => {
                Response::refused_because(429, Reason::Busy, &detail).retry_after(*retry_after)
            }
            Self::Key(_) | Self::Store(_) | Self::Stopped => {
                Response::problem(503, "Service Unavailable", &detail)
            }
        }
    }
}

/// Reads a posting for this network.
pub(super) fn parse(body: &[u8], genesis: Digest) -> Result<Posting, Refusal> {
    if body.len() > MAX_POSTING {
        return Err(Reason::TooLarge.into());
    }
    let posting: Posting = serde_json::from_slice(body).map_err(Refusal::Json)?;
    let Posting { act, evidence } = &posting;
    if evidence.posted.is_some() {
        return Err(Refusal::Stamped);
    }
    if act.genesis != genesis {
        return Err(Reason::WrongGenesis.into());
    }
    if !act.kind.is_restricting() {
        return Err(Refusal::Loosening);
    }
    check_evidence(evidence, act.digest())?;
    Ok(posting)
}

/// There is a proof by somebody, and no piece is about another act: `decide` refuses an act for one
/// such piece.
fn check_evidence(evidence: &Evidence, act: Digest) -> Result<(), Reason> {
    let Evidence {
        requests,
        assertions,
        attestations,
        posted: _,
        code,
        link,
    } = evidence;
    // Only the herald could say what it is worth, and it hears of what is journaled.
    if code.is_some() {
        return Err(Reason::CodeOutOfPlace);
    }
    let counts = [requests.len(), assertions.len(), attestations.len()];
    if counts.into_iter().any(|count| count > MAX_PIECES) {
        return Err(Reason::TooLarge);
    }
    if link.is_some() {
        let is_alone = counts == [0; 3];
        return is_alone.then_some(()).ok_or(Reason::LinkOutOfPlace);
    }
    if requests.is_empty() && assertions.is_empty() {
        return Err(Reason::FactorMissing);
    }
    for request in requests {
        let base = parse_base(&request.base).map_err(|_| Reason::RequestInvalid)?;
        if base.parts().act != Some(act.0) {
            return Err(Reason::RequestForAnotherAct);
        }
    }
    if attestations.iter().any(|a| a.statement.act != act) {
        return Err(Reason::AttestationForAnotherAct);
    }
    Ok(())
}

/// The act can be submitted now.
pub(super) fn check_life(posting: &Posting, now: Time) -> Result<(), Reason> {
    let Posting { act, evidence } = posting;
    let longest = evidence
        .link
        .as_ref()
        .map_or(LONGEST_LIFE, |_| LONGEST_LINK);
    if act.expires <= now {
        return Err(Reason::Expired);
    }
    if act.expires > now.after(longest) {
        return Err(Reason::ExpiryTooFar);
    }
    Ok(())
}

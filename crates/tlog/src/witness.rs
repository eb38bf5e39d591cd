//! The witness protocol (C2SP tlog-witness): what a log posts to `add-checkpoint`, what a witness
//! answers, and how it decides.
//!
//! ```text
//! request = "old " size LF *63( base64(hash) LF ) LF note
//! answer  = 200: signature lines; 409: known size LF, text/x.tlog.size
//! ```

use std::fmt::{self, Write};

use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint, parse_size};
use crate::cosignature::{Cosignature, Timestamp};
use crate::hash::{Hash, TreeHead};
use crate::key::{KeyName, LogKey, SignError, Signer, Witness};
use crate::note::{MAX_NOTE_BYTES, Note, NoteError, NoteSignature, SignatureError};
use crate::proof::{MAX_PROOF_HASHES, ProofError, verify_consistency};

/// The longest request body that is read: the size line, the proof, the empty line, the note.
pub const MAX_REQUEST_BYTES: usize = 32 + MAX_PROOF_HASHES * HASH_LINE_BYTES + 1 + MAX_NOTE_BYTES;

/// Content type of the answer 409 when it names the known size.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";

const HASH_LINE_BYTES: usize = 45;
const OLD_PREFIX: &str = "old ";

/// The body of an `add-checkpoint` request. The signatures in it are not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    old_size: u64,
    proof: Vec<Hash>,
    checkpoint: Checkpoint,
    note: Note,
}

/// Why bytes are no `add-checkpoint` request. Answered with status 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Above [`MAX_REQUEST_BYTES`].
    #[error("the request is longer than {MAX_REQUEST_BYTES} bytes")]
    TooLong,
    /// Not UTF-8, or the lines before the note are not as specified.
    #[error("the request is not an old size line, proof lines, an empty line and a note")]
    Malformed,
    /// More than 63 proof lines.
    #[error("the request has more than {MAX_PROOF_HASHES} proof lines")]
    ProofTooLong,
    /// What follows is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl From<NoteError> for RequestError {
    fn from(error: NoteError) -> Self {
        Self::Checkpoint(error.into())
    }
}

impl AddCheckpoint {
    /// A request to cosign `signed`, which extends the tree of `old_size` leaves by `proof`.
    #[must_use]
    pub fn new(old_size: u64, proof: Vec<Hash>, signed: &SignedCheckpoint) -> Self {
        let (checkpoint, note) = (signed.checkpoint().clone(), signed.note().clone());
        Self {
            old_size,
            proof,
            checkpoint,
            note,
        }
    }

    /// Reads a request body.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.len() > MAX_REQUEST_BYTES {
            return Err(RequestError::TooLong);
        }
        let body = str::from_utf8(body).map_err(|_| RequestError::Malformed)?;
        let (head, note) = body.split_once("\n\n").ok_or(RequestError::Malformed)?;
        let mut lines = head.split('\n');
        let old_size = lines.next().and_then(|line| line.strip_prefix(OLD_PREFIX));
        let old_size = old_size
            .and_then(parse_size)
            .ok_or(RequestError::Malformed)?;
        let proof = read_proof(lines)?;
        let note = Note::parse(note.as_bytes())?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Self {
            old_size,
            proof,
            checkpoint,
            note,
        })
    }

    /// The log that the checkpoint claims to be of: by it the witness finds log key and state.
    #[must_use]
    pub fn origin(&self) -> &KeyName {
        self.checkpoint.origin()
    }

    /// The first of these keys of which the note bears a signature line. It proves nothing: [`decide`] checks
    /// the signature.
    #[must_use]
    pub fn bears<'a>(&self, keys: &'a [LogKey]) -> Option<&'a LogKey> {
        let lines = self.note.signatures();
        let is_on = |key: &&LogKey| {
            let mut lines = lines.iter();
            lines.any(|line| line.name() == key.name() && line.id() == key.id())
        };
        keys.iter().find(is_on)
    }

    /// Size of the tree that the proof starts from.
    #[must_use]
    pub fn old_size(&self) -> u64 {
        self.old_size
    }
}

fn read_proof<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Hash>, RequestError> {
    let mut proof = Vec::new();
    for line in lines {
        if proof.len() == MAX_PROOF_HASHES {
            return Err(RequestError::ProofTooLong);
        }
        proof.push(Hash::from_base64(line).map_err(|_| RequestError::Malformed)?);
    }
    Ok(proof)
}

impl fmt::Display for AddCheckpoint {
    /// The request body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{OLD_PREFIX}{}", self.old_size)?;
        self.proof
            .iter()
            .try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        f.write_char('\n')?;
        self.note.fmt(f)
    }
}

/// A checkpoint that the witness may cosign, once it has made [`Accepted::head`] durable.
///
/// Nothing else can be cosigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    signed: SignedCheckpoint,
}

impl Accepted {
    /// The witness' new state for this log. It must be durable, and written only where the state
    /// that was decided upon still stands, before the cosignature leaves.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        self.signed.head()
    }

    /// The checkpoint.
    #[must_use]
    pub fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    /// Cosigns it, as of `time`.
    pub fn cosign(
        &self,
        time: Timestamp,
        signer: &(impl Signer<Witness> + ?Sized),
    ) -> Result<Cosignature, SignError> {
        Cosignature::sign(&self.signed, time, signer)
    }
}

/// Why a witness does not cosign; in the order in which it checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The body is no request.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The witness knows no log of this origin.
    #[error("this witness does not serve the checkpoint's origin")]
    UnknownOrigin,
    /// The log's key did not sign the checkpoint.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The old size is above the checkpoint's.
    #[error("the old size is above the checkpoint's size")]
    OldSizeTooLarge,
    /// The old size is not that of the latest cosigned checkpoint: ask again, from there.
    #[error("the latest cosigned checkpoint has size {known}")]
    OtherSize {
        /// Size of the latest cosigned checkpoint.
        known: u64,
    },
    /// The log signed two roots for one size. It is a fork: keep the request as evidence.
    #[error("another root was cosigned for size {known}: the log has forked")]
    Fork {
        /// Size of the latest cosigned checkpoint.
        known: u64,
    },
    /// The proof does not lead from the latest cosigned checkpoint to this one. It may be evidence
    /// of a fork: keep the request.
    #[error("not consistent with the latest cosigned checkpoint: {0}")]
    Inconsistent(ProofError),
}

impl Rejection {
    /// The HTTP status that tlog-witness assigns.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Request(_) | Self::OldSizeTooLarge => 400,
            Self::Signature(_) => 403,
            Self::UnknownOrigin => 404,
            Self::OtherSize { .. } | Self::Fork { .. } => 409,
            Self::Inconsistent(_) => 422,
        }
    }

    /// The size that a 409 must name, on a line of its own, as [`SIZE_CONTENT_TYPE`].
    #[must_use]
    pub fn known_size(&self) -> Option<u64> {
        match self {
            Self::OtherSize { known } | Self::Fork { known } => Some(*known),
            _ => None,
        }
    }
}

/// Decides on a request for the log `log`, of which the witness cosigned `latest` last, if ever.
///
/// Equal size and root pass with an empty proof: so a log renews the time of its cosignatures.
pub fn decide(
    latest: Option<TreeHead>,
    request: AddCheckpoint,
    log: &LogKey,
) -> Result<Accepted, Rejection> {
    let latest = latest.unwrap_or(TreeHead::EMPTY);
    let AddCheckpoint {
        old_size,
        proof,
        note,
        ..
    } = request;
    let signed = SignedCheckpoint::verify(note, log).map_err(refusal_of)?;
    let new = signed.head();
    if old_size > new.size {
        return Err(Rejection::OldSizeTooLarge);
    }
    if old_size != latest.size {
        return Err(Rejection::OtherSize { known: latest.size });
    }
    if new.size == latest.size && new.size != 0 && new.root != latest.root {
        return Err(Rejection::Fork { known: latest.size });
    }
    verify_consistency(&latest, &new, &proof).map_err(Rejection::Inconsistent)?;
    Ok(Accepted { signed })
}

fn refusal_of(error: CheckpointError) -> Rejection {
    match error {
        CheckpointError::OtherOrigin => Rejection::UnknownOrigin,
        CheckpointError::Signature(error) => Rejection::Signature(error),
        other => Rejection::Request(other.into()),
    }
}

/// What a witness answered, as the log reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Signature lines, to be checked by
    /// [`WitnessKey::verify_answer`](crate::WitnessKey::verify_answer).
    Cosigned(Vec<NoteSignature>),
    /// The witness is at this size: send the consistency proof from there. If that is the size that
    /// was sent, the witness has another root for it, and asking again is useless.
    At(u64),
    /// Refused for good, or an answer that the protocol does not have.
    Refused {
        /// HTTP status.
        status: u16,
    },
}

impl Answer {
    /// Reads an answer. A caller limits the body to [`MAX_NOTE_BYTES`] before.
    #[must_use]
    pub fn parse(status: u16, body: &[u8]) -> Self {
        let read = match status {
            200 => NoteSignature::parse_lines(body).ok().map(Self::Cosigned),
            409 => read_known_size(body).map(Self::At),
            _ => None,
        };
        read.unwrap_or(Self::Refused { status })
    }
}

fn read_known_size(body: &[u8]) -> Option<u64> {
    parse_size(str::from_utf8(body).ok()?.strip_suffix('\n')?)
}

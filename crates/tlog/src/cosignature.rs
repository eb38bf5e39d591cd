//! Cosignatures: a witness' statement that a checkpoint is the largest it has seen of a log, and
//! when (C2SP tlog-cosignature, `cosignature/v1`).
//!
//! ```text
//! message         = "cosignature/v1" LF "time " unix seconds LF checkpoint body
//! signature bytes = unix seconds: u64 big-endian || Ed25519(message)
//! ```

use crate::checkpoint::SignedCheckpoint;
use crate::key::{SignError, Signer, Witness, WitnessKey};
use crate::note::{Note, NoteSignature, SignatureError};

/// A moment in unix seconds, from 1 to 2^63 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(u64);

/// Zero, which says "no time", or above 2^63 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a cosignature's time is 1 to 2^63 - 1 unix seconds")]
pub struct TimestampError;

impl Timestamp {
    /// A moment, in seconds since 1970-01-01 UTC.
    pub fn from_unix(seconds: u64) -> Result<Self, TimestampError> {
        let in_range = seconds != 0 && i64::try_from(seconds).is_ok();
        if in_range {
            Ok(Self(seconds))
        } else {
            Err(TimestampError)
        }
    }

    /// Seconds since 1970-01-01 UTC.
    #[must_use]
    pub fn unix(self) -> u64 {
        self.0
    }
}

/// A cosignature that was verified, or just made, over one checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    time: Timestamp,
    signature: NoteSignature,
}

impl Cosignature {
    pub(crate) fn sign(
        checkpoint: &SignedCheckpoint,
        time: Timestamp,
        signer: &(impl Signer<Witness> + ?Sized),
    ) -> Result<Self, SignError> {
        let signature = signer.sign(&message(time, checkpoint.note().text()))?;
        let bytes = [time.0.to_be_bytes().as_slice(), &signature].concat();
        Ok(Self {
            time,
            signature: NoteSignature::new(signer.key(), bytes),
        })
    }

    /// When the witness says that it signed.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The signature line.
    #[must_use]
    pub fn signature(&self) -> &NoteSignature {
        &self.signature
    }

    pub(crate) fn into_signature(self) -> NoteSignature {
        self.signature
    }
}

impl WitnessKey {
    /// Finds and checks this witness' cosignature on a checkpoint among the signature lines of its
    /// answer.
    pub fn verify_answer(
        &self,
        checkpoint: &SignedCheckpoint,
        signatures: &[NoteSignature],
    ) -> Result<Cosignature, SignatureError> {
        self.verify_over(checkpoint.note().text(), signatures)
    }

    /// Finds and checks this witness' cosignature on a note.
    pub(crate) fn verify(&self, note: &Note) -> Result<Cosignature, SignatureError> {
        self.verify_over(note.text(), note.signatures())
    }

    fn verify_over(
        &self,
        body: &str,
        signatures: &[NoteSignature],
    ) -> Result<Cosignature, SignatureError> {
        let signature = self.find(signatures)?;
        let (seconds, ed25519) = signature
            .bytes()
            .split_first_chunk::<8>()
            .ok_or(SignatureError::Bad)?;
        let time = Timestamp::from_unix(u64::from_be_bytes(*seconds));
        let time = time.map_err(|_| SignatureError::Bad)?;
        if !self.has_signed(&message(time, body), ed25519) {
            return Err(SignatureError::Bad);
        }
        Ok(Cosignature {
            time,
            signature: signature.clone(),
        })
    }
}

/// The bytes that a witness signs.
fn message(time: Timestamp, body: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {}\n{body}", time.0).into_bytes()
}

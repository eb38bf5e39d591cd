//! How many witnesses must have cosigned a checkpoint, and the proof that they did.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::checkpoint::{BodyDigest, Checkpoint, CheckpointError, SignedCheckpoint};
use crate::cosignature::Timestamp;
use crate::hash::TreeHead;
use crate::key::{KeyName, LogKey, WitnessKey};
use crate::note::{Note, SignatureError};

/// The most witnesses that a quorum may choose from, well below the signatures that a note takes.
pub const MAX_WITNESSES: usize = 32;

/// The witnesses of a log, and how many of them make a checkpoint count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    witnesses: Vec<WitnessKey>,
    k: usize,
}

/// Why witnesses and threshold make no quorum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuorumError {
    /// None, or more than [`MAX_WITNESSES`].
    #[error("a quorum needs 1 to {MAX_WITNESSES} witnesses")]
    WitnessCount,
    /// Two witnesses share a name or a public key. Cosignatures do not commit to the name, so one
    /// key under two names would count twice.
    #[error("two witnesses share a name or a public key")]
    NotDistinct,
    /// More are demanded than there are.
    #[error("the quorum demands more witnesses than there are")]
    Unreachable,
    /// Two quorums could share only dishonest witnesses and so certify a fork.
    #[error("k must be above (n + f) / 2, so that any two quorums share an honest witness")]
    TooWeak,
}

impl Quorum {
    /// Any `k` of `witnesses`, of which up to `f` may be dishonest; `k > (n + f) / 2`.
    pub fn new(witnesses: Vec<WitnessKey>, k: u32, f: u32) -> Result<Self, QuorumError> {
        let n = witnesses.len();
        if n == 0 || n > MAX_WITNESSES {
            return Err(QuorumError::WitnessCount);
        }
        let names: BTreeSet<_> = witnesses.iter().map(WitnessKey::name).collect();
        let keys: BTreeSet<_> = witnesses.iter().map(WitnessKey::public).collect();
        if names.len() != n || keys.len() != n {
            return Err(QuorumError::NotDistinct);
        }
        let k = usize::try_from(k).map_err(|_| QuorumError::Unreachable)?;
        if k > n {
            return Err(QuorumError::Unreachable);
        }
        if 2 * k as u64 <= n as u64 + u64::from(f) {
            return Err(QuorumError::TooWeak);
        }
        Ok(Self { witnesses, k })
    }

    /// All witnesses.
    #[must_use]
    pub fn witnesses(&self) -> &[WitnessKey] {
        &self.witnesses
    }

    /// How many of them are needed.
    #[must_use]
    pub fn k(&self) -> usize {
        self.k
    }
}

/// A checkpoint that the log has signed and a quorum of distinct witnesses has cosigned.
///
/// Of all valid cosignatures the `k` most recent ones count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    signed: SignedCheckpoint,
    oldest: Timestamp,
    newest: Timestamp,
    witnesses: Vec<KeyName>,
}

/// Why a note is no quorum-cosigned checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CosignedError {
    /// It is no checkpoint signed by the log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A witness' line is there, and is wrong or there twice: the note was tampered with.
    #[error("witness {witness}: {error}")]
    Witness {
        /// Which witness.
        witness: KeyName,
        /// What is wrong with its cosignature.
        error: SignatureError,
    },
    /// Fewer distinct witnesses than the quorum demands.
    #[error("{got} of the {needed} witnesses that are needed have cosigned")]
    TooFew {
        /// How many the quorum demands.
        needed: usize,
        /// How many have cosigned.
        got: usize,
    },
}

impl Cosigned {
    /// Reads a note and checks the log's signature, every cosignature by a witness of the quorum,
    /// and that there are enough.
    pub fn parse(note: &[u8], log: &LogKey, quorum: &Quorum) -> Result<Self, CosignedError> {
        Self::verify(SignedCheckpoint::parse(note, log)?, quorum)
    }

    /// As [`Cosigned::parse`], for a checkpoint whose log signature was verified before.
    pub fn verify(signed: SignedCheckpoint, quorum: &Quorum) -> Result<Self, CosignedError> {
        let mut cosigners = cosigners(signed.note(), quorum)?;
        let too_few = CosignedError::TooFew {
            needed: quorum.k,
            got: cosigners.len(),
        };
        cosigners.sort_by_key(|(time, _)| Reverse(*time));
        cosigners.truncate(quorum.k);
        let (Some((newest, _)), Some((oldest, _)), true) = (
            cosigners.first(),
            cosigners.last(),
            cosigners.len() == quorum.k,
        ) else {
            return Err(too_few);
        };
        let (oldest, newest) = (*oldest, *newest);
        let witnesses = cosigners.into_iter().map(|(_, name)| name).collect();
        Ok(Self {
            signed,
            oldest,
            newest,
            witnesses,
        })
    }

    /// What it says.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        self.signed.checkpoint()
    }

    /// Size and root.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        self.signed.head()
    }

    /// How acts name it.
    #[must_use]
    pub fn body_digest(&self) -> BodyDigest {
        self.signed.body_digest()
    }

    /// The checkpoint as the log signed it, with the whole note.
    #[must_use]
    pub fn signed(&self) -> &SignedCheckpoint {
        &self.signed
    }

    /// The earliest time among the `k` most recent cosignatures: freshness counts from it.
    #[must_use]
    pub fn oldest(&self) -> Timestamp {
        self.oldest
    }

    /// The latest time among all cosignatures: delays count from it.
    #[must_use]
    pub fn newest(&self) -> Timestamp {
        self.newest
    }

    /// The `k` witnesses that count, most recent first.
    #[must_use]
    pub fn witnesses(&self) -> &[KeyName] {
        &self.witnesses
    }
}

fn cosigners(note: &Note, quorum: &Quorum) -> Result<Vec<(Timestamp, KeyName)>, CosignedError> {
    let mut found = Vec::new();
    for witness in &quorum.witnesses {
        match witness.verify(note) {
            Ok(cosignature) => found.push((cosignature.time(), witness.name().clone())),
            Err(SignatureError::Missing) => {}
            Err(error) => {
                return Err(CosignedError::Witness {
                    witness: witness.name().clone(),
                    error,
                });
            }
        }
    }
    Ok(found)
}

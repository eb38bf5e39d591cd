//! Checkpoints: a log's signed statement of its size and root (C2SP tlog-checkpoint).
//!
//! ```text
//! body = origin LF size LF base64(root) LF *(extension LF)
//! ```

use std::fmt::{self, Write};

use sha2::{Digest, Sha256};

use crate::cosignature::Cosignature;
use crate::hash::{Hash, MAX_TREE_SIZE, TreeHead};
use crate::key::{KeyName, Log, LogKey, SignError, Signer};
use crate::note::{Note, NoteError, SignatureError};

/// SHA-256 of a checkpoint's body: how acts name a checkpoint.
///
/// The body is the signed text; the signatures under it are no part of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BodyDigest([u8; 32]);

impl BodyDigest {
    /// Takes bytes that are such a digest already.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for BodyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BodyDigest({})", hex::encode(self.0))
    }
}

/// What a checkpoint says, signed or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: KeyName,
    head: TreeHead,
    extensions: Vec<String>,
}

/// Why a checkpoint is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is no signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The body lacks one of its first three lines, has an empty line, or does not end in a
    /// newline.
    #[error("a checkpoint body is an origin, a size, a root and extensions, on a line each")]
    NotABody,
    /// The origin cannot be a key's name.
    #[error("the origin is no key name: spaces, '+' or control characters, or above 255 bytes")]
    BadOrigin,
    /// The size is no canonical decimal up to [`MAX_TREE_SIZE`].
    #[error("the size is no decimal without leading zeros up to 2^62")]
    BadSize,
    /// The root is no canonical base64 of 32 bytes.
    #[error("the root is no canonical base64 of 32 bytes")]
    BadRoot,
    /// It is a checkpoint of another log.
    #[error("the checkpoint is of another log than the key's")]
    OtherOrigin,
    /// The log's key did not sign it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl Checkpoint {
    /// A checkpoint of the log `origin`, without extension lines.
    #[must_use]
    pub fn new(origin: KeyName, head: TreeHead) -> Self {
        Self {
            origin,
            head,
            extensions: Vec::new(),
        }
    }

    /// Reads a body: the text of a note.
    pub fn parse(body: &str) -> Result<Self, CheckpointError> {
        let mut lines = body
            .strip_suffix('\n')
            .ok_or(CheckpointError::NotABody)?
            .split('\n');
        let mut next = || lines.next().ok_or(CheckpointError::NotABody);
        let origin = KeyName::new(next()?).map_err(|_| CheckpointError::BadOrigin)?;
        let size = parse_size(next()?).ok_or(CheckpointError::BadSize)?;
        let root = Hash::from_base64(next()?).map_err(|_| CheckpointError::BadRoot)?;
        let extensions: Vec<_> = lines.map(str::to_owned).collect();
        let is_line = |line: &String| !line.is_empty() && !line.contains(char::is_control);
        if !extensions.iter().all(is_line) {
            return Err(CheckpointError::NotABody);
        }
        Ok(Self {
            origin,
            head: TreeHead { size, root },
            extensions,
        })
    }

    /// Which log.
    #[must_use]
    pub fn origin(&self) -> &KeyName {
        &self.origin
    }

    /// Size and root.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        self.head
    }

    /// Lines after the first three, which this crate gives no meaning. Portcullis writes none.
    #[must_use]
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// The body: the bytes that the log signs.
    #[must_use]
    pub fn body(&self) -> String {
        let TreeHead { size, root } = self.head;
        let mut body = format!("{}\n{size}\n{}\n", self.origin, root.to_base64());
        for line in &self.extensions {
            // Writing to a string cannot fail.
            let _ = writeln!(body, "{line}");
        }
        body
    }

    /// SHA-256 of [`Checkpoint::body`].
    #[must_use]
    pub fn body_digest(&self) -> BodyDigest {
        BodyDigest(Sha256::digest(self.body()).into())
    }
}

/// A checkpoint that the log has signed. Witnesses may have cosigned it or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

/// A checkpoint that was read, and not yet known to be signed: which key it must be signed by may be a matter
/// of its size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadCheckpoint {
    checkpoint: Checkpoint,
    note: Note,
}

impl ReadCheckpoint {
    /// Reads a note of which the text is a checkpoint.
    pub fn parse(note: &[u8]) -> Result<Self, CheckpointError> {
        Self::of(Note::parse(note)?)
    }

    /// The same, of a note read before.
    pub fn of(note: Note) -> Result<Self, CheckpointError> {
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Self { checkpoint, note })
    }

    /// The log that it claims to be of.
    #[must_use]
    pub fn origin(&self) -> &KeyName {
        &self.checkpoint.origin
    }

    /// The size and root that somebody claims.
    #[must_use]
    pub fn claimed(&self) -> TreeHead {
        self.checkpoint.head
    }

    /// Checks that it is of the key's log and has one signature by the key.
    pub fn verify(self, log: &LogKey) -> Result<SignedCheckpoint, CheckpointError> {
        let Self { checkpoint, note } = self;
        if checkpoint.origin != *log.name() {
            return Err(CheckpointError::OtherOrigin);
        }
        log.verify(&note)?;
        Ok(SignedCheckpoint { checkpoint, note })
    }
}

impl SignedCheckpoint {
    /// Signs a checkpoint as the log, whose key bears the origin as its name.
    pub fn sign(head: TreeHead, signer: &(impl Signer<Log> + ?Sized)) -> Result<Self, SignError> {
        let checkpoint = Checkpoint::new(signer.key().name().clone(), head);
        let note = Note::sign(checkpoint.body(), signer)?;
        Ok(Self { checkpoint, note })
    }

    /// Reads a note and checks that it is a checkpoint of the key's log with one signature by the
    /// key.
    pub fn parse(note: &[u8], log: &LogKey) -> Result<Self, CheckpointError> {
        Self::verify(Note::parse(note)?, log)
    }

    /// As [`SignedCheckpoint::parse`], for a note read before.
    pub fn verify(note: Note, log: &LogKey) -> Result<Self, CheckpointError> {
        ReadCheckpoint::of(note)?.verify(log)
    }

    /// What it says.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Size and root.
    #[must_use]
    pub fn head(&self) -> TreeHead {
        self.checkpoint.head
    }

    /// How acts name it.
    #[must_use]
    pub fn body_digest(&self) -> BodyDigest {
        self.checkpoint.body_digest()
    }

    /// The whole note, with all signature lines.
    #[must_use]
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// Adds a cosignature. One of the same witness that is there already is replaced.
    pub fn add_cosignature(&mut self, cosignature: Cosignature) {
        self.note.replace(cosignature.into_signature());
    }
}

/// A decimal as checkpoints and requests write it.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let size: u64 = text.parse().ok().filter(|size| *size <= MAX_TREE_SIZE)?;
    // "+1" and "01" are numbers for `parse`, but no canonical decimals.
    (size.to_string() == text).then_some(size)
}

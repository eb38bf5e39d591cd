//! Signed notes: a text and the signatures under it (C2SP signed-note).
//!
//! ```text
//! note      = text LF 1*signature          text ends in LF
//! signature = U+2014 SP name SP base64(key id || signature bytes) LF
//! ```
//!
//! Parsing proves nothing about the signatures. [`VerifierKey`] finds and checks its own; those of
//! unknown keys are ignored.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};

use crate::key::{KeyId, KeyName, Log, LogKey, Role, SignError, Signer, VerifierKey};

/// The longest note that is read.
pub const MAX_NOTE_BYTES: usize = 128 * 1024;
/// The most signatures that a note may have. The specification asks for at least 16.
pub const MAX_NOTE_SIGNATURES: usize = 64;

const SIGNATURE_PREFIX: &str = "\u{2014} ";
const TEXT_END: &str = "\n\n";

/// A text with the signature lines under it, verified or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: KeyName,
    id: KeyId,
    bytes: Vec<u8>,
}

/// Why bytes are no note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Above [`MAX_NOTE_BYTES`].
    #[error("a note has at most {MAX_NOTE_BYTES} bytes")]
    TooLong,
    /// Not UTF-8, or with a control character other than newline.
    #[error("a note is UTF-8 without control characters other than newline")]
    NotText,
    /// No empty line, or no signature line under it.
    #[error("a note is a text, an empty line and at least one signature line")]
    NoSignatures,
    /// More than [`MAX_NOTE_SIGNATURES`].
    #[error("a note has at most {MAX_NOTE_SIGNATURES} signatures")]
    TooManySignatures,
    /// A line under the text is no canonical signature line.
    #[error("signature line {line} is not \"\u{2014} name base64\"")]
    BadSignatureLine {
        /// Which line, from 1.
        line: usize,
    },
}

/// Why a note is not taken as signed by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No line has the key's name and id.
    #[error("the note has no signature by this key")]
    Missing,
    /// Two lines have the key's name and id.
    #[error("the note has more than one signature by this key")]
    Repeated,
    /// A line has the key's name and id, and its signature is not the key's over this text.
    #[error("the signature by this key is wrong: the text or the signature was altered")]
    Bad,
}

impl Note {
    /// Reads a note.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        let note = plain_text(bytes)?;
        let end = note.rfind(TEXT_END).ok_or(NoteError::NoSignatures)?;
        let (text, signatures) = (&note[..=end], &note[end + TEXT_END.len()..]);
        Ok(Self {
            text: text.to_owned(),
            signatures: read_lines(signatures)?,
        })
    }

    /// Signs a text, which must end in a newline to be readable as a note again.
    pub(crate) fn sign(
        text: String,
        signer: &(impl Signer<Log> + ?Sized),
    ) -> Result<Self, SignError> {
        let signature = signer.sign(text.as_bytes())?;
        let signatures = vec![NoteSignature::new(signer.key(), signature.to_vec())];
        Ok(Self { text, signatures })
    }

    /// The signed text, with its final newline.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signature lines, those of unknown keys included.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature in place of one with the same name and id.
    pub(crate) fn replace(&mut self, signature: NoteSignature) {
        self.signatures
            .retain(|s| (&s.name, s.id) != (&signature.name, signature.id));
        self.signatures.push(signature);
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures
            .iter()
            .try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl NoteSignature {
    pub(crate) fn new<R: Role>(key: &VerifierKey<R>, bytes: Vec<u8>) -> Self {
        Self {
            name: key.name().clone(),
            id: key.id(),
            bytes,
        }
    }

    /// Reads signature lines, each ended by a newline: the answer of a witness.
    pub fn parse_lines(bytes: &[u8]) -> Result<Vec<Self>, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong);
        }
        read_lines(plain_text(bytes)?)
    }

    /// The name that the line gives.
    #[must_use]
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key id that the line gives.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The signature without the key id; its form depends on the key's type.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, base64) = line.strip_prefix(SIGNATURE_PREFIX)?.split_once(' ')?;
        let decoded = BASE64.decode(base64).ok()?;
        let (id, bytes) = decoded
            .split_first_chunk::<4>()
            .filter(|(_, rest)| !rest.is_empty())?;
        let name = KeyName::new(name).ok()?;
        Some(Self {
            name,
            id: KeyId::from_bytes(*id),
            bytes: bytes.to_vec(),
        })
    }
}

impl fmt::Display for NoteSignature {
    /// The line without its newline.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.as_bytes(), self.bytes.as_slice()].concat();
        write!(
            f,
            "{SIGNATURE_PREFIX}{} {}",
            self.name,
            BASE64.encode(bytes)
        )
    }
}

impl<R: Role> VerifierKey<R> {
    /// The one line that has this key's name and id, unverified.
    pub(crate) fn find<'a>(
        &self,
        signatures: &'a [NoteSignature],
    ) -> Result<&'a NoteSignature, SignatureError> {
        let is_mine = |s: &&NoteSignature| s.name == *self.name() && s.id == self.id();
        let mut mine = signatures.iter().filter(is_mine);
        let first = mine.next().ok_or(SignatureError::Missing)?;
        if mine.next().is_some() {
            Err(SignatureError::Repeated)
        } else {
            Ok(first)
        }
    }
}

impl LogKey {
    /// Checks that this key signed the note.
    pub fn verify(&self, note: &Note) -> Result<(), SignatureError> {
        let signature = self.find(&note.signatures)?;
        let valid = self.has_signed(note.text.as_bytes(), &signature.bytes);
        if valid {
            Ok(())
        } else {
            Err(SignatureError::Bad)
        }
    }
}

fn plain_text(bytes: &[u8]) -> Result<&str, NoteError> {
    let text = str::from_utf8(bytes).map_err(|_| NoteError::NotText)?;
    let has_control = text.bytes().any(|byte| byte < b' ' && byte != b'\n');
    if has_control {
        Err(NoteError::NotText)
    } else {
        Ok(text)
    }
}

fn read_lines(text: &str) -> Result<Vec<NoteSignature>, NoteError> {
    if text.is_empty() {
        return Err(NoteError::NoSignatures);
    }
    if text.bytes().filter(|byte| *byte == b'\n').count() > MAX_NOTE_SIGNATURES {
        return Err(NoteError::TooManySignatures);
    }
    let lines = text.split_inclusive('\n').zip(1..);
    lines
        .map(|(line, number)| read_line(line, number))
        .collect()
}

fn read_line(line: &str, number: usize) -> Result<NoteSignature, NoteError> {
    let bad = NoteError::BadSignatureLine { line: number };
    let line = line.strip_suffix('\n').ok_or(bad)?;
    NoteSignature::parse(line).ok_or(bad)
}

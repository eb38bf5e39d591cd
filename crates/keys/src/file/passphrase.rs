//! The passphrase, which comes from a file or a descriptor and never from a command line.

use std::io::Read;

use zeroize::Zeroizing;

/// The most bytes of a passphrase.
const MAX: usize = 1024;

/// A passphrase: any 1 to 1,024 bytes.
pub struct Passphrase(Zeroizing<Vec<u8>>);

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// It could not be read.
    #[error("the passphrase cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// Nothing but perhaps a line's end.
    #[error("the passphrase is empty")]
    Empty,
    /// More than 1,024 bytes: probably the wrong file.
    #[error("the passphrase is longer than {MAX} bytes: is this the right file?")]
    TooLong,
}

impl Passphrase {
    /// The bytes as they are.
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, PassphraseError> {
        match bytes.len() {
            0 => Err(PassphraseError::Empty),
            1..=MAX => Ok(Self(bytes)),
            _ => Err(PassphraseError::TooLong),
        }
    }

    /// Everything that an open file or descriptor gives, without the end of the last line.
    pub fn read(source: impl Read) -> Result<Self, PassphraseError> {
        // Room for all of it, so that growing leaves no copy behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(MAX + 4));
        source.take(MAX as u64 + 3).read_to_end(&mut bytes)?;
        for end in [b'\n', b'\r'] {
            if bytes.last() == Some(&end) {
                bytes.pop();
            }
        }
        Self::new(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

//! The passphrase, which comes from a file or a descriptor and never from a command line.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::PermissionsExt as _;

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
    /// Everybody may read it.
    #[error("the passphrase's file can be read by everybody on this machine: chmod 600 it")]
    Exposed,
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

    /// The same from a file that not everybody can read; a pipe or a terminal is nobody else's.
    /// The group's bits do not matter: systemd hands a credential to its service's user by an access
    /// list, whose mask stands where they would.
    pub fn read_file(file: File) -> Result<Self, PassphraseError> {
        let about = file.metadata()?;
        if about.is_file() && about.permissions().mode() & 0o007 != 0 {
            return Err(PassphraseError::Exposed);
        }
        Self::read(file)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions, write};

    #[test]
    fn a_file_that_everybody_reads_keeps_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passphrase");
        write(&path, "six words\n").unwrap();
        for (mode, is_private) in [(0o600, true), (0o440, true), (0o604, false), (0o644, false)] {
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let read = Passphrase::read_file(File::open(&path).unwrap());
            match read {
                Ok(passphrase) => assert!(is_private && passphrase.as_bytes() == b"six words"),
                Err(error) => assert!(!is_private && matches!(error, PassphraseError::Exposed)),
            }
        }
    }
}

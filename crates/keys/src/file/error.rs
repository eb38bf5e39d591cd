use std::io;
use std::path::PathBuf;

use super::{CostError, Kind, Name};

/// Why a key file cannot be used, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The operating system said no.
    #[error("{path}: {error}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// `create` found a file.
    #[error("{0} exists: open it, or choose another name; it was not touched")]
    Exists(PathBuf),
    /// Others may read the file.
    #[error("{0} can be read by others than its owner: chmod 600 it, and think about new keys")]
    Permissions(PathBuf),
    /// Another process writes the file, or one stopped half way.
    #[error("{0} exists: another process is writing; if none is, remove that file and try again")]
    Busy(PathBuf),
    /// Another process has written since the file was opened.
    #[error("{0} has changed since it was opened: open it again")]
    Changed(PathBuf),
    /// The file ends before its last line.
    #[error("the end of the key file is missing: restore it from its backup")]
    Truncated,
    /// The checksum in the last line is that of other bytes.
    #[error("the key file is damaged (its checksum is wrong): restore it from its backup")]
    Damaged,
    /// The file begins as no key file does, or as one of another version.
    #[error("not a key file of version 1: check the path, or use the version that wrote it")]
    Version,
    /// The checksum is right but a line is not in its form.
    #[error("the key file's line `{0}` is not in its form: it was not written by Portcullis")]
    Form(&'static str),
    /// The parameters would cost too much, or protect too little.
    #[error("the key file's cost: {0}")]
    Cost(#[from] CostError),
    /// Its passphrase is too easily guessed for what hangs on it.
    #[error(
        "the key file's passphrase is too cheap to guess for a production genesis: make it anew at \
         the default cost"
    )]
    Cheap,
    /// The file is whole, but this passphrase does not open it.
    #[error(
        "wrong passphrase: the file is undamaged but does not open; if the passphrase is right, somebody has altered the file: restore it from its backup"
    )]
    WrongPassphrase,
    /// It opened, but what is inside are no keys.
    #[error("the key file opened but holds no list of keys: it was not written by Portcullis")]
    Content,
    /// There is no key of this name.
    #[error("the key file has no key named {0}")]
    NoSuchKey(Name),
    /// The name has a key already; keys are never overwritten.
    #[error("the key file has a key named {0} already: choose another name")]
    NameTaken(Name),
    /// The key is of another kind than is needed.
    #[error("the key {0} is of kind {1}, which cannot do this")]
    WrongKind(Name, Kind),
    /// The secret belongs to no key of this kind.
    #[error("no key of this kind has this secret: it is zero or not below the order of the curve")]
    OutOfRange,
    /// The file has as many keys as it can hold.
    #[error("the key file is full: make a second one")]
    Full,
    /// The system gave no random bytes.
    #[error("the operating system gave no random bytes: try again")]
    Random,
    /// There was not enough memory to derive the key.
    #[error("deriving the key from the passphrase failed ({0}): give the process more memory")]
    Derive(argon2::Error),
}

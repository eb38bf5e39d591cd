//! A key file on disk: created once, replaced whole, never readable by others.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::KeyFileError;

/// A full file of the longest names is smaller.
const MAX_FILE: u64 = 64 << 10;

/// Writes a new file. It is there, whole and durable, or it is an error.
pub(super) fn create(path: &Path, bytes: &[u8]) -> Result<(), KeyFileError> {
    // Written aside and linked into place: a crash leaves no half file under the name, and a file
    // that has the name already stays.
    let aside = Aside::write(path, bytes)?;
    match std::fs::hard_link(&aside.path, path) {
        Ok(()) => sync_folder_of(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(KeyFileError::Exists(path.to_owned()))
        }
        Err(error) => Err(at(path, error)),
    }
}

/// Puts `next` in the place of `expected`, unless somebody has written in between.
pub(super) fn replace(path: &Path, expected: &[u8], next: &[u8]) -> Result<(), KeyFileError> {
    // While the second file exists no other process writes the first one.
    let aside = Aside::write(path, next)?;
    if read(path)? != expected {
        return Err(KeyFileError::Changed(path.to_owned()));
    }
    aside.take_the_place_of(path)?;
    sync_folder_of(path)
}

/// Reads a file that only its owner can read, up to its largest size.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, KeyFileError> {
    let read = |path| -> io::Result<(Permissions, Vec<u8>)> {
        let file = File::open(path)?;
        let (permissions, mut bytes) = (file.metadata()?.permissions(), Vec::new());
        file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        Ok((permissions, bytes))
    };
    let (permissions, bytes) = read(path).map_err(|error| at(path, error))?;
    if permissions.mode() & 0o077 != 0 {
        return Err(KeyFileError::Permissions(path.to_owned()));
    }
    if bytes.len() as u64 > MAX_FILE {
        return Err(KeyFileError::Version);
    }
    Ok(bytes)
}

/// A second file beside the first. It goes when it is dropped, unless it took the first one's place.
struct Aside {
    path: PathBuf,
}

impl Aside {
    fn write(beside: &Path, bytes: &[u8]) -> Result<Self, KeyFileError> {
        let mut path = beside.as_os_str().to_owned();
        path.push(".new");
        let path = PathBuf::from(path);
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let mut file = match opened {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Err(KeyFileError::Busy(path));
            }
            opened => opened.map_err(|error| at(&path, error))?,
        };
        let aside = Self { path };
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(|error| at(&aside.path, error))?;
        Ok(aside)
    }

    fn take_the_place_of(self, path: &Path) -> Result<(), KeyFileError> {
        std::fs::rename(&self.path, path).map_err(|error| at(path, error))?;
        // The name is free again and may already be another process's: it is not ours to remove.
        std::mem::forget(self);
        Ok(())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // If this fails too, the next writer finds the file and says so.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Makes the names in a folder durable.
fn sync_folder_of(path: &Path) -> Result<(), KeyFileError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| at(folder, error))
}

fn at(path: &Path, error: io::Error) -> KeyFileError {
    KeyFileError::Io {
        path: path.to_owned(),
        error,
    }
}

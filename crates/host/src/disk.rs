//! The one seam for files that must survive.
//!
//! What a call promises is what a crash or a power cut may not take back. Nothing here retries: an
//! error leaves the outcome unknown, and the caller stops and recovers by reading.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A disk operation that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {path}: {source}")]
pub struct DiskError {
    /// What was being done.
    pub doing: &'static str,
    /// To what.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl DiskError {
    /// Whether the disk is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(
            self.source.kind(),
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
        )
    }
}

/// A folder whose files survive. Names are relative and may contain `/`.
pub trait Disk: Send + Sync {
    /// Open a file for appending, made with owner-only permission if it is not there. Its directory
    /// entry is durable when this returns.
    fn append(&self, name: &str) -> Result<Box<dyn AppendFile>, DiskError>;

    /// The whole file, or nothing where there is none. Reads at most `cap` bytes; a longer file is
    /// an error.
    fn read(&self, name: &str, cap: u64) -> Result<Option<Vec<u8>>, DiskError>;

    /// Whether there is a file of this name.
    fn exists(&self, name: &str) -> bool;

    /// Remove a file, if it is there. May come back after a power cut.
    fn remove(&self, name: &str) -> Result<(), DiskError>;

    /// Put a whole file in the place of another: after a crash either all of the old or all of the
    /// new is there. Durable when this returns.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError>;

    /// Like [`Disk::replace`], without the promise that it survives: for what can be made again.
    fn write_projection(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError>;
}

/// A file that grows at its end.
pub trait AppendFile: Send {
    /// Its length, as far as written.
    fn len(&self) -> u64;

    /// Whether it is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reserve room up to this length, so that a later append cannot find the disk full. The bytes
    /// in between read as zeros and do not count into [`AppendFile::len`].
    fn reserve(&mut self, length: u64) -> Result<(), DiskError>;

    /// Write at the end. Not durable yet.
    fn append(&mut self, bytes: &[u8]) -> Result<(), DiskError>;

    /// Everything appended so far survives from here on.
    fn sync(&mut self) -> Result<(), DiskError>;

    /// Read `bytes.len()` bytes from an offset.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), DiskError>;

    /// Cut the end off: recovery removes what was never acknowledged. Durable when this returns.
    fn truncate(&mut self, length: u64) -> Result<(), DiskError>;
}

/// A real folder.
#[derive(Clone, Debug)]
pub struct Dir {
    root: PathBuf,
    /// Held for as long as the folder is this process's alone; never read.
    #[allow(dead_code)]
    lock: Option<Arc<File>>,
}

impl Dir {
    /// A folder, made if it is not there.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, DiskError> {
        let root = root.into();
        failing("make", &root, || fs::create_dir_all(&root))?;
        Ok(Self { root, lock: None })
    }

    /// A folder that no other process has opened this way, for as long as it is held: two writers
    /// of one journal, or of one once-only record, would each undo the other's promise.
    pub fn open_alone(root: impl Into<PathBuf>) -> Result<Self, DiskError> {
        use rustix::fs::{FlockOperation, flock};
        let mut dir = Self::open(root)?;
        let path = dir.root.join("lock");
        let lock = failing(
            "take for itself (does another process run on it?)",
            &path,
            || {
                let lock = owner_only()
                    .write(true)
                    .create(true)
                    .truncate(false)
                    .open(&path)?;
                flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
                Ok(lock)
            },
        )?;
        dir.lock = Some(Arc::new(lock));
        Ok(dir)
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    fn place(&self, name: &str) -> Result<PathBuf, DiskError> {
        let path = self.root.join(name);
        if let Some(parent) = path.parent() {
            failing("make the folder of", &path, || fs::create_dir_all(parent))?;
        }
        Ok(path)
    }

    fn put(&self, name: &str, bytes: &[u8], durable: bool) -> Result<(), DiskError> {
        let path = self.place(name)?;
        let mut temporary = path.clone().into_os_string();
        temporary.push(".new");
        failing("write", &path, || {
            let mut file = owner_only()
                .write(true)
                .create(true)
                .truncate(true)
                .open(&temporary)?;
            file.write_all(bytes)?;
            if durable {
                file.sync_all()?;
            }
            // A crash before the rename leaves the old file; after it the new one, whole.
            fs::rename(&temporary, &path)?;
            if durable { sync_parent(&path) } else { Ok(()) }
        })
    }
}

impl Disk for Dir {
    fn append(&self, name: &str) -> Result<Box<dyn AppendFile>, DiskError> {
        let path = self.place(name)?;
        let (file, len) = failing("open", &path, || {
            let file = owner_only()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)?;
            sync_parent(&path)?;
            let len = file.metadata()?.len();
            Ok((file, len))
        })?;
        Ok(Box::new(RealFile { file, path, len }))
    }

    fn read(&self, name: &str, cap: u64) -> Result<Option<Vec<u8>>, DiskError> {
        let path = self.root.join(name);
        failing("read", &path, || {
            let file = match File::open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            let length = file.metadata()?.len();
            if length > cap {
                return Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    "larger than can be meant",
                ));
            }
            let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
            file.take(cap).read_to_end(&mut bytes)?;
            Ok(Some(bytes))
        })
    }

    fn exists(&self, name: &str) -> bool {
        self.root.join(name).exists()
    }

    fn remove(&self, name: &str) -> Result<(), DiskError> {
        let path = self.root.join(name);
        failing("remove", &path, || match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        })
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.put(name, bytes, true)
    }

    fn write_projection(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.put(name, bytes, false)
    }
}

struct RealFile {
    file: File,
    path: PathBuf,
    len: u64,
}

impl AppendFile for RealFile {
    fn len(&self) -> u64 {
        self.len
    }

    fn reserve(&mut self, length: u64) -> Result<(), DiskError> {
        use rustix::fs::{FallocateFlags, fallocate};
        failing("reserve room for", &self.path, || {
            let more = length.saturating_sub(self.len);
            if more == 0 {
                return Ok(());
            }
            Ok(fallocate(
                &self.file,
                FallocateFlags::empty(),
                self.len,
                more,
            )?)
        })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        failing("append to", &self.path, || {
            self.file.seek(SeekFrom::Start(self.len))?;
            self.file.write_all(bytes)
        })?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DiskError> {
        failing("make durable", &self.path, || self.file.sync_data())
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), DiskError> {
        use std::os::unix::fs::FileExt as _;
        failing("read", &self.path, || {
            self.file.read_exact_at(bytes, offset)
        })
    }

    fn truncate(&mut self, length: u64) -> Result<(), DiskError> {
        failing("cut", &self.path, || {
            self.file.set_len(length)?;
            self.file.sync_all()
        })?;
        self.len = length;
        Ok(())
    }
}

fn owner_only() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent()
        .map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn failing<T>(
    doing: &'static str,
    path: &Path,
    run: impl FnOnce() -> io::Result<T>,
) -> Result<T, DiskError> {
    run().map_err(|source| DiskError {
        doing,
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appends_reserves_reads_and_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Dir::open(dir.path()).unwrap();
        let mut file = disk.append("a/log").unwrap();
        file.append(b"hello ").unwrap();
        file.reserve(4096).unwrap();
        file.append(b"world").unwrap();
        file.sync().unwrap();
        assert_eq!(file.len(), 11);
        let mut bytes = [0; 11];
        file.read_at(0, &mut bytes).unwrap();
        assert_eq!(&bytes, b"hello world");
        file.truncate(5).unwrap();
        drop(file);
        assert_eq!(disk.append("a/log").unwrap().len(), 5);
    }

    #[test]
    fn a_folder_has_one_writer() {
        let dir = tempfile::tempdir().unwrap();
        let first = Dir::open_alone(dir.path()).unwrap();
        assert!(Dir::open_alone(dir.path()).is_err());
        drop(first);
        Dir::open_alone(dir.path()).unwrap();
    }

    #[test]
    fn a_replaced_file_is_whole_private_and_capped() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let disk = Dir::open(dir.path()).unwrap();
        assert_eq!(disk.read("x", 10).unwrap(), None);
        disk.replace("x", b"one").unwrap();
        disk.replace("x", b"two").unwrap();
        assert_eq!(disk.read("x", 3).unwrap().unwrap(), b"two");
        assert!(disk.read("x", 2).is_err());
        let mode = fs::metadata(dir.path().join("x"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

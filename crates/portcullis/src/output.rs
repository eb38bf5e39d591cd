//! The files that a command writes for people and programs at its end: looked at before it begins.

use crate::failure::Failure;
use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// A file that can be written: whatever takes long is not done for a path that cannot.
pub(crate) struct Output {
    path: PathBuf,
}

impl Output {
    /// See that a file can be put there. Its folder is never made.
    pub(crate) fn at(path: &Path) -> Result<Self, Failure> {
        if path.file_name().is_none() || (path.exists() && !path.is_file()) {
            let what = format!("{} is not a file", path.display());
            return Err(Failure::usage(what, "name a file to be written"));
        }
        let output = Self {
            path: path.to_owned(),
        };
        output.draft().map(|_| output)
    }

    /// Two outputs that are one file would be the later one alone.
    pub(crate) fn is_apart(&self, other: &Self) -> Result<(), Failure> {
        if self.place() != other.place() {
            return Ok(());
        }
        let what = format!("{} is named for two files", self.path.display());
        Err(Failure::usage(what, "name another path for one of them"))
    }

    /// Put the file there, whole, for everybody to read.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut draft = self.draft()?;
        draft
            .write_all(bytes)
            .map_err(|error| self.unwritable(&error))?;
        self.keep(draft)
    }

    /// Put a draft there that was written to its end.
    pub(crate) fn keep(&self, draft: NamedTempFile) -> Result<(), Failure> {
        let kept = draft.persist(&self.path);
        kept.map(drop)
            .map_err(|error| self.unwritable(&error.error))
    }

    /// Where it is, for people.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn folder(&self) -> &Path {
        let folder = self.path.parent();
        folder
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
    }

    fn place(&self) -> Option<PathBuf> {
        let folder = self.folder().canonicalize().ok()?;
        Some(folder.join(self.path.file_name()?))
    }

    /// A file beside it, which is nothing until it is kept.
    pub(crate) fn draft(&self) -> Result<NamedTempFile, Failure> {
        let mut draft = Builder::new();
        draft
            .permissions(Permissions::from_mode(0o644))
            .tempfile_in(self.folder())
            .map_err(|error| self.unwritable(&error))
    }

    pub(crate) fn unwritable(&self, error: &std::io::Error) -> Failure {
        let what = format!("cannot write {}: {}", self.path.display(), error.kind());
        Failure::usage(
            what,
            "name a path in a folder that is there and may be written",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_said_before() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| Output::at(&folder.path().join(name));
        assert!(at("none/found.json").is_err());
        assert!(!folder.path().join("none").exists(), "no folder is made");
        assert!(Output::at(folder.path()).is_err());
        let output = at("found.json").unwrap();
        assert!(!output.path().exists(), "looking leaves nothing behind");
        let same = folder.path().join(".").join("found.json");
        assert!(output.is_apart(&Output::at(&same).unwrap()).is_err());
        assert!(output.is_apart(&at("found.html").unwrap()).is_ok());
    }

    #[test]
    fn what_is_written_is_for_everybody_to_read() {
        let folder = tempfile::tempdir().unwrap();
        let output = Output::at(&folder.path().join("found.json")).unwrap();
        for text in ["one", "two"] {
            output.write(text.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(output.path()).unwrap(), text);
        }
        let mode = std::fs::metadata(output.path())
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o604, 0o604);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

//! Folders into which files come, while somebody still writes them.

use super::desk::Part;
use super::files_of;
use crate::out::warn;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file is read once two looks at it, one after the other, show the same; one that changes later is read on.
#[derive(Default)]
pub(super) struct Folders {
    watched: Vec<PathBuf>,
    files: BTreeMap<PathBuf, Known>,
    /// Those that could not be looked into the last time.
    gone: BTreeSet<PathBuf>,
}

/// What a look at a file shows.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    bytes: u64,
    changed: Option<SystemTime>,
}

struct Known {
    last: Look,
    /// What it was when it was read, and how many rows were taken.
    read: Option<Look>,
    rows: u64,
}

impl Look {
    fn at(path: &Path) -> Option<Self> {
        let meta = std::fs::metadata(path).ok()?;
        Some(Self {
            bytes: meta.len(),
            changed: meta.modified().ok(),
        })
    }
}

impl Folders {
    pub(super) fn of(watched: Vec<PathBuf>) -> Self {
        Self {
            watched,
            ..Self::default()
        }
    }

    /// Look once more: those that are to be read now.
    pub(super) fn look(&mut self) -> Vec<Part> {
        let mut ready = Vec::new();
        for path in self.inside() {
            let Some(look) = Look::at(&path) else {
                continue;
            };
            let Some(known) = self.files.get_mut(&path) else {
                let (read, rows) = (None, 0);
                let last = look;
                self.files.insert(path, Known { last, read, rows });
                continue;
            };
            let is_still = std::mem::replace(&mut known.last, look) == look;
            if is_still && known.read != Some(look) {
                let is_another = known.read.is_some_and(|read| read.bytes > look.bytes);
                let read = if is_another { 0 } else { known.rows };
                known.read = Some(look);
                ready.push(Part { path, read });
            }
        }
        ready
    }

    /// Remember how far they were read.
    pub(super) fn note(&mut self, parts: Vec<Part>) {
        for part in parts {
            if let Some(known) = self.files.get_mut(&part.path) {
                known.rows = part.read;
            }
        }
    }

    /// Those that were seen, and not read as they are now.
    pub(super) fn unread(&self) -> impl Iterator<Item = &Path> {
        let unread = self.files.iter();
        let unread = unread.filter(|(_, known)| known.read != Some(known.last));
        unread.map(|(path, _)| path.as_path())
    }

    /// A folder that is gone may come back; what came out of it stays.
    fn inside(&mut self) -> Vec<PathBuf> {
        let mut all = Vec::new();
        for folder in &self.watched {
            match files_of(folder) {
                Ok(files) => {
                    self.gone.remove(folder);
                    all.extend(files);
                }
                Err(error) => {
                    if self.gone.insert(folder.clone()) {
                        let folder = folder.display();
                        warn(format_args!("{folder}: {error}; it is looked at again"));
                    }
                }
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(parts: &[Part]) -> Vec<(String, u64)> {
        let name = |part: &Part| {
            part.path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        };
        parts.iter().map(|part| (name(part), part.read)).collect()
    }

    #[test]
    fn a_file_is_read_once_it_has_come_to_rest_and_read_on_where_it_grows() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.csv");
        let mut folders = Folders::of(vec![dir.path().to_owned()]);
        for text in ["a", "ab", "abc"] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(names(&folders.look()), []);
            assert_eq!(folders.unread().count(), 1);
        }
        let mut parts = folders.look();
        assert_eq!(names(&parts), [("a.csv".to_owned(), 0)]);
        parts[0].read = 7;
        folders.note(parts);
        assert_eq!(names(&folders.look()), []);
        assert_eq!(folders.unread().count(), 0);
        for (text, read) in [("abcd", 7), ("x", 0)] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(names(&folders.look()), []);
            let parts = folders.look();
            assert_eq!(names(&parts), [("a.csv".to_owned(), read)]);
        }
    }

    #[test]
    fn a_folder_that_is_gone_is_looked_at_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("exports");
        let mut folders = Folders::of(vec![folder.clone()]);
        assert_eq!(names(&folders.look()), []);
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("a.csv"), "a").unwrap();
        assert_eq!(names(&folders.look()), []);
        assert_eq!(folders.look().len(), 1);
    }
}

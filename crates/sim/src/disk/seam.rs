//! The disk as the production code knows it.

use super::file::File;
use super::{SimDisk, failed};
use portcullis_host::{AppendFile, Disk, DiskError};
use std::io;

impl Disk for SimDisk {
    fn append(&self, name: &str) -> Result<Box<dyn AppendFile>, DiskError> {
        self.operate(name, false, |platter| {
            let file = platter.files.entry(name.to_owned()).or_default();
            file.durable.get_or_insert_with(Vec::new);
            platter.removed.remove(name);
        })?;
        let len = self.platter().files[name].data.len() as u64;
        Ok(Box::new(Appending {
            disk: self.clone(),
            name: name.to_owned(),
            len,
        }))
    }

    fn read(&self, name: &str, cap: u64) -> Result<Option<Vec<u8>>, DiskError> {
        let platter = self.platter();
        if platter.dead {
            return Err(failed(name, io::ErrorKind::NotConnected));
        }
        let bytes = platter.files.get(name).map(|file| file.data.clone());
        if bytes.as_ref().is_some_and(|b| b.len() as u64 > cap) {
            return Err(failed(name, io::ErrorKind::FileTooLarge));
        }
        Ok(bytes)
    }

    fn exists(&self, name: &str) -> bool {
        self.platter().files.contains_key(name)
    }

    fn remove(&self, name: &str) -> Result<(), DiskError> {
        self.operate(name, false, |platter| {
            if let Some(file) = platter.files.remove(name) {
                platter.removed.insert(name.to_owned(), file);
            }
        })
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.operate(name, true, |platter| {
            let file = File::whole(bytes.to_vec());
            platter.files.insert(name.to_owned(), file);
            platter.removed.remove(name);
        })
    }

    fn write_projection(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.operate(name, true, |platter| {
            let old = platter.files.remove(name).and_then(|file| file.durable);
            let mut file = File {
                durable: old,
                is_projection: true,
                ..File::default()
            };
            file.write(0, bytes);
            platter.files.insert(name.to_owned(), file);
        })
    }
}

struct Appending {
    disk: SimDisk,
    name: String,
    len: u64,
}

impl Appending {
    fn operate(&self, grows: bool, run: impl FnOnce(&mut File)) -> Result<(), DiskError> {
        self.disk.operate(&self.name, grows, |platter| {
            if let Some(file) = platter.files.get_mut(&self.name) {
                run(file);
            }
        })
    }

    /// Whether so many more bytes need room that was not reserved.
    fn grows(&self, more: usize) -> bool {
        let platter = self.disk.platter();
        let size = platter.files.get(&self.name).map_or(0, |f| f.data.len());
        place(self.len) + more > size
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

impl AppendFile for Appending {
    fn len(&self) -> u64 {
        self.len
    }

    fn reserve(&mut self, length: u64) -> Result<(), DiskError> {
        let grows = self.grows(place(length.saturating_sub(self.len)));
        self.operate(grows, |file| {
            let size = file.data.len().max(place(length));
            file.data.resize(size, 0);
        })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        let (at, grows) = (place(self.len), self.grows(bytes.len()));
        self.operate(grows, |file| file.write(at, bytes))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DiskError> {
        self.operate(false, File::sync)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), DiskError> {
        let platter = self.disk.platter();
        let file = platter.files.get(&self.name).filter(|_| !platter.dead);
        let start = place(offset);
        let found = file.and_then(|file| file.data.get(start..start + bytes.len()));
        let found = found.ok_or_else(|| failed(&self.name, io::ErrorKind::UnexpectedEof))?;
        bytes.copy_from_slice(found);
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> Result<(), DiskError> {
        self.operate(false, |file| {
            file.data.resize(place(length), 0);
            file.dirty.clear();
            file.durable = Some(file.data.clone());
        })?;
        self.len = length;
        Ok(())
    }
}

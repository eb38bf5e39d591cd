use portcullis_host::{AppendFile, Disk, DiskError};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// A disk that forgets at [`CrashDisk::crash`] what was not made durable, and that can be made full.
#[derive(Clone, Default)]
pub struct CrashDisk(Arc<Mutex<Files>>);

/// Something that happens while the disk is busy.
type Meanwhile = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Files {
    /// To happen at the next syncs of a file, one each.
    meanwhile: VecDeque<(String, Meanwhile)>,
    by_name: BTreeMap<String, File>,
    /// How many more writes succeed, once that is limited.
    writes_left: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    /// What survives.
    durable: Vec<u8>,
    /// Up to here writes find room whether or not the disk is full.
    reserved: usize,
}

impl CrashDisk {
    /// The power goes: of what was appended since the last sync, `torn` bytes of each file survive.
    pub fn crash(&self, torn: usize) {
        let mut files = self.files();
        files.writes_left = None;
        for file in files.by_name.values_mut() {
            let kept = file.bytes.len().min(file.durable.len() + torn);
            if kept > file.durable.len() {
                file.durable = file.bytes[..kept].to_vec();
            }
            file.bytes = file.durable.clone();
        }
    }

    /// After so many more writes and syncs, the disk is full.
    pub fn fill_after(&self, writes: u64) {
        self.files().writes_left = Some(writes);
    }

    /// At the next sync of this file that has nothing else to happen, this happens meanwhile.
    pub fn meanwhile(&self, name: &str, happens: impl FnOnce() + Send + 'static) {
        let happens: Meanwhile = Box::new(happens);
        self.files().meanwhile.push_back((name.to_owned(), happens));
    }

    fn next_meanwhile(&self, name: &str) -> Option<Meanwhile> {
        let mut files = self.files();
        let at = files.meanwhile.iter().position(|(of, _)| of == name)?;
        files.meanwhile.remove(at).map(|(_, happens)| happens)
    }

    /// There is room again.
    pub fn make_room(&self) {
        self.files().writes_left = None;
    }

    /// A file as it is now.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        self.files()
            .by_name
            .get(name)
            .map(|file| file.bytes.clone())
    }

    /// Put a file there behind everybody's back.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let file = File {
            bytes: bytes.to_vec(),
            durable: bytes.to_vec(),
            reserved: 0,
        };
        self.files().by_name.insert(name.to_owned(), file);
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap()
    }

    /// A write that finds room where it was reserved.
    fn growing(&self, name: &str, bytes: usize) -> Result<MutexGuard<'_, Files>, DiskError> {
        let files = self.files();
        let has_room = files
            .by_name
            .get(name)
            .is_some_and(|f| f.bytes.len() + bytes <= f.reserved);
        if has_room {
            return Ok(files);
        }
        drop(files);
        self.writing(name)
    }

    fn writing(&self, name: &str) -> Result<MutexGuard<'_, Files>, DiskError> {
        let mut files = self.files();
        match &mut files.writes_left {
            Some(0) => Err(failed("write", name, io::ErrorKind::StorageFull)),
            Some(left) => {
                *left -= 1;
                Ok(files)
            }
            None => Ok(files),
        }
    }
}

fn failed(doing: &'static str, name: &str, kind: io::ErrorKind) -> DiskError {
    DiskError {
        doing,
        path: name.into(),
        source: kind.into(),
    }
}

impl Disk for CrashDisk {
    fn append(&self, name: &str) -> Result<Box<dyn AppendFile>, DiskError> {
        self.files().by_name.entry(name.to_owned()).or_default();
        Ok(Box::new(Appending {
            disk: self.clone(),
            name: name.to_owned(),
        }))
    }

    fn read(&self, name: &str, cap: u64) -> Result<Option<Vec<u8>>, DiskError> {
        let bytes = self.bytes(name);
        if bytes.as_ref().is_some_and(|b| b.len() as u64 > cap) {
            return Err(failed("read", name, io::ErrorKind::FileTooLarge));
        }
        Ok(bytes)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        drop(self.writing(name)?);
        self.put(name, bytes);
        Ok(())
    }

    fn exists(&self, name: &str) -> bool {
        self.files().by_name.contains_key(name)
    }

    fn remove(&self, name: &str) -> Result<(), DiskError> {
        // A full disk still lets go of files.
        self.files().by_name.remove(name);
        Ok(())
    }

    fn write_projection(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.replace(name, bytes)
    }
}

struct Appending {
    disk: CrashDisk,
    name: String,
}

impl AppendFile for Appending {
    fn len(&self) -> u64 {
        self.disk.bytes(&self.name).unwrap_or_default().len() as u64
    }

    fn reserve(&mut self, length: u64) -> Result<(), DiskError> {
        let mut files = self.disk.writing(&self.name)?;
        let file = files.by_name.get_mut(&self.name).unwrap();
        file.reserved = usize::try_from(length).unwrap();
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        let mut files = self.disk.growing(&self.name, bytes.len())?;
        let file = files.by_name.get_mut(&self.name).unwrap();
        file.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DiskError> {
        let mut files = self.disk.growing(&self.name, 0)?;
        let file = files.by_name.get_mut(&self.name).unwrap();
        file.durable = file.bytes.clone();
        drop(files);
        if let Some(happens) = self.disk.next_meanwhile(&self.name) {
            happens();
        }
        Ok(())
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), DiskError> {
        let all = self.disk.bytes(&self.name).unwrap_or_default();
        let start = usize::try_from(offset).unwrap();
        let found = all.get(start..start + bytes.len());
        let found =
            found.ok_or_else(|| failed("read", &self.name, io::ErrorKind::UnexpectedEof))?;
        bytes.copy_from_slice(found);
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> Result<(), DiskError> {
        let mut files = self.disk.writing(&self.name)?;
        let file = files.by_name.get_mut(&self.name).unwrap();
        file.bytes.truncate(usize::try_from(length).unwrap());
        file.durable = file.bytes.clone();
        Ok(())
    }
}

use portcullis_host::{AppendFile, Disk, DiskError};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// A disk that can die in any operation, in every way that matters for what is found afterwards.
#[derive(Clone, Default)]
pub struct SimDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    files: BTreeMap<String, File>,
    operations: u32,
    death: Option<(u32, Death)>,
    dead: bool,
    full: bool,
}

#[derive(Clone, Default)]
struct File {
    bytes: Vec<u8>,
    synced: usize,
    reserved: usize,
}

/// What became of the operation in which the disk died, and of what was not synced by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Nothing of it.
    Absent,
    /// All of it.
    Persisted,
    /// Half of it.
    Torn,
}

impl Death {
    pub const ALL: [Self; 3] = [Self::Absent, Self::Persisted, Self::Torn];

    fn of(self, bytes: usize) -> usize {
        match self {
            Self::Absent => 0,
            Self::Persisted => bytes,
            Self::Torn => bytes / 2,
        }
    }
}

impl SimDisk {
    pub fn shared(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }

    /// The disk dies in its operation number `operation`, counted from now.
    pub fn die_in(&self, operation: u32, death: Death) {
        let mut state = self.state();
        state.death = Some((state.operations + operation, death));
    }

    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// How often it was written to.
    pub fn operations(&self) -> u32 {
        self.state().operations
    }

    /// Whether a reservation finds no room.
    pub fn set_full(&self, full: bool) {
        self.state().full = full;
    }

    /// After the power comes back.
    pub fn revive(&self) {
        let mut state = self.state();
        let death = state.death.take().map_or(Death::Absent, |(_, death)| death);
        state.dead = false;
        for file in state.files.values_mut() {
            let unsynced = file.bytes.len() - file.synced;
            file.bytes.truncate(file.synced + death.of(unsynced));
            file.synced = file.bytes.len();
        }
    }

    /// A file as it would be read now.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        self.state().files.get(name).map(File::read)
    }

    /// Changes a file behind everybody's back.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = self.state();
        let file = state.files.get_mut(name).unwrap();
        file.bytes = file.read();
        change(&mut file.bytes);
        file.synced = file.bytes.len();
        file.reserved = file.bytes.len();
    }

    pub fn lose(&self, name: &str) {
        self.state().files.remove(name);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Does something to a file: `run` gets the file and how much of so many bytes to do.
    fn operate(
        &self,
        name: &str,
        bytes: usize,
        run: impl FnOnce(&mut File, usize),
    ) -> Result<(), DiskError> {
        let mut state = self.state();
        if state.dead {
            return Err(failed(name, io::ErrorKind::Other));
        }
        state.operations += 1;
        let dies = state.death.filter(|(at, _)| *at == state.operations);
        let file = state.files.entry(name.to_owned()).or_default();
        match dies {
            None => run(file, bytes),
            Some((_, Death::Absent)) => {}
            Some((_, death)) => run(file, death.of(bytes)),
        }
        state.dead = dies.is_some();
        if state.dead {
            Err(failed(name, io::ErrorKind::Other))
        } else {
            Ok(())
        }
    }
}

impl File {
    fn read(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes.resize(bytes.len().max(self.reserved), 0);
        bytes
    }

    fn whole(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            synced: bytes.len(),
            reserved: 0,
        }
    }
}

impl Disk for SimDisk {
    fn append(&self, name: &str) -> Result<Box<dyn AppendFile>, DiskError> {
        self.operate(name, 0, |file, _| {
            file.bytes = file.read();
            file.synced = file.bytes.len();
        })?;
        let len = self.state().files[name].bytes.len() as u64;
        Ok(Box::new(Appending {
            disk: self.clone(),
            name: name.to_owned(),
            len,
        }))
    }

    fn read(&self, name: &str, cap: u64) -> Result<Option<Vec<u8>>, DiskError> {
        if self.is_dead() {
            return Err(failed(name, io::ErrorKind::Other));
        }
        let bytes = self.bytes(name);
        if bytes.as_ref().is_some_and(|b| b.len() as u64 > cap) {
            return Err(failed(name, io::ErrorKind::FileTooLarge));
        }
        Ok(bytes)
    }

    fn exists(&self, name: &str) -> bool {
        self.state().files.contains_key(name)
    }

    fn remove(&self, name: &str) -> Result<(), DiskError> {
        self.lose(name);
        Ok(())
    }

    /// Whole or not at all, as the seam promises: half of it is nothing.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        let whole = bytes.len();
        let before = self.state().files.get(name).cloned();
        let done = self.operate(name, whole, |file, done| {
            if done == whole {
                *file = File::whole(bytes);
            }
        });
        let absent = before.is_none() && self.state().files[name].bytes.is_empty();
        if absent && done.is_err() {
            self.lose(name);
        }
        done
    }

    fn write_projection(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.replace(name, bytes)
    }
}

struct Appending {
    disk: SimDisk,
    name: String,
    len: u64,
}

impl AppendFile for Appending {
    fn len(&self) -> u64 {
        self.len
    }

    fn reserve(&mut self, length: u64) -> Result<(), DiskError> {
        if self.disk.state().full {
            return Err(failed(&self.name, io::ErrorKind::StorageFull));
        }
        self.disk
            .operate(&self.name, length as usize, |file, done| {
                file.reserved = file.reserved.max(done);
            })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.disk.operate(&self.name, bytes.len(), |file, done| {
            file.bytes.extend(&bytes[..done]);
        })?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), DiskError> {
        self.disk.operate(&self.name, 1, |file, done| {
            if done == 1 {
                file.synced = file.bytes.len();
            }
        })
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), DiskError> {
        let all = self.disk.bytes(&self.name).unwrap();
        let range = offset as usize..offset as usize + bytes.len();
        bytes.copy_from_slice(&all[range]);
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> Result<(), DiskError> {
        self.disk.operate(&self.name, 1, |file, done| {
            if done == 1 {
                file.bytes.truncate(length as usize);
                file.synced = file.bytes.len();
                file.reserved = 0;
            }
        })?;
        self.len = length;
        Ok(())
    }
}

fn failed(name: &str, kind: io::ErrorKind) -> DiskError {
    DiskError {
        doing: "use",
        path: name.into(),
        source: kind.into(),
    }
}

//! A disk in memory that loses power, fills up and fails, as disks do.
//!
//! Only what was synced survives a power cut for certain. Of the rest each sector survives or not by
//! itself, and the file may have its new length or its old one. A process that is killed loses nothing
//! that it has written.

use crate::chronicle::Chronicle;
use crate::dice::Dice;
use portcullis_host::{AppendFile, Disk, DiskError};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// A disk; all its clones are one.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<Platter>>);

struct Platter {
    name: String,
    chronicle: Chronicle,
    dice: Dice,
    files: BTreeMap<String, File>,
    /// Files that were removed and may come back.
    removed: BTreeMap<String, File>,
    /// The operations left until the process dies in one.
    death: Option<u64>,
    dead: bool,
    /// The operations left until one fails and the process lives on.
    error: Option<u64>,
    full: bool,
}

#[derive(Clone, Default)]
struct File {
    data: Vec<u8>,
    /// What is certain to survive; `None` where not even the name is.
    durable: Option<Vec<u8>>,
    /// Sectors of `data` that are not.
    dirty: BTreeSet<usize>,
    /// Put in place whole, unsynced: after a power cut the old file or the new one, with holes.
    is_projection: bool,
}

impl SimDisk {
    /// An empty disk.
    #[must_use]
    pub fn new(name: &str, dice: Dice, chronicle: Chronicle) -> Self {
        Self(Arc::new(Mutex::new(Platter {
            name: name.to_owned(),
            chronicle,
            dice,
            files: BTreeMap::new(),
            removed: BTreeMap::new(),
            death: None,
            dead: false,
            error: None,
            full: false,
        })))
    }

    /// The process dies in its disk operation number `operations`, counted from now.
    pub fn die_in(&self, operations: u64) {
        self.platter().death = Some(operations);
    }

    /// An operation fails, `operations` from now; whether it took effect is open.
    pub fn fail_in(&self, operations: u64) {
        self.platter().error = Some(operations);
    }

    /// Whether nothing more can be written where nothing was reserved.
    pub fn set_full(&self, full: bool) {
        self.platter().full = full;
    }

    /// Whether it is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.platter().full
    }

    /// Whether its process has died in one of its operations.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.platter().dead
    }

    /// The process is gone; the machine is not.
    pub fn kill(&self) {
        self.platter().dead = true;
    }

    /// The process may start again, on what it had written.
    pub fn revive(&self) {
        let mut platter = self.platter();
        (platter.dead, platter.death, platter.error) = (false, None, None);
    }

    /// The power goes and comes back.
    pub fn power_cut(&self) {
        let mut guard = self.platter();
        let platter = &mut *guard;
        let removed = std::mem::take(&mut platter.removed);
        for (name, file) in removed {
            if platter.dice.chance(500) && !platter.files.contains_key(&name) {
                platter.files.insert(name, file);
            }
        }
        let (mut torn, mut lost) = (0_u64, 0_u64);
        let dice = &mut platter.dice;
        platter.files.retain(|_, file| {
            let (kept, gone) = file.lose_power(dice);
            torn += u64::from(kept && gone);
            lost += u64::from(gone && !kept);
            file.durable.is_some()
        });
        let chronicle = platter.chronicle.clone();
        let what = format!("{} ({torn} files torn, {lost} writes lost)", platter.name);
        drop(guard);
        chronicle.note("fault: power cut", what);
        (0..torn).for_each(|_| chronicle.count("fault: torn write"));
        (0..lost).for_each(|_| chronicle.count("fault: lost write"));
        self.revive();
    }

    /// What of a file is certain to survive.
    #[must_use]
    pub fn durable(&self, name: &str) -> Option<Vec<u8>> {
        self.platter().files.get(name)?.durable.clone()
    }

    /// A disk that holds one file and nothing else.
    #[must_use]
    pub fn holding(name: &str, bytes: Vec<u8>) -> Self {
        let disk = Self::new("copy", Dice::new(0), Chronicle::default());
        let file = File::whole(bytes);
        disk.platter().files.insert(name.to_owned(), file);
        disk
    }

    /// A digest-able view of all that is written.
    #[must_use]
    pub fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let platter = self.platter();
        let files = platter.files.iter();
        files
            .map(|(name, file)| (name.clone(), file.data.clone()))
            .collect()
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One operation on a file: `run` does it. It may die or fail, having taken effect or not.
    fn operate(
        &self,
        name: &str,
        grows: bool,
        run: impl FnOnce(&mut Platter),
    ) -> Result<(), DiskError> {
        let mut platter = self.platter();
        if platter.dead {
            return Err(failed(name, io::ErrorKind::NotConnected));
        }
        if grows && platter.full {
            return Err(failed(name, io::ErrorKind::StorageFull));
        }
        let dies = comes(&mut platter.death);
        let fails = comes(&mut platter.error);
        if !(dies || fails) {
            run(&mut platter);
            return Ok(());
        }
        let took_effect = platter.dice.chance(500);
        if took_effect {
            run(&mut platter);
        }
        platter.dead |= dies;
        let kind = if dies { "dies in" } else { "fails in" };
        let what = format!("{} {kind} {name}, done: {took_effect}", platter.name);
        let (chronicle, count) = (
            platter.chronicle.clone(),
            if dies {
                "fault: crash in a disk operation"
            } else {
                "fault: disk error"
            },
        );
        drop(platter);
        chronicle.note(count, what);
        Err(failed(name, io::ErrorKind::Other))
    }
}

fn comes(countdown: &mut Option<u64>) -> bool {
    match countdown {
        Some(0) => {
            *countdown = None;
            true
        }
        Some(left) => {
            *left -= 1;
            false
        }
        None => false,
    }
}

impl File {
    fn whole(bytes: Vec<u8>) -> Self {
        Self {
            durable: Some(bytes.clone()),
            data: bytes,
            ..Self::default()
        }
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        if self.data.len() < end {
            self.data.resize(end, 0);
        }
        self.data[at..end].copy_from_slice(bytes);
        self.dirty
            .extend(at / SECTOR..=end.saturating_sub(1) / SECTOR);
    }

    fn sync(&mut self) {
        let durable = self.durable.get_or_insert_with(Vec::new);
        durable.resize(self.data.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            let range = sector * SECTOR..((sector + 1) * SECTOR).min(self.data.len());
            if !range.is_empty() {
                durable[range.clone()].copy_from_slice(&self.data[range]);
            }
        }
        self.is_projection = false;
    }

    /// Whether something unsynced was kept, and whether something was lost.
    fn lose_power(&mut self, dice: &mut Dice) -> (bool, bool) {
        let is_synced = self.dirty.is_empty()
            && self
                .durable
                .as_ref()
                .is_some_and(|d| d.len() == self.data.len());
        if is_synced {
            return (false, false);
        }
        let keeps_new = dice.chance(500);
        let (mut kept, mut lost) = (false, false);
        if self.is_projection && !keeps_new {
            lost = true;
        } else {
            let old = self.durable.clone().unwrap_or_default();
            let base = if self.is_projection { Vec::new() } else { old };
            let length = if keeps_new {
                self.data.len()
            } else {
                base.len()
            };
            let mut found = base;
            found.resize(length, 0);
            for sector in &self.dirty {
                let range = sector * SECTOR..((sector + 1) * SECTOR).min(length);
                if range.start < length && dice.chance(600) {
                    kept = true;
                    found[range.clone()].copy_from_slice(&self.data[range]);
                } else {
                    lost = true;
                }
            }
            self.durable = Some(found);
        }
        self.dirty.clear();
        self.is_projection = false;
        self.data = self.durable.clone().unwrap_or_default();
        (kept, lost)
    }
}

fn failed(name: &str, kind: io::ErrorKind) -> DiskError {
    DiskError {
        doing: "use",
        path: name.into(),
        source: kind.into(),
    }
}

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

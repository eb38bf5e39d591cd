use portcullis_host::{AppendFile, Disk, DiskError};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;
/// How much of reserved room is found as zeros after a power cut; more would only cost time.
const ZEROS: usize = 4096;

/// A disk that forgets at [`CrashDisk::crash`] or [`CrashDisk::cut_power`] what was not made durable,
/// and that can be made full.
#[derive(Clone, Default)]
pub struct CrashDisk(Arc<Mutex<Files>>);

/// Something that happens while the disk is busy.
type Meanwhile = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Files {
    /// To happen at the next syncs of a file, one each.
    meanwhile: VecDeque<(String, Meanwhile)>,
    by_name: BTreeMap<String, File>,
    /// Removed since the power last went: they may come back.
    removed: BTreeMap<String, File>,
    /// How many more writes find room, once that is limited.
    writes_left: Option<u64>,
    /// How many more operations there is power for, once that is limited.
    operations_left: Option<u64>,
}

#[derive(Clone, Debug, Default)]
struct File {
    bytes: Vec<u8>,
    /// What survives.
    durable: Vec<u8>,
    /// Up to here writes find room whether or not the disk is full.
    reserved: usize,
    promise: Promise,
}

/// What a power cut may do to a file.
#[derive(Clone, Debug, Default)]
enum Promise {
    /// What is durable survives.
    #[default]
    Kept,
    /// It is a projection, put where this was: nothing promises which of the two is found, or that
    /// the new one is whole.
    None(Option<Vec<u8>>),
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

    /// There is power for so many more operations; then every write fails until
    /// [`CrashDisk::cut_power`] brings it back.
    pub fn power_for(&self, operations: u64) {
        self.files().operations_left = Some(operations);
    }

    /// For how many more there is, where it was limited.
    #[must_use]
    pub fn power_left(&self) -> Option<u64> {
        self.files().operations_left
    }

    /// The power goes and comes back. Of what was written and not synced each sector survives or not,
    /// in any order, and so do lengths, projections and removals, as the seed has it. What was synced
    /// is there.
    pub fn cut_power(&self, seed: u64) {
        let mut files = self.files();
        let mut coin = Coin(seed);
        (files.writes_left, files.operations_left) = (None, None);
        for (name, file) in std::mem::take(&mut files.removed) {
            if coin.flip() {
                files.by_name.entry(name).or_insert(file);
            }
        }
        let all = std::mem::take(&mut files.by_name).into_iter();
        let found = all.filter_map(|(name, file)| Some((name, file.found(&mut coin)?)));
        files.by_name = found.collect();
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

    /// The names of all files, as a listing of the folder would show them.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.files().by_name.keys().cloned().collect()
    }

    /// Put a file there behind everybody's back.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let file = File::whole(bytes.to_vec());
        self.files().by_name.insert(name.to_owned(), file);
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap()
    }

    /// A write that finds room where it was reserved.
    fn growing(&self, name: &str, bytes: usize) -> Result<MutexGuard<'_, Files>, DiskError> {
        let files = self.powered(name)?;
        let has_room = files
            .by_name
            .get(name)
            .is_some_and(|f| f.bytes.len() + bytes <= f.reserved);
        if has_room {
            return Ok(files);
        }
        Self::finding_room(files, name)
    }

    fn writing(&self, name: &str) -> Result<MutexGuard<'_, Files>, DiskError> {
        Self::finding_room(self.powered(name)?, name)
    }

    fn finding_room<'a>(
        mut files: MutexGuard<'a, Files>,
        name: &str,
    ) -> Result<MutexGuard<'a, Files>, DiskError> {
        match &mut files.writes_left {
            Some(0) => Err(failed("write", name, io::ErrorKind::StorageFull)),
            Some(left) => {
                *left -= 1;
                Ok(files)
            }
            None => Ok(files),
        }
    }

    fn powered(&self, name: &str) -> Result<MutexGuard<'_, Files>, DiskError> {
        let mut files = self.files();
        match &mut files.operations_left {
            Some(0) => Err(failed("write", name, io::ErrorKind::Other)),
            Some(left) => {
                *left -= 1;
                Ok(files)
            }
            None => Ok(files),
        }
    }
}

impl File {
    fn whole(bytes: Vec<u8>) -> Self {
        Self {
            durable: bytes.clone(),
            bytes,
            ..Self::default()
        }
    }

    /// What is found of it after a power cut.
    fn found(self, coin: &mut Coin) -> Option<Self> {
        let bytes = match self.promise {
            Promise::None(old) if coin.flip() => old?,
            Promise::None(_) => coin.torn(&[], &self.bytes),
            Promise::Kept => {
                let mut bytes = coin.torn(&self.durable, &self.bytes);
                if self.reserved > bytes.len() && coin.flip() {
                    bytes.resize(self.reserved.min(bytes.len() + ZEROS), 0);
                }
                bytes
            }
        };
        Some(Self::whole(bytes))
    }
}

/// Chance that a seed decides, as `SplitMix64` does.
struct Coin(u64);

impl Coin {
    fn flip(&mut self) -> bool {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) & 1 == 1
    }

    /// Each sector is the old or the new one, and so is the length.
    fn torn(&mut self, old: &[u8], new: &[u8]) -> Vec<u8> {
        let mut bytes = old.to_vec();
        for (sector, at) in new.chunks(SECTOR).zip((0..).step_by(SECTOR)) {
            if self.flip() {
                let end = at + sector.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[at..end].copy_from_slice(sector);
            }
        }
        if self.flip() {
            bytes.resize(bytes.len().max(new.len()), 0);
        }
        bytes
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
        let mut files = self.powered(name)?;
        files.by_name.entry(name.to_owned()).or_default();
        drop(files);
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
        let mut files = self.powered(name)?;
        if let Some(file) = files.by_name.remove(name) {
            files.removed.insert(name.to_owned(), file);
        }
        Ok(())
    }

    fn write_projection(&self, name: &str, bytes: &[u8]) -> Result<(), DiskError> {
        let mut files = self.writing(name)?;
        let old = files.by_name.get(name).map(|file| file.durable.clone());
        let file = File {
            promise: Promise::None(old),
            ..File::whole(bytes.to_vec())
        };
        files.by_name.insert(name.to_owned(), file);
        Ok(())
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

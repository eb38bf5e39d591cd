//! A disk in memory that loses power, fills up and fails, as disks do.
//!
//! Only what was synced survives a power cut for certain. Of the rest each sector survives or not by
//! itself, and the file may have its new length or its old one. A process that is killed loses nothing
//! that it has written.

mod file;
mod seam;

use crate::chronicle::Chronicle;
use crate::dice::Dice;
use file::File;
use portcullis_host::DiskError;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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

fn failed(name: &str, kind: io::ErrorKind) -> DiskError {
    DiskError {
        doing: "use",
        path: name.into(),
        source: kind.into(),
    }
}

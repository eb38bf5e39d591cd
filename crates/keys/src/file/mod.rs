//! The encrypted file that holds software keys; `docs/spec/key-file.md` has its format.

mod cost;
mod disk;
mod entry;
mod error;
mod format;
mod lock;
mod passphrase;

use portcullis_core::genesis::Mode;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

pub use cost::{Cost, CostError};
pub use entry::{Kind, Name, NameError};
pub use error::KeyFileError;
pub use passphrase::{Passphrase, PassphraseError};

use crate::SoftwareCoin;
use crate::software::{Secret, SoftwareStatement, SoftwareWallet};
use entry::Entry;
use format::Sealed;
use lock::Lock;

/// The most keys that a file holds.
pub const MAX_KEYS: usize = 256;

/// An open key file: secrets in memory, erased when it is dropped.
///
/// Every change is durable when its call returns: written to a second file, that file and its folder
/// synchronised, and put in the first one's place. A crash leaves the old or the new content.
pub struct KeyFile {
    path: PathBuf,
    lock: Lock,
    entries: Vec<Entry>,
    /// What the file holds, so that nobody else's change is overwritten.
    on_disk: Vec<u8>,
}

impl KeyFile {
    /// Makes a file without keys, readable by its owner only. A file that exists is never touched.
    pub fn create(path: &Path, passphrase: &Passphrase, cost: Cost) -> Result<Self, KeyFileError> {
        let lock = Lock::fresh(passphrase, cost)?;
        let on_disk = lock.seal(&[])?.to_bytes();
        disk::create(path, &on_disk)?;
        Ok(Self {
            path: path.to_owned(),
            lock,
            entries: Vec::new(),
            on_disk,
        })
    }

    /// Reads a file and decrypts it.
    ///
    /// Size, form and cost are checked before anything is derived from the passphrase.
    pub fn open(path: &Path, passphrase: &Passphrase) -> Result<Self, KeyFileError> {
        let on_disk = disk::read(path)?;
        let sealed = Sealed::from_bytes(&on_disk)?;
        let (lock, entries) = Lock::unlock(passphrase, &sealed)?;
        Ok(Self {
            path: path.to_owned(),
            lock,
            entries,
            on_disk,
        })
    }

    /// Opens a file for a process of a network of this mode: where real value hangs on it, one that
    /// costs less to guess than [`Cost::PRODUCTION`] is refused.
    pub fn open_for(
        mode: Mode,
        path: &Path,
        passphrase: &Passphrase,
    ) -> Result<Self, KeyFileError> {
        let file = Self::open(path, passphrase)?;
        if mode == Mode::Production && !file.cost().is_fit_for_production() {
            return Err(KeyFileError::Cheap);
        }
        Ok(file)
    }

    /// Makes a new key and stores it.
    pub fn generate(&mut self, kind: Kind, name: Name) -> Result<(), KeyFileError> {
        let mut secret: Secret = Zeroizing::new([0; 32]);
        loop {
            getrandom::fill(&mut *secret).map_err(|_| KeyFileError::Random)?;
            // A random scalar is out of range once in 2^32 tries for P-256, practically never else.
            if kind.admits(&secret) {
                return self.import(kind, name, &secret);
            }
        }
    }

    /// Stores a key that was made elsewhere.
    pub fn import(&mut self, kind: Kind, name: Name, secret: &Secret) -> Result<(), KeyFileError> {
        if self.entry(&name).is_some() {
            return Err(KeyFileError::NameTaken(name));
        }
        if self.entries.len() == MAX_KEYS {
            return Err(KeyFileError::Full);
        }
        if !kind.admits(secret) {
            return Err(KeyFileError::OutOfRange);
        }
        self.entries.push(Entry {
            kind,
            name,
            secret: secret.clone(),
        });
        self.save().inspect_err(|_| {
            self.entries.pop();
        })
    }

    /// The names and kinds of all keys, in the order in which they were stored.
    pub fn keys(&self) -> impl Iterator<Item = (&Name, Kind)> {
        self.entries.iter().map(|entry| (&entry.name, entry.kind))
    }

    /// The secp256k1 key of this name.
    pub fn wallet(&self, name: &Name) -> Result<SoftwareWallet, KeyFileError> {
        let entry = self.named(name)?;
        match entry.kind {
            Kind::Secp256k1 => {
                SoftwareWallet::new(&entry.secret).map_err(|_| KeyFileError::OutOfRange)
            }
            kind => Err(KeyFileError::WrongKind(name.clone(), kind)),
        }
    }

    /// The key of this name that spends outputs.
    pub fn coin(&self, name: &Name) -> Result<SoftwareCoin, KeyFileError> {
        let entry = self.named(name)?;
        match entry.kind {
            Kind::Coin => SoftwareCoin::new(&entry.secret).map_err(|_| KeyFileError::OutOfRange),
            kind => Err(KeyFileError::WrongKind(name.clone(), kind)),
        }
    }

    /// The Ed25519 or P-256 key of this name.
    pub fn statement(&self, name: &Name) -> Result<SoftwareStatement, KeyFileError> {
        let entry = self.named(name)?;
        let key = match entry.kind {
            Kind::Ed25519 => SoftwareStatement::ed25519(&entry.secret),
            Kind::P256 => SoftwareStatement::p256(&entry.secret),
            kind @ (Kind::Secp256k1 | Kind::Secret | Kind::Coin) => {
                return Err(KeyFileError::WrongKind(name.clone(), kind));
            }
        };
        key.map_err(|_| KeyFileError::OutOfRange)
    }

    /// The secret of this name that signs nothing.
    pub fn secret(&self, name: &Name) -> Result<Secret, KeyFileError> {
        let entry = self.named(name)?;
        match entry.kind {
            Kind::Secret => Ok(entry.secret.clone()),
            kind => Err(KeyFileError::WrongKind(name.clone(), kind)),
        }
    }

    /// What a guess at the passphrase costs; a production process refuses less than
    /// [`Cost::PRODUCTION`].
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.lock.cost()
    }

    fn named(&self, name: &Name) -> Result<&Entry, KeyFileError> {
        self.entry(name)
            .ok_or_else(|| KeyFileError::NoSuchKey(name.clone()))
    }

    fn entry(&self, name: &Name) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == *name)
    }

    fn save(&mut self) -> Result<(), KeyFileError> {
        let next = self.lock.seal(&self.entries)?.to_bytes();
        disk::replace(&self.path, &self.on_disk, &next)?;
        self.on_disk = next;
        Ok(())
    }
}

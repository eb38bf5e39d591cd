//! The process: configuration in, roles out, until it is told to stop.

use crate::board::{Board, BoardError, StoreError};
use crate::config::{Config, Role};
use crate::cosigner::{Cosigner, NotAWitness};
use crate::memory::MemoryError;
use crate::server::{self, Roles};
use crate::witness::Witness;
use portcullis_core::Network;
use portcullis_core::genesis::{GenesisFault, MAX_GENESIS};
use portcullis_core::signature::Strict;
use portcullis_host::clock::NotDevelopment;
use portcullis_host::{Clock, Dir, Disk, DiskError, FileClock, SystemClock};
use portcullis_keys::file::{NameError, PassphraseError};
use portcullis_keys::{KeyFile, KeyFileError, Passphrase, StatementKey};
use portcullis_tlog::{KeyError, KeyName};
use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

/// How often a lock that somebody holds is tried, and after how long.
const LOCK_TRIES: u32 = 20;
const BETWEEN_TRIES: Duration = Duration::from_millis(50);

/// Why the process does not start, or why it ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of the configuration cannot be opened.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The genesis.
    #[error("the genesis: {0}")]
    Genesis(#[from] GenesisFault),
    /// The key file.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// The passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// A key's name.
    #[error(transparent)]
    KeyName(#[from] NameError),
    /// The witness' key.
    #[error(transparent)]
    NotAWitness(#[from] NotAWitness),
    /// The witness' name.
    #[error("the witness' name: {0}")]
    Name(#[from] KeyError),
    /// The test clock.
    #[error(transparent)]
    TestClock(#[from] NotDevelopment),
    /// Another process has the data directory.
    #[error("{0} is in use by another process; two on one record could cosign a fork")]
    InUse(PathBuf),
    /// The disk.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// What the witness has cosigned.
    #[error("the witness: {0}")]
    Memory(#[from] MemoryError),
    /// What was posted.
    #[error("the stop board: {0}")]
    Board(#[from] BoardError),
    /// The network interface.
    #[error("cannot listen on {0}: {1}; see what has the port, or change `listen`")]
    Listen(std::net::SocketAddr, std::io::Error),
    /// The operating system.
    #[error("the process cannot be set up: {0}")]
    System(std::io::Error),
    /// A disk error while running.
    #[error("stopped after a disk error, as logged; start again: recovery finds out what was kept")]
    Stopped,
}

impl Error {
    /// Whether the process found this before it did anything: the configuration or a file that it
    /// names, a record that it cannot begin from, or a data folder or port that another process has.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Disk(_) | Self::System(_) | Self::Stopped) && !self.is_the_disks()
    }

    /// Whether the disk has failed under a record: that may pass.
    fn is_the_disks(&self) -> bool {
        matches!(
            self,
            Self::Memory(MemoryError::Disk(_))
                | Self::Board(BoardError::Store(StoreError::Disk(_)))
        )
    }
}

/// Makes the first record of each role that is configured. Once in a key's life: a second time refuses.
/// To begin a second role later, leave the first one out of the configuration for that moment.
pub fn init(config: &Config) -> Result<(), Error> {
    let setting = Setting::open(config)?;
    let (network, disk) = (&setting.network, setting.disk.as_ref());
    let cosigner = config.witness.as_ref().map(|role| setting.cosigner(role));
    let board = config.board.as_ref().map(|role| setting.key(role));
    // Both keys are right before anything is made.
    let (cosigner, board) = (cosigner.transpose()?, board.transpose()?);
    if let Some(key) = &board {
        Board::create(network, key.as_ref(), disk)?;
    }
    if let Some(cosigner) = &cosigner {
        Witness::create(network, cosigner, disk)?;
    }
    Ok(())
}

/// Runs until SIGTERM or SIGINT, or until a role had to stop.
pub fn run(config: &Config) -> Result<(), Error> {
    let setting = Setting::open(config)?;
    let roles = setting.roles(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(Error::System)?;
    runtime.block_on(server::serve(config.listen, roles))
}

/// What both roles share. While it lives, nobody else has the data directory.
struct Setting {
    network: Arc<Network>,
    keys: KeyFile,
    clock: Arc<dyn Clock>,
    disk: Arc<dyn Disk>,
    _lock: File,
}

impl Setting {
    fn open(config: &Config) -> Result<Self, Error> {
        let genesis = read(&config.genesis)?;
        let network = Network::open(&genesis, config.genesis_digest, &Strict)?;
        let mode = network.genesis().mode;
        let passphrase = Passphrase::read_file(open(&config.passphrase_file)?)?;
        let keys = KeyFile::open_for(mode, &config.key_file, &passphrase)?;
        let clock: Arc<dyn Clock> = match &config.test_clock {
            Some(path) => Arc::new(FileClock::new(path.clone(), mode)?),
            None => Arc::new(SystemClock),
        };
        let dir = Dir::open(&config.data)?;
        let lock = lock(&config.data)?;
        Ok(Self {
            network: Arc::new(network),
            keys,
            clock,
            disk: Arc::new(dir),
            _lock: lock,
        })
    }

    fn roles(&self, config: &Config) -> Result<Roles, Error> {
        let witness = config.witness.as_ref().map(|role| self.witness(role));
        let board = config.board.as_ref().map(|role| self.board(role, config));
        Ok(Roles {
            witness: witness.transpose()?,
            board: board.transpose()?,
        })
    }

    fn board(&self, role: &Role, config: &Config) -> Result<Board, Error> {
        let (clock, disk) = (Arc::clone(&self.clock), Arc::clone(&self.disk));
        let network = Arc::clone(&self.network);
        let board = Board::open(network, self.key(role)?, clock, disk)?;
        Ok(match &config.name {
            Some(name) => board.of_platform(name),
            None => board,
        })
    }

    fn witness(&self, role: &Role) -> Result<Witness, Error> {
        let cosigner = self.cosigner(role)?;
        let (clock, disk) = (Arc::clone(&self.clock), Arc::clone(&self.disk));
        Ok(Witness::open(&self.network, cosigner, clock, disk)?)
    }

    fn cosigner(&self, role: &Role) -> Result<Cosigner, Error> {
        let key = self.key(role)?.into();
        Ok(match &role.name {
            Some(name) => Cosigner::successor(KeyName::new(name)?, key)?,
            None => Cosigner::new(&self.network, key)?,
        })
    }

    fn key(&self, role: &Role) -> Result<Box<dyn StatementKey>, Error> {
        Ok(Box::new(self.keys.statement(&role.key.parse()?)?))
    }
}

fn lock(data: &Path) -> Result<File, Error> {
    let path = data.join("lock");
    // Its owner's alone: whoever could open it could hold the lock and keep the witness from starting.
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(failed(&path))?;
    // Whoever made the folder and starts other processes hands its lock on to each between fork and exec, for a
    // moment: that is no other witness.
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => sleep(BETWEEN_TRIES),
            Err(TryLockError::Error(error)) => return Err(failed(&path)(error)),
        }
    }
    Err(Error::InUse(data.to_owned()))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let file = open(path)?;
    // One byte more than a genesis may have: too long is then said by the genesis' own check.
    file.take(MAX_GENESIS as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed(path))?;
    Ok(bytes)
}

fn open(path: &Path) -> Result<File, Error> {
    File::open(path).map_err(failed(path))
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> Error {
    let path = path.to_owned();
    move |error| Error::File {
        path: path.clone(),
        error,
    }
}

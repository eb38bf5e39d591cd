//! What every keeper's process starts from: its genesis, its clock, its keys and its folder, as its
//! configuration names them.

use crate::{Machine, Watch};
use portcullis_core::genesis::{GenesisFault, MAX_GENESIS};
use portcullis_core::id::BoardId;
use portcullis_core::signature::Strict;
use portcullis_core::{Digest, Network};
use portcullis_host::clock::NotDevelopment;
use portcullis_host::{Clock, Dir, DiskError, FileClock, SystemClock, SystemRandom, Web};
use portcullis_keys::file::PassphraseError;
use portcullis_keys::{KeyFile, KeyFileError, Passphrase};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What the configuration says.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// The signed genesis.
    pub genesis: &'a Path,
    /// Its digest, pinned by hand.
    pub genesis_digest: Digest,
    /// Where the gate answers.
    pub gate: &'a str,
    /// Where the stop boards answer.
    pub boards: &'a BTreeMap<BoardId, String>,
    /// A file that moves time; development only.
    pub test_clock: Option<&'a Path>,
    /// The key file.
    pub keys: &'a Path,
    /// Where its passphrase is read.
    pub passphrase: &'a Path,
    /// The keeper's own folder.
    pub data: &'a Path,
}

/// Why there is nothing to start from. Nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A file.
    #[error("cannot read {0}: {1}")]
    Read(PathBuf, std::io::Error),
    /// The genesis.
    #[error(transparent)]
    Genesis(#[from] GenesisFault),
    /// A test clock in production.
    #[error(transparent)]
    Clock(#[from] NotDevelopment),
    /// The data folder.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The key file.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// A stop board without its address.
    #[error("the genesis names stop board {0}, and the configuration no address for it")]
    NoBoard(BoardId),
    /// An address that cannot be asked.
    #[error(
        "{0}: addresses are http://HOST:PORT; where they leave the host, put a tunnel or a proxy \
         that keeps the Host header"
    )]
    NotHttp(String),
}

impl Start<'_> {
    /// The genesis, if it is the pinned one.
    pub fn network(&self) -> Result<Network, StartError> {
        let failed = |error| StartError::Read(self.genesis.to_owned(), error);
        let mut bytes = Vec::new();
        let file = File::open(self.genesis).map_err(failed)?;
        let capped = file.take(MAX_GENESIS as u64 + 1).read_to_end(&mut bytes);
        capped.map_err(failed)?;
        Ok(Network::open(&bytes, self.genesis_digest, &Strict)?)
    }

    /// The machine's clock, or the test's in development.
    pub fn clock(&self, network: &Network) -> Result<Arc<dyn Clock>, StartError> {
        Ok(match self.test_clock {
            Some(path) => Arc::new(FileClock::new(path.to_owned(), network.genesis().mode)?),
            None => Arc::new(SystemClock),
        })
    }

    /// The gate, and every stop board of genesis, can be asked.
    pub fn check_addresses(&self, network: &Network) -> Result<(), StartError> {
        let mut urls = self.boards.values().map(String::as_str).chain([self.gate]);
        if let Some(url) = urls.find(|url| !url.starts_with("http://")) {
            return Err(StartError::NotHttp(url.to_owned()));
        }
        let mut boards = network.genesis().boards.iter().map(|board| board.id);
        match boards.find(|id| !self.boards.contains_key(id)) {
            Some(missing) => Err(StartError::NoBoard(missing)),
            None => Ok(()),
        }
    }

    /// The key file, opened.
    pub fn key_file(&self, network: &Network) -> Result<KeyFile, StartError> {
        let failed = |error| StartError::Read(self.passphrase.to_owned(), error);
        let source = File::open(self.passphrase).map_err(failed)?;
        let passphrase = Passphrase::read_file(source)?;
        let mode = network.genesis().mode;
        Ok(KeyFile::open_for(mode, self.keys, &passphrase)?)
    }

    /// The real machine. It takes the folder, so it comes last: a configuration that cannot be used takes
    /// nothing.
    pub fn machine(&self, clock: Arc<dyn Clock>) -> Result<Machine, StartError> {
        Ok(Machine {
            watch: Watch::new(clock),
            disk: Arc::new(Dir::open_alone(self.data)?),
            random: Arc::new(SystemRandom),
            http: Arc::new(Web::new()),
        })
    }
}

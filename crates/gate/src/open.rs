//! Opening what the gate needs: genesis, clock, keys, and the journal with the state that it gives.

use crate::config::{ChainFees, Config};
use crate::fees::FeeTable;
use crate::index::Index;
use crate::run::Error;
use crate::sequencer::Sequencer;
use crate::snapshots;
use portcullis_chains::ChainId;
use portcullis_core::signature::Strict;
use portcullis_core::{Network, State};
use portcullis_host::{Clock, Disk, FileClock, SystemClock};
use portcullis_journal::projection::CHECKPOINT_FILE;
use portcullis_journal::{Directory, Journal, Snapshots};
use portcullis_keys::{KeyFile, Passphrase, StatementKey};
use portcullis_tlog::{Cosigned, Log, LogKey, MAX_NOTE_BYTES, SignError, Signer, TreeHead};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Genesis, checked against the pinned digest.
pub(crate) fn genesis(config: &Config) -> Result<Network, Error> {
    let bytes = std::fs::read(&config.genesis)
        .map_err(|error| Error::File(config.genesis.display().to_string(), error))?;
    Ok(Network::open(&bytes, config.genesis_digest, &Strict)?)
}

pub(crate) fn clock(config: &Config, network: &Network) -> Result<Arc<dyn Clock>, Error> {
    let Some(path) = &config.test_clock else {
        return Ok(Arc::new(SystemClock));
    };
    let clock = FileClock::new(path.clone(), network.genesis().mode);
    Ok(Arc::new(
        clock.map_err(|fault| Error::Config(fault.to_string()))?,
    ))
}

pub(crate) fn chains(config: &Config) -> Result<BTreeMap<ChainId, ChainFees>, Error> {
    let parse = |(chain, fees): (&String, &ChainFees)| {
        let id = chain
            .parse()
            .map_err(|_| Error::Config(format!("{chain} is no CAIP-2 chain")))?;
        Ok((id, fees.clone()))
    };
    config.chains.iter().map(parse).collect()
}

/// The journal's key, checked to be the one that genesis names.
pub(crate) fn log_key(config: &Config, network: &Network) -> Result<Arc<dyn StatementKey>, Error> {
    let file = std::fs::File::open(&config.passphrase_file)
        .map_err(|error| Error::File(config.passphrase_file.display().to_string(), error))?;
    let keys = KeyFile::open(&config.key_file, &Passphrase::read(file)?)?;
    let name = config
        .log_key
        .parse()
        .map_err(|_| Error::Config("the log key's name".into()))?;
    let key = keys.statement(&name)?;
    if key.public_key().as_bytes() != network.log().public() {
        return Err(Error::Config(
            "the log key is not the one that genesis names".into(),
        ));
    }
    Ok(Arc::new(key))
}

/// A statement key that signs checkpoints.
pub(crate) struct LogSigningKey {
    key: Arc<dyn StatementKey>,
    public: LogKey,
}

impl LogSigningKey {
    pub(crate) fn new(key: Arc<dyn StatementKey>, network: &Network) -> Self {
        let public = network.log().clone();
        Self { key, public }
    }
}

/// What the gate derives from its journal.
pub(crate) struct Replica {
    pub(crate) state: State,
    pub(crate) index: Index,
}

impl Signer<Log> for LogSigningKey {
    fn key(&self) -> &LogKey {
        &self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], SignError> {
        let failed = |error: portcullis_keys::SignError| SignError {
            name: self.public.name().to_string(),
            reason: error.to_string(),
        };
        Ok(*self.key.sign(message).map_err(failed)?.as_bytes())
    }
}

/// Open the journal and derive the state from it, from the last snapshot on: recovery and every other
/// start are one path.
pub(crate) fn journal(
    config: &Config,
    network: &Arc<Network>,
    disk: &Arc<dyn Disk>,
    snapshots: &Snapshots,
    fees: FeeTable,
) -> Result<Sequencer<Directory>, Error> {
    let known = known_head(disk.as_ref(), network)?;
    let (store, recovered) = Directory::open(Arc::clone(disk), config.segment_bytes)?;
    let least = known.map_or(0, |head| head.size);
    let journal = Journal::open(store, &recovered, Arc::clone(disk), least)?;
    let (size, view) = (journal.head().size, journal.view());
    let mut replica = snapshots::load(snapshots, network)?;
    let from = replica.state.size();
    if from > size {
        return Err(Error::Changed { size: from });
    }
    replica.follow(&view, size, known)?;
    tracing::info!(entries = size, from, "the journal is open");
    Ok(Sequencer::new(journal, replica.state, replica.index, fees))
}

/// The head of the checkpoint that was written last: the journal cannot be shorter.
fn known_head(disk: &dyn Disk, network: &Network) -> Result<Option<TreeHead>, Error> {
    let Some(note) = disk.read(CHECKPOINT_FILE, MAX_NOTE_BYTES as u64)? else {
        return Ok(None);
    };
    let cosigned = Cosigned::parse(&note, network.log(), network.quorum());
    let cosigned =
        cosigned.map_err(|fault| Error::Config(format!("{CHECKPOINT_FILE}: {fault}")))?;
    Ok(Some(cosigned.head()))
}

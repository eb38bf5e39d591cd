//! Opening what the gate needs: genesis, clock, keys, and the journal with the state that it gives.

use crate::config::{ChainFees, CoinFees, Config};
use crate::fees::FeeTable;
use crate::log_keys::LogKeys;
use crate::run::Error;
use crate::sequencer::Sequencer;
use crate::snapshots::Replica;
use portcullis_chains::ChainId;
use portcullis_chains::bitcoin::FeeRate;
use portcullis_core::signature::Strict;
use portcullis_core::{Network, State};
use portcullis_host::{Clock, Disk, FileClock, Random, SystemClock};
use portcullis_journal::projection::CHECKPOINT_FILE;
use portcullis_journal::{Directory, Journal, Snapshots};
use portcullis_keys::{KeyFile, Passphrase, StatementKey};
use portcullis_tlog::{MAX_NOTE_BYTES, ReadCheckpoint};
use std::collections::{BTreeMap, BTreeSet};
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

/// The configuration names the network's own witnesses and boards, and each where it answers: a
/// misspelt name would be a witness or a board that is never asked.
pub(crate) fn check(config: &Config, network: &Network) -> Result<(), Error> {
    let wrong = |what: String| Err(Error::Config(what));
    if config.authorities.is_empty() {
        return wrong("authorities names nothing: no request could be signed for this gate".into());
    }
    let witnesses = network.quorum().witnesses().iter();
    let names = witnesses.map(|key| key.name().as_str());
    let names: Vec<&str> = names.collect();
    let stranger = config
        .witnesses
        .keys()
        .find(|name| !names.contains(&name.as_str()));
    if let Some(name) = stranger {
        let known = names.join(", ");
        return wrong(format!(
            "genesis names no witness {name}; it names {known}. Those of a rotation stand in [successors]"
        ));
    }
    if let Some(board) = config
        .boards
        .keys()
        .find(|id| network.board(**id).is_none())
    {
        return wrong(format!("genesis names no stop board {board}"));
    }
    let mut boards = network.genesis().boards.iter();
    if let Some(missing) = boards.find(|board| !config.boards.contains_key(&board.id)) {
        let id = missing.id;
        return wrong(format!(
            "genesis names stop board {id}, and [boards] no address for it"
        ));
    }
    let witnesses = config.witnesses.values().chain(config.successors.values());
    let peers = witnesses.chain(config.boards.values());
    let mut urls = peers
        .chain(config.issuers.values())
        .chain(config.webhooks.values());
    match urls.find(|url| !url.starts_with("http://")) {
        Some(url) => wrong(format!(
            "{url}: addresses are http://HOST:PORT; where they leave the host, put a tunnel or a \
             proxy that keeps the Host header"
        )),
        None => Ok(()),
    }
}

/// All who are to sign the journal's checkpoints can: a quorum of the witnesses has addresses, and of the key
/// there is the secret.
pub(crate) fn check_signatories(
    state: &State,
    urls: &BTreeMap<String, String>,
    keys: &LogKeys,
) -> Result<(), Error> {
    check_witnesses(state, urls)?;
    check_log_keys(state, keys)
}

/// A quorum of the witnesses in force has addresses.
fn check_witnesses(state: &State, urls: &BTreeMap<String, String>) -> Result<(), Error> {
    // Those of before have their last checkpoint to cosign.
    let sizes = state.handing_over().into_iter().chain([u64::MAX]);
    for quorum in sizes.map(|size| state.quorum_at(size)) {
        let witnesses = quorum.witnesses().iter();
        let named = witnesses.filter(|key| urls.contains_key(key.name().as_str()));
        let (named, needed) = (named.count(), quorum.k());
        if named < needed {
            let all = quorum.witnesses().iter().map(|key| key.name().as_str());
            let all: Vec<&str> = all.collect();
            return Err(Error::Config(format!(
                "{named} witnesses are named of {}; the quorum takes {needed}. [witnesses] has those of \
                 genesis, [successors] those of a rotation",
                all.join(", ")
            )));
        }
    }
    Ok(())
}

/// The gate has every key that it is to sign with: the one in force and, while the journal is handed over, the
/// one of before.
fn check_log_keys(state: &State, keys: &LogKeys) -> Result<(), Error> {
    let sizes = state.handing_over().into_iter().chain([u64::MAX]);
    let mut wanted = sizes.map(|size| state.signatories_at(size).log());
    match wanted.find(|key| keys.secret_of(key).is_none()) {
        None => Ok(()),
        Some(missing) => Err(Error::Config(format!(
            "the journal's key in force is {missing}, and neither log_key nor log_successor is that one; where \
             it was rotated, name the one in force as log_successor too"
        ))),
    }
}

/// The fees of each chain that a wallet pays on, and of no other: a misspelt one would have every
/// withdrawal there refused.
pub(crate) fn chains(
    config: &Config,
    network: &Network,
) -> Result<BTreeMap<ChainId, ChainFees>, Error> {
    let parse = |(chain, fees): (&String, &ChainFees)| {
        let id = chain
            .parse()
            .map_err(|_| Error::Config(format!("{chain} is no CAIP-2 chain")))?;
        Ok((id, fees.clone()))
    };
    let chains: BTreeMap<ChainId, ChainFees> = config
        .chains
        .iter()
        .map(parse)
        .collect::<Result<_, Error>>()?;
    let wallets = network.genesis().wallets.iter();
    // A mandate has no fees: whoever carries it out pays them.
    let others = wallets.filter(|wallet| wallet.bitcoin.is_none() && wallet.mandate.is_none());
    let paying: BTreeSet<ChainId> = others.map(|wallet| wallet.address.chain()).collect();
    if let Some(stranger) = chains.keys().find(|chain| !paying.contains(chain)) {
        return Err(Error::Config(format!(
            "genesis names no wallet on {stranger}, and [chains] does"
        )));
    }
    match paying.iter().find(|chain| !chains.contains_key(chain)) {
        Some(missing) => Err(Error::Config(format!(
            "genesis names a wallet on {missing}, and [chains] no fees for it"
        ))),
        None => Ok(chains),
    }
}

/// The same of each chain on which a wallet spends coins: without a node nothing could be paid there.
pub(crate) fn coins(
    config: &Config,
    network: &Network,
) -> Result<BTreeMap<ChainId, CoinFees>, Error> {
    let mut coins = BTreeMap::new();
    for (chain, fees) in &config.coins {
        let id: ChainId = chain
            .parse()
            .map_err(|_| Error::Config(format!("{chain} is no CAIP-2 chain")))?;
        if FeeRate::per_1000_virtual_bytes(fees.max_fee_per_kvb).is_err() {
            let what = "max_fee_per_kvb is 1000 to 10000000 satoshis per 1,000 virtual bytes";
            return Err(Error::Config(format!("[coins] of {chain}: {what}")));
        }
        coins.insert(id, fees.clone());
    }
    let wallets = network.genesis().wallets.iter();
    let spending = wallets.filter(|wallet| wallet.bitcoin.is_some());
    let spending: BTreeSet<ChainId> = spending.map(|wallet| wallet.address.chain()).collect();
    if let Some(stranger) = coins.keys().find(|chain| !spending.contains(chain)) {
        return Err(Error::Config(format!(
            "genesis names no wallet that spends coins on {stranger}, and [coins] does"
        )));
    }
    match spending.iter().find(|chain| !coins.contains_key(chain)) {
        Some(missing) => Err(Error::Config(format!(
            "genesis names a wallet that spends coins on {missing}, and [coins] no node for it"
        ))),
        None => Ok(coins),
    }
}

/// The journal's key and its successor, where one is named.
pub(crate) fn log_keys(config: &Config, network: &Network) -> Result<LogKeys, Error> {
    let file = std::fs::File::open(&config.passphrase_file)
        .map_err(|error| Error::File(config.passphrase_file.display().to_string(), error))?;
    let passphrase = Passphrase::read_file(file)?;
    let keys = KeyFile::open_for(network.genesis().mode, &config.key_file, &passphrase)?;
    let read = |name: &String| -> Result<Arc<dyn StatementKey>, Error> {
        let name = name.parse();
        let name = name.map_err(|_| Error::Config("the log key's name".into()))?;
        Ok(Arc::new(keys.statement(&name)?))
    };
    let successor = config.log_successor.as_ref().map(read).transpose()?;
    Ok(LogKeys::new(read(&config.log_key)?, successor))
}

/// What the journal's store is made of.
pub(crate) struct Storage<'a> {
    pub(crate) disk: &'a Arc<dyn Disk>,
    pub(crate) random: &'a Arc<dyn Random>,
    pub(crate) segment_bytes: u64,
}

/// Open the journal and derive the state from it, from the last snapshot on: recovery and every other
/// start are one path.
pub(crate) fn journal(
    network: &Arc<Network>,
    storage: &Storage<'_>,
    snapshots: Option<&Snapshots>,
    fees: FeeTable,
) -> Result<Sequencer<Directory>, Error> {
    let (disk, random) = (storage.disk, storage.random);
    let known = known_checkpoint(disk.as_ref())?;
    let size = known.as_ref().map_or(0, |known| known.claimed().size);
    let opened = Directory::open(Arc::clone(disk), storage.segment_bytes, Arc::clone(random));
    let (store, recovered) = opened?;
    let journal = Journal::open(store, &recovered, Arc::clone(disk), size)?;
    let head = journal.head();
    let view = journal.view();
    let open = || Replica::open(network, snapshots, &view, head);
    let replica = match open() {
        // It may be the files of entries that are not right, and not the segments.
        Err(Error::Changed { .. } | Error::Read(_)) if view.mend()? => open(),
        opened => opened,
    }?;
    if let Some(known) = known {
        check_cosigned(&replica.state, known)?;
    }
    tracing::info!(entries = head.size, "the journal is open");
    Ok(Sequencer::new(journal, replica.state, replica.index, fees))
}

/// The checkpoint that was written last: the journal cannot be shorter. Whose signatures it must have is known
/// once the journal has been read.
fn known_checkpoint(disk: &dyn Disk) -> Result<Option<ReadCheckpoint>, Error> {
    let Some(note) = disk.read(CHECKPOINT_FILE, MAX_NOTE_BYTES as u64)? else {
        return Ok(None);
    };
    Ok(Some(
        ReadCheckpoint::parse(&note).map_err(not_a_checkpoint)?,
    ))
}

fn check_cosigned(state: &State, known: ReadCheckpoint) -> Result<(), Error> {
    let signatories = state.signatories_at(known.claimed().size);
    let cosigned = signatories.check(known);
    cosigned.map(drop).map_err(not_a_checkpoint)
}

fn not_a_checkpoint(fault: impl std::fmt::Display) -> Error {
    Error::Config(format!("{CHECKPOINT_FILE}: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use portcullis_host::SystemRandom;
    use portcullis_journal::Projection;
    use portcullis_keeper::testkit::{CrashDisk, HandClock, Ledger, World};

    /// The segments are the truth; a start that reads a file of entries which is not right makes all
    /// files again, and ends where every start does.
    #[test]
    fn a_damaged_file_of_entries_keeps_no_gate_from_starting() {
        let mut ledger = Ledger::new(Arc::new(World::new()), HandClock::at(World::START));
        while ledger.entries.len() < 300 {
            ledger.settle_clocks();
        }
        let network = &ledger.world.network;
        let (crashing, random) = (Arc::new(CrashDisk::default()), Arc::new(SystemRandom));
        let (disk, random): (Arc<dyn Disk>, Arc<dyn Random>) = (crashing.clone(), random);
        let storage = Storage {
            disk: &disk,
            random: &random,
            segment_bytes: 1 << 14,
        };
        let (store, recovered) = Directory::open(disk.clone(), 1 << 14, random.clone()).unwrap();
        let mut journal = Journal::open(store, &recovered, disk.clone(), 0).unwrap();
        for entry in &ledger.entries {
            journal.make_room(entry.len() as u64, 1).unwrap();
            journal.append(vec![entry.clone()]).unwrap();
        }
        let size = ledger.state.size();
        Projection::new(journal.view())
            .publish(size, ledger.note.as_ref())
            .unwrap();
        drop(journal);
        let (bundle, tile) = ("tile/entries/000", "tile/0/000");
        for name in [bundle, tile] {
            let mut damaged = crashing.bytes(name).unwrap();
            let middle = damaged.len() / 2;
            damaged[middle] ^= 1;
            crashing.put(name, &damaged);
            let fees = FeeTable::new(&BTreeMap::new());
            let opened = super::journal(network, &storage, None, fees).unwrap();
            assert_eq!(opened.head(), ledger.state.facts().log.head());
            assert_eq!(opened.shared().state().digest(), ledger.state.digest());
        }
    }
}

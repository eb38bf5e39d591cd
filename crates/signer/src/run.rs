//! The process: from a configuration to a running signer, until SIGTERM.

use crate::coins::{Coins, own_wallet};
use crate::config::{Chain, Config};
use crate::signer::{Parts, Signer, SignerError};
use portcullis_chains::{AssetId, ChainId};
use portcullis_core::genesis::Wallet;
use portcullis_core::id::{KeeperId, WalletId};
use portcullis_core::{Digest, Network};
use portcullis_host::{Dir, SystemClock, SystemRandom, Told};
use portcullis_keeper::NoLease;
use portcullis_keeper::latches::{self, LatchError};
use portcullis_keeper::process::{Beside, stop_at_signal};
use portcullis_keeper::start::{Start, StartError};
use portcullis_keeper::successor::{StatementKeys, StatementKeysError};
use portcullis_keys::file::NameError;
use portcullis_keys::{CoinKey, KeyFile, KeyFileError, Name, StatementKey, WalletKey};
use portcullis_node::bitcoin::{self, BitcoinNode};
use portcullis_node::{HttpNode, Node, NodeError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// How long a question to the gate waits for news.
const LONG_POLL: Duration = Duration::from_millis(200);
/// How long to rest where the gate had nothing new: one that answers at once is not asked in a loop.
const BREATH: Duration = Duration::from_millis(5);
/// How long to leave a gate alone that does not answer.
const REST: Duration = Duration::from_millis(200);
/// How long to wait before opening again after a disk or a key has failed.
const RECOVER: Duration = Duration::from_secs(2);
/// How long a node may take for one exchange.
const NODE_PATIENCE: Duration = Duration::from_millis(750);

/// Why a signer does not start.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// What every keeper starts from.
    #[error(transparent)]
    Start(#[from] StartError),
    /// A key of the file.
    #[error(transparent)]
    Keys(#[from] KeyFileError),
    /// A key's name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The statement keys.
    #[error(transparent)]
    Statements(#[from] StatementKeysError),
    /// A node's address.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The keeper is not of this genesis.
    #[error("the genesis has no keeper {0}")]
    NoSuchKeeper(KeeperId),
    /// The statement key is another one.
    #[error(
        "the statement key is not the one that the genesis names for keeper {0}; where it was rotated, name \
         the one in force as keys.successor too"
    )]
    OtherStatementKey(KeeperId),
    /// A wallet of another keeper, or of none.
    #[error("wallet {0} is not one that the genesis gives to this keeper")]
    OtherWallet(WalletId),
    /// A wallet's key is another one.
    #[error("the key of wallet {0} is not that of the wallet's address in the genesis")]
    OtherWalletKey(WalletId),
    /// A wallet of the other kind.
    #[error(
        "wallet {0} is named under keys.{1}: a wallet on a chain of bip122 takes keys.coins, any other keys.wallets"
    )]
    OtherKind(WalletId, &'static str),
    /// A wallet without its chain.
    #[error("wallet {0} is on {1}, which is not configured")]
    NoChain(WalletId, ChainId),
    /// A chain whose transactions this version does not sign.
    #[error(
        "[[chains]] names {0}: this signer signs transactions on chains of eip155 and bip122 only"
    )]
    UnknownChain(ChainId),
    /// Started as what it is not.
    #[error("the wallets of keeper {0} pay by mandate in the genesis: start it with --mandate")]
    GivesMandates(KeeperId),
    /// Started as what it is not.
    #[error("no wallet of keeper {0} pays by mandate in the genesis: start it without --mandate")]
    GivesNoMandates(KeeperId),
    /// A key that nothing would be signed with.
    #[error("a signer that gives mandates has no wallet's key: leave keys.wallets out")]
    KeyBesideMandates,
    /// A cap for what genesis does not let out.
    #[error("[[caps]] names {0}, which is no asset of the genesis: is it misspelt?")]
    NoSuchAsset(AssetId),
    /// The signer's own files.
    #[error(transparent)]
    Open(#[from] SignerError),
    /// The latches.
    #[error(transparent)]
    Latches(#[from] LatchError),
    /// Alarms cannot be signed.
    #[error("the alarm webhook needs an Ed25519 statement key (Standard Webhooks, v1a)")]
    AlarmKey,
    /// Signals cannot be waited for.
    #[error("cannot wait for SIGTERM: {0}")]
    Signal(std::io::Error),
}

impl RunError {
    /// Whether the signer found this before it did anything: the configuration or a file that it
    /// names, or a data folder that it cannot have.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        !matches!(self, Self::Open(_) | Self::Latches(_) | Self::Signal(_))
    }
}

/// Run until SIGTERM or SIGINT.
///
/// Where the disk or the statement key fails, what was done is not known: everything is opened
/// again from disk, which is also how a crash is recovered from.
pub fn run(config: Config, signs: Signs) -> Result<(), RunError> {
    let stop = stop_at_signal().map_err(RunError::Signal)?;
    let (mut parts, keys) = assemble(config, signs)?;
    tracing::info!(keeper = %parts.config.keeper, gate = parts.config.gate, "the signer starts");
    let mut signer = Signer::open(parts.clone())?;
    loop {
        let courier = start_courier(&signer, &parts.config, &stop)?;
        let turned = step_until(&mut signer, &keys, &stop);
        if let Some(courier) = courier {
            courier.stop();
        }
        let again = |error: &SignerError| {
            tracing::error!(%error, "what is on the disk cannot be opened; tried again");
            thread::sleep(RECOVER);
            !stop.load(Ordering::Relaxed)
        };
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        if let Some(key) = turned {
            tracing::info!(
                "a rotation has put the other statement key in force: it is used from here on"
            );
            parts.key = key;
        }
        match signer.reopen(&parts, again) {
            Some(opened) => signer = opened,
            None => return Ok(()),
        }
    }
}

/// Step until the process ends, or until everything is to be opened again from disk: after a failure, or with
/// the statement key that is given, because it is the one in force by now.
fn step_until(
    signer: &mut Signer,
    keys: &StatementKeys,
    stop: &AtomicBool,
) -> Option<Arc<dyn StatementKey>> {
    let mut standing = Standing::default();
    while !stop.load(Ordering::Relaxed) {
        if let Some(key) = keys.to_turn_to(signer.keeper()) {
            return Some(key);
        }
        let step = signer.step(LONG_POLL);
        if let Ok(step) = &step {
            standing.tell(step.waits, Instant::now());
        }
        match step {
            Ok(step) if step.applied > 0 => {}
            Ok(step) if step.heard => thread::sleep(BREATH),
            Ok(_) => thread::sleep(REST),
            Err(error) => {
                tracing::error!(%error, "stopping to recover from disk");
                thread::sleep(RECOVER);
                return None;
            }
        }
    }
    if let Err(error) = signer.save() {
        tracing::warn!(%error, "no snapshot; the next start reads more of the journal");
    }
    None
}

/// How long a wait lasts before it is told: catching up takes moments all the time.
const LASTS: Duration = Duration::from_secs(2);

/// Whether the signer may sign, and why not: told once it has lasted, and when it changes.
#[derive(Default)]
struct Standing {
    now: Option<(Option<NoLease>, Instant)>,
    told: Told<Option<NoLease>>,
}

impl Standing {
    /// Whether this has to be told.
    fn is_news(&mut self, waits: Option<NoLease>, at: Instant) -> bool {
        let since = match self.now {
            Some((before, since)) if before == waits => since,
            _ => at,
        };
        self.now = Some((waits, since));
        at.duration_since(since) >= LASTS && self.told.is_news(waits)
    }

    fn tell(&mut self, waits: Option<NoLease>, at: Instant) {
        if !self.is_news(waits, at) {
            return;
        }
        match waits {
            None => tracing::info!("the signer follows and signs"),
            Some(why @ NoLease::Latched(_)) => {
                tracing::error!(%why, "the signer signs nothing until a quorum lifts the latch");
            }
            Some(why @ NoLease::SetBack) => tracing::error!(%why, "the signer waits"),
            Some(why) => {
                tracing::warn!(%why, "the signer waits, and goes on by itself when that has passed");
            }
        }
    }
}

/// Shut the signer of this configuration on its own host: no gate, no network, no key. Gives the id
/// of the latch that a quorum has to lift. There is no `open`.
pub fn shut(config: &Config) -> Result<Digest, RunError> {
    let disk = Dir::open(&config.data).map_err(StartError::from)?;
    Ok(latches::shut(&disk, &SystemRandom, &SystemClock)?)
}

/// Alarms travel beside the signer.
fn start_courier(
    signer: &Signer,
    config: &Config,
    process: &Arc<AtomicBool>,
) -> Result<Option<Beside>, RunError> {
    let courier = signer.courier();
    if config.alarms.webhook.is_some() && courier.is_none() {
        return Err(RunError::AlarmKey);
    }
    Ok(courier.map(|mut courier| Beside::start(process, move || courier.step())))
}

/// Everything that the configuration names, read and checked against the genesis.
fn assemble(config: Config, signs: Signs) -> Result<(Parts, StatementKeys), RunError> {
    let start = start(&config);
    let network = start.network()?;
    let clock = start.clock(&network)?;
    start.check_addresses(&network)?;
    let assets = &network.genesis().assets;
    if let Some(stranger) = config.caps.iter().find(|cap| !assets.contains(&cap.asset)) {
        return Err(RunError::NoSuchAsset(stranger.asset));
    }
    check_signs(&config, &network, signs)?;
    let file = start.key_file(&network)?;
    let (keys, wallets) = keys(&config, &file, &network)?;
    let key = Arc::clone(keys.first());
    let nodes = nodes(&config)?;
    let coins = Coins {
        keys: coin_keys(&config, &file, &network)?,
        nodes: coin_nodes(&config)?,
    };
    // The folder last: a configuration that cannot be used takes nothing.
    let machine = start.machine(clock)?;
    let parts = Parts {
        machine,
        network: Arc::new(network),
        config,
        key,
        wallets,
        nodes,
        coins,
    };
    Ok((parts, keys))
}

fn start(config: &Config) -> Start<'_> {
    Start {
        genesis: &config.genesis,
        genesis_digest: config.genesis_digest,
        gate: &config.gate,
        boards: &config.boards,
        test_clock: config.test_clock.as_deref(),
        keys: &config.keys.file,
        passphrase: &config.keys.passphrase_file,
        data: &config.data,
    }
}

/// What a signer signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signs {
    /// Transactions, with its wallets' keys.
    Transactions,
    /// Mandates, which a platform's own wallet service carries out.
    Mandates,
}

/// Whoever starts a signer says which of the two it is, and the genesis has to agree: one that gives mandates
/// holds no key of any chain.
fn check_signs(config: &Config, network: &Network, signs: Signs) -> Result<(), RunError> {
    let mut ours = network.genesis().wallets.iter();
    let gives = ours.any(|wallet| wallet.keeper == config.keeper && wallet.mandate.is_some());
    match (signs, gives) {
        (Signs::Transactions, false) => Ok(()),
        (Signs::Mandates, true)
            if config.keys.wallets.is_empty() && config.keys.coins.is_empty() =>
        {
            Ok(())
        }
        (Signs::Mandates, true) => Err(RunError::KeyBesideMandates),
        (Signs::Transactions, true) => Err(RunError::GivesMandates(config.keeper)),
        (Signs::Mandates, false) => Err(RunError::GivesNoMandates(config.keeper)),
    }
}

type Wallets = BTreeMap<WalletId, Arc<dyn WalletKey>>;

fn keys(
    config: &Config,
    file: &KeyFile,
    network: &Network,
) -> Result<(StatementKeys, Wallets), RunError> {
    let (statement, successor) = (&config.keys.statement, config.keys.successor.as_deref());
    let statements = StatementKeys::read(file, statement, successor)?;
    let keeper = network.keeper(config.keeper);
    let keeper = keeper.ok_or(RunError::NoSuchKeeper(config.keeper))?;
    if !statements.may_begin(&keeper.key) {
        return Err(RunError::OtherStatementKey(config.keeper));
    }
    let wallets = network.genesis().wallets.iter();
    let ours = wallets.filter(|wallet| wallet.keeper == config.keeper && wallet.mandate.is_none());
    let named = &config.keys;
    let has_key = |id| named.wallets.contains_key(id) || named.coins.contains_key(id);
    for wallet in ours.filter(|wallet| !has_key(&wallet.id)) {
        tracing::warn!(wallet = %wallet.id, "no key is configured for this wallet: nothing is signed");
    }
    let mut wallets = Wallets::new();
    for (id, name) in &config.keys.wallets {
        let wallet = file.wallet(&name.parse::<Name>()?)?;
        check_wallet(config, network, *id, wallet.address())?;
        wallets.insert(*id, Arc::new(wallet));
    }
    Ok((statements, wallets))
}

fn check_wallet(
    config: &Config,
    network: &Network,
    id: WalletId,
    key: [u8; 20],
) -> Result<(), RunError> {
    let wallet = network.wallet(id).filter(|w| w.keeper == config.keeper);
    let wallet = wallet.ok_or(RunError::OtherWallet(id))?;
    if wallet.bitcoin.is_some() {
        return Err(RunError::OtherKind(id, "wallets"));
    }
    if wallet.address.evm() != Some(key) {
        return Err(RunError::OtherWalletKey(id));
    }
    check_chain(config, wallet)
}

fn check_chain(config: &Config, wallet: &Wallet) -> Result<(), RunError> {
    let chain = wallet.address.chain();
    match config.chain(chain) {
        Some(_) => Ok(()),
        None => Err(RunError::NoChain(wallet.id, chain)),
    }
}

type CoinKeys = BTreeMap<WalletId, Vec<Arc<dyn CoinKey>>>;

/// The keys of wallets that spend coins: every one that genesis names, so that the signer can derive the wallet.
fn coin_keys(config: &Config, file: &KeyFile, network: &Network) -> Result<CoinKeys, RunError> {
    let mut wallets = CoinKeys::new();
    for (id, names) in &config.keys.coins {
        let mut keys = Vec::<Arc<dyn CoinKey>>::new();
        for name in names {
            keys.push(Arc::new(file.coin(&name.parse::<Name>()?)?));
        }
        let wallet = network.wallet(*id).filter(|w| w.keeper == config.keeper);
        let wallet = wallet.ok_or(RunError::OtherWallet(*id))?;
        if wallet.bitcoin.is_none() {
            return Err(RunError::OtherKind(*id, "coins"));
        }
        if own_wallet(wallet, &keys).is_none() {
            return Err(RunError::OtherWalletKey(*id));
        }
        check_chain(config, wallet)?;
        wallets.insert(*id, keys);
    }
    Ok(wallets)
}

fn nodes(config: &Config) -> Result<BTreeMap<ChainId, Arc<dyn Node>>, RunError> {
    let chains = config.chains.iter();
    let others = chains.filter(|chain| !matches!(chain.id, ChainId::Bitcoin(_)));
    others.map(node).collect()
}

fn node(chain: &Chain) -> Result<(ChainId, Arc<dyn Node>), RunError> {
    let number = chain.id.evm().ok_or(RunError::UnknownChain(chain.id))?;
    let node = HttpNode::new(&chain.node, number, NODE_PATIENCE)?;
    Ok((chain.id, Arc::new(node)))
}

fn coin_nodes(config: &Config) -> Result<BTreeMap<ChainId, Arc<dyn BitcoinNode>>, RunError> {
    let mut nodes = BTreeMap::<_, Arc<dyn BitcoinNode>>::new();
    for chain in &config.chains {
        if let (ChainId::Bitcoin(id), Some(credentials)) = (chain.id, &chain.credentials) {
            let node = bitcoin::HttpNode::new(&chain.node, credentials.clone(), id, NODE_PATIENCE)?;
            nodes.insert(chain.id, Arc::new(node));
        }
    }
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_told_once_and_only_when_it_lasts() {
        let (mut standing, start) = (Standing::default(), Instant::now());
        let mut at = |waits, ms| standing.is_news(waits, start + Duration::from_millis(ms));
        let stale = Some(NoLease::Stale);
        assert!(!at(None, 0));
        assert!(at(None, 2000), "that it began");
        assert!(!at(stale, 2100), "a moment is nothing");
        assert!(!at(None, 2200));
        assert!(!at(None, 9000), "nothing has changed");
        assert!(!at(stale, 9100));
        assert!(at(stale, 11_100), "it lasts");
        assert!(!at(stale, 60_000), "and was told");
        assert!(!at(None, 60_100));
        assert!(at(None, 62_100), "it has passed");
    }
}

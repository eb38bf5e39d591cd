//! Putting the gate together: journal, state, sequencer, witnesses, boards, HTTP.

use crate::boards::{BoardPoll, POLL};
use crate::config::Config;
use crate::cosign::Witnesses;
use crate::fees::FeeTable;
use crate::index::Index;
use crate::sequencer::{Command, MAX_BATCH, Sequencer, Shared, Stop, What};
use crate::server::Api;
use portcullis_chains::ChainId;
use portcullis_core::genesis::GenesisFault;
use portcullis_core::signature::Strict;
use portcullis_core::{Entry, Network, State};
use portcullis_host::{
    Clock, Dir, Disk, DiskError, FileClock, Http, SystemClock, SystemRandom, Web,
};
use portcullis_journal::projection::CHECKPOINT_FILE;
use portcullis_journal::{Directory, Journal, OpenError, Projection, StoreError};
use portcullis_keys::file::PassphraseError;
use portcullis_keys::{KeyFile, KeyFileError, Passphrase, StatementKey};
use portcullis_tlog::{Cosigned, Log, LogKey, MAX_NOTE_BYTES, SignError, Signer, TreeHead};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long a batch stays open for more.
const BATCH_OPEN: Duration = Duration::from_millis(2);
/// How often the sequencer looks at what comes due by itself.
const IDLE: Duration = Duration::from_millis(50);
/// How often an idle journal's newest checkpoint is cosigned again.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How often the tlog-tiles files are brought up to date.
const PROJECT: Duration = Duration::from_millis(500);

/// Why the gate does not start, or has stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Genesis.
    #[error("genesis: {0}")]
    Genesis(#[from] GenesisFault),
    /// A file.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// A file that must be there.
    #[error("cannot read {0}: {1}")]
    File(String, std::io::Error),
    /// The key file.
    #[error("the gate's key file: {0}")]
    Keys(#[from] KeyFileError),
    /// Its passphrase.
    #[error("the gate's passphrase file: {0}")]
    Passphrase(#[from] PassphraseError),
    /// The configuration.
    #[error("the gate's configuration: {0}")]
    Config(String),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] OpenError),
    /// The journal's store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sequencer.
    #[error(transparent)]
    Stop(#[from] Stop),
    /// An entry that cannot be read back.
    #[error("the journal cannot be read: {0}")]
    Read(#[from] portcullis_journal::ReadError),
}

/// Run the gate until it is told to stop.
pub fn run(config: &Config) -> Result<(), Error> {
    let network = Arc::new(open_genesis(config)?);
    let clock = clock(config, &network)?;
    let http: Arc<dyn Http> = Arc::new(Web::new());
    let disk: Arc<dyn Disk> = Arc::new(Dir::open(&config.journal)?);
    let log = log_signer(config, &network)?;
    let fees = FeeTable::new(&chains(config)?);
    let mut sequencer = open(config, &network, &disk, fees)?;
    sequencer.begin(clock.now())?;
    let shared = sequencer.shared();
    let (queue, commands) = sync_channel(config.queue);
    let heads = Arc::new(Heads::new(sequencer.head()));
    let stopping = Arc::new(AtomicBool::new(false));

    let witnesses = Witnesses::start(
        Arc::clone(&network),
        Box::new(log),
        &config.witnesses,
        &shared.view,
        &http,
    );
    spawn("cosign", {
        let (heads, shared) = (Arc::clone(&heads), Arc::clone(&shared));
        move || cosign(&witnesses, &heads, &shared)
    });
    spawn("project", {
        let shared = Arc::clone(&shared);
        move || project(&shared)
    });
    for (board, url) in &config.boards {
        let mut poll = BoardPoll::new(*board, url.clone());
        let (http, shared) = (Arc::clone(&http), Arc::clone(&shared));
        let (clock, queue) = (Arc::clone(&clock), queue.clone());
        spawn("board", move || {
            loop {
                poll.poll(http.as_ref(), &shared, clock.as_ref(), &queue);
                std::thread::sleep(POLL);
            }
        });
    }
    let ended = Arc::new(Notify::new());
    let sequencing = {
        let (clock, stopping) = (Arc::clone(&clock), Arc::clone(&stopping));
        let ended = Arc::clone(&ended);
        std::thread::Builder::new()
            .name("sequencer".into())
            .spawn(move || {
                let outcome =
                    sequence(&mut sequencer, &commands, clock.as_ref(), &heads, &stopping);
                ended.notify_one();
                outcome
            })
    };
    let sequencing = sequencing.map_err(|error| Error::Config(error.to_string()))?;
    let api = Api::new(
        Arc::clone(&shared),
        queue,
        clock,
        Arc::new(SystemRandom),
        config.authorities.clone(),
    );
    serve(config, api, ended)?;
    // What was taken is journaled before the process ends.
    stopping.store(true, Ordering::Release);
    match sequencing.join() {
        Ok(ended) => Ok(ended?),
        Err(_) => Err(Stop::Poisoned.into()),
    }
}

/// Genesis, checked against the pinned digest.
fn open_genesis(config: &Config) -> Result<Network, Error> {
    let bytes = std::fs::read(&config.genesis)
        .map_err(|error| Error::File(config.genesis.display().to_string(), error))?;
    Ok(Network::open(&bytes, config.genesis_digest, &Strict)?)
}

fn clock(config: &Config, network: &Network) -> Result<Arc<dyn Clock>, Error> {
    let Some(path) = &config.test_clock else {
        return Ok(Arc::new(SystemClock));
    };
    let clock = FileClock::new(path.clone(), network.genesis().mode);
    Ok(Arc::new(
        clock.map_err(|fault| Error::Config(fault.to_string()))?,
    ))
}

fn chains(
    config: &Config,
) -> Result<std::collections::BTreeMap<ChainId, crate::config::ChainFees>, Error> {
    let parse = |(chain, fees): (&String, &crate::config::ChainFees)| {
        let id = chain
            .parse()
            .map_err(|_| Error::Config(format!("{chain} is no CAIP-2 chain")))?;
        Ok((id, fees.clone()))
    };
    config.chains.iter().map(parse).collect()
}

/// The journal's key as a log key, checked to be the one that genesis names.
fn log_signer(config: &Config, network: &Network) -> Result<LogSigningKey, Error> {
    let file = std::fs::File::open(&config.passphrase_file)
        .map_err(|error| Error::File(config.passphrase_file.display().to_string(), error))?;
    let keys = KeyFile::open(Path::new(&config.key_file), &Passphrase::read(file)?)?;
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
    Ok(LogSigningKey {
        key: Box::new(key),
        public: network.log().clone(),
    })
}

/// A statement key that signs checkpoints.
pub struct LogSigningKey {
    key: Box<dyn StatementKey>,
    public: LogKey,
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

/// Open the journal and derive the state from it: recovery and every other start are one path.
fn open(
    config: &Config,
    network: &Arc<Network>,
    disk: &Arc<dyn Disk>,
    fees: FeeTable,
) -> Result<Sequencer<Directory>, Error> {
    let known = known_size(disk.as_ref(), network)?;
    let (store, recovered) = Directory::open(Arc::clone(disk), config.segment_bytes)?;
    let journal = Journal::open(store, &recovered, Arc::clone(disk), known)?;
    let mut state = State::new(Arc::clone(network));
    let mut index = Index::default();
    let size = journal.head().size;
    let view = journal.view();
    while state.size() < size {
        for bytes in view.entries(state.size()..size, 4 * 1024 * 1024)? {
            let entry = Entry::from_bytes(&bytes).ok();
            let applied = state.apply(&bytes, &Strict);
            match &entry {
                Some(entry) => index.add(entry, &applied),
                None => tracing::error!(index = applied.index, "an entry cannot be read"),
            }
            if let Some(void) = &applied.void {
                tracing::error!(index = applied.index, %void, "the journal has a void entry");
            }
        }
    }
    tracing::info!(entries = size, "the journal is open");
    Ok(Sequencer::new(journal, state, index, fees))
}

/// The size of the checkpoint that was written last: the journal cannot be shorter.
fn known_size(disk: &dyn Disk, network: &Network) -> Result<u64, Error> {
    let Some(note) = disk.read(CHECKPOINT_FILE, MAX_NOTE_BYTES as u64)? else {
        return Ok(0);
    };
    let cosigned = Cosigned::parse(&note, network.log(), network.quorum());
    let cosigned =
        cosigned.map_err(|fault| Error::Config(format!("{CHECKPOINT_FILE}: {fault}")))?;
    Ok(cosigned.head().size)
}

fn sequence(
    sequencer: &mut Sequencer<Directory>,
    commands: &Receiver<Command>,
    clock: &dyn Clock,
    heads: &Heads,
    stopping: &AtomicBool,
) -> Result<(), Stop> {
    loop {
        let batch = collect(commands);
        let is_idle = batch.is_empty();
        // An error here is an unknown outcome: the process ends and the next start reads the journal.
        sequencer.step(batch, clock.now())?;
        heads.show(sequencer.head());
        if is_idle && stopping.load(Ordering::Acquire) {
            return Ok(());
        }
    }
}

/// The commands of one batch: it closes after 2 ms, at 256, or with a suspension.
fn collect(commands: &Receiver<Command>) -> Vec<Command> {
    let mut batch = Vec::new();
    let mut end = Instant::now() + IDLE;
    while batch.len() < MAX_BATCH {
        let left = end.saturating_duration_since(Instant::now());
        match commands.recv_timeout(left) {
            Ok(command) => {
                if batch.is_empty() {
                    end = Instant::now() + BATCH_OPEN;
                }
                let stops = is_restricting(&command);
                batch.push(command);
                if stops {
                    break;
                }
            }
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(left);
                break;
            }
        }
    }
    batch
}

fn is_restricting(command: &Command) -> bool {
    matches!(&command.what, What::Act(posting) if posting.act.kind.is_restricting())
}

/// The newest durable head, for the thread that has it cosigned.
struct Heads {
    newest: Mutex<TreeHead>,
    grew: Condvar,
}

impl Heads {
    fn new(head: TreeHead) -> Self {
        Self {
            newest: Mutex::new(head),
            grew: Condvar::new(),
        }
    }

    fn show(&self, head: TreeHead) {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if *newest != head {
            *newest = head;
            self.grew.notify_all();
        }
    }

    /// A head other than `last`, or the same after a heartbeat.
    fn next(&self, last: Option<TreeHead>) -> TreeHead {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |head: &mut TreeHead| Some(*head) == last;
        let waited = self.grew.wait_timeout_while(newest, HEARTBEAT, same);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

fn cosign(witnesses: &Witnesses, heads: &Heads, shared: &Shared) {
    let mut last = None;
    loop {
        let head = heads.next(last);
        match witnesses.cosign(head) {
            Ok(witnessed) => {
                shared.published.show(witnessed);
                last = Some(head);
            }
            Err(error) => {
                tracing::warn!(%error, "no quorum");
                std::thread::sleep(Duration::from_millis(200));
            }
        }
    }
}

fn project(shared: &Shared) {
    let mut projection = Projection::new(Arc::clone(&shared.view));
    let mut shown = None;
    loop {
        std::thread::sleep(PROJECT);
        let Some(newest) = shared.published.newest() else {
            continue;
        };
        if shown == Some(newest.head) {
            continue;
        }
        match projection.publish(newest.head.size, &newest.note) {
            Ok(()) => shown = Some(newest.head),
            // Nothing depends on the files while the gate runs; the next round tries again.
            Err(error) => tracing::warn!(%error, "cannot write the tlog-tiles files"),
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) {
    if std::thread::Builder::new()
        .name(name.into())
        .spawn(run)
        .is_err()
    {
        tracing::error!(
            name,
            "cannot start a thread; ending, so that whoever watches starts again"
        );
        std::process::exit(70);
    }
}

/// Serve HTTP until SIGTERM, SIGINT, or the sequencer's end.
fn serve(config: &Config, api: Api, ended: Arc<Notify>) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::File(config.listen.to_string(), error);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(config.listen)
            .await
            .map_err(failed)?;
        tracing::info!(address = %config.listen, "the gate listens");
        let told = async move {
            tokio::select! {
                () = ended.notified() => {}
                () = signalled() => {}
            }
        };
        axum::serve(listener, api.router())
            .with_graceful_shutdown(told)
            .await
            .map_err(failed)
    })
}

async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

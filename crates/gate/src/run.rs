//! The process: from a configuration to a running gate, a thread for each of its parts, until SIGTERM.

use crate::config::{ChainFees, CoinFees, Config};
use crate::gate::{Gate, Parts, Sequencing, collect};
use crate::open;
use crate::pulse::Projector;
use crate::sequencer::{Command, Stop};
use crate::server::Api;
use crate::snapshots::Snapshotter;
use crate::webhooks::CursorError;
use hyper_util::server::graceful::GracefulShutdown;
use portcullis_chains::ChainId;
use portcullis_core::genesis::GenesisFault;
use portcullis_host::listen::{Bounds, accept};
use portcullis_host::{Dir, DiskError, SystemRandom, Web};
use portcullis_journal::{LabelsError, OpenError, ReadError, StoreError};
use portcullis_keys::KeyFileError;
use portcullis_keys::file::PassphraseError;
use portcullis_node::bitcoin::{self, BitcoinNode};
use portcullis_node::{HttpNode, Node};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long a batch stays open for more.
const BATCH_OPEN: Duration = Duration::from_millis(2);
/// How often the sequencer looks at what comes due by itself.
const IDLE: Duration = Duration::from_millis(50);
/// How long a node may take to say the going rate.
const NODE_PATIENCE: Duration = Duration::from_secs(3);
/// Back ends come from few addresses, each with many connections.
const BOUNDS: Bounds = Bounds {
    connections: 4096,
    per_peer: 2048,
    headers_within: Duration::from_secs(10),
    answer_within: Duration::from_secs(30),
};
/// How long open connections may keep a gate that was told to stop.
const FAREWELL: Duration = Duration::from_secs(2);

/// Why the gate does not start, or has stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Genesis.
    #[error("genesis: {0}")]
    Genesis(#[from] GenesisFault),
    /// A file.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The journal's folder cannot be opened, or belongs to another process.
    #[error(transparent)]
    Taken(DiskError),
    /// The port.
    #[error("cannot listen on {0}: {1}; see what has the port, or change `listen`")]
    Listen(SocketAddr, std::io::Error),
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
    /// Entries that a quorum cosigned, and that are others now, or gone.
    #[error(
        "the journal's first {size} entries are not those that were cosigned: somebody has changed \
         them. Restore the journal from a replica; nothing was changed now"
    )]
    Changed {
        /// How many were cosigned.
        size: u64,
    },
    /// How far a webhook has come.
    #[error("webhooks: {0}")]
    Webhook(#[from] CursorError),
    /// A label set that entries are decided by.
    #[error("the journal: {0}")]
    Labels(#[from] LabelsError),
    /// An entry that cannot be read back.
    #[error("the journal cannot be read: {0}")]
    Read(#[from] ReadError),
}

impl Error {
    /// Whether the gate found this before it did anything: the configuration or a file that it names.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Genesis(_)
                | Self::Taken(_)
                | Self::File(..)
                | Self::Keys(_)
                | Self::Passphrase(_)
                | Self::Config(_)
                | Self::Listen(..)
        )
    }
}

/// Run the gate until it is told to stop.
pub fn run(config: &Config) -> Result<(), Error> {
    let gate = Gate::open(assemble(config)?)?;
    spawn("cosign", move || gate.pulse.run());
    let projector = Arc::new(Mutex::new(gate.projector));
    let projecting = Arc::clone(&projector);
    spawn("project", move || Projector::run(&projecting));
    let snapshotter = gate
        .snapshotter
        .map(|snapshotter| Arc::new(Mutex::new(snapshotter)));
    if let Some(snapshotter) = snapshotter.clone() {
        spawn("snapshots", move || Snapshotter::run(&snapshotter));
    }
    for poll in gate.boards {
        spawn("board", move || poll.run());
    }
    for callout in gate.callouts {
        spawn("callout", move || callout.run());
    }
    for webhook in gate.webhooks {
        spawn("webhook", move || webhook.run());
    }
    for follower in gate.fees {
        spawn("fees", move || follower.run());
    }
    for follower in gate.coins {
        spawn("coins", move || follower.run());
    }
    let mut sequencing = gate.sequencing;
    let thread = SequencerThread::start(move |stopping| sequence(&mut sequencing, stopping))?;
    serve(config, gate.api, &thread.ended)?;
    thread.finish()?;
    // Whoever reads the files of a gate that was stopped finds all that was cosigned.
    Projector::once(&projector);
    if let Some(snapshotter) = snapshotter {
        Snapshotter::mark_once(&snapshotter);
    }
    Ok(())
}

/// Everything that the configuration names.
fn assemble(config: &Config) -> Result<Parts, Error> {
    let network = Arc::new(open::genesis(config)?);
    open::check(config, &network)?;
    let chains = open::chains(config, &network)?;
    let coins = coin_nodes(open::coins(config, &network)?)?;
    let log = open::log_keys(config, &network)?;
    let (clock, nodes) = (open::clock(config, &network)?, nodes(&chains)?);
    // Given back at once: who connects before the journal is open is to be told that nobody answers.
    drop(TcpListener::bind(config.listen).map_err(|error| Error::Listen(config.listen, error))?);
    // One writer: a second gate on the same folder does not start. Last, so that a configuration
    // that cannot be used takes nothing.
    let disk = Dir::open_alone(&config.journal).map_err(Error::Taken)?;
    Ok(Parts {
        clock,
        disk: Arc::new(disk),
        random: Arc::new(SystemRandom),
        http: Arc::new(Web::new()),
        log,
        network,
        witnesses: [&config.witnesses, &config.successors]
            .into_iter()
            .flatten()
            .map(owned)
            .collect(),
        boards: config.boards.clone(),
        nodes,
        chains,
        coins,
        authorities: config.authorities.clone(),
        queue: config.queue,
        segment_bytes: config.segment_bytes,
        snapshot_every: Some(config.snapshot_every),
        vendors: config.issuers.clone(),
        webhooks: config.webhooks.clone(),
    })
}

fn owned((name, url): (&String, &String)) -> (String, String) {
    (name.clone(), url.clone())
}

fn nodes(chains: &BTreeMap<ChainId, ChainFees>) -> Result<BTreeMap<ChainId, Arc<dyn Node>>, Error> {
    let mut nodes = BTreeMap::<_, Arc<dyn Node>>::new();
    for (chain, configured) in chains {
        let Some(url) = &configured.node else {
            continue;
        };
        let number = chain.evm().ok_or_else(|| {
            Error::Config(format!(
                "a node is asked for fees on chains of eip155 only, not on {chain}"
            ))
        })?;
        let node = HttpNode::new(url, number, NODE_PATIENCE)
            .map_err(|error| Error::Config(format!("the node {url}: {error}")))?;
        nodes.insert(*chain, Arc::new(node));
    }
    Ok(nodes)
}

type CoinNodes = BTreeMap<ChainId, (CoinFees, Arc<dyn BitcoinNode>)>;

fn coin_nodes(chains: BTreeMap<ChainId, CoinFees>) -> Result<CoinNodes, Error> {
    let mut nodes = CoinNodes::new();
    for (chain, fees) in chains {
        let ChainId::Bitcoin(id) = chain else {
            let what = format!("[coins] names {chain}, which is no chain of bip122");
            return Err(Error::Config(what));
        };
        let (url, credentials) = (&fees.node, fees.credentials.clone());
        let node = bitcoin::HttpNode::new(url, credentials, id, NODE_PATIENCE)
            .map_err(|error| Error::Config(format!("the node {url}: {error}")))?;
        nodes.insert(chain, (fees, Arc::new(node)));
    }
    Ok(nodes)
}

/// The sequencer's thread.
struct SequencerThread {
    thread: JoinHandle<Result<(), Stop>>,
    stopping: Arc<AtomicBool>,
    /// Told when the thread ends, however it ends.
    ended: Arc<Notify>,
}

/// Tells at its drop, so that a panic is noticed too.
struct Tell(Arc<Notify>);

impl Drop for Tell {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

impl SequencerThread {
    fn start(
        run: impl FnOnce(&AtomicBool) -> Result<(), Stop> + Send + 'static,
    ) -> Result<Self, Error> {
        let (stopping, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let (flag, tell) = (Arc::clone(&stopping), Tell(Arc::clone(&ended)));
        let thread = std::thread::Builder::new()
            .name("sequencer".into())
            .spawn(move || {
                let _tell = tell;
                run(&flag)
            });
        let thread = thread.map_err(|error| Error::Config(error.to_string()))?;
        Ok(Self {
            thread,
            stopping,
            ended,
        })
    }

    /// What was taken is journaled before the process ends.
    fn finish(self) -> Result<(), Error> {
        self.stopping.store(true, Ordering::Release);
        match self.thread.join() {
            Ok(ended) => Ok(ended?),
            Err(_) => Err(Stop::Panicked.into()),
        }
    }
}

fn sequence(sequencing: &mut Sequencing, stopping: &AtomicBool) -> Result<(), Stop> {
    loop {
        let batch = wait_for_batch(sequencing.queue());
        let is_idle = batch.is_empty();
        sequencing.step(batch)?;
        if is_idle && stopping.load(Ordering::Acquire) {
            return Ok(());
        }
    }
}

/// The commands of one batch; it stays open for 2 ms after the first.
fn wait_for_batch(commands: &Receiver<Command>) -> Vec<Command> {
    let mut end = Instant::now() + IDLE;
    collect(|so_far| {
        if so_far == 1 {
            end = Instant::now() + BATCH_OPEN;
        }
        let left = end.saturating_duration_since(Instant::now());
        match commands.recv_timeout(left) {
            Ok(command) => Some(command),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(left);
                None
            }
        }
    })
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
fn serve(config: &Config, api: Api, ended: &Arc<Notify>) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::Listen(config.listen, error);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(config.listen)
            .await
            .map_err(failed)?;
        tracing::info!(address = %config.listen, "the gate listens");
        let told = Arc::new(Notify::new());
        let (ended, tell) = (Arc::clone(ended), Arc::clone(&told));
        let stop = async move {
            tokio::select! {
                () = ended.notified() => {}
                () = signalled() => {}
            }
            tell.notify_one();
        };
        let (router, connections) = (api.router(), GracefulShutdown::new());
        let server = async {
            tokio::select! {
                () = accept(&listener, &router, BOUNDS, &connections) => {}
                () = stop => {}
            }
            connections.shutdown().await;
        };
        tokio::select! {
            () = server => Ok(()),
            // Followers that wait for news would keep it for seconds.
            () = async { told.notified().await; tokio::time::sleep(FAREWELL).await } => Ok(()),
        }
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

//! Putting the gate together: journal, state, sequencer, witnesses, boards, HTTP.

use crate::boards::{BoardPoll, POLL};
use crate::config::Config;
use crate::cosign::Witnesses;
use crate::fees::{self, FeeTable};
use crate::open::{self, LogSigningKey};
use crate::pulse::{self, Heads};
use crate::sequencer::{Command, MAX_BATCH, Sequencer, Shared, Stop, What};
use crate::server::Api;
use crate::snapshots;
use portcullis_chains::ChainId;
use portcullis_core::Network;
use portcullis_core::genesis::GenesisFault;
use portcullis_host::{Clock, Dir, Disk, DiskError, Http, SystemRandom, Web};
use portcullis_journal::{Directory, OpenError, ReadError, Snapshots, StoreError};
use portcullis_keys::KeyFileError;
use portcullis_keys::file::PassphraseError;
use portcullis_node::HttpNode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How long a batch stays open for more.
const BATCH_OPEN: Duration = Duration::from_millis(2);
/// How often the sequencer looks at what comes due by itself.
const IDLE: Duration = Duration::from_millis(50);
/// How long a node may take to say the going rate.
const NODE_PATIENCE: Duration = Duration::from_secs(3);
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
    /// Entries that a quorum cosigned, and that are others now.
    #[error(
        "the journal's first {size} entries are not those that were cosigned: somebody has changed \
         them. Restore the journal from a replica; nothing was changed now"
    )]
    Changed {
        /// How many were cosigned.
        size: u64,
    },
    /// An entry that cannot be read back.
    #[error("the journal cannot be read: {0}")]
    Read(#[from] ReadError),
}

/// Run the gate until it is told to stop.
pub fn run(config: &Config) -> Result<(), Error> {
    let network = Arc::new(open::genesis(config)?);
    let clock = open::clock(config, &network)?;
    // One writer: a second gate on the same folder does not start.
    let disk: Arc<dyn Disk> = Arc::new(Dir::open_alone(&config.journal)?);
    let key = open::log_key(config, &network)?;
    let log = LogSigningKey::new(Arc::clone(&key), &network);
    let snapshots = Snapshots::new(Arc::clone(&disk), key);
    let fees = start_fees(config)?;
    let mut sequencer = open::journal(config, &network, &disk, &snapshots, fees)?;
    sequencer.begin(clock.now())?;
    let shared = sequencer.shared();
    let (queue, commands) = sync_channel(config.queue);
    let heads = Arc::new(Heads::new(sequencer.head()));

    let http: Arc<dyn Http> = Arc::new(Web::new());
    let view = &shared.view;
    start_snapshots(snapshots, &network, &shared, config.snapshot_every);
    let witnesses = Witnesses::start(network, Box::new(log), &config.witnesses, view, &http);
    start_pulse(witnesses, &heads, &shared);
    start_boards(config, &http, &shared, &clock, &queue);
    let loop_clock = Arc::clone(&clock);
    let sequencing = Sequencing::start(move |stopping| {
        sequence(
            &mut sequencer,
            &commands,
            loop_clock.as_ref(),
            &heads,
            stopping,
        )
    })?;
    let authorities = config.authorities.clone();
    let api = Api::new(shared, queue, clock, Arc::new(SystemRandom), authorities);
    serve(config, api, &sequencing.ended)?;
    sequencing.finish()
}

fn start_fees(config: &Config) -> Result<FeeTable, Error> {
    let chains = open::chains(config)?;
    let table = FeeTable::new(&chains);
    for (chain, configured) in chains {
        let Some(url) = &configured.node else {
            continue;
        };
        let ChainId::Evm { chain: number } = chain;
        let node = HttpNode::new(url, number, NODE_PATIENCE)
            .map_err(|error| Error::Config(format!("the node {url}: {error}")))?;
        let table = table.clone();
        spawn("fees", move || {
            fees::follow(&table, chain, &node, &configured);
        });
    }
    Ok(table)
}

fn start_pulse(witnesses: Witnesses, heads: &Arc<Heads>, shared: &Arc<Shared>) {
    let (pulse_heads, pulse_shared) = (Arc::clone(heads), Arc::clone(shared));
    spawn("cosign", move || {
        pulse::cosign(&witnesses, &pulse_heads, &pulse_shared);
    });
    let shared = Arc::clone(shared);
    spawn("project", move || pulse::project(&shared));
}

/// Without snapshots the gate runs as well, and the next start reads more.
fn start_snapshots(snapshots: Snapshots, network: &Arc<Network>, shared: &Arc<Shared>, every: u64) {
    let (network, shared) = (Arc::clone(network), Arc::clone(shared));
    spawn("snapshots", move || {
        if let Err(error) = snapshots::write(&snapshots, &network, &shared, every) {
            tracing::error!(%error, "no more snapshots");
        }
    });
}

fn start_boards(
    config: &Config,
    http: &Arc<dyn Http>,
    shared: &Arc<Shared>,
    clock: &Arc<dyn Clock>,
    queue: &SyncSender<Command>,
) {
    for (board, url) in &config.boards {
        let mut poll = BoardPoll::new(*board, url.clone());
        let (http, shared) = (Arc::clone(http), Arc::clone(shared));
        let (clock, queue) = (Arc::clone(clock), queue.clone());
        spawn("board", move || {
            loop {
                poll.poll(http.as_ref(), &shared, clock.as_ref(), &queue);
                std::thread::sleep(POLL);
            }
        });
    }
}

/// The sequencer's thread.
struct Sequencing {
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

impl Sequencing {
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
        let told = Arc::new(Notify::new());
        let (ended, tell) = (Arc::clone(ended), Arc::clone(&told));
        let stop = async move {
            tokio::select! {
                () = ended.notified() => {}
                () = signalled() => {}
            }
            tell.notify_one();
        };
        let server = axum::serve(listener, api.router()).with_graceful_shutdown(stop);
        tokio::select! {
            served = server.into_future() => served.map_err(failed),
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

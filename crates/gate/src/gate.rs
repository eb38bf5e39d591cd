//! A gate put together: its moving parts, each of which is stepped from outside.
//!
//! [`crate::run`] gives every part a thread; the simulator steps them itself, in an order of its own.

use crate::boards::BoardPoll;
use crate::callout::{self, CallOut};
use crate::coins::{CoinFollower, CoinTable};
use crate::config::{ChainFees, CoinFees};
use crate::cosign::{self, Witnesses};
use crate::fees::{FeeFollower, FeeTable};
use crate::log_keys::LogKeys;
use crate::open;
use crate::pulse::{Durable, Heads, Projector, Pulse};
use crate::run::Error;
use crate::sequencer::{Command, MAX_BATCH, Sequencer, Shared, Stop, What};
use crate::server::Api;
use crate::snapshots::Snapshotter;
use crate::webhooks::{self, Seen, Webhook, WebhookName};
use portcullis_chains::ChainId;
use portcullis_chains::bitcoin::Wallet;
use portcullis_core::Network;
use portcullis_core::id::{BoardId, IssuerId};
use portcullis_host::{Clock, Disk, Http, Random};
use portcullis_journal::{Directory, Snapshots};
use portcullis_keys::webhook::Endpoint;
use portcullis_node::Node;
use portcullis_node::bitcoin::BitcoinNode;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// What a gate is made of.
pub struct Parts {
    /// The network, from the pinned genesis.
    pub network: Arc<Network>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The journal's folder.
    pub disk: Arc<dyn Disk>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The way out.
    pub http: Arc<dyn Http>,
    /// The journal's keys.
    pub log: LogKeys,
    /// The witnesses' URLs, by the name in their vkey: those in force, and those of a rotation to come.
    pub witnesses: BTreeMap<String, String>,
    /// The stop boards' URLs.
    pub boards: BTreeMap<BoardId, String>,
    /// Fees, by chain.
    pub chains: BTreeMap<ChainId, ChainFees>,
    /// The nodes that are asked for the going rates.
    pub nodes: BTreeMap<ChainId, Arc<dyn Node>>,
    /// The nodes that list what wallets can spend, with their fees, by chain.
    pub coins: BTreeMap<ChainId, (CoinFees, Arc<dyn BitcoinNode>)>,
    /// Authorities that clients reach the gate under.
    pub authorities: Vec<String>,
    /// How many acts may wait for the sequencer.
    pub queue: usize,
    /// Bytes of a journal segment.
    pub segment_bytes: u64,
    /// How many entries come between two snapshots, which make the next start quick; without them it reads the
    /// whole journal.
    pub snapshot_every: Option<u64>,
    /// Where vendors are asked for their word; from the others it comes by the back end.
    pub vendors: BTreeMap<IssuerId, String>,
    /// Where events are sent, by name.
    pub webhooks: BTreeMap<WebhookName, String>,
}

/// An open gate.
pub struct Gate {
    /// Gives entries their order and their time.
    pub sequencing: Sequencing,
    /// Has heads cosigned.
    pub pulse: Pulse,
    /// Writes the tlog-tiles files.
    pub projector: Projector,
    /// One for each stop board.
    pub boards: Vec<BoardPoll>,
    /// One for each vendor that is asked.
    pub callouts: Vec<CallOut>,
    /// One for each endpoint that is sent events.
    pub webhooks: Vec<Webhook>,
    /// One for each chain with a node.
    pub fees: Vec<FeeFollower>,
    /// One for each wallet that spends coins.
    pub coins: Vec<CoinFollower>,
    /// Writes snapshots, where it keeps any.
    pub snapshotter: Option<Snapshotter>,
    /// What answers.
    pub api: Api,
}

impl Gate {
    /// Open the journal and everything that stands on it. Recovery and every other start are one path.
    pub fn open(parts: Parts) -> Result<Self, Error> {
        let Parts {
            network,
            clock,
            disk,
            http,
            chains,
            ..
        } = parts;
        let (table, fees, coins) = planning(&network, chains, (&parts.nodes, &parts.coins));
        let snapshots = parts.snapshot_every.map(|every| {
            let key = Arc::clone(parts.log.own());
            (Snapshots::new(Arc::clone(&disk), key), every)
        });
        let own = snapshots.as_ref().map(|(snapshots, _)| snapshots);
        let storage = open::Storage {
            disk: &disk,
            random: &parts.random,
            segment_bytes: parts.segment_bytes,
        };
        let mut sequencer = open::journal(&network, &storage, own, table)?;
        open::check_signatories(&sequencer.shared().state(), &parts.witnesses, &parts.log)?;
        sequencer.begin(clock.now())?;
        let shared = sequencer.shared();
        let (queue, commands) = sync_channel(parts.queue);
        let heads = Arc::new(Heads::new(standing(&sequencer)));
        let snapshotter = snapshots.map(|(snapshots, every)| {
            let network = Arc::clone(&network);
            Snapshotter::new(snapshots, every, network, &shared, &heads)
        });
        let reach = cosign::Reach {
            urls: parts.witnesses,
            clock: Arc::clone(&clock),
            view: Arc::clone(&shared.view),
            http: Arc::clone(&http),
        };
        let witnesses = Witnesses::new(parts.log.clone(), reach);
        let reach = (&clock, &http, &shared, &queue);
        let boards = polls(parts.boards, reach);
        let callouts = callouts(parts.vendors, &parts.log, reach);
        let (size, reach) = (sequencer.head().size, (&clock, &http, &shared, &disk));
        let webhooks = webhooks(parts.webhooks, &parts.log, size, reach)?;
        let seen: Vec<Seen> = webhooks.iter().map(Webhook::seen).collect();
        Ok(Self {
            boards,
            callouts,
            webhooks,
            fees,
            coins,
            pulse: Pulse::new(witnesses, Arc::clone(&heads), Arc::clone(&shared)),
            projector: Projector::new(Arc::clone(&shared)),
            snapshotter,
            sequencing: Sequencing {
                sequencer,
                commands,
                clock: Arc::clone(&clock),
                heads,
            },
            api: Api::new(shared, queue, clock, parts.random, disk, parts.authorities)
                .showing(seen),
        })
    }

    /// What handlers and threads read.
    #[must_use]
    pub fn shared(&self) -> Arc<Shared> {
        self.sequencing.sequencer.shared()
    }
}

/// What a call-out reaches, of which each has its own.
type Reached<'a> = (
    &'a Arc<dyn Clock>,
    &'a Arc<dyn Http>,
    &'a Arc<Shared>,
    &'a SyncSender<Command>,
);

fn polls(
    boards: BTreeMap<BoardId, String>,
    (clock, http, shared, queue): Reached<'_>,
) -> Vec<BoardPoll> {
    let poll = |board| {
        let reach = (Arc::clone(clock), Arc::clone(http));
        BoardPoll::new(board, reach, Arc::clone(shared), queue.clone())
    };
    boards.into_iter().map(poll).collect()
}

fn callouts(
    vendors: BTreeMap<IssuerId, String>,
    keys: &LogKeys,
    (clock, http, shared, queue): Reached<'_>,
) -> Vec<CallOut> {
    let callout = |vendor| {
        let reach = callout::Reach {
            keys: keys.clone(),
            clock: Arc::clone(clock),
            http: Arc::clone(http),
        };
        CallOut::new(vendor, reach, Arc::clone(shared), queue.clone())
    };
    vendors.into_iter().map(callout).collect()
}

/// What a webhook reaches, of which each has its own.
type Sending<'a> = (
    &'a Arc<dyn Clock>,
    &'a Arc<dyn Http>,
    &'a Arc<Shared>,
    &'a Arc<dyn Disk>,
);

fn webhooks(
    urls: BTreeMap<WebhookName, String>,
    keys: &LogKeys,
    size: u64,
    (clock, http, shared, disk): Sending<'_>,
) -> Result<Vec<Webhook>, Error> {
    let webhook = |(name, url)| {
        let endpoint = Endpoint::new(Arc::clone(http), url, Arc::clone(keys.own()));
        let endpoint = endpoint.ok_or_else(|| {
            Error::Config("webhooks are signed by an Ed25519 key, and this is none".into())
        })?;
        let reach = webhooks::Reach {
            clock: Arc::clone(clock),
            disk: Arc::clone(disk),
            shared: Arc::clone(shared),
            keys: keys.clone(),
        };
        Ok(Webhook::open(name, endpoint, size, reach)?)
    };
    urls.into_iter().map(webhook).collect()
}

fn followers(
    table: &FeeTable,
    chains: BTreeMap<ChainId, ChainFees>,
    nodes: &BTreeMap<ChainId, Arc<dyn Node>>,
) -> Vec<FeeFollower> {
    let follower = |(chain, configured)| {
        let node = Arc::clone(nodes.get(&chain)?);
        let table = table.clone();
        Some(FeeFollower {
            table,
            chain,
            node,
            configured,
        })
    };
    chains.into_iter().filter_map(follower).collect()
}

/// What plans are made from, and whoever keeps it up to date.
fn planning(
    network: &Network,
    chains: BTreeMap<ChainId, ChainFees>,
    (nodes, coins): (&BTreeMap<ChainId, Arc<dyn Node>>, &CoinNodes),
) -> (FeeTable, Vec<FeeFollower>, Vec<CoinFollower>) {
    let (purses, coins) = coin_followers(network, coins);
    let table = FeeTable::new(&chains).with(purses);
    let fees = followers(&table, chains, nodes);
    (table, fees, coins)
}

type CoinNodes = BTreeMap<ChainId, (CoinFees, Arc<dyn BitcoinNode>)>;

/// Whoever keeps up to date what each wallet can spend, and where they write it.
fn coin_followers(network: &Network, nodes: &CoinNodes) -> (CoinTable, Vec<CoinFollower>) {
    let wallets = network.genesis().wallets.iter();
    let spending = wallets.filter_map(|wallet| {
        let (fees, node) = nodes.get(&wallet.address.chain())?;
        Some((wallet.spends()?, fees, node))
    });
    let spending: Vec<_> = spending.collect();
    let table = CoinTable::new(spending.iter().map(|(wallet, fees, _)| (wallet, *fees)));
    let follower = |(wallet, fees, node): (Wallet, &CoinFees, &Arc<dyn BitcoinNode>)| {
        let (fees, node) = (fees.clone(), Arc::clone(node));
        CoinFollower::new(table.clone(), wallet, node, fees)
    };
    let followers = spending.into_iter().map(follower).collect();
    (table, followers)
}

/// Where the journal stands, between two batches: state is then that of its last entry.
fn standing(sequencer: &Sequencer<Directory>) -> Durable {
    Durable::of(&sequencer.shared().state())
}

/// The sequencer with the queue before it.
pub struct Sequencing {
    sequencer: Sequencer<Directory>,
    commands: Receiver<Command>,
    clock: Arc<dyn Clock>,
    heads: Arc<Heads>,
}

impl Sequencing {
    /// The commands of one batch, as far as they wait already.
    #[must_use]
    pub fn waiting(&self) -> Vec<Command> {
        collect(|_| self.commands.try_recv().ok())
    }

    /// The queue, for whoever waits for more.
    pub(crate) fn queue(&self) -> &Receiver<Command> {
        &self.commands
    }

    /// Journal a batch and what has come due by itself. An error is an unknown outcome: the process
    /// ends, and the next start reads the journal.
    pub fn step(&mut self, batch: Vec<Command>) -> Result<(), Stop> {
        self.sequencer.step(batch, self.clock.now())?;
        self.heads.show(standing(&self.sequencer));
        Ok(())
    }
}

/// The commands of one batch: it closes where `next` has none (which is told how many there are), at
/// 256, or with a restricting act.
pub(crate) fn collect(mut next: impl FnMut(usize) -> Option<Command>) -> Vec<Command> {
    let mut batch = Vec::new();
    while batch.len() < MAX_BATCH
        && let Some(command) = next(batch.len())
    {
        let stops = is_restricting(&command);
        batch.push(command);
        if stops {
            break;
        }
    }
    batch
}

fn is_restricting(command: &Command) -> bool {
    matches!(&command.what, What::Act(posting) if posting.act.kind.is_restricting())
}

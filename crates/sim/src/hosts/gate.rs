//! The gate's machine: the production gate, stepped; or whoever has taken it over.

use super::evil::Evil;
use super::{Chain, Common, Hosts, SimNode};
use crate::clock::SimClock;
use crate::dice::SharedDice;
use crate::disk::SimDisk;
use crate::server::{Answering, ask};
use crate::setting::{self, BOARDS};
use crate::wire::{Host, Message, Way};
use axum::Router;
use portcullis_gate::sequencer::{Command, Shared, Stop};
use portcullis_gate::{ChainFees, Gate, LogKeys, Parts};
use portcullis_host::{Http, Reply};
use portcullis_keeper::testkit::World;
use portcullis_keys::StatementKey;
use portcullis_tlog::Signer;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, Weak};
use std::task::Poll;

/// Small, so that a run fills several.
const SEGMENT: u64 = 48 * 1024;

/// The gate's machine.
pub struct GateHost {
    common: Common,
    /// Its disk.
    pub disk: SimDisk,
    /// Its clock.
    pub clock: SimClock,
    http: Arc<dyn Http>,
    chain: Arc<Mutex<Chain>>,
    starts: u64,
    runs: Runs,
}

/// What runs there.
enum Runs {
    Nothing,
    Honest(Box<Running>),
    Evil(Box<Evil>),
}

struct Running {
    gate: Gate,
    router: Router,
    /// Requests that wait for the sequencer, and whose answers nobody waits for.
    pending: Vec<Answering>,
    /// What waits for the sequencer's turn.
    queued: Vec<Command>,
    /// It leaves stops out: the boards are not asked.
    withholds: bool,
    /// Its outcome is unknown: it ends.
    is_broken: bool,
}

impl Running {
    /// Everything that waits: the sequencer's queue gives out no more at once than up to the next stop.
    fn take_waiting(&mut self) {
        loop {
            let waiting = self.gate.sequencing.waiting();
            if waiting.is_empty() {
                return;
            }
            self.queued.extend(waiting);
        }
    }
}

impl GateHost {
    pub(super) fn new(
        common: &Common,
        disk: SimDisk,
        hosts: &Weak<Hosts>,
        chain: &Arc<Mutex<Chain>>,
    ) -> Self {
        Self {
            common: common.clone(),
            disk,
            clock: SimClock::right(&common.time),
            http: Way::out_of(Host::Gate, hosts),
            chain: Arc::clone(chain),
            starts: 0,
            runs: Runs::Nothing,
        }
    }

    /// Start, or start again.
    pub fn start(&mut self) {
        self.disk.revive();
        self.starts += 1;
        match Gate::open(self.parts()) {
            Ok(gate) => {
                let router = gate.api.clone().router();
                self.runs = Runs::Honest(Box::new(Running {
                    gate,
                    router,
                    pending: Vec::new(),
                    queued: Vec::new(),
                    withholds: false,
                    is_broken: false,
                }));
            }
            Err(error) if self.disk.is_dead() || self.disk.is_full() => {
                self.common.chronicle.note("gate: no start", error);
                self.stop();
            }
            Err(error) => {
                // A disk that fails once more is tried once more.
                self.common.chronicle.note("gate: start failed", &error);
                self.stop();
                if let Err(again) = Gate::open(self.parts()) {
                    self.common.does_not_start("the gate", again);
                }
            }
        }
    }

    fn parts(&self) -> Parts {
        let world = &self.common.world;
        let random = self.common.dice.of(&format!("gate-{}", self.starts));
        let fees = ChainFees {
            node: None,
            max_fee_per_gas: 30_000_000_000,
            max_priority_fee_per_gas: 1_000_000_000,
            native_gas: 21_000,
            token_gas: 100_000,
            bump_after_seconds: 45,
        };
        let witnesses = (0..self.common.witnesses()).map(|n| {
            let name = setting::witness(n).key().name().to_string();
            (name, setting::witness_url(n))
        });
        let boards = (0..BOARDS).map(|n| (setting::board(n), setting::board_url(n)));
        let log = |n| -> Arc<dyn StatementKey> { Arc::new(World::key(&setting::log_seed(n))) };
        Parts {
            network: world.network.clone(),
            clock: Arc::new(self.clock.clone()),
            disk: Arc::new(self.disk.clone()),
            random: Arc::new(SharedDice::new(random)),
            http: Arc::clone(&self.http),
            log: LogKeys::new(log(0), self.common.has_handovers.then(|| log(1))),
            witnesses: witnesses.collect(),
            boards: boards.collect(),
            chains: BTreeMap::from([(setting::chain(), fees)]),
            nodes: BTreeMap::from([(setting::chain(), SimNode::of(&self.chain))]),
            coins: BTreeMap::new(),
            authorities: vec!["gate".into()],
            queue: 64,
            segment_bytes: SEGMENT,
            snapshot_every: None,
            vendors: BTreeMap::new(),
            webhooks: BTreeMap::new(),
        }
    }

    /// The process ends, whatever it was doing.
    pub fn stop(&mut self) {
        self.runs = Runs::Nothing;
    }

    /// Whether nothing runs.
    #[must_use]
    pub fn is_down(&self) -> bool {
        matches!(self.runs, Runs::Nothing)
    }

    /// Somebody takes the machine over.
    pub fn fall(&mut self) -> bool {
        self.stop();
        self.disk.revive();
        let open = Evil::open(&self.common, &self.disk, &self.clock, &self.http);
        let Some(evil) = open else { return false };
        self.runs = Runs::Evil(Box::new(evil));
        true
    }

    /// Whoever has taken it over.
    pub fn evil(&mut self) -> Option<&mut Evil> {
        match &mut self.runs {
            Runs::Evil(evil) => Some(evil),
            _ => None,
        }
    }

    /// What the production gate shows inside.
    #[must_use]
    pub fn shared(&self) -> Option<Arc<Shared>> {
        match &self.runs {
            Runs::Honest(running) => Some(running.gate.shared()),
            _ => None,
        }
    }

    /// Durable entries from an index on.
    #[must_use]
    pub fn entries_from(&self, from: u64) -> Vec<Arc<[u8]>> {
        let view = match &self.runs {
            Runs::Nothing => return Vec::new(),
            Runs::Honest(running) => running.gate.shared().view.clone(),
            Runs::Evil(evil) => evil.view(),
        };
        let size = view.head().size;
        if from >= size {
            return Vec::new();
        }
        view.entries(from..size, usize::MAX).unwrap_or_default()
    }

    /// How many durable entries it has; nothing while it is down.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        match &self.runs {
            Runs::Nothing => None,
            Runs::Honest(running) => Some(running.gate.shared().view.head().size),
            Runs::Evil(evil) => Some(evil.view().head().size),
        }
    }

    /// Stops are left out from here on, or taken in again.
    pub fn withhold(&mut self, withholds: bool) {
        if let Runs::Honest(running) = &mut self.runs {
            running.withholds = withholds;
        }
    }

    /// Whether stops are left out.
    #[must_use]
    pub fn withholds(&self) -> bool {
        matches!(&self.runs, Runs::Honest(running) if running.withholds)
    }

    /// A message whose answer somebody waits for.
    pub(super) fn answer(&mut self, message: &Message) -> Option<Reply> {
        let reply = match &mut self.runs {
            Runs::Nothing => None,
            Runs::Evil(evil) => evil.answer(message),
            Runs::Honest(running) => {
                if running.withholds && is_stop(message) {
                    return None;
                }
                let answering = ask(&running.router, "gate", message);
                if message.is_post {
                    drive(&self.common, running, answering)
                } else {
                    // It reads; whether on another thread or not must not move the sequencer.
                    self.common.runtime.block_on(answering)
                }
            }
        };
        self.after(reply)
    }

    /// A message whose answer nobody waits for: it waits for the sequencer beside others.
    pub(super) fn leave(&mut self, message: &Message) {
        if !message.is_post {
            return;
        }
        match &mut self.runs {
            Runs::Nothing => {}
            Runs::Evil(evil) => drop(evil.answer(message)),
            Runs::Honest(running) => {
                if running.withholds && is_stop(message) {
                    return;
                }
                let mut answering = ask(&running.router, "gate", message);
                if go_on(&self.common, running, &mut answering) == Went::Queued {
                    running.pending.push(answering);
                }
            }
        }
    }

    /// The sequencer's turn.
    pub fn sequence(&mut self) {
        let Runs::Honest(running) = &mut self.runs else {
            return;
        };
        if let Err(error) = step(&self.common, running) {
            self.common.chronicle.note("gate: stops", error);
            return self.stop();
        }
        for answering in std::mem::take(&mut running.pending) {
            drive(&self.common, running, answering);
        }
        self.after(None);
    }

    /// The witnesses' turn.
    pub fn beat(&mut self) {
        match &mut self.runs {
            Runs::Nothing => {}
            Runs::Evil(evil) => evil.beat(),
            Runs::Honest(running) => match running.gate.pulse.beat() {
                Ok(_) => self.common.chronicle.count("gate: cosigned"),
                Err(_) => self.common.chronicle.count("gate: no quorum"),
            },
        }
    }

    /// A board's turn.
    pub fn poll(&mut self, board: usize) {
        if let Runs::Honest(running) = &mut self.runs
            && !running.withholds
            && let Some(poll) = running.gate.boards.get_mut(board)
        {
            poll.poll();
        }
    }

    /// The tiles' turn.
    pub fn project(&mut self) {
        if let Runs::Honest(running) = &mut self.runs {
            running.gate.projector.project();
        }
        self.after(None);
    }

    /// The fees' turn.
    pub fn ask_fees(&mut self) {
        if let Runs::Honest(running) = &self.runs {
            running
                .gate
                .fees
                .iter()
                .for_each(portcullis_gate::FeeFollower::ask);
        }
    }

    /// Whoever died in the middle answers nothing.
    fn after(&mut self, reply: Option<Reply>) -> Option<Reply> {
        let is_broken = matches!(&self.runs, Runs::Honest(running) if running.is_broken);
        if is_broken || self.disk.is_dead() {
            self.stop();
            return None;
        }
        reply
    }
}

/// Drive an answer to its end; the sequencer steps whenever it is waited for.
fn drive(common: &Common, running: &mut Running, mut answering: Answering) -> Option<Reply> {
    loop {
        if let Went::Answered(reply) = go_on(common, running, &mut answering) {
            return reply;
        }
        if let Err(error) = step(common, running) {
            common.chronicle.note("gate: stops", error);
            running.is_broken = true;
            return None;
        }
    }
}

/// How far a request went.
#[derive(PartialEq, Eq)]
enum Went {
    Answered(Option<Reply>),
    /// Something waits for the sequencer.
    Queued,
}

/// Let a request go on until it is answered or the sequencer is waited for. Handlers journal in tasks and
/// read on threads of their own: neither says when it has come that far, so it is looked for. What waited
/// before says nothing about this request; whether it moved the sequencer would hang on how soon a
/// thread is done.
fn go_on(common: &Common, running: &mut Running, answering: &mut Answering) -> Went {
    running.take_waiting();
    let (sequencing, queued) = (&running.gate.sequencing, &mut running.queued);
    common.runtime.block_on(poll_fn(|cx| {
        if let Poll::Ready(reply) = answering.as_mut().poll(cx) {
            return Poll::Ready(Went::Answered(reply));
        }
        let waiting = sequencing.waiting();
        if waiting.is_empty() {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        queued.extend(waiting);
        Poll::Ready(Went::Queued)
    }))
}

/// The sequencer takes all that waits, as one batch.
fn step(common: &Common, running: &mut Running) -> Result<(), Stop> {
    running.take_waiting();
    let batch = std::mem::take(&mut running.queued);
    if batch.len() > 1 {
        common.chronicle.count("gate: batch of several");
    }
    running.gate.sequencing.step(batch)
}

/// A restricting act on its way to the gate.
fn is_stop(message: &Message) -> bool {
    let text = String::from_utf8_lossy(&message.body);
    let kinds = ["suspend", "freeze", "cancel", "revoke", "raise-epoch"];
    message.target == "/v1/acts"
        && kinds
            .iter()
            .any(|kind| text.contains(&format!("\"type\":\"{kind}")))
}

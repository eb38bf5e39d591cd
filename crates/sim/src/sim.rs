//! The scheduler: one thread, one turn after the other, all drawn from the seed.

use crate::auditor::Auditor;
use crate::chronicle::{Chronicle, Violation};
use crate::clock::TrueTime;
use crate::dice::Dice;
use crate::faults::{Profile, profile};
use crate::hosts::{Chain, Common, HeraldHost, Hosts, Loot, SignerHost};
use crate::keyring::Keyring;
use crate::people::{Deed, People};
use crate::setting::{self, BOARDS, START};
use crate::truth::Truth;
use crate::watch::Watch;
use portcullis_core::{Digest, Span};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// Its profile.
    pub profile: &'static str,
    /// Turns that were taken: in peace before any fault, then these two.
    pub steps: u64,
    /// Turns in which faults could come.
    pub faulty_steps: u64,
    /// Turns in which everything settled.
    pub settling_steps: u64,
    /// Milliseconds that passed in the simulated world.
    pub simulated_ms: u64,
    /// How often each kind of thing happened.
    pub counts: BTreeMap<String, u64>,
    /// How often the wallet's key was used.
    pub signatures: u64,
    /// The digest over all events and the final state.
    pub root: Digest,
    /// What must not have been, if anything.
    pub violation: Option<Violation>,
}

/// Run a seed for so many turns, then let the faults cease and see that everything settles.
#[must_use]
pub fn simulate(seed: u64, steps: u64) -> Report {
    simulate_told(seed, steps, false)
}

/// The same, printing every event as it comes where that is wanted.
#[must_use]
pub fn simulate_told(seed: u64, steps: u64, is_told: bool) -> Report {
    let mut sim = Sim::new(seed);
    if is_told {
        sim.common.chronicle.tell();
    }
    sim.prepare();
    sim.run(steps);
    sim.settle();
    sim.report()
}

/// A simulated network.
pub struct Sim {
    seed: u64,
    /// Whose turns there are, each as likely as its weight.
    turns: Vec<(u64, Turn)>,
    pub(crate) common: Common,
    pub(crate) dice: Dice,
    pub(crate) profile: Profile,
    pub(crate) hosts: Arc<Hosts>,
    pub(crate) signer: SignerHost,
    /// Where genesis names one.
    pub(crate) herald: Option<HeraldHost>,
    chain: Arc<Mutex<Chain>>,
    pub(crate) people: People,
    pub(crate) auditor: Auditor,
    pub(crate) watch: Watch,
    pub(crate) truth: Truth,
    /// More witnesses lie than may: replicas may be led apart.
    pub(crate) is_betrayed: bool,
    steps: u64,
    faulty_steps: u64,
    pub(crate) settling_steps: u64,
}

/// Whose turn it is.
#[derive(Clone, Copy)]
pub(crate) enum Turn {
    Sequencer,
    Witnesses,
    Board,
    Projector,
    Fees,
    Signer,
    Herald,
    Post,
    Alarms,
    Block,
    LateMessage,
    People,
    Evil,
}

const TURNS: [(u64, Turn); 11] = [
    (16, Turn::Sequencer),
    (16, Turn::Witnesses),
    (8, Turn::Board),
    (3, Turn::Projector),
    (1, Turn::Fees),
    (22, Turn::Signer),
    (3, Turn::Alarms),
    (5, Turn::Block),
    (5, Turn::LateMessage),
    (14, Turn::People),
    (20, Turn::Evil),
];

/// Where there is a herald, these besides.
const HERALDS_TURNS: [(u64, Turn); 2] = [(12, Turn::Herald), (8, Turn::Post)];

/// Turns before faults begin; where delays wait for a herald's word, more.
const PREPARING: u64 = 900;
const PREPARING_WHOLE: u64 = 1300;

impl Sim {
    /// The network of a seed, with everything running.
    ///
    /// # Panics
    /// Where there is no runtime to be had.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        let (dice, time) = (Dice::new(seed), TrueTime::at(START));
        let (is_whole, has_codes) = (setting::is_whole(seed), setting::has_codes(seed));
        let common = Common {
            world: setting::world(is_whole, has_codes),
            is_whole,
            has_codes,
            has_handovers: setting::has_handovers(seed),
            loot: Loot::default(),
            keys: Arc::new(Keyring::new(is_whole)),
            chronicle: Chronicle::default(),
            runtime: Arc::new(runtime),
            time: time.clone(),
            dice: dice.clone(),
        };
        let wallet = portcullis_keys::WalletKey::address(common.world.wallet.as_ref());
        let chain = Chain::new(time, dice.of("chain"), common.chronicle.clone(), wallet);
        let chain = Arc::new(Mutex::new(chain));
        let hosts = Hosts::new(&common, &chain);
        let weak = Arc::downgrade(&hosts);
        let truth = Truth::default();
        let signer = SignerHost::new(&common, &truth, hosts.signer_disk().clone(), &weak, &chain);
        let herald =
            is_whole.then(|| HeraldHost::new(&common, &truth, hosts.herald_disk().clone(), &weak));
        let mut turns = TURNS.to_vec();
        turns.extend(HERALDS_TURNS.iter().filter(|_| is_whole));
        let mut sim = Self {
            seed,
            turns,
            herald,
            dice: dice.of("scheduler"),
            profile: profile(seed),
            people: People::new(&common, &truth, &weak),
            auditor: Auditor::new(&common, &truth),
            watch: Watch::new(&common, &truth),
            steps: 0,
            faulty_steps: 0,
            settling_steps: 0,
            is_betrayed: false,
            common,
            hosts,
            signer,
            chain,
            truth,
        };
        sim.hosts.gate().start();
        sim.signer.start();
        sim.herald.iter_mut().for_each(HeraldHost::start);
        sim.chain().set_reverts(seed % 3 == 1);
        sim
    }

    pub(crate) fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A network in which some time has passed: there are accounts with addresses that count.
    pub fn prepare(&mut self) {
        let turns = if self.common.is_whole {
            PREPARING_WHOLE
        } else {
            PREPARING
        };
        for turn in 0..turns {
            let pass = Span(self.dice.below(900));
            self.begin_turn(pass);
            match self.dice.weighed(&self.turns) {
                Some(Turn::People) => {
                    let first = [Deed::OpenAccount, Deed::AddAddress];
                    let mut deed = first[usize::from(turn > turns / 2)];
                    if self.common.is_whole && self.dice.chance(300) {
                        deed = Deed::SendEnvelope;
                    }
                    if self.common.has_codes && turn > turns / 2 && self.dice.chance(300) {
                        deed = Deed::EnrolApp;
                    }
                    if self.common.has_handovers && self.dice.chance(200) {
                        deed = self.begin_handover();
                    }
                    self.people.act(deed, &self.auditor.state);
                }
                Some(turn) => self.take(turn),
                None => {}
            }
            self.end_turn();
        }
    }

    /// Administrators propose who is to speak for the journal, and stand behind what is proposed.
    fn begin_handover(&self) -> Deed {
        let is_proposed = !self.auditor.state.facts().held.is_empty();
        if is_proposed {
            Deed::Approve
        } else {
            Deed::HandOver
        }
    }

    /// So many turns, or until an invariant does not hold.
    pub fn run(&mut self, steps: u64) {
        for _ in 0..steps {
            if self.common.chronicle.violation().is_some() {
                return;
            }
            let pass = self.how_long();
            self.begin_turn(pass);
            self.faulty_steps += 1;
            if let Some(fault) = self.profile.draw(&mut self.dice) {
                self.break_something(fault);
            }
            self.raise_the_dead();
            if let Some(turn) = self.dice.weighed(&self.turns) {
                self.take(turn);
            }
            self.end_turn();
        }
    }

    /// Mostly moments; now and then long enough for every lease to end, or for a delay to run.
    fn how_long(&mut self) -> Span {
        match self.dice.below(1000) {
            0 => Span::seconds(self.dice.below(900)),
            1..=4 => Span::seconds(self.dice.below(70)),
            5..=14 => Span(self.dice.below(6000)),
            _ => Span(self.dice.below(160)),
        }
    }

    pub(crate) fn begin_turn(&mut self, pass: Span) {
        self.common.time.pass(pass);
        self.steps += 1;
        let now = self.common.time.now().since(START).0;
        self.common.chronicle.turn(self.steps, now);
    }

    /// Everything is looked at after every turn.
    pub(crate) fn end_turn(&mut self) {
        self.bury_the_dead();
        self.auditor.read(&self.hosts);
        let chain = Arc::clone(&self.chain);
        let mut chain = chain.lock().unwrap_or_else(PoisonError::into_inner);
        self.watch
            .look(&self.hosts, &mut self.signer, &self.auditor, &mut chain);
        drop(chain);
        if !self.is_betrayed {
            self.auditor
                .compare(&self.hosts, &self.signer, self.herald.as_ref());
        }
    }

    pub(crate) fn take(&mut self, turn: Turn) {
        self.look_who_is_past();
        match turn {
            Turn::Sequencer => self.hosts.gate().sequence(),
            Turn::Witnesses => self.hosts.gate().beat(),
            Turn::Board => {
                let board = self.dice.index(BOARDS);
                self.hosts.gate().poll(board);
            }
            Turn::Projector => self.hosts.gate().project(),
            Turn::Fees => self.hosts.gate().ask_fees(),
            Turn::Signer => self.signer.step(),
            Turn::Herald => self.herald.iter_mut().for_each(HeraldHost::step),
            Turn::Post => self.herald.iter_mut().for_each(HeraldHost::deliver),
            Turn::Alarms => {
                self.signer.deliver_alarms();
                self.herald.iter_mut().for_each(HeraldHost::deliver_alarms);
            }
            Turn::Block => self.chain().mine(),
            Turn::LateMessage => {
                // Several that arrive together wait for the sequencer together.
                let most = 1 + self.dice.below(6);
                for _ in 0..most {
                    let Some((to, message)) = self.hosts.wire.take_late() else {
                        break;
                    };
                    self.common.chronicle.count("late message arrives");
                    self.hosts.leave(to, &message);
                }
            }
            Turn::People => self.let_people_act(),
            Turn::Evil => {
                let mut gate = self.hosts.gate();
                if let Some(evil) = gate.evil()
                    && let Some(misdeed) = evil.choose(&mut self.dice)
                {
                    evil.commit(misdeed, &mut self.dice);
                }
            }
        }
    }

    fn let_people_act(&mut self) {
        // What makes no sense as things are is passed over for something that does.
        if self.dice.chance(self.profile.thieves) {
            if self.common.has_handovers && self.dice.chance(150) && self.pretend() {
                return;
            }
            let state = &self.auditor.state;
            for _ in 0..6 {
                let theft = self.dice.weighed(&self.people.thefts);
                let journaled = &self.auditor.journaled;
                if theft.is_some_and(|theft| self.people.steal(theft, state, journaled)) {
                    return;
                }
            }
            return;
        }
        let state = &self.auditor.state;
        for _ in 0..6 {
            let deed = self.dice.weighed(&self.people.deeds);
            if deed.is_some_and(|deed| self.people.act(deed, state)) {
                return;
            }
        }
    }

    /// What came of it.
    #[must_use]
    pub fn report(&self) -> Report {
        let state = self.auditor.state.facts();
        let mut last = state.effects.0.to_vec();
        last.extend(self.auditor.size().to_be_bytes());
        for (name, bytes) in self.hosts.signer_disk().contents() {
            last.extend(name.as_bytes());
            last.extend(Digest::plain(&bytes).0);
        }
        Report {
            seed: self.seed,
            profile: self.profile.name,
            steps: self.steps,
            faulty_steps: self.faulty_steps,
            settling_steps: self.settling_steps,
            simulated_ms: self.common.time.now().since(START).0,
            counts: self.common.chronicle.counts(),
            signatures: self.watch.signatures,
            root: self.common.chronicle.root(&last),
            violation: self.common.chronicle.violation(),
        }
    }

    /// Every process that has died in a disk operation is gone; the power may be, too.
    fn bury_the_dead(&mut self) {
        if self.hosts.gate_disk().is_dead() && !self.hosts.gate().is_down() {
            self.hosts.gate().stop();
        }
        if self.hosts.signer_disk().is_dead() && self.signer.runs() {
            self.signer.stop();
        }
        if let Some(herald) = &mut self.herald
            && herald.disk.is_dead()
        {
            herald.stop();
        }
        for number in 0..self.hosts.witnesses() {
            let mut witness = self.hosts.witness(number);
            if witness.disk.is_dead() && witness.runs() {
                witness.stop();
            }
        }
        for number in 0..BOARDS {
            let mut board = self.hosts.board(number);
            if board.disk.is_dead() && board.runs() {
                board.stop();
            }
        }
    }
}

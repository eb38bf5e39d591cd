//! A gate without threads: the test is its clock, its witnesses and its clients.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "helpers of tests; each test file uses some of them, and the lint knows only the tests themselves"
)]

pub mod http;

use portcullis_chains::ChainId;
use portcullis_chains::ethereum::{SignedTx, UnsignedTx};
use portcullis_core::act::{ActKind, AddAddress, Import, OpenAccount};
use portcullis_core::board::Posting;
use portcullis_core::id::KeeperId;
use portcullis_core::signature::Strict;
use portcullis_core::statement::{Says, SignedStatement, Statement};
use portcullis_core::{Act, Digest, Evidence, ReadEntry, Span, State, Time};
use portcullis_gate::sequencer::{Command, Outcome, Sequencer, Shared, What};
use portcullis_gate::{ChainFees, FeeTable, Index, Witnessed};
use portcullis_host::{Clock as _, Disk, SystemRandom};
use portcullis_journal::{Directory, Journal};
use portcullis_keeper::testkit::{CrashDisk, Customer, HandClock, Ledger, World};
use portcullis_keys::{StatementKey as _, WalletKey as _};
use portcullis_tlog::Cosigned;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;

const SEGMENT: u64 = 24 * 1024;

/// A gate without threads: the test is the clock, the witnesses and the clients.
pub struct Gate {
    pub ledger: Ledger,
    pub clock: HandClock,
    pub disk: CrashDisk,
    pub sequencer: Sequencer<Directory>,
    pub shared: Arc<Shared>,
}

pub fn start(world: &Arc<World>, disk: &CrashDisk) -> Sequencer<Directory> {
    start_with(world, disk, fees())
}

fn fees() -> FeeTable {
    fees_of(30_000_000_000)
}

fn fees_of(max_fee_per_gas: u64) -> FeeTable {
    let fees = ChainFees {
        node: None,
        max_fee_per_gas,
        max_priority_fee_per_gas: 1_000_000_000,
        native_gas: 21_000,
        token_gas: 100_000,
        bump_after_seconds: 180,
    };
    let chain: ChainId = World::ETHER.chain();
    FeeTable::new(&BTreeMap::from([(chain, fees)]))
}

fn start_with(world: &Arc<World>, disk: &CrashDisk, fees: FeeTable) -> Sequencer<Directory> {
    let as_disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let (store, recovered) =
        Directory::open(Arc::clone(&as_disk), SEGMENT, Arc::new(SystemRandom)).unwrap();
    let journal = Journal::open(store, &recovered, as_disk, 0).unwrap();
    let mut state = State::new(Arc::clone(&world.network));
    let mut index = Index::default();
    for entry in journal
        .view()
        .entries(0..journal.head().size, usize::MAX)
        .unwrap()
    {
        let read = ReadEntry::from_bytes(&entry);
        let applied = state.apply_read(&read, &Strict);
        assert_eq!(applied.void, None);
        index.add(&read, &applied);
    }
    Sequencer::new(journal, state, index, fees)
}

impl Gate {
    pub fn new() -> Self {
        Self::with(fees())
    }

    /// No node has said a rate.
    pub fn without_fees() -> Self {
        Self::with(FeeTable::new(&BTreeMap::new()))
    }

    /// Gas costs so much.
    pub fn with_gas_at(max_fee_per_gas: u64) -> Self {
        Self::with(fees_of(max_fee_per_gas))
    }

    /// At most so many acts of customers wait.
    pub fn keeping(mut self, most: usize) -> Self {
        self.sequencer = self.sequencer.keeping(most);
        self
    }

    /// A gate of another network.
    pub fn of(world: World) -> Self {
        Self::of_with(world, fees())
    }

    /// The gate of a network with a herald.
    pub fn with_a_herald() -> Self {
        Self::of(World::with_a_herald())
    }

    fn with(fees: FeeTable) -> Self {
        Self::of_with(World::new(), fees)
    }

    fn of_with(world: World, fees: FeeTable) -> Self {
        let world = Arc::new(world);
        let (disk, clock) = (CrashDisk::default(), HandClock::at(World::START));
        let mut sequencer = start_with(&world, &disk, fees);
        sequencer.begin(clock.now()).unwrap();
        let shared = sequencer.shared();
        let ledger = Ledger::new(world, clock.clone());
        let mut gate = Self {
            ledger,
            clock,
            disk,
            sequencer,
            shared,
        };
        gate.cosign();
        gate.pass(Span::seconds(2));
        gate
    }

    /// Witnesses cosign the head as it is now.
    pub fn cosign(&self) {
        self.cosign_at(self.clock.now());
    }

    /// Witnesses whose clock shows something else.
    pub fn cosign_at(&self, time: Time) {
        let network = &self.ledger.world.network;
        let note = self.ledger.note_of(self.sequencer.head(), time);
        let cosigned = Cosigned::parse(&note, network.log(), network.quorum()).unwrap();
        self.shared.published.show(Witnessed::new(&cosigned));
    }

    /// Time passes in steps of half a second, each with a step and a heartbeat.
    pub fn pass(&mut self, span: Span) {
        for _ in 0..span.0.div_ceil(500) {
            self.clock.pass(Span(500));
            self.sequencer.step(Vec::new(), self.clock.now()).unwrap();
            self.cosign();
        }
    }

    /// One command that came over HTTP.
    pub fn take(&mut self, command: Command) {
        let now = self.clock.now();
        self.sequencer.step(vec![command], now).unwrap();
        self.cosign();
    }

    /// The process ends and starts again.
    pub fn restart(&mut self) {
        self.restart_in_silence();
        self.cosign();
    }

    /// The same, and no witness answers since.
    pub fn restart_in_silence(&mut self) {
        self.sequencer = start(&self.ledger.world, &self.disk);
        self.shared = self.sequencer.shared();
    }

    /// Another process on the same disk.
    pub fn again(world: &Arc<World>, disk: &CrashDisk, clock: &HandClock) -> Self {
        let sequencer = start(world, disk);
        let shared = sequencer.shared();
        let mut gate = Self {
            ledger: Ledger::new(Arc::clone(world), clock.clone()),
            clock: clock.clone(),
            disk: disk.clone(),
            sequencer,
            shared,
        };
        gate.cosign();
        gate.pass(Span::seconds(2));
        gate
    }

    /// What the signer says of a release: signed, and arrived in the chain.
    pub fn arrives(&mut self, act: Digest) -> Digest {
        let transaction = self.signed(act);
        let block_hash = Digest([9; 32]);
        self.say(Says::Confirmed {
            act,
            transaction,
            block: 7,
            block_hash,
        });
        transaction
    }

    /// The signer signs the newest plan of a release.
    pub fn signed(&mut self, act: Digest) -> Digest {
        let release = self.shared.state().facts().releases[&act].clone();
        let plan = release.plans.last().unwrap();
        let unsigned = UnsignedTx::from_bytes(&plan.unsigned).unwrap();
        let by_wallet = self.ledger.world.wallet.sign(&unsigned.sighash()).unwrap();
        let signed = SignedTx::assemble(unsigned, by_wallet);
        let transaction = Digest(signed.hash());
        self.say(Says::Signed {
            act,
            entry: release.entry,
            effects: release.effects,
            plan: plan.digest(),
            transaction: signed.to_bytes(),
        });
        transaction
    }

    /// The herald says that it has told of an act.
    pub fn heralds(&mut self, act: Digest) {
        let state = self.shared.state();
        let mut waiting = state.facts().untold.acts();
        let (entry, _) = waiting.find(|(_, of)| *of == act).unwrap();
        drop(waiting);
        drop(state);
        self.say_as(World::HERALD, Says::Told { act, entry });
    }

    /// A statement by the signer.
    pub fn say(&mut self, says: Says) {
        self.say_as(World::KEEPER, says);
    }

    fn say_as(&mut self, keeper: KeeperId, says: Says) {
        let genesis = self.ledger.world.digest();
        let statement = Statement {
            genesis,
            keeper,
            says,
        };
        let signature = World::key(&keeper.0)
            .sign(&statement.signed_bytes())
            .unwrap();
        let signed = SignedStatement {
            statement,
            signature,
        };
        self.send(vec![What::Statement(Box::new(signed))])
            .remove(0)
            .unwrap();
    }

    /// Everything in one batch.
    pub fn send(&mut self, all: Vec<What>) -> Vec<Outcome> {
        let (commands, outcomes): (Vec<_>, Vec<_>) = all
            .into_iter()
            .map(|what| {
                let (reply, outcome) = oneshot::channel();
                (Command { what, reply }, outcome)
            })
            .unzip();
        self.sequencer.step(commands, self.clock.now()).unwrap();
        self.ledger.state = self.shared.state().clone();
        outcomes
            .into_iter()
            .map(|outcome| outcome.blocking_recv().unwrap())
            .collect()
    }

    pub fn submit(&mut self, act: Act, evidence: Evidence) -> Outcome {
        self.send(vec![posting(act, evidence)]).remove(0)
    }

    pub fn sync(&mut self) {
        self.ledger.state = self.shared.state().clone();
    }

    /// An account whose factors count; imported, where it is.
    pub fn open(&mut self, customer: &Customer, imported: Option<Import>) {
        let open = OpenAccount {
            subject: customer.subject,
            principal: customer.principal,
            factor: customer.factor(),
            delay: None,
            contact: None,
            imported,
        };
        let mut act = self.ledger.act(World::BACK_END, ActKind::OpenAccount(open));
        act.account = Some(customer.account);
        let mut evidence = self.ledger.staffs_evidence(&act);
        evidence.attestations.push(self.ledger.onboarding(&act));
        self.submit(act, evidence).unwrap();
        self.pass(Span::seconds(8));
        self.sync();
    }

    /// An account with one address, both past their delays.
    pub fn customer(&mut self, n: u8) -> Customer {
        let customer = Customer::number(n);
        self.sync();
        self.open(&customer, None);
        let add = ActKind::AddAddress(AddAddress {
            address: World::address(n),
        });
        let act = self.ledger.customers_act(&customer, add);
        let evidence = self.ledger.customers_evidence(&customer, &act);
        self.submit(act, evidence).unwrap();
        self.pass(Span::seconds(8));
        self.sync();
        customer
    }

    pub fn withdrawal(&mut self, customer: &Customer, n: u8, amount: u128) -> (Act, Evidence) {
        self.ledger
            .withdrawal(customer, World::ETHER, World::address(n), amount)
    }
}

pub fn posting(act: Act, evidence: Evidence) -> What {
    What::Act(Box::new(Posting { act, evidence }))
}

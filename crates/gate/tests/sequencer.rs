//! The sequencer with a real journal on a disk that can fill up and lose power.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use portcullis_chains::{Amount, ChainId};
use portcullis_core::act::{ActKind, AddAddress, OpenAccount, Scope, Withdraw};
use portcullis_core::board::Posting;
use portcullis_core::limits::Bounds;
use portcullis_core::signature::Strict;
use portcullis_core::{Act, Decision, Evidence, Reason, Span, State};
use portcullis_gate::sequencer::{Command, Outcome, Sequencer, Shared, What};
use portcullis_gate::{ChainFees, FeeTable, Index, Witnessed};
use portcullis_host::{Clock as _, Disk};
use portcullis_journal::{Directory, Journal};
use portcullis_keeper::testkit::{CrashDisk, Customer, HandClock, Ledger, World};
use portcullis_tlog::Cosigned;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;

const SEGMENT: u64 = 24 * 1024;

/// A gate without threads: the test is the clock, the witnesses and the clients.
struct Gate {
    ledger: Ledger,
    clock: HandClock,
    disk: CrashDisk,
    sequencer: Sequencer<Directory>,
    shared: Arc<Shared>,
}

fn start(world: &Arc<World>, disk: &CrashDisk) -> Sequencer<Directory> {
    let as_disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let (store, recovered) = Directory::open(Arc::clone(&as_disk), SEGMENT).unwrap();
    let journal = Journal::open(store, &recovered, as_disk, 0).unwrap();
    let mut state = State::new(Arc::clone(&world.network));
    for entry in journal
        .view()
        .entries(0..journal.head().size, usize::MAX)
        .unwrap()
    {
        assert_eq!(state.apply(&entry, &Strict).void, None);
    }
    let fees = ChainFees {
        node: None,
        max_fee_per_gas: 30_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        native_gas: 21_000,
        token_gas: 100_000,
        bump_after_seconds: 180,
    };
    let chain: ChainId = World::ETHER.chain();
    let fees = FeeTable::new(&BTreeMap::from([(chain, fees)]));
    Sequencer::new(journal, state, Index::default(), fees)
}

impl Gate {
    fn new() -> Self {
        let world = Arc::new(World::new());
        let (disk, clock) = (CrashDisk::default(), HandClock::at(World::START));
        let mut sequencer = start(&world, &disk);
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
    fn cosign(&self) {
        let network = &self.ledger.world.network;
        let note = self.ledger.note_of(self.sequencer.head(), self.clock.now());
        let cosigned = Cosigned::parse(&note, network.log(), network.quorum()).unwrap();
        self.shared.published.show(Witnessed::new(&cosigned));
    }

    /// Time passes in steps of half a second, each with a step and a heartbeat.
    fn pass(&mut self, span: Span) {
        for _ in 0..span.0.div_ceil(500) {
            self.clock.pass(Span(500));
            self.sequencer.step(Vec::new(), self.clock.now()).unwrap();
            self.cosign();
        }
    }

    /// Everything in one batch.
    fn send(&mut self, all: Vec<What>) -> Vec<Outcome> {
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

    fn submit(&mut self, act: Act, evidence: Evidence) -> Outcome {
        self.send(vec![posting(act, evidence)]).remove(0)
    }

    fn sync(&mut self) {
        self.ledger.state = self.shared.state().clone();
    }

    /// An account with one address, both past their delays.
    fn customer(&mut self, n: u8) -> Customer {
        let customer = Customer::number(n);
        self.sync();
        let open = OpenAccount {
            subject: customer.subject,
            principal: customer.principal,
            factor: customer.factor(),
            delay: None,
        };
        let mut act = self.ledger.act(World::BACK_END, ActKind::OpenAccount(open));
        act.account = Some(customer.account);
        let mut evidence = self.ledger.staffs_evidence(&act);
        evidence.attestations.push(self.ledger.onboarding(&act));
        self.submit(act, evidence).unwrap();
        self.pass(Span::seconds(8));
        self.sync();
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

    fn withdrawal(&mut self, customer: &Customer, n: u8, amount: u128) -> (Act, Evidence) {
        self.ledger
            .withdrawal(customer, World::ETHER, World::address(n), amount)
    }
}

fn posting(act: Act, evidence: Evidence) -> What {
    What::Act(Box::new(Posting { act, evidence }))
}

#[test]
fn a_withdrawal_is_released_with_the_wallets_next_nonce() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    for nonce in 0..3 {
        let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
        let digest = act.digest();
        let taken = gate.submit(act, evidence).unwrap();
        assert_eq!(taken.decision, Some(Decision::Release));
        let plan = gate.shared.state().facts().releases[&digest].plans[0].clone();
        assert_eq!(
            portcullis_core::decide::payment::decode(&plan)
                .unwrap()
                .nonce(),
            nonce
        );
        assert_eq!(gate.shared.index().act(digest), [taken.entry]);
    }
}

#[test]
fn of_two_withdrawals_racing_for_the_last_of_a_limit_exactly_one_passes() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let limits = gate.shared.state().facts().limits.clone();
    let rule = limits.rule(World::ETHER, Bounds::Account).unwrap();
    let windows = [rule.hour, rule.day, rule.week]
        .into_iter()
        .flatten()
        .min()
        .unwrap();
    let each = windows.0 / 2 + 1;
    let (one, two) = (
        gate.withdrawal(&customer, 1, each),
        gate.withdrawal(&customer, 1, each),
    );
    let outcomes = gate.send(vec![posting(one.0, one.1), posting(two.0, two.1)]);
    assert!(outcomes[0].is_ok(), "{:?}", outcomes[0]);
    let refused = outcomes[1].clone().unwrap_err();
    assert!(
        [
            Reason::OverHourLimit,
            Reason::OverDayLimit,
            Reason::OverWeekLimit
        ]
        .contains(&refused),
        "{refused}"
    );
}

#[test]
fn without_fresh_witnesses_only_restricting_acts_are_taken() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let suspension = gate.ledger.suspension(Scope::Withdrawals);
    gate.clock.pass(Span::seconds(11));
    assert_eq!(
        gate.submit(act, evidence).unwrap_err(),
        Reason::WitnessesStale
    );
    gate.submit(suspension.0, suspension.1).unwrap();
}

#[test]
fn a_full_disk_refuses_changes_nothing_and_goes_on_once_there_is_room() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    // Near the end of a segment the next one has to be made.
    let before = loop {
        let (act, evidence) = gate.withdrawal(&customer, 1, 1);
        gate.disk.fill_after(0);
        match gate.submit(act.clone(), evidence.clone()) {
            Ok(_) => gate.disk.make_room(),
            Err(reason) => {
                assert_eq!(reason, Reason::JournalFull);
                break (act, evidence, gate.shared.state().digest());
            }
        }
    };
    let (act, evidence, digest) = before;
    assert_eq!(
        gate.submit(act.clone(), evidence.clone()).unwrap_err(),
        Reason::JournalFull
    );
    assert_eq!(gate.shared.state().digest(), digest);
    gate.disk.make_room();
    gate.submit(act, evidence).unwrap();
    reopened_is_equal(&gate);
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_and_the_rest_is_absent() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    for _ in 0..5 {
        let (act, evidence) = gate.withdrawal(&customer, 1, 7);
        gate.submit(act, evidence).unwrap();
    }
    gate.disk.crash(3);
    reopened_is_equal(&gate);
}

fn reopened_is_equal(gate: &Gate) {
    let again = start(&gate.ledger.world, &gate.disk);
    assert_eq!(again.head(), gate.sequencer.head());
    assert_eq!(
        again.shared().state().digest(),
        gate.shared.state().digest()
    );
}

#[test]
fn a_held_withdrawal_goes_out_by_itself_when_its_delay_has_run() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let add = ActKind::AddAddress(AddAddress {
        address: World::address(9),
    });
    let act = gate.ledger.customers_act(&customer, add);
    let evidence = gate.ledger.customers_evidence(&customer, &act);
    gate.submit(act, evidence).unwrap();
    let withdraw = Withdraw {
        asset: World::ETHER,
        to: World::address(9),
        amount: Amount(5),
    };
    let act = gate
        .ledger
        .customers_act(&customer, ActKind::Withdraw(withdraw));
    let mut evidence = gate.ledger.customers_evidence(&customer, &act);
    evidence.attestations.push(gate.ledger.debit(&act));
    let digest = act.digest();
    let taken = gate.submit(act, evidence).unwrap();
    assert!(matches!(taken.decision, Some(Decision::Hold { .. })));
    gate.pass(Span::seconds(3));
    assert!(gate.shared.state().facts().held.contains_key(&digest));
    gate.pass(Span::seconds(6));
    assert!(gate.shared.state().facts().releases.contains_key(&digest));
}

#[test]
fn an_idle_gate_journals_nothing() {
    let mut gate = Gate::new();
    gate.pass(Span::seconds(4));
    let size = gate.sequencer.head().size;
    gate.pass(Span::seconds(60));
    assert_eq!(gate.sequencer.head().size, size);
}

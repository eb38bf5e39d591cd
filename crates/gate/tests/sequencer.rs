//! The sequencer with a real journal on a disk that can fill up and lose power.

#![allow(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod harness;

use harness::{Gate, posting, start};
use portcullis_chains::Amount;
use portcullis_core::act::{
    ActKind, AddAddress, Approve, Cancel, Lift, LiftTarget, Scope, SetLimits, Withdraw,
};
use portcullis_core::limits::{Bounds, Limits};
use portcullis_core::statement::{Says, SignedStatement, Statement};
use portcullis_core::{Decision, Digest, Evidence, Reason, Span};
use portcullis_gate::Course;
use portcullis_gate::sequencer::What;
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::{Customer, World};
use portcullis_keys::StatementKey as _;
use std::io;
use std::sync::{Arc, Mutex};

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

/// An hour ahead, beside witnesses that are right: what only takes away is taken, and what keepers
/// say, and none of it drags time along. Once the clock is right the gate goes on as if nothing had
/// been.
#[test]
fn a_clock_that_leaps_ahead_poisons_nothing() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let right = gate.clock.now();
    let (suspension, evidence) = gate.ledger.suspension(Scope::Account(customer.account));
    let withdrawal = gate.withdrawal(&customer, 1, 5);
    gate.clock.set(right.after(Span::hours(1)));
    let taken = gate.submit(suspension, evidence).unwrap();
    assert!(taken.time <= right.after(Span::seconds(30)));
    let refused = gate.submit(withdrawal.0, withdrawal.1).unwrap_err();
    assert_eq!(refused, Reason::WitnessesStale);
    for second in 1..20 {
        gate.cosign_at(right.after(Span::seconds(second)));
        gate.clock.pass(Span::seconds(1));
        let taken = gate.send(vec![caps(&gate, second)]).remove(0).unwrap();
        assert!(
            taken.time <= right.after(Span::seconds(second + 30)),
            "{second}"
        );
    }

    gate.clock.set(right.after(Span::seconds(20)));
    gate.pass(Span::seconds(40));
    gate.sync();
    let customer = gate.customer(2);
    let (act, evidence) = gate.withdrawal(&customer, 2, 5);
    let taken = gate.submit(act, evidence).unwrap();
    assert_eq!(taken.decision, Some(Decision::Release));
    assert_eq!(taken.time, gate.clock.now());
}

#[test]
fn right_after_a_start_only_restricting_acts_are_taken() {
    let mut gate = Gate::new();
    gate.sequencer = start(&gate.ledger.world, &gate.disk);
    gate.shared = gate.sequencer.shared();
    gate.sync();
    let statement = caps(&gate, 1);
    let refused = gate.send(vec![statement]).remove(0).unwrap_err();
    assert_eq!(refused, Reason::WitnessesStale);
    let (suspension, evidence) = gate.ledger.suspension(Scope::Withdrawals);
    gate.submit(suspension, evidence).unwrap();
    gate.cosign();
    gate.send(vec![caps(&gate, 1)]).remove(0).unwrap();
}

/// For as long as the newest journaled checkpoint may be named: an hour.
#[test]
fn a_gate_whose_witnesses_are_away_for_most_of_an_hour_takes_what_restricts() {
    let mut gate = Gate::new();
    for _ in 0..3000 {
        gate.clock.pass(Span::seconds(1));
        gate.sequencer.step(Vec::new(), gate.clock.now()).unwrap();
    }
    gate.sync();
    let (suspension, evidence) = gate.ledger.suspension(Scope::Withdrawals);
    let taken = gate.submit(suspension, evidence).unwrap();
    assert_eq!(taken.time, gate.clock.now());
}

/// The signer's caps, as it states them for the so-manieth time.
fn caps(gate: &Gate, number: u64) -> What {
    let statement = Statement {
        genesis: gate.ledger.world.digest(),
        keeper: World::KEEPER,
        says: Says::Caps {
            caps: Vec::new(),
            number,
        },
    };
    let signature = gate.ledger.world.keeper.sign(&statement.signed_bytes());
    What::Statement(Box::new(SignedStatement {
        statement,
        signature: signature.unwrap(),
    }))
}

/// Withdrawals without their debit wait.
fn hold(gate: &mut Gate, customer: &Customer) -> Result<Digest, Reason> {
    gate.sync();
    let (act, mut evidence) = gate.withdrawal(customer, 1, 1_000);
    evidence.attestations.clear();
    let digest = act.digest();
    gate.submit(act, evidence).map(|_| digest)
}

#[test]
fn only_the_lowest_open_nonce_is_outbid() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let mut releases = Vec::new();
    for _ in 0..3 {
        gate.sync();
        let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
        releases.push(act.digest());
        gate.submit(act, evidence).unwrap();
        gate.pass(Span::seconds(1));
        gate.signed(*releases.last().unwrap());
    }
    let plans = |gate: &Gate| -> Vec<usize> {
        let state = gate.shared.state();
        let plans = releases.iter().map(|act| state.facts().releases.get(act));
        plans.map(|r| r.map_or(0, |r| r.plans.len())).collect()
    };
    gate.pass(Span::seconds(170));
    assert_eq!(plans(&gate), [1, 1, 1]);
    gate.pass(Span::seconds(30));
    assert_eq!(plans(&gate), [2, 1, 1]);
    // Once it has arrived the next one is the lowest.
    gate.sync();
    gate.arrives(releases[0]);
    gate.pass(Span::seconds(6));
    assert_eq!(plans(&gate), [0, 2, 1]);
}

#[test]
fn what_waits_ends_as_returned_thirty_days_after_its_expiry() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let held = hold(&mut gate, &customer).unwrap();
    gate.pass(Span::seconds(2));
    let expires = gate.shared.state().facts().held[&held].act.expires;
    let ends = expires.after(Span::hours(30 * 24));
    let left = ends.since(gate.clock.now());
    gate.clock.pass(Span(left.0 - 10_000));
    gate.pass(Span::seconds(8));
    assert!(gate.shared.state().facts().held.contains_key(&held));
    gate.pass(Span::seconds(4));
    assert!(!gate.shared.state().facts().held.contains_key(&held));
    assert_eq!(gate.shared.index().course(held), Some(Course::Returned));
}

#[test]
fn one_principal_has_sixty_four_acts_waiting_at_most() {
    let mut gate = Gate::new();
    let (customer, another) = (gate.customer(1), gate.customer(2));
    let first = hold(&mut gate, &customer).unwrap();
    for _ in 1..64 {
        hold(&mut gate, &customer).unwrap();
    }
    assert_eq!(hold(&mut gate, &customer), Err(Reason::TooMany));
    let (act, mut evidence) = gate.withdrawal(&another, 2, 1_000);
    evidence.attestations.clear();
    gate.submit(act, evidence).unwrap();
    // One that waits no more makes room.
    gate.sync();
    let cancel = gate
        .ledger
        .customers_act(&customer, ActKind::Cancel(Cancel { act: first }));
    let evidence = gate.ledger.customers_evidence(&customer, &cancel);
    gate.submit(cancel, evidence).unwrap();
    hold(&mut gate, &customer).unwrap();
}

#[test]
fn a_gate_keeps_so_many_waiting_acts_of_customers_and_no_more() {
    let mut gate = Gate::new().keeping(2);
    let customer = gate.customer(1);
    for _ in 0..2 {
        hold(&mut gate, &customer).unwrap();
    }
    let size = gate.shared.state().size();
    assert_eq!(hold(&mut gate, &customer), Err(Reason::HeldFull));
    assert_eq!(gate.shared.state().size(), size);
    // What staff proposes finds room: it ends what others wait for.
    gate.sync();
    let limits = gate.shared.state().facts().limits.clone();
    let set = ActKind::SetLimits(SetLimits {
        replaces: limits.digest(),
        limits,
    });
    let act = gate.ledger.act(World::administrator(0), set);
    let evidence = gate.ledger.staffs_evidence(&act);
    assert!(gate.submit(act, evidence).is_ok());
}

/// However many acts wait, one that comes due is settled, and those that wait for others are not asked.
#[test]
fn what_something_happened_to_is_settled_at_once() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    gate.sync();
    let (act, evidence) = gate.ledger.suspension(Scope::Withdrawals);
    let by = act.digest();
    gate.submit(act, evidence).unwrap();
    gate.sync();
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let held = act.digest();
    gate.submit(act, evidence).unwrap();
    gate.pass(Span::seconds(60));
    assert!(gate.shared.state().facts().held.contains_key(&held));
    gate.sync();
    let lift = ActKind::Lift(Lift {
        target: LiftTarget::Suspension { by },
    });
    let proposal = gate.ledger.act(World::administrator(0), lift);
    let evidence = gate.ledger.staffs_evidence(&proposal);
    let digest = proposal.digest();
    gate.submit(proposal, evidence).unwrap();
    gate.sync();
    let approve = ActKind::Approve(Approve { act: digest });
    let approve = gate.ledger.act(World::administrator(1), approve);
    let evidence = gate.ledger.staffs_evidence(&approve);
    gate.submit(approve, evidence).unwrap();
    gate.pass(Span::seconds(3));
    assert!(gate.shared.state().facts().releases.contains_key(&held));
}

#[test]
fn without_a_going_rate_money_waits_outside_under_a_number_of_its_own() {
    let mut gate = Gate::without_fees();
    let customer = gate.customer(1);
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    assert_eq!(gate.submit(act, evidence), Err(Reason::NoFeePlan));
}

/// Fees that a tenth more would lift above the wallet's ceiling could never be outbid.
#[test]
fn money_waits_outside_too_where_the_going_fees_leave_no_room_to_be_outbid() {
    // The wallet's ceiling is 10^16 wei, and a transfer takes 21,000 of gas.
    let outbid = 10_000_000_000_000_000 * 10 / 11 / 21_000;
    for (going, refusal) in [(outbid, None), (outbid + 2, Some(Reason::NoFeePlan))] {
        let mut gate = Gate::with_gas_at(going);
        let customer = gate.customer(1);
        let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
        assert_eq!(gate.submit(act, evidence).err(), refusal, "{going}");
    }
}

#[test]
fn the_sequencers_unauthenticated_refusals_are_counted() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (act, _) = gate.withdrawal(&customer, 1, 1_000);
    let before = gate.shared.refusals();
    let refused = gate.submit(act, Evidence::default());
    assert_eq!(refused, Err(Reason::FactorMissing));
    assert_eq!(gate.shared.refusals(), before + 1);
}

/// What the gate says while it works.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Said {
    fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let said = self.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || said.clone());
        tracing::subscriber::with_default(subscriber.finish(), work)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Anybody may bring evidence that adds nothing: no fault of the gate's, which an operator would look for.
#[test]
fn a_refused_supplement_is_counted_and_is_no_error_of_the_gates() {
    let mut gate = Gate::new();
    let customer = gate.customer(1);
    let (act, evidence) = gate.withdrawal(&customer, 1, 1_000);
    let digest = act.digest();
    let unpaid = Evidence {
        attestations: Vec::new(),
        ..evidence
    };
    gate.submit(act, unpaid).unwrap();
    let (before, said) = (gate.shared.refusals(), Said::default());
    let outcomes = said.during(|| {
        tracing::info!("heard");
        gate.send(vec![What::Evidence(digest, Box::default())])
    });
    assert!(outcomes[0].is_err(), "{outcomes:?}");
    assert_eq!(gate.shared.refusals(), before + 1);
    let text = said.text();
    assert!(text.contains("heard") && !text.contains("ERROR"), "{text}");
}

/// Delays run by the witnesses' clocks (docs/design/052): the batch that settles brings their word along.
#[test]
fn a_delay_that_runs_out_in_an_idle_night_ends_on_time() {
    let floor = Span::seconds(1_200);
    let mut gate = Gate::of(World::with(|genesis| genesis.delay_floor = floor));
    gate.sync();
    let limits = Limits { rules: Vec::new() };
    let replaces = gate.shared.state().facts().limits.digest();
    let act = gate.ledger.act(
        World::administrator(0),
        ActKind::SetLimits(SetLimits { replaces, limits }),
    );
    let (digest, evidence) = (act.digest(), gate.ledger.staffs_evidence(&act));
    gate.submit(act, evidence).unwrap();
    let approve = gate.ledger.act(
        World::administrator(1),
        ActKind::Approve(Approve { act: digest }),
    );
    let evidence = gate.ledger.staffs_evidence(&approve);
    gate.submit(approve, evidence).unwrap();
    gate.pass(Span::seconds(3));
    let held = gate.shared.state().facts().held[&digest].clone();
    let has_run = held.available.time().unwrap();
    // Witnesses cosign all the time; nothing happens that would be journaled.
    gate.clock.set(has_run.before(Span::seconds(4)));
    gate.cosign();
    let size = gate.shared.state().size();
    gate.pass(Span::seconds(3));
    assert_eq!(gate.shared.state().size(), size);
    assert!(gate.shared.state().facts().held.contains_key(&digest));
    gate.pass(Span::seconds(1));
    let state = gate.shared.state();
    assert_eq!(
        state.size(),
        size + 2,
        "a checkpoint, and what it bears out"
    );
    assert!(!state.facts().held.contains_key(&digest));
    assert_eq!(state.facts().time, has_run);
    assert!(state.facts().limits.rules.is_empty());
}

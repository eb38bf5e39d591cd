//! The sequencer with a real journal on a disk that can fill up and lose power.

mod harness;

use harness::{Gate, posting, start};
use portcullis_chains::Amount;
use portcullis_core::act::{ActKind, AddAddress, Scope, Withdraw};
use portcullis_core::limits::Bounds;
use portcullis_core::{Decision, Reason, Span};
use portcullis_keeper::testkit::World;

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

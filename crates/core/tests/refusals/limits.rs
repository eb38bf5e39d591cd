//! 6xx: how much may leave.

use super::{Fault, Row, row};
use crate::stage::{MOST, PAYEE, Stage, UNAPPROVED, limit, unbounded};
use portcullis_core::act::{ActKind, SetLimits};
use portcullis_core::decide::{Bite, Bitten, bites};
use portcullis_core::decision::Need;
use portcullis_core::limits::{Bounds, Limits};
use portcullis_core::window::Window;
use portcullis_core::{Act, Decision, Reason, Span};
use portcullis_keeper::testkit::{Customer, World};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = of_one_account();
    rows.extend(of_all_together());
    rows
}

#[rustfmt::skip]
fn of_one_account() -> Vec<Row> {
    use Fault::{Act as Asks, Later};
    use Reason as R;
    vec![
        row(R::OverTransactionLimit, "one unit over", the_most, Asks(|stage, act| act.kind = stage.withdrawal(MOST[0] + 1).kind)),
        row(R::OverHourLimit, "a third in one hour", the_rest, Later(|stage, _, _| spend(stage, &[800, 800]))),
        row(R::OverDayLimit, "a fourth in one day", the_rest, Asks(|stage, act| spend_and_ask(stage, act, Span::hours(1), 3))),
        row(R::OverWeekLimit, "a fifth in one week", the_rest, Asks(|stage, act| spend_and_ask(stage, act, Span::hours(25), 5))),
    ]
}

#[rustfmt::skip]
fn of_all_together() -> Vec<Row> {
    use Fault::Act as Asks;
    use Reason as R;
    vec![
        row(R::OverTransactionLimit, "one unit over, of the asset", the_rest_of_the_asset, Asks(|stage, act| act.kind = stage.withdrawal(MOST[0] + 1).kind)),
        row(R::OverTransactionLimit, "one unit over, of the wallet", the_rest_of_the_wallet, Asks(|stage, act| act.kind = stage.withdrawal(MOST[0] + 1).kind)),
        row(R::OverHourLimit, "another's two, in the asset's hour", the_rest_of_the_asset, Asks(|stage, act| another_spends(stage, act, Span::seconds(1), 2))),
        row(R::OverHourLimit, "another's two, in the wallet's hour", the_rest_of_the_wallet, Asks(|stage, act| another_spends(stage, act, Span::seconds(1), 2))),
        row(R::OverDayLimit, "another's three, in the asset's day", the_rest_of_the_asset, Asks(|stage, act| another_spends(stage, act, Span::hours(2), 3))),
        row(R::OverDayLimit, "another's three, in the wallet's day", the_rest_of_the_wallet, Asks(|stage, act| another_spends(stage, act, Span::hours(2), 3))),
        row(R::OverWeekLimit, "another's five, in the asset's week", the_rest_of_the_asset, Asks(|stage, act| another_spends(stage, act, Span::hours(25), 5))),
        row(R::OverWeekLimit, "another's five, in the wallet's week", the_rest_of_the_wallet, Asks(|stage, act| another_spends(stage, act, Span::hours(25), 5))),
    ]
}

fn the_most(stage: &mut Stage) -> Act {
    stage.withdrawal(MOST[0])
}

fn the_rest(stage: &mut Stage) -> Act {
    stage.withdrawal(700)
}

fn spend(stage: &mut Stage, amounts: &[u128]) {
    for amount in amounts {
        let act = stage.withdrawal(*amount);
        let digest = stage.submit(act);
        assert!(stage.facts().releases.contains_key(&digest));
    }
}

/// Eight hundred each time, and then the act.
fn spend_and_ask(stage: &mut Stage, act: &mut Act, every: Span, times: u32) {
    for _ in 0..times {
        spend(stage, &[800]);
        stage.pass(every);
    }
    *act = the_rest(stage);
}

fn the_rest_of_the_asset(stage: &mut Stage) -> Act {
    bound(stage, Bounds::Asset);
    the_rest(stage)
}

fn the_rest_of_the_wallet(stage: &mut Stage) -> Act {
    bound(stage, Bounds::Wallet);
    the_rest(stage)
}

/// From now on the limits bound all accounts together, and none by itself.
fn bound(stage: &mut Stage, bounds: Bounds) {
    let together = limit(bounds, MOST);
    let replaces = stage.facts().limits.digest();
    let rules = vec![unbounded(World::ETHER), together];
    let limits = Limits { rules };
    stage.propose(ActKind::SetLimits(SetLimits { replaces, limits }));
}

/// Eight hundred each time by somebody else, and then the act.
fn another_spends(stage: &mut Stage, act: &mut Act, every: Span, times: u32) {
    let own = std::mem::replace(&mut stage.customer, Customer::number(2));
    stage.ledger.open(&stage.customer);
    stage.add_address(PAYEE);
    spend_and_ask(stage, act, every, times);
    stage.customer = own;
    *act = the_rest(stage);
}

/// What two accounts ask for before either is paid waits for room, too.
#[test]
fn what_waited_goes_out_when_the_windows_of_all_have_room() {
    for bounds in [Bounds::Asset, Bounds::Wallet] {
        let mut stage = Stage::new();
        bound(&mut stage, bounds);
        let act = stage.withdrawal(700);
        let evidence = stage.prove(&act);
        let waiting = stage.submit_with(act.clone(), stage.prove_without_debit(&act));
        another_spends(&mut stage, &mut act.clone(), Span::seconds(1), 2);
        assert_eq!(stage.supplement(waiting, evidence).void, None);
        let needs = vec![Need::Room];
        let held = Decision::Hold { needs, until: None };
        assert_eq!(stage.settles(waiting), held, "{bounds:?}");
        stage.pass(Span(3_600_000 + 60_000));
        assert_eq!(stage.settles(waiting), Decision::Release, "{bounds:?}");
    }
}

#[test]
fn each_bound_has_approvals_of_its_own() {
    for bounds in [Bounds::Asset, Bounds::Wallet] {
        let mut stage = Stage::new();
        bound(&mut stage, bounds);
        for (amount, missing) in [(UNAPPROVED, None), (UNAPPROVED + 1, Some(2))] {
            let act = stage.withdrawal(amount);
            let said = stage.decide(&act, &stage.prove(&act));
            let want = missing.map_or(Decision::Release, |missing| Decision::Hold {
                needs: vec![Need::Approvals { missing }],
                until: None,
            });
            assert_eq!(said, want, "{bounds:?}, {amount}");
        }
    }
}

/// Whoever explains a refusal names the rule: whose outflow, and which of its numbers.
#[test]
fn what_bites_is_named() {
    for bounds in [Bounds::Account, Bounds::Asset, Bounds::Wallet] {
        let mut stage = Stage::new();
        if bounds != Bounds::Account {
            bound(&mut stage, bounds);
        }
        let named = |stage: &Stage, act: &Act| bites(stage.state(), act, stage.now());
        let small = stage.withdrawal(10);
        assert_eq!(named(&stage, &small), []);
        let of = |number| Bite { bounds, number };
        let large = stage.withdrawal(MOST[0] + 1);
        let both = [of(Bitten::PerTransaction), of(Bitten::Approval(2))];
        assert_eq!(named(&stage, &large), both);
        spend(&mut stage, &[800, 800]);
        let third = stage.withdrawal(700);
        assert_eq!(named(&stage, &third), [of(Bitten::Window(Window::Hour))]);
    }
}

//! After a recovery: every address waits again, none comes in for a while, and less may leave.

use crate::stage::lost::DELAY;
use crate::stage::{PAYEE, STRANGER, Stage, add, ether};
use portcullis_core::factor::Available;
use portcullis_core::{Decision, Need, Reason, Span};

fn recovered() -> Stage {
    let mut stage = Stage::lost();
    let act = stage.begin();
    stage.pass(DELAY);
    stage.settle(act);
    stage.customer = stage.next_passkey();
    stage
}

#[test]
fn every_address_waits_again_from_the_cosignature() {
    let mut stage = Stage::lost();
    stage.add_address(STRANGER);
    let book = |stage: &Stage| {
        let account = stage.facts().account(stage.customer.account).unwrap();
        let all = account.book.iter().map(|entry| entry.available);
        all.collect::<Vec<Available>>()
    };
    assert!(book(&stage).iter().all(|a| a.is_at(stage.now())));
    let act = stage.begin();
    stage.pass(DELAY);
    stage.settle(act);
    assert!(book(&stage).iter().all(|a| a.time().is_none()));
    stage.customer = stage.next_passkey();
    stage.ledger.settle_clocks();
    let begun = stage.now();
    let counts = Available::At {
        time: begun.after(Span::seconds(5)),
    };
    assert_eq!(book(&stage), [counts, counts]);
    let act = stage.withdrawal(10);
    let evidence = stage.prove(&act);
    let hold = Decision::Hold {
        needs: vec![Need::Delay],
        until: counts.time(),
    };
    assert_eq!(stage.decide(&act, &evidence), hold);
    stage.ledger.clock.pass(Span::seconds(5));
    assert_eq!(stage.decide(&act, &evidence), Decision::Release);
}

/// An address of which the delay has not begun keeps its own entry, so that being late still counts.
#[test]
fn an_address_that_waits_for_its_first_cosignature_waits_for_its_own() {
    let mut stage = Stage::lost();
    let act = stage.begin();
    stage.pass(DELAY);
    let adding = stage.customers(add(STRANGER));
    stage.submit(adding);
    let account = stage.facts().account(stage.customer.account).unwrap();
    let before = account.address(STRANGER).unwrap().available;
    stage.settle(act);
    let account = stage.facts().account(stage.customer.account).unwrap();
    assert_eq!(account.address(STRANGER).unwrap().available, before);
    assert_eq!(account.address(PAYEE).unwrap().available.time(), None);
    stage.ledger.settle_clocks();
    let account = stage.facts().account(stage.customer.account).unwrap();
    assert!(
        !account
            .address(STRANGER)
            .unwrap()
            .available
            .is_at(stage.now())
    );
}

#[test]
fn no_new_address_comes_in_for_a_delay_floor() {
    let mut stage = recovered();
    let floor = Span::seconds(5);
    let refused = |stage: &mut Stage| {
        let act = stage.customers(add(STRANGER));
        stage.refusal(&act)
    };
    stage.ledger.settle_clocks();
    assert_eq!(refused(&mut stage), Some(Reason::RecoveredLately));
    stage.ledger.clock.pass(Span(floor.0 - 1));
    assert_eq!(refused(&mut stage), Some(Reason::RecoveredLately));
    stage.ledger.clock.pass(Span(1));
    assert_eq!(refused(&mut stage), None);
}

/// Before any cosignature the floor has not even begun.
#[test]
fn none_comes_in_before_the_recovery_is_cosigned() {
    let stage = recovered();
    let account = stage.customer.account;
    let later = stage.now().after(Span::hours(1));
    assert!(stage.state().takes_no_address(account, later));
    assert_eq!(stage.state().lowered(account, later), Some(10));
}

/// The limit for one transaction on this stage is 1,000.
#[test]
fn a_tenth_may_leave_for_seven_delay_floors() {
    let mut stage = recovered();
    stage.ledger.settle_clocks();
    stage.ledger.clock.pass(Span::seconds(6));
    let refused = |stage: &mut Stage, amount| {
        let act = stage.customers(ether(PAYEE, amount));
        stage.refusal(&act)
    };
    assert_eq!(refused(&mut stage, 101), Some(Reason::OverTransactionLimit));
    assert_eq!(refused(&mut stage, 80), None);
    // Approvals are asked for from a tenth on, too.
    let act = stage.withdrawal(81);
    let evidence = stage.prove(&act);
    let hold = Decision::Hold {
        needs: vec![Need::Approvals { missing: 2 }],
        until: None,
    };
    assert_eq!(stage.decide(&act, &evidence), hold);
    stage.ledger.clock.pass(Span(29_000 - 1));
    assert_eq!(refused(&mut stage, 101), Some(Reason::OverTransactionLimit));
    stage.ledger.clock.pass(Span(1));
    assert_eq!(refused(&mut stage, 101), None);
}

#[test]
fn what_makes_no_difference_any_more_is_forgotten() {
    let mut stage = recovered();
    stage.ledger.settle_clocks();
    assert_eq!(stage.facts().recovered.len(), 1);
    assert_eq!(stage.facts().recovered_until.len(), 1);
    stage.pass(Span::seconds(35));
    stage.pass(Span::seconds(1));
    assert!(stage.facts().recovered.is_empty());
    assert!(stage.facts().recovered_until.is_empty());
}

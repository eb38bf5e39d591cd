//! Statements are said until the journal has them, and then no more.

use crate::gate::Gate;
use portcullis_chains::Amount;
use portcullis_core::report::MAX_STATEMENTS;
use portcullis_core::state::StatedCaps;
use portcullis_core::statement::{Cap, Condition, Says};
use portcullis_core::{Digest, Reason, Time};
use portcullis_host::Clock as _;
use portcullis_keeper::testkit::World;
use std::time::Duration;

fn caps(amount: u128, number: u64) -> Says {
    let caps = vec![Cap {
        asset: World::ETHER,
        per_transaction: Amount(amount),
        day: Amount(amount),
    }];
    Says::Caps { caps, number }
}

#[test]
fn a_gate_that_does_not_journal_hears_it_again_and_ever_more_seldom() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    gate.wire().takes_statements = false;
    let mut heard: Vec<Time> = Vec::new();
    for _ in 0..300 {
        gate.second();
        keeper.look(Duration::ZERO).unwrap();
        keeper.say(caps(7, 1)).unwrap();
        let before = gate.wire().statements.len();
        keeper.finish(Vec::new).unwrap();
        let new = gate.wire().statements.len() - before;
        heard.extend((0..new).map(|_| gate.clock.now()));
    }
    let waits: Vec<u64> = heard
        .windows(2)
        .map(|w| w[1].since(w[0]).0 / 1000)
        .collect();
    assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60, 60]);
    let all = gate.wire().statements.clone();
    assert!(
        all.iter().all(|said| *said == all[0]),
        "the same statement each time"
    );

    gate.wire().takes_statements = true;
    let mut quiet = 0;
    for _ in 0..300 {
        gate.second();
        keeper.look(Duration::ZERO).unwrap();
        keeper.say(caps(7, 1)).unwrap();
        let before = gate.wire().statements.len();
        keeper.finish(Vec::new).unwrap();
        quiet += usize::from(before == gate.wire().statements.len());
    }
    assert_eq!(quiet, 299, "journaled it is said no more");
    assert_eq!(keeper.unsaid(), 0);
}

#[test]
fn other_caps_are_news() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    for (amount, number) in [(7, 1), (8, 2)] {
        for _ in 0..3 {
            gate.second();
            keeper.look(Duration::ZERO).unwrap();
            keeper.say(caps(amount, number)).unwrap();
            keeper.finish(Vec::new).unwrap();
        }
        let stated = gate.wire().ledger.state.facts().caps[&World::KEEPER].clone();
        let StatedCaps {
            caps: stated,
            number,
        } = stated;
        assert_eq!(
            Says::Caps {
                caps: stated,
                number
            },
            caps(amount, number)
        );
    }
    assert_eq!(gate.wire().statements.len(), 2);
}

/// Latches are said by hand here: nobody looks behind them.
fn latched(latch: u16) -> Says {
    Says::Latched {
        latch: Digest::plain(&latch.to_be_bytes()),
        condition: Condition::Shut,
    }
}

#[test]
fn many_travel_together_and_each_is_journaled() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    keeper.look(Duration::ZERO).unwrap();
    for latch in 0..200 {
        keeper.say(latched(latch)).unwrap();
    }
    keeper.finish(Vec::new).unwrap();
    assert_eq!(gate.wire().reports, [MAX_STATEMENTS, 200 - MAX_STATEMENTS]);
    // The gate gives a hundred entries at a time.
    for _ in 0..4 {
        keeper.look(Duration::ZERO).unwrap();
    }
    keeper.finish(Vec::new).unwrap();
    assert_eq!(keeper.unsaid(), 0);
    assert_eq!(gate.wire().ledger.state.facts().latches.len(), 200);
}

/// A short overload must cost no receipt a minute.
#[test]
fn what_a_busy_gate_does_not_take_is_said_again_soon_however_long_it_was_busy() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    gate.wire().refuses = Some(Reason::Busy);
    keeper.look(Duration::ZERO).unwrap();
    for latch in 0..200 {
        keeper.say(latched(latch)).unwrap();
    }
    keeper.finish(Vec::new).unwrap();
    let reports = gate.wire().reports.len();
    assert_eq!(reports, 1, "the next report would find no room either");
    for _ in 0..60 {
        gate.second();
        keeper.finish(Vec::new).unwrap();
    }
    gate.wire().refuses = None;
    for _ in 0..2 {
        gate.second();
        keeper.finish(Vec::new).unwrap();
    }
    assert_eq!(gate.wire().ledger.state.facts().latches.len(), 200);
}

/// A report may be refused whole, by a gate that does not know what one of it says: what stops is in
/// another then.
#[test]
fn what_stops_travels_by_itself() {
    let gate = Gate::new();
    let mut keeper = gate.keeper();
    keeper.look(Duration::ZERO).unwrap();
    keeper.say(caps(7, 1)).unwrap();
    keeper.say(latched(1)).unwrap();
    keeper.finish(Vec::new).unwrap();
    assert_eq!(gate.wire().reports, [1, 1]);
    let said = gate.wire().statements.clone();
    assert!(matches!(said[0].statement.says, Says::Latched { .. }));
}

//! Time only ever makes the signer wait, and waiting is nobody's alarm.

use crate::bench::Bench;
use portcullis_core::state::release::{Stage, Withheld};
use portcullis_core::{Span, Time};
use portcullis_keeper::NoLease;
use portcullis_keeper::testkit::World;

#[test]
fn stale_cosignatures_wait_and_resume() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.withdraw(5);
    {
        let mut wire = bench.wire();
        wire.ledger.cosign();
        wire.heartbeat = false;
    }
    bench.clock.pass(Span::seconds(4));
    let step = bench.step();
    assert_eq!((step.signed, step.waits), (0, Some(NoLease::Stale)));
    assert!(
        step.applied > 0,
        "it has the release and does not act by it"
    );
    bench.wire().heartbeat = true;
    assert_eq!(bench.step().signed, 1);
    assert!(bench.alarms().is_empty());
}

#[test]
fn three_seconds_are_fresh_and_no_more() {
    for (age, signed) in [(3, 1), (4, 0)] {
        let mut bench = Bench::new();
        bench.run(2);
        bench.withdraw(5);
        {
            let mut wire = bench.wire();
            wire.ledger.cosign();
            wire.heartbeat = false;
        }
        bench.clock.pass(Span::seconds(age));
        assert_eq!(bench.step().signed, signed, "{age}");
    }
}

/// A signer whose clock is far behind would take every old cosignature for fresh.
#[test]
fn cosignatures_ahead_of_the_own_clock_are_not_fresh() {
    let mut bench = Bench::new();
    bench.run(2);
    let now = World::START.after(Span::hours(1));
    bench.clock.set(now);
    bench.wire().ledger.settle_clocks();
    bench.withdraw(5);
    bench.wire().ledger.cosign();
    bench.wire().heartbeat = false;
    bench.wire().board.stuck_at = Some(now);
    bench.restart();
    bench.clock.set(now.before(Span::seconds(2)));
    assert_eq!(bench.step().waits, Some(NoLease::Stale));
    bench.clock.set(now.before(Span::seconds(1)));
    assert_eq!(bench.step().signed, 1);
}

#[test]
fn a_stale_board_waits_and_resumes() {
    let mut bench = Bench::new();
    bench.run(2);
    let now = portcullis_host::Clock::now(&bench.clock);
    bench.wire().board.stuck_at = Some(now);
    bench.run(4);
    bench.withdraw(5);
    let waits = Some(NoLease::Board(World::BOARD));
    let step = bench.tick();
    assert_eq!((step.signed, step.waits), (0, waits));
    bench.wire().board.stuck_at = None;
    bench.wire().board.down = true;
    assert_eq!(bench.tick().waits, waits);
    bench.wire().board.down = false;
    assert_eq!(bench.tick().signed, 1);
    assert!(bench.alarms().is_empty());
}

#[test]
fn an_entry_from_the_future_waits() {
    let mut bench = Bench::new();
    bench.run(2);
    // The gate's clock is 40 s ahead when it journals, and the witnesses' are right.
    let now = portcullis_host::Clock::now(&bench.clock);
    bench.clock.set(now.after(Span::seconds(40)));
    bench.withdraw(5);
    bench.clock.set(now);
    let step = bench.step();
    assert_eq!((step.signed, step.waits), (0, None));
    assert!(step.applied > 0);
    assert_eq!(bench.run(9), 0);
    assert_eq!(bench.run(3), 1, "30 s ahead is near enough");
    assert!(bench.alarms().is_empty());
}

#[test]
fn a_release_cosigned_late_has_no_effect_and_goes_out_by_a_fresh_entry() {
    let mut bench = Bench::new();
    bench.run(2);
    let act = bench.withdraw(5);
    bench.clock.pass(Span::seconds(31));
    assert_eq!(bench.run(3), 0, "first cosigned over 30 s after its time");
    {
        let ledger = &mut bench.wire().ledger;
        ledger.settle_clocks();
        let stage = ledger.state.facts().releases[&act].stage;
        assert_eq!(stage, Stage::Withheld(Withheld::Late));
    }
    assert_eq!(bench.run(3), 0);
    bench.wire().ledger.settle(act);
    assert_eq!(bench.run(3), 1);
    assert!(bench.alarms().is_empty());
}

#[test]
fn a_release_cosigned_in_time_is_signed_however_late_it_is_seen() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.withdraw(5);
    // The journal itself says when: its next checkpoint entry.
    bench.wire().ledger.settle_clocks();
    bench.wire().gate_up = false;
    bench.run(100);
    bench.wire().gate_up = true;
    assert_eq!(bench.run(3), 1);
}

#[test]
fn a_clock_that_steps_back_freshens_nothing() {
    let mut bench = Bench::new();
    bench.run(2);
    bench.withdraw(5);
    bench.wire().ledger.cosign();
    bench.wire().heartbeat = false;
    let now = portcullis_host::Clock::now(&bench.clock);
    bench.clock.set(now.after(Span::seconds(20)));
    assert_eq!(bench.step().waits, Some(NoLease::Stale));
    bench.clock.set(now);
    assert_eq!(bench.step().waits, Some(NoLease::SetBack));
    assert_eq!(Time(now.0), now);
}

/// It says what it waits for, and that a restart is the way on: nothing else forgets the leap.
#[test]
fn a_clock_that_leapt_ahead_and_was_set_right_takes_a_restart() {
    let mut bench = Bench::new();
    bench.run(2);
    let now = portcullis_host::Clock::now(&bench.clock);
    bench.clock.set(now.after(Span::hours(24)));
    // Gate and witnesses have clocks of their own, which did not leap.
    bench.wire().heartbeat = false;
    bench.wire().gate_up = false;
    assert_eq!(bench.step().waits, Some(NoLease::Stale));
    bench.clock.set(now.after(Span::seconds(1)));
    bench.wire().heartbeat = true;
    bench.wire().gate_up = true;
    bench.withdraw(5);
    bench.wire().ledger.settle_clocks();
    assert_eq!(bench.run(100), 0);
    assert_eq!(bench.step().waits, Some(NoLease::SetBack));
    bench.restart();
    assert_eq!(bench.run(3), 1);
}

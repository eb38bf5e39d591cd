//! Beyond the thresholds: a quorum of witnesses serves the thief. Nothing can be promised then but one
//! thing: a signer that sees it stops, says so, and signs nothing more.

use crate::hosts::{Misdeed, WitnessLie};
use crate::sim::{Report, Sim, Turn};
use portcullis_core::Span;
use portcullis_core::statement::Condition;

/// Turns after which the signer must have seen what is shown.
const TURNS: u64 = 600;

/// Every witness cosigns whatever the log signs, and the gate shows this; then it may do what it likes.
#[must_use]
pub fn betray(seed: u64, misdeed: Misdeed, condition: Condition) -> Report {
    let mut sim = Sim::new(seed);
    sim.prepare();
    sim.run(200);
    for number in 0..sim.hosts.witnesses() {
        sim.hosts
            .witness(number)
            .set_lie(Some(WitnessLie::Anything));
    }
    sim.is_betrayed = true;
    sim.hosts.gate().fall();
    sim.do_evil(Misdeed::ShowAll);
    sim.follow_evil(40);
    sim.do_evil(misdeed);
    sim.follow_evil(40);
    sim.do_evil(Misdeed::ShowAll);
    sim.do_evil(Misdeed::Checkpoint);
    sim.follow_evil(TURNS);
    let chronicle = sim.common.chronicle.clone();
    if !sim.is_latched(condition) {
        chronicle.violated("a signer that sees treason latches", condition.name());
    }
    chronicle.note(&format!("latch: {}", condition.name()), seed);
    let before = sim.watch.signatures;
    sim.run(TURNS);
    if sim.watch.signatures > before {
        chronicle.violated("a latched signer signs nothing", condition.name());
    }
    sim.report()
}

impl Sim {
    fn do_evil(&mut self, misdeed: Misdeed) {
        let mut gate = self.hosts.gate();
        if let Some(evil) = gate.evil() {
            evil.commit(misdeed, &mut self.dice);
        }
    }

    fn follow_evil(&mut self, turns: u64) {
        for _ in 0..turns {
            self.begin_turn(Span(200));
            self.hosts.gate().beat();
            self.take(Turn::Signer);
            self.take(Turn::Alarms);
            self.end_turn();
        }
    }

    fn is_latched(&self, condition: Condition) -> bool {
        let signer = self.signer.signer();
        signer.is_some_and(|signer| {
            let mut latched = signer.keeper().latched();
            latched.any(|latch| latch.sight.condition() == condition)
        })
    }
}

//! The end of a run: the faults cease, everybody is honest, and everything pending settles.

use crate::hosts::{HeraldHost, Mood};
use crate::people::Deed;
use crate::setting::BOARDS;
use crate::sim::{Sim, Turn};
use crate::wire::Weather;
use portcullis_core::Span;
use portcullis_keeper::Keeper;
use portcullis_signer::Signer;

/// Turns within which everything has to settle.
const TURNS: u64 = 8000;
/// After so many of them what cannot be completed is given up.
const GIVE_UP: u64 = 2000;

impl Sim {
    /// Let the faults cease and see everything settle.
    pub fn settle(&mut self) {
        if self.common.chronicle.violation().is_some() {
            return;
        }
        self.mend();
        for turn in 0..TURNS {
            if self.common.chronicle.violation().is_some() {
                return;
            }
            if turn % 32 == 0 && self.is_settled() {
                self.common
                    .chronicle
                    .note("settled", format!("after {turn} turns"));
                return self.check_end();
            }
            self.settling_turn(turn);
        }
        let what = self.unsettled();
        self.common
            .chronicle
            .violated("everything pending settles", what);
    }

    fn mend(&mut self) {
        self.make_room();
        let hosts = std::sync::Arc::clone(&self.hosts);
        hosts.wire.set_weather(Weather::default());
        hosts.wire.heal();
        hosts.wire.forget_late();
        self.people.forget_unknown();
        self.people.clock.set_off(0);
        self.signer.clock.set_off(0);
        hosts.gate().clock.set_off(0);
        for number in 0..hosts.witnesses() {
            let mut witness = hosts.witness(number);
            witness.set_lie(None);
            witness.clock.set_off(0);
            witness.stop();
            witness.start();
        }
        for number in 0..BOARDS {
            let mut board = hosts.board(number);
            board.set_lie(None);
            board.stop();
            board.start();
        }
        let mut chain = self.chain();
        chain.set_lie(None);
        chain.set_reverts(false);
        drop(chain);
        hosts.gate().stop();
        hosts.gate().start();
        self.auditor.read_again(&hosts);
        self.signer.stop();
        self.signer.start();
        if let Some(herald) = &mut self.herald {
            herald.set_lie(None);
            herald.clock.set_off(0);
            herald.mail.set_mood(Mood::Takes);
            herald.mail.reopen_all();
            herald.stop();
            herald.start();
        }
        self.common.chronicle.note("mended", "the faults cease");
    }

    fn settling_turn(&mut self, turn: u64) {
        let pass = match self.dice.below(400) {
            0 => Span::seconds(900),
            1..=3 => Span::seconds(30),
            _ => Span(self.dice.below(150)),
        };
        self.begin_turn(pass);
        self.settling_steps += 1;
        let whose = [
            (16, Turn::Sequencer),
            (16, Turn::Witnesses),
            (6, Turn::Board),
            (2, Turn::Projector),
            (20, Turn::Signer),
            (3, Turn::Alarms),
            (6, Turn::Block),
            (12, Turn::People),
            (12, Turn::Herald),
            (8, Turn::Post),
        ];
        let heralds = if self.common.is_whole { 2 } else { 0 };
        match self.dice.weighed(&whose[..8 + heralds]) {
            Some(Turn::People) => self.settle_by_hand(turn),
            Some(turn) => self.take(turn),
            None => {}
        }
        // A process that stops itself is started again.
        if self.hosts.gate().is_down() {
            self.hosts.gate().start();
            let hosts = std::sync::Arc::clone(&self.hosts);
            self.auditor.read_again(&hosts);
        }
        if !self.signer.runs() {
            self.signer.start();
        }
        let herald = self.herald.iter_mut();
        herald
            .filter(|herald| !herald.runs())
            .for_each(HeraldHost::start);
        self.end_turn();
    }

    fn settle_by_hand(&mut self, turn: u64) {
        let mut deeds = vec![
            Deed::Lift,
            Deed::LiftLatch,
            Deed::Approve,
            Deed::UnfreezeByQuorum,
            Deed::PayLater,
            Deed::AssertAgain,
            Deed::EnrolAnew,
            Deed::Resume,
        ];
        if self.common.is_whole {
            deeds.extend([Deed::SendEnvelope, Deed::Support]);
        }
        if turn > GIVE_UP {
            deeds.extend([Deed::CancelAny, Deed::Void]);
            let has_long_waits = self.common.is_whole || self.common.has_handovers;
            deeds.extend(has_long_waits.then_some(Deed::CancelOwn));
        }
        for _ in 0..deeds.len() {
            let deed = *self.dice.pick(&deeds).unwrap_or(&Deed::Lift);
            if self.people.act(deed, &self.auditor.state) {
                return;
            }
        }
    }

    fn is_settled(&self) -> bool {
        let facts = self.auditor.state.facts();
        let is_open = |keeper: &Keeper| keeper.latched().next().is_some() || keeper.unsaid() > 0;
        let signer = self.signer.signer().map(Signer::keeper);
        let mut heralds = self.herald.iter();
        let latched = signer.is_none_or(is_open)
            || heralds.any(|host| host.herald().is_none_or(|herald| is_open(herald.keeper())));
        facts.held.is_empty()
            && facts.releases.is_empty()
            && facts.suspensions.is_empty()
            && !latched
            && self.goes_on_after_handovers()
    }

    /// Those who took over last speak for the journal, and every keeper goes by them.
    fn goes_on_after_handovers(&self) -> bool {
        self.auditor.model.speakers.last_handover().is_none() || self.are_past()
    }

    fn unsettled(&self) -> String {
        let facts = self.auditor.state.facts();
        let held: Vec<_> = facts
            .held
            .iter()
            .map(|(digest, held)| {
                let time = facts.time.max(self.common.time.now());
                let decided = portcullis_core::decide::settle(&self.auditor.state, *digest, time);
                format!("{} {digest} {:?}", held.act.kind.name(), decided.decision())
            })
            .collect();
        let releases: Vec<_> = facts
            .releases
            .iter()
            .map(|(digest, r)| format!("{digest} {:?} signed {}", r.stage, r.signed.len()))
            .collect();
        let signer = self.signer.signer();
        let waits = signer.map(|signer| {
            let latched: Vec<String> = signer
                .keeper()
                .latched()
                .map(|latch| latch.sight.to_string())
                .collect();
            format!(
                "{:?}, latched {latched:?}, {} unsaid, at {} of {}",
                signer.keeper().lease().err(),
                signer.keeper().unsaid(),
                signer.state().size(),
                self.auditor.size(),
            )
        });
        let suspensions = facts.suspensions.len();
        let open = self.auditor.model.speakers.handing_over();
        let past = self.goes_on_after_handovers();
        let handovers = format!("handing over {open:?}, past all {past}");
        format!(
            "{handovers}; held {held:?}; releases {releases:?}; {suspensions} suspensions; signer {waits:?}"
        )
    }

    /// What was released has arrived once, or has been given up and has not.
    fn check_end(&mut self) {
        // One latch after the other makes more alarms than there were turns for.
        self.signer.deliver_all_alarms();
        self.herald
            .iter_mut()
            .for_each(HeraldHost::deliver_all_alarms);
        let lied_about = self.chain().lied_about().to_vec();
        let settled: std::collections::BTreeMap<u64, _> = self
            .chain()
            .settled()
            .map(|(nonce, tx, _)| (nonce, tx.unsigned().sighash()))
            .collect();
        for (nonce, payment) in self.auditor.model.payments() {
            let planned = settled
                .get(nonce)
                .and_then(|hash| self.auditor.model.planned(hash));
            let arrived = planned.is_some_and(|planned| planned.act == payment.act);
            if !arrived && !lied_about.contains(nonce) {
                let what = format!("{} at nonce {nonce}", payment.act);
                self.common
                    .chronicle
                    .violated("what is released arrives once", what);
            }
        }
        let alarms = self.hosts.alarms().join("\n");
        for (_, latch) in &self.auditor.model.latched {
            if !alarms.contains(&latch.to_string()) {
                let what = format!("latch {latch}");
                self.common
                    .chronicle
                    .violated("every latch is heard of", what);
            }
        }
    }
}

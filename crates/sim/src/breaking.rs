//! Breaking things, and starting again what has died.

use crate::disk::SimDisk;
use crate::faults::Fault;
use crate::hosts::{BoardLie, HeraldHost, HeraldLie, Mood, NodeLie, WitnessLie};
use crate::people::Deed;
use crate::setting::{BOARDS, LIAR};
use crate::sim::Sim;
use crate::wire::{Host, Weather};

impl Sim {
    pub(crate) fn break_something(&mut self, fault: Fault) {
        match fault {
            Fault::Crash => self.crash(),
            Fault::Disk => self.spoil_disk(),
            Fault::Network => self.spoil_network(),
            Fault::Clock => self.step_clock(),
            Fault::Liar => self.change_liars(),
            Fault::Node => self.change_node(),
            Fault::Evil => self.change_gate(),
            Fault::Withholding => self.change_withholding(),
            Fault::Shut => self.shut(),
            Fault::Mail => self.change_mail(),
            Fault::Herald => self.change_herald(),
        }
    }

    fn note(&self, kind: &str, what: impl std::fmt::Display) {
        self.common.chronicle.note(kind, what);
    }

    fn any_disk(&mut self) -> SimDisk {
        let more = if self.common.is_whole { 2 } else { 0 };
        match self.dice.below(8 + more) {
            0..=2 => self.hosts.gate_disk().clone(),
            3..=5 => self.hosts.signer_disk().clone(),
            8 | 9 => self.hosts.herald_disk().clone(),
            6 => {
                let number = self.dice.index(self.hosts.witnesses());
                self.hosts.witness(number).disk.clone()
            }
            _ => {
                let number = self.dice.index(BOARDS);
                self.hosts.board(number).disk.clone()
            }
        }
    }

    /// At a disk operation to come, or at once.
    fn crash(&mut self) {
        let disk = self.any_disk();
        if self.dice.chance(750) {
            disk.die_in(self.dice.below(7));
        } else {
            disk.kill();
            self.note("fault: killed", "a process");
        }
    }

    fn spoil_disk(&mut self) {
        let disk = self.any_disk();
        match self.dice.below(4) {
            0 => disk.fail_in(self.dice.below(5)),
            1 => {
                disk.set_full(true);
                self.note("fault: disk full", "until there is room");
            }
            _ => self.make_room(),
        }
    }

    pub(crate) fn make_room(&self) {
        self.hosts.gate_disk().set_full(false);
        self.hosts.signer_disk().set_full(false);
        self.hosts.herald_disk().set_full(false);
        (0..self.hosts.witnesses()).for_each(|n| self.hosts.witness(n).disk.set_full(false));
        (0..BOARDS).for_each(|n| self.hosts.board(n).disk.set_full(false));
    }

    fn any_host(&mut self) -> Host {
        let more = u64::from(self.common.is_whole);
        match self.dice.below(6 + more) {
            6 => Host::Herald,
            0 | 1 => Host::Gate,
            2 => Host::Signer,
            3 => Host::People,
            4 => Host::Witness(self.dice.index(self.hosts.witnesses())),
            _ => Host::Board(self.dice.index(BOARDS)),
        }
    }

    fn spoil_network(&mut self) {
        let bad = self.dice.below(4) * 40;
        match self.dice.below(6) {
            0..=2 => {
                let weather = Weather {
                    dropped: self.dice.below(bad + 1),
                    unanswered: self.dice.below(bad + 1),
                    delayed: self.dice.below(bad + 1),
                    doubled: self.dice.below(bad + 1),
                };
                self.hosts.wire.set_weather(weather);
                self.note("fault: weather", format!("{weather:?}"));
            }
            3 | 4 => {
                let (one, other) = (self.any_host(), self.any_host());
                self.hosts.wire.cut(one, other);
                self.note("fault: partition", format!("{one:?} and {other:?}"));
            }
            _ => self.hosts.wire.heal(),
        }
    }

    /// Of the witnesses only the one that may be dishonest has a clock that steps.
    fn step_clock(&mut self) {
        let steps = [-3_600_000, -90_000, -4_000, 0, 2_000, 20_000];
        let off = *self.dice.pick(&steps).unwrap_or(&0);
        let (whose, clock) = match self.dice.below(5) {
            0 | 1 => ("the gate's", self.hosts.gate().clock.clone()),
            2 => ("the signer's", self.signer.clock.clone()),
            3 => ("a witness'", self.hosts.witness(LIAR).clock.clone()),
            _ => ("people's", self.people.clock.clone()),
        };
        clock.set_off(off);
        let kind = if off < 0 { "back" } else { "forward" };
        self.note(
            &format!("fault: clock steps {kind}"),
            format!("{whose} by {off} ms"),
        );
    }

    fn change_liars(&mut self) {
        if self.dice.chance(500) {
            let lie = self.dice.pick(&WitnessLie::ALL).copied();
            let lie = lie.filter(|_| self.dice.chance(700));
            self.hosts.witness(LIAR).set_lie(lie);
            self.note("fault: witness", format!("{lie:?}"));
        } else {
            let lie = self.dice.pick(&BoardLie::ALL).copied();
            let lie = lie.filter(|_| self.dice.chance(600));
            self.hosts.board(LIAR).set_lie(lie);
            self.note("fault: board", format!("{lie:?}"));
        }
    }

    fn change_node(&mut self) {
        match self.dice.below(6) {
            0 => self.chain().reorganise(),
            1 => self.chain().forget(),
            2 => self.chain().set_lie(None),
            _ => {
                let lie = self.dice.pick(&NodeLie::ALL).copied();
                self.chain().set_lie(lie);
                if let Some(lie) = lie {
                    self.note(&format!("lie of a node: {lie:?}"), "begins");
                }
            }
        }
    }

    fn change_mail(&mut self) {
        let Some(herald) = &mut self.herald else {
            return;
        };
        let address = self.people.any_address();
        let (which, chronicle) = (self.dice.below(10), &self.common.chronicle);
        if let (0 | 1, Some(gone)) = (which, &address) {
            chronicle.note("fault: mailbox gone", gone);
            herald.mail.close(gone.clone());
        } else if let (2..5, Some(full)) = (which, address) {
            chronicle.note("fault: mailbox full", &full);
            herald.mail.fill(full);
        } else {
            let mood = *self.dice.pick(&Mood::ALL).unwrap_or(&Mood::Takes);
            herald.mail.set_mood(mood);
            self.note("fault: mail server", format!("{mood:?}"));
        }
    }

    fn change_herald(&mut self) {
        let lies = if self.common.has_codes {
            &HeraldLie::ALL[..]
        } else {
            &HeraldLie::TELLING
        };
        let lie = self.dice.pick(lies).copied();
        let lie = lie.filter(|_| self.dice.chance(600));
        if let Some(herald) = &mut self.herald {
            herald.set_lie(lie);
            self.note("fault: herald", format!("{lie:?}"));
        }
    }

    fn change_gate(&mut self) {
        let mut gate = self.hosts.gate();
        if gate.evil().is_some() {
            if self.dice.chance(400) {
                gate.stop();
                drop(gate);
                self.note("gate taken back", "honest again");
            }
        } else if gate.fall() {
            drop(gate);
            self.note("fault: gate taken over", "by a thief");
        }
    }

    fn change_withholding(&mut self) {
        let withholds = !self.hosts.gate().withholds() || self.dice.chance(850);
        self.hosts.gate().withhold(withholds);
        self.note("fault: gate withholds stops", withholds);
        if withholds {
            // Whoever is not heard goes to the boards.
            self.people.act(Deed::PostStop, &self.auditor.state);
        }
    }

    fn shut(&mut self) {
        let dice = self.dice.of("shut");
        self.dice.roll();
        if let Some(latch) = self.signer.shut(dice) {
            let now = self.common.time.now();
            self.truth.facts().shut.insert(latch, now);
            if self.dice.chance(400) {
                // It dies while it latches, or cries for help.
                self.hosts.signer_disk().die_in(self.dice.below(6));
            }
            self.note("fault: signer shut", latch);
        }
    }

    /// Whoever watches starts again what has died, after a while. The power may have gone.
    pub(crate) fn raise_the_dead(&mut self) {
        let hosts = std::sync::Arc::clone(&self.hosts);
        if hosts.gate().is_down() && self.dice.chance(80) {
            self.power(hosts.gate_disk());
            hosts.gate().start();
            self.auditor.read_again(&hosts);
            self.note("start", "the gate");
        }
        if !self.signer.runs() && self.dice.chance(30) {
            self.power(hosts.signer_disk());
            self.signer.start();
            self.note("start", "the signer");
        }
        if self.herald.as_ref().is_some_and(|herald| !herald.runs()) && self.dice.chance(50) {
            self.power(hosts.herald_disk());
            self.herald.iter_mut().for_each(HeraldHost::start);
            self.note("start", "the herald");
        }
        for number in 0..hosts.witnesses() {
            let mut witness = hosts.witness(number);
            if !witness.runs() && self.dice.chance(60) {
                self.power(&witness.disk.clone());
                witness.start();
                self.note("start", format!("witness {number}"));
            }
        }
        for number in 0..BOARDS {
            let mut board = hosts.board(number);
            if !board.runs() && self.dice.chance(60) {
                self.power(&board.disk.clone());
                board.start();
                self.note("start", format!("board {number}"));
            }
        }
    }

    fn power(&mut self, disk: &SimDisk) {
        if disk.is_dead() && self.dice.chance(600) {
            disk.power_cut();
        }
    }
}

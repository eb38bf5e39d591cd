//! The herald's machine: the production herald, stepped, before a simulated mail server; or one that
//! lies.

use super::mail::MailServer;
use super::{Common, Hosts};
use crate::clock::SimClock;
use crate::dice::{Dice, SharedDice};
use crate::disk::SimDisk;
use crate::keyring::Heard;
use crate::setting::{self, BOARDS};
use crate::truth::Truth;
use crate::wire::{Host, Way};
use portcullis_contact::SealingSecret;
use portcullis_core::Digest;
use portcullis_core::code::step_at;
use portcullis_core::codec::encode;
use portcullis_core::report::Report;
use portcullis_core::state::codes::Waiting;
use portcullis_core::statement::{Says, SignedStatement, Statement};
use portcullis_herald::{Config, Herald, Parts, PostOffice, Postman, Templates};
use portcullis_host::Http;
use portcullis_keeper::alarms::Courier;
use portcullis_keeper::testkit::World;
use portcullis_keeper::{Machine, Watch};
use portcullis_keys::StatementKey as _;
use portcullis_keys::software::SoftwareStatement;
use serde_json::{Value, json};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How a herald lies. Whichever way, it tells nobody anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeraldLie {
    /// It says that it has told of what waits for its word.
    Untold,
    /// It says so of what is not in the journal.
    Unjournaled,
    /// It says nothing.
    Silent,
    /// It says of codes what it likes, and nothing else.
    Codes,
}

impl HeraldLie {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Untold, Self::Unjournaled, Self::Silent, Self::Codes];

    /// Those about letters.
    pub const TELLING: [Self; 3] = [Self::Untold, Self::Unjournaled, Self::Silent];
}

/// The herald's machine.
pub struct HeraldHost {
    common: Common,
    truth: Truth,
    /// Its disk.
    pub disk: SimDisk,
    /// Its clock.
    pub clock: SimClock,
    /// The mail server that it uses.
    pub mail: MailServer,
    http: Arc<dyn Http>,
    hosts: Weak<Hosts>,
    /// The statement key that it has.
    key: Arc<SoftwareStatement>,
    templates: Templates,
    lie: Option<HeraldLie>,
    /// What it says when it lies.
    dice: Dice,
    starts: u64,
    running: Option<Running>,
}

struct Running {
    herald: Herald,
    courier: Option<Courier>,
    postman: Postman,
    watch: Watch,
}

impl HeraldHost {
    /// A machine on which nothing runs yet.
    ///
    /// # Panics
    /// Where the program's own templates are none.
    #[must_use]
    pub fn new(common: &Common, truth: &Truth, disk: SimDisk, hosts: &Weak<Hosts>) -> Self {
        let Common {
            time,
            dice,
            chronicle,
            ..
        } = common;
        Self {
            truth: truth.clone(),
            disk,
            clock: SimClock::right(time),
            mail: MailServer::new(time.clone(), dice.of("mail"), chronicle.clone(), truth),
            http: Way::out_of(Host::Herald, hosts),
            hosts: hosts.clone(),
            key: common.keys.of(World::key(&World::HERALD.0).public_key()),
            templates: Templates::own().expect("the program's own"),
            lie: None,
            dice: dice.of("a lying herald"),
            starts: 0,
            running: None,
            common: common.clone(),
        }
    }

    /// Start, or start again. What was in the post office is in the record, too.
    pub fn start(&mut self) {
        self.disk.revive();
        self.starts += 1;
        let watch = Watch::new(Arc::new(self.clock.clone()));
        let (parts, office) = self.parts(&watch);
        match Herald::open(parts) {
            Ok(herald) => {
                self.running = Some(Running {
                    courier: herald.courier(),
                    herald,
                    postman: office.postman(Arc::new(self.mail.clone())),
                    watch,
                });
            }
            Err(error) => {
                self.running = None;
                if !self.disk.is_dead() && !self.disk.is_full() {
                    self.common.chronicle.note("herald: start failed", &error);
                    // A disk that fails once more is tried once more.
                    if let Err(again) = Herald::open(self.parts(&watch).0) {
                        self.common.does_not_start("the herald", again);
                    }
                }
            }
        }
    }

    fn parts(&self, watch: &Watch) -> (Parts, PostOffice) {
        let random = self.common.dice.of(&format!("herald-{}", self.starts));
        let office = PostOffice::default();
        let parts = Parts {
            machine: Machine {
                watch: watch.clone(),
                disk: Arc::new(self.disk.clone()),
                random: Arc::new(SharedDice::new(random)),
                http: Arc::clone(&self.http),
            },
            network: self.common.world.network.clone(),
            config: config(&self.common.world),
            key: Heard::of(Arc::clone(&self.key), &self.truth),
            secret: Arc::new(SealingSecret::new(&[0x77; 32]).expect("a secret")),
            templates: self.templates.clone(),
            office: office.clone(),
        };
        (parts, office)
    }

    /// The process ends, whatever it was doing.
    pub fn stop(&mut self) {
        self.running = None;
    }

    /// Whether it runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// It lies from here on, or is honest again.
    pub fn set_lie(&mut self, lie: Option<HeraldLie>) {
        self.lie = lie;
    }

    /// The herald's turn.
    pub fn step(&mut self) {
        if self.lie == Some(HeraldLie::Codes) {
            return self.judge_falsely();
        }
        let Some(running) = &mut self.running else {
            return;
        };
        match running.herald.step(Duration::ZERO) {
            Ok(step) if step.refused > 0 => self.common.chronicle.count("herald: refused"),
            Ok(_) => {}
            Err(error) => {
                self.common.chronicle.note("herald: stops", error);
                self.running = None;
            }
        }
        if self.disk.is_dead() {
            self.running = None;
        }
        self.turn_to_successor();
        self.lie();
    }

    /// Whoever runs it gives it the key that is in force by now.
    fn turn_to_successor(&mut self) {
        let running = self.running.as_ref();
        let to = running.and_then(|running| running.herald.keeper().key_to_turn_to());
        let Some(in_force) = to else { return };
        self.key = self.common.keys.of(&in_force);
        self.common.chronicle.note("key turned", "the herald's");
        self.stop();
        self.start();
    }

    /// The postman's turn. Whoever lies tells nobody.
    pub fn deliver(&mut self) {
        if self.lie.is_some() {
            return;
        }
        if let Some(running) = &self.running {
            while running.postman.step(running.watch.now()) {}
        }
    }

    /// The alarms' turn.
    pub fn deliver_alarms(&mut self) {
        if let Some(courier) = self.running.as_mut().and_then(|r| r.courier.as_mut()) {
            courier.step();
        }
    }

    /// All that wait: it has more to cry about than others.
    pub fn deliver_all_alarms(&mut self) {
        if let Some(courier) = self.running.as_mut().and_then(|r| r.courier.as_mut()) {
            while courier.step() {}
        }
    }

    fn lie(&mut self) {
        let (Some(lie), Some(running)) = (self.lie, &self.running) else {
            return;
        };
        let waiting = running.herald.state().facts().untold.acts();
        let waiting: Vec<(u64, Digest)> = waiting.collect();
        let about = match lie {
            HeraldLie::Untold => self.dice.pick(&waiting).copied(),
            HeraldLie::Unjournaled => Some((0, Digest(self.dice.bytes()))),
            HeraldLie::Silent | HeraldLie::Codes => None,
        };
        self.common
            .chronicle
            .count(&format!("lie of a herald: {lie:?}"));
        if let Some((entry, act)) = about.filter(|_| self.dice.chance(300)) {
            self.truth.facts().lied_about.insert(act);
            self.say(Says::Told { act, entry });
        }
    }

    /// Of a code that waits: that it is wrong, or right, of this step or of the one that has served.
    fn judge_falsely(&mut self) {
        let shared = self.hosts.upgrade().and_then(|hosts| hosts.gate().shared());
        let Some(shared) = shared else { return };
        let state = shared.state();
        let waiting: Vec<(Digest, Waiting)> = state
            .facts()
            .codes
            .all_open()
            .map(|(act, waiting)| (act, *waiting))
            .collect();
        let Some((act, waiting)) = self.dice.pick(&waiting).copied() else {
            return;
        };
        let Waiting { owner, factor, .. } = waiting;
        let known = state.facts().factor(owner, factor);
        let served = known.map_or(0, |known| known.counter);
        drop(state);
        let right = |step| Says::CodeRight { act, factor, step };
        let says = match self.dice.below(4) {
            0 => Says::CodeWrong { act, factor },
            1 => right(step_at(waiting.time)),
            _ => right(served),
        };
        let kind = format!("lie of a herald: {:?}", HeraldLie::Codes);
        self.common.chronicle.count(&kind);
        self.truth.facts().judged_falsely.insert(act);
        self.say(says);
    }

    fn say(&self, says: Says) {
        let statement = Statement {
            genesis: self.common.world.digest(),
            keeper: World::HERALD,
            says,
        };
        let key = Heard::of(Arc::clone(&self.key), &self.truth);
        let signature = key.sign(&statement.signed_bytes()).expect("a software key");
        let report = Report(vec![SignedStatement {
            statement,
            signature,
        }]);
        let url = format!("{}/v1/statements", setting::GATE);
        let headers = [("content-type", "application/cbor")];
        let patience = Duration::from_secs(2);
        // Whatever comes of it.
        let _ = self
            .http
            .post(&url, &headers, &encode(&report), 1 << 16, patience);
    }

    /// The running herald, for looking at.
    #[must_use]
    pub fn herald(&self) -> Option<&Herald> {
        self.running.as_ref().map(|running| &running.herald)
    }
}

fn config(world: &World) -> Config {
    let text = |what: &dyn ToString| Value::String(what.to_string());
    let boards = (0..BOARDS).map(|n| {
        let id = setting::board(n).to_string();
        (id, Value::String(setting::board_url(n)))
    });
    let config = json!({
        "genesis": "",
        "genesis_digest": text(&world.digest()),
        "keeper": text(&World::HERALD),
        "gate": setting::GATE,
        "data": "",
        "boards": boards.collect::<serde_json::Map<String, Value>>(),
        "name": "Example Bank",
        "keys": {"file": "", "passphrase_file": "", "statement": "", "sealing": ""},
        "staff": [{"mail": setting::DUTY}],
        "alarms": {"webhook": "http://hook/"},
    });
    serde_json::from_value(config).expect("a configuration")
}

//! A witness: the production one behind its own router, or one that lies.

use super::Common;
use crate::clock::SimClock;
use crate::disk::SimDisk;
use crate::server::ask;
use crate::setting::{self, WITNESSES};
use crate::wire::Message;
use axum::Router;
use portcullis_core::Time;
use portcullis_host::{Clock as _, Reply};
use portcullis_keeper::testkit::World;
use portcullis_tlog::witness::{AddCheckpoint, decide};
use portcullis_tlog::{
    Cosignature, LogKey, ReadCheckpoint, SignedCheckpoint, Signer as _, Timestamp, TreeHead,
    WitnessSigner,
};
use portcullis_witness::{Cosigner, Roles, Witness, router};
use std::sync::Arc;
use tokio::sync::Notify;

/// How a witness lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WitnessLie {
    /// It cosigns whatever the log signed, fork or not.
    Anything,
    /// The same, minutes ahead.
    Future,
    /// The same, minutes behind.
    Past,
    /// It says that it has cosigned another size.
    OtherSize,
    /// It answers nonsense.
    Nonsense,
    /// It does not answer.
    Silent,
}

impl WitnessLie {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Anything,
        Self::Future,
        Self::Past,
        Self::OtherSize,
        Self::Nonsense,
        Self::Silent,
    ];
}

/// What a witness let out.
#[derive(Clone, Copy, Debug)]
pub struct Cosigning {
    /// What it cosigned.
    pub head: TreeHead,
    /// By which of the journal's keys that was signed.
    pub log: usize,
    /// When, by the true clock.
    pub at: Time,
}

/// A witness' machine.
pub struct WitnessHost {
    common: Common,
    number: usize,
    /// Its disk.
    pub disk: SimDisk,
    /// Its clock.
    pub clock: SimClock,
    key: WitnessSigner,
    router: Option<Router>,
    lie: Option<WitnessLie>,
    /// What it cosigned, while honest.
    cosigned: Vec<Cosigning>,
}

impl WitnessHost {
    pub(super) fn new(common: &Common, number: usize) -> Self {
        let name = format!("witness-{number}");
        let disk = SimDisk::new(&name, common.dice.of(&name), common.chronicle.clone());
        let clock = SimClock::right(&common.time);
        let cosigner = cosigner(common, number);
        Witness::create(&common.world.network, &cosigner, &disk).expect("a new disk");
        let mut host = Self {
            common: common.clone(),
            number,
            disk,
            clock,
            key: setting::witness(number),
            router: None,
            lie: None,
            cosigned: Vec::new(),
        };
        host.start();
        host
    }

    /// It lies from here on, or is honest again.
    pub fn set_lie(&mut self, lie: Option<WitnessLie>) {
        self.lie = lie;
    }

    /// How it lies. Whoever has its key cosigns whatever the log signed.
    fn lie(&self) -> Option<WitnessLie> {
        let stolen = self.common.loot.stolen();
        let is_stolen = stolen.witnesses.contains(&self.number);
        is_stolen.then_some(WitnessLie::Anything).or(self.lie)
    }

    /// What it cosigned since the last question.
    pub fn take_cosigned(&mut self) -> Vec<Cosigning> {
        std::mem::take(&mut self.cosigned)
    }

    /// The process ends, whatever it was doing.
    pub fn stop(&mut self) {
        self.router = None;
    }

    /// Whether it runs.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.router.is_some()
    }

    /// Start, or start again.
    pub fn start(&mut self) {
        self.disk.revive();
        let cosigner = cosigner(&self.common, self.number);
        let (clock, disk) = (Arc::new(self.clock.clone()), Arc::new(self.disk.clone()));
        let network = &self.common.world.network;
        match Witness::open_with(network, log_keys(&self.common), cosigner, clock, disk) {
            Ok(witness) => {
                let roles = Roles {
                    witness: Some(witness),
                    board: None,
                };
                self.router = Some(router(roles, &Arc::new(Notify::new())));
            }
            // There is no room; whoever watches tries again.
            Err(error) if self.disk.is_full() => {
                self.common.chronicle.note("witness: no start", error);
            }
            Err(error) => {
                let who = format!("witness {}", self.number);
                self.common.does_not_start(who, error);
            }
        }
    }

    pub(super) fn answer(&mut self, message: &Message) -> Option<Reply> {
        if let Some(lie) = self.lie() {
            return self.answer_falsely(lie, message);
        }
        let router = self.router.as_ref()?;
        let reply = self
            .common
            .runtime
            .block_on(ask(router, "witness", message));
        if self.disk.is_dead() {
            self.stop();
            return None;
        }
        let reply = reply?;
        if reply.status == 503 {
            // It has stopped after a disk error; whoever watches starts it again.
            self.stop();
        }
        if reply.status == 200
            && let Some((log, signed)) = signed_in(&message.body)
        {
            let (head, at) = (signed.head(), self.common.time.now());
            self.cosigned.push(Cosigning { head, log, at });
        }
        Some(reply)
    }

    fn answer_falsely(&self, lie: WitnessLie, message: &Message) -> Option<Reply> {
        self.common
            .chronicle
            .count(&format!("lie of a witness: {lie:?}"));
        let now = self.clock.now();
        let minutes = portcullis_core::Span::seconds(300);
        let time = match lie {
            WitnessLie::Anything => now,
            WitnessLie::Future => now.after(minutes),
            WitnessLie::Past => now.before(minutes),
            WitnessLie::OtherSize => return Some(reply(409, b"3\n")),
            WitnessLie::Nonsense => return Some(reply(200, &[0xff, b'\n', 0])),
            WitnessLie::Silent => return None,
        };
        let (log, signed) = signed_in(&message.body)?;
        let log = &setting::log_keys()[log];
        let cosignature = cosign_anything(log, &signed, time, &self.key)?;
        let line = format!("{}\n", cosignature.signature());
        Some(reply(200, line.as_bytes()))
    }
}

fn reply(status: u16, body: &[u8]) -> Reply {
    let body = body.to_vec();
    Reply { status, body }
}

fn cosigner(common: &Common, number: usize) -> Cosigner {
    let key = Arc::new(World::key(&setting::witness_seed(number)));
    if number < WITNESSES {
        return Cosigner::new(&common.world.network, key).expect("the genesis names it");
    }
    let name = setting::witness(number).key().name().clone();
    Cosigner::successor(name, key).expect("an Ed25519 key")
}

/// The keys that its operator has named: where the journal is handed over, both from the start.
fn log_keys(common: &Common) -> Vec<LogKey> {
    if common.has_handovers {
        setting::log_keys().to_vec()
    } else {
        Vec::new()
    }
}

/// What it was asked to cosign, and by which of the journal's keys that is signed.
fn signed_in(body: &[u8]) -> Option<(usize, SignedCheckpoint)> {
    let (_, note) = std::str::from_utf8(body).ok()?.split_once("\n\n")?;
    let read = ReadCheckpoint::parse(note.as_bytes()).ok()?;
    let keys = setting::log_keys();
    let mut each = keys.iter().enumerate();
    each.find_map(|(number, key)| Some((number, read.clone().verify(key).ok()?)))
}

/// A cosignature that checks nothing but the log's signature.
pub(super) fn cosign_anything(
    log: &LogKey,
    signed: &SignedCheckpoint,
    time: Time,
    key: &WitnessSigner,
) -> Option<Cosignature> {
    let head = signed.head();
    let request = AddCheckpoint::new(head.size, Vec::new(), signed);
    let accepted = decide(Some(head), request, log).ok()?;
    let time = Timestamp::from_unix(time.0 / 1000).ok()?;
    accepted.cosign(time, key).ok()
}

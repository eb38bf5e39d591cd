//! The machines and what runs on them: production code, and the few that lie.

mod board;
mod chain;
mod evil;
mod gate;
mod herald;
mod loot;
mod mail;
mod signer;
mod witness;

pub use board::{BoardHost, BoardLie};
pub use chain::{Chain, NodeLie, SimNode};
pub use evil::{Evil, Misdeed};
pub use gate::GateHost;
pub use herald::{HeraldHost, HeraldLie};
pub use loot::Loot;
pub use mail::Mood;
pub use signer::{KeyUse, SignerHost};
pub use witness::{WitnessHost, WitnessLie};

use crate::chronicle::Chronicle;
use crate::clock::TrueTime;
use crate::dice::Dice;
use crate::keyring::Keyring;
use crate::setting::{self, BOARDS, SPARES, WITNESSES};
use crate::wire::{Host, Message, Wire};
use portcullis_core::limits::Limits;
use portcullis_host::Reply;
use portcullis_keeper::testkit::World;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Runtime;

/// What every machine shares.
#[derive(Clone)]
pub struct Common {
    /// The network with its keys.
    pub world: Arc<World>,
    /// Whether it is the whole one.
    pub is_whole: bool,
    /// Whether its customers have authenticator apps.
    pub has_codes: bool,
    /// Whether its journal is handed over.
    pub has_handovers: bool,
    /// What thieves have of keys that others have taken the place of.
    pub loot: Loot,
    /// The keys that are rotated, with their successors.
    pub keys: Arc<Keyring>,
    /// True time.
    pub time: TrueTime,
    /// What happens.
    pub chronicle: Chronicle,
    /// Runs the production handlers, on this one thread.
    pub runtime: Arc<Runtime>,
    /// Dice to be split.
    pub dice: Dice,
}

impl Common {
    /// Limits with this for an hour of each account.
    #[must_use]
    pub fn limits(&self, hour: u128) -> Limits {
        if self.has_codes {
            setting::limits_with_codes(hour)
        } else {
            setting::limits(hour)
        }
    }

    /// How many witnesses there are: those of genesis, and those that stand ready.
    #[must_use]
    pub fn witnesses(&self) -> usize {
        if self.has_handovers {
            WITNESSES + SPARES
        } else {
            WITNESSES
        }
    }

    /// A process does not start on what a crash has left it.
    fn does_not_start(&self, who: impl Display, error: impl Display) {
        let what = format!("{who} does not start: {error}");
        self.chronicle.violated("restart needs no hand", what);
    }
}

/// All machines but the people's.
pub struct Hosts {
    /// The network between them.
    pub wire: Wire,
    gate: Mutex<GateHost>,
    witnesses: Vec<Mutex<WitnessHost>>,
    boards: Vec<Mutex<BoardHost>>,
    signer_disk: crate::disk::SimDisk,
    gate_disk: crate::disk::SimDisk,
    herald_disk: crate::disk::SimDisk,
    /// Alarms that arrived.
    alarms: Mutex<Vec<String>>,
}

impl Hosts {
    /// The machines of a network, nothing running yet but witnesses and boards.
    #[must_use]
    pub fn new(common: &Common, chain: &Arc<Mutex<Chain>>) -> Arc<Self> {
        let Common {
            time,
            chronicle,
            dice,
            ..
        } = common;
        let disk = |name: &str| crate::disk::SimDisk::new(name, dice.of(name), chronicle.clone());
        let (gate_disk, signer_disk) = (disk("gate"), disk("signer"));
        Arc::new_cyclic(|hosts| Self {
            wire: Wire::new(time.clone(), dice.of("wire"), chronicle.clone()),
            gate: Mutex::new(GateHost::new(common, gate_disk.clone(), hosts, chain)),
            witnesses: (0..common.witnesses())
                .map(|n| Mutex::new(WitnessHost::new(common, n)))
                .collect(),
            boards: (0..BOARDS)
                .map(|n| Mutex::new(BoardHost::new(common, n)))
                .collect(),
            signer_disk,
            gate_disk,
            herald_disk: disk("herald"),
            alarms: Mutex::default(),
        })
    }

    /// The gate's machine.
    pub fn gate(&self) -> MutexGuard<'_, GateHost> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many witnesses there are.
    #[must_use]
    pub fn witnesses(&self) -> usize {
        self.witnesses.len()
    }

    /// A witness'.
    pub fn witness(&self, number: usize) -> MutexGuard<'_, WitnessHost> {
        let witness = &self.witnesses[number];
        witness.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A board's.
    pub fn board(&self, number: usize) -> MutexGuard<'_, BoardHost> {
        let board = &self.boards[number];
        board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Alarms that have arrived.
    pub fn alarms(&self) -> MutexGuard<'_, Vec<String>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The signer's disk.
    #[must_use]
    pub fn signer_disk(&self) -> &crate::disk::SimDisk {
        &self.signer_disk
    }

    /// The gate's disk.
    #[must_use]
    pub fn gate_disk(&self) -> &crate::disk::SimDisk {
        &self.gate_disk
    }

    /// The herald's disk.
    #[must_use]
    pub fn herald_disk(&self) -> &crate::disk::SimDisk {
        &self.herald_disk
    }

    /// Whether a process lives that could ask, or hear an answer.
    pub(crate) fn is_up(&self, host: Host) -> bool {
        match host {
            Host::Gate => !self.gate_disk.is_dead(),
            Host::Signer => !self.signer_disk.is_dead(),
            Host::Herald => !self.herald_disk.is_dead(),
            _ => true,
        }
    }

    /// Hand a message to the machine that it is for.
    pub(crate) fn deliver(&self, to: Host, message: &Message) -> Option<Reply> {
        match to {
            Host::Gate => self.gate().answer(message),
            Host::Witness(number) if number < self.witnesses() => {
                self.witness(number).answer(message)
            }
            Host::Board(number) if number < BOARDS => self.board(number).answer(message),
            Host::Webhook => {
                let alarm = String::from_utf8_lossy(&message.body).into_owned();
                self.alarms().push(alarm);
                Some(Reply {
                    status: 200,
                    body: Vec::new(),
                })
            }
            _ => None,
        }
    }

    /// Hand over a message whose answer nobody waits for.
    pub(crate) fn leave(&self, to: Host, message: &Message) {
        if to == Host::Gate {
            self.gate().leave(message);
        } else {
            self.deliver(to, message);
        }
    }
}

//! The journal's own key is rotated: the gate signs with the one in force at each size, wherever the power goes.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use portcullis_core::act::Scope;
use portcullis_core::signature::Strict;
use portcullis_core::{Span, State, Time};
use portcullis_gate::{ChainFees, Error, Gate, LogKeys, Parts};
use portcullis_host::{Clock as _, Disk, Http, HttpError, Reply, SystemRandom};
use portcullis_journal::{Directory, Journal};
use portcullis_keeper::testkit::{CrashDisk, HandClock, Ledger, World};
use portcullis_tlog::witness::{AddCheckpoint, decide};
use portcullis_tlog::{LogKey, Signer as _, Timestamp, TreeHead};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const OLD: u8 = 0x80;
const NEW: u8 = 0x81;
const SEGMENT: u64 = 1 << 16;

/// Honest witnesses, to whose operators the successor was named.
#[derive(Default)]
struct Witnesses {
    known: BTreeMap<usize, TreeHead>,
    /// What they were asked to cosign: sizes, and by which key.
    asked: Vec<(u64, u8)>,
    /// Whether their answers are lost.
    lost: bool,
}

#[derive(Clone)]
struct Net {
    world: Arc<World>,
    clock: HandClock,
    witnesses: Arc<Mutex<Witnesses>>,
}

impl Http for Net {
    fn get(&self, url: &str, _: &[(&str, &str)], _: u64, _: Duration) -> Result<Reply, HttpError> {
        Err(silence(url))
    }

    fn post(
        &self,
        url: &str,
        _: &[(&str, &str)],
        body: &[u8],
        _: u64,
        _: Duration,
    ) -> Result<Reply, HttpError> {
        let number: usize = url[8..9].parse().unwrap();
        let request = AddCheckpoint::parse(body).unwrap();
        let keys: [LogKey; 2] = [OLD, NEW].map(|seed| World::log(seed).key().clone());
        let key = request.bears(&keys).unwrap().clone();
        let mut witnesses = self.witnesses.lock().unwrap();
        let known = witnesses.known.get(&number).copied();
        let accepted = match decide(known, request, &key) {
            Ok(accepted) => accepted,
            Err(rejection) => {
                let status = rejection.status();
                let size = rejection.known_size();
                let body = size.map_or_else(String::new, |size| format!("{size}\n"));
                let body = body.into_bytes();
                return Ok(Reply { status, body });
            }
        };
        let seed = if key == keys[0] { OLD } else { NEW };
        witnesses.known.insert(number, accepted.head());
        witnesses.asked.push((accepted.head().size, seed));
        if witnesses.lost {
            return Err(silence(url));
        }
        let now: Time = self.clock.now();
        let time = Timestamp::from_unix(now.0 / 1000).unwrap();
        let cosignature = accepted.cosign(time, &self.world.witnesses[number]);
        let line = cosignature.unwrap().signature().to_string();
        let body = format!("{line}\n").into_bytes();
        Ok(Reply { status: 200, body })
    }
}

fn silence(url: &str) -> HttpError {
    let (url, why) = (url.to_owned(), "nobody there".to_owned());
    HttpError { url, why }
}

/// A journal that ends with the rotation, or with a stop behind it, on a disk.
struct Machine {
    net: Net,
    disk: CrashDisk,
    clock: HandClock,
    last: u64,
}

impl Machine {
    fn new(stops: bool) -> Self {
        let (world, clock) = (Arc::new(World::new()), HandClock::at(World::START));
        let mut ledger = Ledger::new(Arc::clone(&world), clock.clone());
        ledger.rotate_log(NEW);
        let last = ledger.state.handing_over().unwrap();
        if stops {
            let (act, evidence) = ledger.suspension(Scope::Everything);
            ledger.submit(act, evidence);
        }
        let disk = CrashDisk::default();
        let as_disk: Arc<dyn Disk> = Arc::new(disk.clone());
        let (store, recovered) =
            Directory::open(Arc::clone(&as_disk), SEGMENT, Arc::new(SystemRandom)).unwrap();
        let mut journal = Journal::open(store, &recovered, as_disk, 0).unwrap();
        for entry in &ledger.entries {
            journal.make_room(entry.len() as u64, 1).unwrap();
            journal.append(vec![entry.clone()]).unwrap();
        }
        clock.pass(Span::seconds(1));
        let net = Net {
            world,
            clock: clock.clone(),
            witnesses: Arc::default(),
        };
        Self {
            net,
            disk,
            clock,
            last,
        }
    }

    fn open(&self, first: u8, successor: Option<u8>) -> Result<Gate, Error> {
        let world = &self.net.world;
        let key = |seed: u8| -> Arc<dyn portcullis_keys::StatementKey> {
            Arc::new(World::key(&[seed; 16]))
        };
        let names = world.witnesses.iter().enumerate();
        let urls = names.map(|(n, w)| (w.key().name().to_string(), format!("http://w{n}")));
        let fees = ChainFees {
            node: None,
            max_fee_per_gas: 1,
            max_priority_fee_per_gas: 1,
            native_gas: 21_000,
            token_gas: 100_000,
            bump_after_seconds: 180,
        };
        Gate::open(Parts {
            network: Arc::clone(&world.network),
            clock: Arc::new(self.clock.clone()),
            disk: Arc::new(self.disk.clone()),
            random: Arc::new(SystemRandom),
            http: Arc::new(self.net.clone()),
            log: LogKeys::new(key(first), successor.map(key)),
            witnesses: urls.collect(),
            boards: BTreeMap::new(),
            chains: BTreeMap::from([(World::ETHER.chain(), fees)]),
            nodes: BTreeMap::new(),
            coins: BTreeMap::new(),
            authorities: vec!["gate".into()],
            queue: 8,
            segment_bytes: SEGMENT,
            snapshot_every: Some(4),
            vendors: BTreeMap::new(),
            webhooks: BTreeMap::new(),
        })
    }

    /// A second of the gate's life. None where it has died.
    fn second(&self, gate: &mut Gate) -> Option<()> {
        self.clock.pass(Span::seconds(1));
        // Without a quorum it goes on, and asks again.
        let _ = gate.pulse.beat();
        gate.sequencing.step(Vec::new()).ok()?;
        gate.projector.project();
        gate.snapshotter.as_mut()?.step().ok()
    }

    /// Whether the newest checkpoint is of a journal behind the handover.
    fn is_past(&self, gate: &Gate) -> bool {
        let newest = gate.shared().published.newest();
        newest.is_some_and(|newest| newest.head.size > self.last)
    }

    fn asked(&self) -> Vec<(u64, u8)> {
        self.net.witnesses.lock().unwrap().asked.clone()
    }

    /// Whatever was ever signed was signed by the key in force there.
    fn check_signed(&self, what: &str) {
        for (size, seed) in self.asked() {
            let in_force = if size <= self.last { OLD } else { NEW };
            assert_eq!(seed, in_force, "{what}: {size}");
        }
    }

    /// What the journal on the disk comes to.
    fn replay(&self, gate: &Gate) -> State {
        let mut state = State::new(Arc::clone(&self.net.world.network));
        let (view, size) = (&gate.shared().view, gate.shared().state().size());
        for entry in view.entries(0..size, usize::MAX).unwrap() {
            assert_eq!(state.apply(&entry, &Strict).void, None);
        }
        state
    }
}

#[test]
fn the_power_goes_anywhere_between_the_rotation_and_what_the_successor_signs() {
    for stops in [false, true] {
        let steady = run(stops, None, false);
        assert!(steady > 4, "{steady}");
        for operation in 0..=steady {
            for lost in [false, true] {
                run(stops, Some(operation), lost);
            }
        }
    }
}

/// A gate's life in which the power goes in this write, and what the witnesses answered then may be lost. Gives
/// how many operations it took.
fn run(stops: bool, dies_in: Option<u64>, lost: bool) -> u64 {
    let what = format!("{stops} {dies_in:?} {lost}");
    let machine = Machine::new(stops);
    let enough = 10_000;
    machine.disk.power_for(dies_in.unwrap_or(enough));
    machine.net.witnesses.lock().unwrap().lost = lost;
    let mut seconds = 0;
    if let Ok(mut gate) = machine.open(OLD, Some(NEW)) {
        while seconds < 6 && machine.second(&mut gate).is_some() {
            seconds += 1;
            machine.net.witnesses.lock().unwrap().lost = false;
        }
    }
    machine.check_signed(&what);
    let used = enough - machine.disk.power_left().unwrap_or(enough);
    machine.disk.cut_power(dies_in.unwrap_or(0));
    machine.net.witnesses.lock().unwrap().lost = false;
    let mut gate = machine.open(OLD, Some(NEW)).unwrap();
    for _ in 0..8 {
        machine.second(&mut gate).unwrap();
    }
    assert!(machine.is_past(&gate), "{what}");
    machine.check_signed(&what);
    let state = machine.replay(&gate);
    assert_eq!(state.facts(), gate.shared().state().facts(), "{what}");
    assert_eq!(state.handing_over(), None, "{what}");
    used
}

#[test]
fn without_the_successor_it_signs_no_longer_journal_and_does_not_start() {
    let machine = Machine::new(false);
    let mut gate = match machine.open(OLD, None) {
        Err(Error::Config(said)) => {
            assert!(said.contains("log_successor"), "{said}");
            machine.open(OLD, Some(NEW)).unwrap()
        }
        _ => panic!("it starts without the key that is in force"),
    };
    for _ in 0..5 {
        machine.second(&mut gate).unwrap();
    }
    assert!(machine.is_past(&gate));
    drop(gate);
    // Behind the handover the key of before is not needed any more, and is no use.
    let said = machine.open(OLD, None).map(drop).unwrap_err().to_string();
    assert!(said.contains(&World::log(NEW).key().to_string()), "{said}");
    let mut gate = machine.open(NEW, None).unwrap();
    machine.second(&mut gate).unwrap();
    assert!(machine.is_past(&gate));
    machine.check_signed("at the end");
}

/// A key that was in force once is not turned to again, and one that is not yet is not begun with.
#[test]
fn each_size_is_signed_by_its_key_alone() {
    let machine = Machine::new(false);
    let missing = machine.open(NEW, None).map(drop).unwrap_err();
    assert!(matches!(missing, Error::Config(_)), "{missing}");
    let mut gate = machine.open(NEW, Some(OLD)).unwrap();
    for _ in 0..5 {
        machine.second(&mut gate).unwrap();
    }
    assert!(machine.is_past(&gate));
    machine.check_signed("named the other way round");
    assert!(machine.asked().iter().any(|(_, seed)| *seed == OLD));
}

//! The call-out on a ledger of the test kit, with a vendor that says what the test wants.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

use super::*;
use crate::published::Witnessed;
use crate::sequencer::Sequencer;
use crate::{FeeTable, Index};
use portcullis_core::act::{Act, ActKind, Cancel};
use portcullis_core::evidence::{AttestationStatement, Claim, Finding};
use portcullis_core::genesis::{Genesis, Issuer};
use portcullis_core::id::{AttestationId, LedgerEntryId};
use portcullis_core::policy::Policy;
use portcullis_host::{Disk, HttpError, Reply, SystemRandom};
use portcullis_journal::{Directory, Journal};
use portcullis_keeper::testkit::{CrashDisk, Customer, HandClock, Ledger, World};
use portcullis_keys::StatementKey as _;
use portcullis_tlog::Cosigned;
use serde_json::Value;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, sync_channel};

const VENDOR: IssuerId = IssuerId([0x64; 16]);
const POLICY: &str = r#"
@id("permit") permit (principal, action, resource);
@id("screened") @needs("screening") forbid (principal, action == Action::"withdraw", resource)
when { context.screening != "pass" };
"#;

fn genesis(genesis: &mut Genesis) {
    genesis.issuers.push(Issuer {
        id: VENDOR,
        kind: IssuerKind::Screening,
        key: World::key(&VENDOR.0).public_key().clone(),
    });
    genesis.policy = Some(Policy {
        cedar: POLICY.into(),
        tiers: Vec::new(),
        lists: Vec::new(),
        rates: None,
    });
}

/// What the vendor does with a question: its id, and its data.
type Says = Box<dyn FnMut(&str, &Value) -> Result<Reply, HttpError> + Send>;

#[derive(Clone)]
struct Vendor(Arc<Mutex<Says>>);

impl Http for Vendor {
    fn get(&self, _: &str, _: &[(&str, &str)], _: u64, _: Duration) -> Result<Reply, HttpError> {
        unreachable!("a vendor is asked by POST")
    }

    fn post(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        _: u64,
        _: Duration,
    ) -> Result<Reply, HttpError> {
        assert_eq!(url, "http://vendor/ask");
        let id = headers
            .iter()
            .find(|(name, _)| *name == "webhook-id")
            .unwrap()
            .1;
        let asked: Value = serde_json::from_slice(body).unwrap();
        (self.0.lock().unwrap())(id, &asked["data"])
    }
}

fn reply(status: u16, body: Vec<u8>) -> Reply {
    Reply { status, body }
}

fn unreachable_now() -> Result<Reply, HttpError> {
    Err(HttpError {
        url: "http://vendor/ask".into(),
        why: "nobody answers".into(),
    })
}

fn attests(asked: &Value, id: u8, finding: Finding, expires: Time) -> Reply {
    let act: Act = serde_json::from_value(asked["act"].clone()).unwrap();
    let claim = Claim::Screening {
        id: AttestationId([id; 16]),
        finding,
        report: Digest([id; 32]),
    };
    reply(200, signed(act.digest(), claim, expires))
}

fn signed(act: Digest, claim: Claim, expires: Time) -> Vec<u8> {
    let statement = AttestationStatement {
        issuer: VENDOR,
        act,
        expires,
        claim,
    };
    let signature = World::key(&VENDOR.0)
        .sign(&statement.signed_bytes())
        .unwrap();
    serde_json::to_vec(&Attestation {
        statement,
        signature,
    })
    .unwrap()
}

struct Bench {
    clock: HandClock,
    sequencer: Sequencer<Directory>,
    ledger: Ledger,
    acts: Vec<Act>,
    /// When which question came, about which act.
    asked: Arc<Mutex<Vec<(Time, String, Digest)>>>,
}

impl Bench {
    /// So many withdrawals wait, each for its screening.
    fn new(held: u128) -> Self {
        let clock = HandClock::at(World::START);
        let mut ledger = Ledger::new(Arc::new(World::with(genesis)), clock.clone());
        let customer = Customer::number(1);
        ledger.open(&customer);
        ledger.add_address(&customer, World::address(1));
        let acts = (1..=held).map(|amount| {
            let (act, evidence) =
                ledger.withdrawal(&customer, World::ETHER, World::address(1), amount);
            ledger.submit(act.clone(), evidence);
            act
        });
        let acts = acts.collect();
        ledger.settle_clocks();
        let disk: Arc<dyn Disk> = Arc::new(CrashDisk::default());
        let (store, recovered) =
            Directory::open(Arc::clone(&disk), 1 << 20, Arc::new(SystemRandom)).unwrap();
        let mut journal = Journal::open(store, &recovered, disk, 0).unwrap();
        journal.make_room(1 << 18, 1000).unwrap();
        journal.append(ledger.entries.clone()).unwrap();
        let state = ledger.state.clone();
        let sequencer = Sequencer::new(journal, state, Index::default(), FeeTable::default());
        Self {
            clock,
            sequencer,
            ledger,
            acts,
            asked: Arc::default(),
        }
    }

    /// A call-out to a vendor that says this; what it asks is noted.
    fn callout(&self, mut says: Says) -> (CallOut, Receiver<Command>) {
        let (queue, commands) = sync_channel(16);
        let (asked, clock) = (Arc::clone(&self.asked), self.clock.clone());
        let notes: Says = Box::new(move |id, data| {
            let act = serde_json::from_value(data["digest"].clone()).unwrap();
            asked.lock().unwrap().push((clock.now(), id.into(), act));
            says(id, data)
        });
        let reach = Reach {
            keys: LogKeys::new(Arc::new(World::key(&[0x80; 16])), None),
            clock: Arc::new(self.clock.clone()),
            http: Arc::new(Vendor(Arc::new(Mutex::new(notes)))),
        };
        let vendor = (VENDOR, "http://vendor/ask".into());
        (
            CallOut::new(vendor, reach, self.sequencer.shared(), queue),
            commands,
        )
    }

    /// What was asked since: seconds from the start of the test, and the act's number.
    fn asked(&self, since: Time) -> Vec<(u64, usize)> {
        let asked = self.asked.lock().unwrap();
        let number = |act: &Digest| self.acts.iter().position(|a| a.digest() == *act).unwrap();
        let seconds = |time: Time| time.since(since).0 / 1000;
        asked
            .iter()
            .map(|(time, _, act)| (seconds(*time), number(act)))
            .collect()
    }

    fn ids(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(_, id, _)| id.clone()).collect()
    }

    /// The gate journals what came, on a fresh cosignature.
    fn journal(&mut self, commands: &Receiver<Command>) -> usize {
        let commands: Vec<Command> = commands.try_iter().collect();
        let (count, now) = (commands.len(), self.clock.now());
        let network = Arc::clone(&self.ledger.world.network);
        let note = self.ledger.note_of(self.sequencer.head(), now);
        let cosigned = Cosigned::parse(&note, network.log(), network.quorum()).unwrap();
        self.sequencer
            .shared()
            .published
            .show(Witnessed::new(&cosigned));
        self.sequencer.step(commands, now).unwrap();
        count
    }

    fn said(&self, number: usize) -> Option<Finding> {
        let shared = self.sequencer.shared();
        let state = shared.state();
        let said = state.facts().held[&self.acts[number].digest()].said?;
        Some(said.screened(self.clock.now())?.finding)
    }

    fn pass(&self, seconds: u64) {
        self.clock.pass(Span::seconds(seconds));
    }
}

#[test]
fn an_answer_is_evidence_and_nothing_more_is_asked() {
    let mut bench = Bench::new(1);
    let until = bench.clock.now().after(Span::hours(1));
    let says = move |_: &str, asked: &Value| Ok(attests(asked, 1, Finding::Pass, until));
    let (mut callout, commands) = bench.callout(Box::new(says));
    callout.step();
    assert_eq!(bench.journal(&commands), 1);
    assert_eq!(bench.said(0), Some(Finding::Pass));
    bench.pass(600);
    callout.step();
    assert_eq!(bench.ids().len(), 1);
}

#[test]
fn it_asks_again_and_ever_more_seldom() {
    let bench = Bench::new(1);
    let start = bench.clock.now();
    let (mut callout, commands) = bench.callout(Box::new(|_, _| Ok(reply(202, Vec::new()))));
    for _ in 0..40 {
        callout.step();
        bench.pass(1);
    }
    assert_eq!(bench.asked(start), [(0, 0), (5, 0), (15, 0), (35, 0)]);
    for _ in 0..200 {
        bench.pass(60);
        callout.step();
    }
    let asked = bench.asked(start);
    let gap = asked[asked.len() - 1].0 - asked[asked.len() - 2].0;
    assert!((900..=960).contains(&gap), "{gap}");
    let ids = bench.ids();
    assert!(ids.iter().all(|id| *id == ids[0]), "one question, one id");
    assert!(commands.try_recv().is_err());
}

/// Whatever happens to one act, the others are asked about.
#[test]
fn one_act_keeps_no_other_from_being_asked_about() {
    let bench = Bench::new(3);
    let start = bench.clock.now();
    let first = bench
        .sequencer
        .shared()
        .state()
        .facts()
        .held
        .keys()
        .next()
        .copied()
        .unwrap();
    let says = move |_: &str, asked: &Value| {
        if asked["digest"] == serde_json::json!(first) {
            unreachable_now()
        } else {
            Ok(reply(202, Vec::new()))
        }
    };
    let (mut callout, _commands) = bench.callout(Box::new(says));
    for _ in 0..12 {
        callout.step();
        bench.pass(1);
    }
    let asked = bench.asked(start);
    let about = |number| asked.iter().any(|(_, act)| *act == number);
    assert!((0..3).all(about), "{asked:?}");
}

#[test]
fn what_does_not_hold_is_not_taken_and_asked_for_again() {
    let bench = Bench::new(1);
    let (start, until) = (bench.clock.now(), bench.clock.now().after(Span::hours(100)));
    let act = bench.acts[0].digest();
    let pass = Claim::Screening {
        id: AttestationId([1; 16]),
        finding: Finding::Pass,
        report: Digest([1; 32]),
    };
    let debit = Claim::LedgerDebit {
        entry: LedgerEntryId([1; 16]),
    };
    let mut forged = signed(act, pass, until);
    let at = forged.windows(9).position(|w| w == b"signature").unwrap() + 13;
    forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
    let answers = vec![
        b"no attestation".to_vec(),
        b"{}".to_vec(),
        vec![b'['; 60_000],
        signed(Digest([0; 32]), pass, until),
        signed(act, pass, start),
        signed(act, debit, until),
        forged,
    ];
    let count = answers.len();
    let mut answers = answers.into_iter();
    let says = move |_: &str, _: &Value| Ok(reply(200, answers.next().unwrap()));
    let (mut callout, commands) = bench.callout(Box::new(says));
    for _ in 0..count {
        callout.step();
        bench.pass(2000);
    }
    assert_eq!(bench.ids().len(), count);
    assert!(commands.try_recv().is_err());
    for status in [301, 404, 500] {
        let (mut callout, commands) =
            bench.callout(Box::new(move |_, _| Ok(reply(status, Vec::new()))));
        callout.step();
        assert!(commands.try_recv().is_err());
    }
}

/// A new process has nothing but the state.
#[test]
fn a_restart_asks_the_same_again() {
    let bench = Bench::new(2);
    for _ in 0..2 {
        let (mut callout, _commands) = bench.callout(Box::new(|_, _| Ok(reply(202, Vec::new()))));
        callout.step();
        callout.step();
    }
    let ids = bench.ids();
    assert_eq!(ids.len(), 4);
    assert_eq!(ids[..2], ids[2..]);
}

/// It is another question: under the same id the vendor would give the answer that it gave.
#[test]
fn what_has_expired_is_asked_anew_under_another_id() {
    let mut bench = Bench::new(1);
    let (clock, mut number) = (bench.clock.clone(), 0);
    let says = move |_: &str, asked: &Value| {
        number += 1;
        let until = clock.now().after(Span::seconds(60));
        Ok(attests(asked, number, Finding::Refer, until))
    };
    let (mut callout, commands) = bench.callout(Box::new(says));
    callout.step();
    assert_eq!(bench.journal(&commands), 1);
    assert_eq!(bench.said(0), Some(Finding::Refer));
    // While it counts, the vendor's people are at it.
    bench.pass(59);
    callout.step();
    assert_eq!(bench.ids().len(), 1);
    bench.pass(1);
    callout.step();
    assert_eq!(bench.journal(&commands), 1);
    let ids = bench.ids();
    assert_eq!(ids.len(), 2);
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn nothing_is_asked_about_what_has_ended_or_by_nobody() {
    let mut bench = Bench::new(1);
    let (mut callout, _commands) = bench.callout(Box::new(|_, _| Ok(reply(202, Vec::new()))));
    callout.issuer = World::LEDGER;
    callout.step();
    callout.issuer = IssuerId([0x99; 16]);
    callout.step();
    assert_eq!(bench.ids().len(), 0);
    callout.issuer = VENDOR;
    let act = bench.acts[0].digest();
    let customer = Customer::number(1);
    let cancel = bench
        .ledger
        .customers_act(&customer, ActKind::Cancel(Cancel { act }));
    let evidence = bench.ledger.customers_evidence(&customer, &cancel);
    let posting = portcullis_core::board::Posting {
        act: cancel,
        evidence,
    };
    let (reply_to, _outcome) = oneshot::channel();
    let command = Command {
        what: What::Act(Box::new(posting)),
        reply: reply_to,
    };
    bench
        .sequencer
        .step(vec![command], bench.clock.now())
        .unwrap();
    callout.step();
    assert_eq!(bench.ids().len(), 0);
}

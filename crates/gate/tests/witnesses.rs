//! Witnesses that lie: with two honest ones of three every lie is harmless, and where the quorum hangs
//! on the liar it gets no checkpoint past anybody.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests; the lint knows only the tests themselves"
)]

mod harness;

use harness::Gate;
use portcullis_core::state::Signatories;
use portcullis_gate::{CosignError, LogKeys, WitnessReach, Witnesses};
use portcullis_host::{Http, HttpError, Reply};
use portcullis_keeper::testkit::World;
use portcullis_tlog::witness::{AddCheckpoint, decide};
use portcullis_tlog::{Hash, Signer as _, Timestamp, TreeHead, WitnessSigner};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const NOW: u64 = World::START.0 / 1000;

/// What a lying witness answers to a request to cosign.
type Lie = fn(&World, &AddCheckpoint) -> Option<Reply>;

/// Whether a quorum that needs the liar comes about all the same: its word is then a true one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    No,
    Yes,
}

#[rustfmt::skip] // a table
const LIES: &[(&str, Counts, Lie)] = &[
    ("says nothing", Counts::No, |_, _| None),
    ("refuses", Counts::No, |_, _| reply(403, "no")),
    ("says that it is broken", Counts::No, |_, _| reply(500, "oops")),
    ("says that the log is unknown", Counts::No, |_, _| reply(404, "")),
    ("says that the proof is wrong", Counts::No, |_, _| reply(422, "")),
    ("says yes and nothing more", Counts::No, |_, _| reply(200, "")),
    ("says rubbish", Counts::No, |_, _| reply(200, "\u{2014} rubbish")),
    ("says yes sixteen thousand times", Counts::No, |_, _| reply(200, &"yes\n".repeat(4000))),
    ("has a journal longer than any", Counts::No, |_, _| reply(409, "18446744073709551615\n")),
    ("has a longer journal", Counts::No, |_, _| reply(409, "1000000\n")),
    ("has a shorter journal, again and again", Counts::No, |_, _| reply(409, "1\n")),
    ("has half a size", Counts::No, |_, _| reply(409, "7")),
    ("cosigns another head", Counts::No, |world, asked| cosigns(world, asked, LIAR, OTHER, NOW)),
    ("repeats another witness' word", Counts::No, |world, asked| cosigns(world, asked, HONEST, None, NOW)),
    ("cosigns under a key of its own", Counts::No, |_, asked| impostor(asked)),
    ("cosigns what comes, a week ago", Counts::Yes, |world, asked| cosigns(world, asked, LIAR, None, NOW - 604_800)),
    ("cosigns what comes, in a year", Counts::Yes, |world, asked| cosigns(world, asked, LIAR, None, NOW + 31_536_000)),
    ("cosigns whatever comes", Counts::Yes, |world, asked| cosigns(world, asked, LIAR, None, NOW)),
];

const HONEST: usize = 0;
const LIAR: usize = 2;
/// A head of nothing that is there.
const OTHER: Option<TreeHead> = Some(TreeHead {
    size: 3,
    root: Hash::EMPTY_ROOT,
});

#[test]
fn a_lying_witness_changes_nothing_for_two_honest_ones() {
    for (what, _, lie) in LIES {
        let gate = Gate::new();
        let head = gate.sequencer.head();
        for _ in 0..2 {
            let witnessed = witnesses(&gate, &[0, 1], *lie).cosign(head, &in_force(&gate));
            assert_eq!(witnessed.unwrap().head, head, "it {what}");
        }
    }
}

#[test]
fn where_the_quorum_needs_it_only_its_true_word_counts() {
    // Each waits for its quorum as long as a gate does: side by side.
    std::thread::scope(|scope| {
        for (what, counts, lie) in LIES {
            scope.spawn(move || needs(what, *counts, *lie));
        }
    });
}

fn needs(what: &str, counts: Counts, lie: Lie) {
    let gate = Gate::new();
    let head = gate.sequencer.head();
    let witnessed = witnesses(&gate, &[0], lie).cosign(head, &in_force(&gate));
    match counts {
        Counts::Yes => assert_eq!(witnessed.unwrap().head, head, "it {what}"),
        Counts::No => {
            let error = witnessed.map(|_| ()).unwrap_err();
            let is_short = matches!(error, CosignError::NoQuorum { got: 1, needed: 2 });
            assert!(is_short, "it {what}: {error}");
        }
    }
}

/// The gate's side of witness number 2, which lies, and of those that are up.
fn witnesses(gate: &Gate, up: &[usize], lie: Lie) -> Witnesses {
    let world = Arc::clone(&gate.ledger.world);
    let url = |number: usize| format!("http://{number}");
    let urls: BTreeMap<_, _> = world
        .witnesses
        .iter()
        .enumerate()
        .map(|(number, witness)| (witness.key().name().to_string(), url(number)))
        .collect();
    let log = LogKeys::new(Arc::new(World::key(&[0x80; 16])), None);
    let http: Arc<dyn Http> = Arc::new(Others {
        world: Arc::clone(&world),
        up: up.to_vec(),
        lie,
        known: Mutex::default(),
    });
    let reach = WitnessReach {
        urls,
        clock: Arc::new(gate.clock.clone()),
        view: Arc::clone(&gate.shared.view),
        http,
    };
    Witnesses::new(log, reach)
}

fn in_force(gate: &Gate) -> Signatories {
    let state = gate.shared.state();
    state.signatories_at(gate.sequencer.head().size).clone()
}

/// Everybody whom the gate asks.
struct Others {
    world: Arc<World>,
    up: Vec<usize>,
    lie: Lie,
    /// What honest witnesses have cosigned.
    known: Mutex<BTreeMap<usize, TreeHead>>,
}

impl Http for Others {
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
        let asked = AddCheckpoint::parse(body).unwrap();
        let number: usize = url["http://".len()..]
            .split('/')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let answer = if number == LIAR {
            (self.lie)(&self.world, &asked)
        } else if self.up.contains(&number) {
            Some(self.honest(number, asked))
        } else {
            None
        };
        answer.ok_or_else(|| silence(url))
    }
}

impl Others {
    fn honest(&self, number: usize, asked: AddCheckpoint) -> Reply {
        let mut known = self.known.lock().unwrap();
        match decide(known.get(&number).copied(), asked, self.world.network.log()) {
            Ok(accepted) => {
                known.insert(number, accepted.head());
                let witness = &self.world.witnesses[number];
                let time = Timestamp::from_unix(NOW).unwrap();
                answer(accepted.cosign(time, witness).unwrap().signature())
            }
            Err(rejection) => Reply {
                status: rejection.status(),
                body: Vec::new(),
            },
        }
    }
}

/// A cosignature by a witness of genesis: of what was asked, or of another head.
#[allow(
    clippy::unnecessary_wraps,
    reason = "a row of the table may say nothing"
)]
fn cosigns(
    world: &World,
    asked: &AddCheckpoint,
    number: usize,
    other: Option<TreeHead>,
    time: u64,
) -> Option<Reply> {
    let head = other.unwrap_or_else(|| {
        decide(None, whole(asked), world.network.log())
            .unwrap()
            .head()
    });
    let signed = portcullis_tlog::SignedCheckpoint::sign(head, &world.log).unwrap();
    Some(cosigned(&signed, &world.witnesses[number], time))
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "a row of the table may say nothing"
)]
fn impostor(asked: &AddCheckpoint) -> Option<Reply> {
    let world = World::new();
    let name = world.witnesses[LIAR].key().name().clone();
    let stranger = WitnessSigner::from_seed(name, &[0x13; 32]).unwrap();
    let head = decide(None, whole(asked), world.network.log())
        .unwrap()
        .head();
    let signed = portcullis_tlog::SignedCheckpoint::sign(head, &world.log).unwrap();
    Some(cosigned(&signed, &stranger, NOW))
}

/// The same question, put as if to somebody who knows nothing yet.
fn whole(asked: &AddCheckpoint) -> AddCheckpoint {
    let text = asked.to_string();
    let note = text.split_once("\n\n").unwrap().1;
    AddCheckpoint::parse(format!("old 0\n\n{note}").as_bytes()).unwrap()
}

fn cosigned(
    signed: &portcullis_tlog::SignedCheckpoint,
    witness: &WitnessSigner,
    time: u64,
) -> Reply {
    let request = AddCheckpoint::new(0, Vec::new(), signed);
    let log = World::new().network.log().clone();
    let accepted = decide(None, request, &log).unwrap();
    let time = Timestamp::from_unix(time).unwrap();
    answer(accepted.cosign(time, witness).unwrap().signature())
}

fn answer(line: &portcullis_tlog::NoteSignature) -> Reply {
    Reply {
        status: 200,
        body: format!("{line}\n").into_bytes(),
    }
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "a row of the table may say nothing"
)]
fn reply(status: u16, body: &str) -> Option<Reply> {
    let body = body.as_bytes().to_vec();
    Some(Reply { status, body })
}

fn silence(url: &str) -> HttpError {
    let (url, why) = (url.to_owned(), "nobody there".to_owned());
    HttpError { url, why }
}

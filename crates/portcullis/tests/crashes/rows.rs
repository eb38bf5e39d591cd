//! The table: the steps of a withdrawal, who is killed there, and what is there afterwards.

use crate::books;
use crate::processes::{Apart, Told};
use crate::proxy::{Caught, Held, Message, Proxy, Which};
use crate::strace::{Call, Strace, is_installed};
use crate::system::{Anvil, Who};
use Failed::{Absent, Persisted};
use On::{File, FileAfter, Wire};
use Who::{Gate, Signer, Witness};
use portcullis_core::report::Report;
use portcullis_core::statement::Says;
use portcullis_core::{Body, Digest, Entry, codec};
use portcullis_journal::segment::{first_frame, frame_entries, frame_length};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

const SEGMENT: &str = "data/journal/segment/000000000000";
const MEMORY: &str = "data/witness/witness/tail";
const RECORD: &str = "data/signer/once-only";
/// Longest that a step may take to come; nothing depends on how long it takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a step has done when its process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failed {
    /// Nothing.
    Absent,
    /// All of it, and nobody was told.
    Persisted,
}

/// Where the step is hit.
#[derive(Clone, Copy, Debug)]
enum On {
    /// In the process' nth write, or the sync after it, to a file of its own.
    File(&'static str, u32),
    /// In a message of its, before it is passed on or when it was answered.
    Wire(Line),
    /// In the first write to the file after this message has reached the process.
    FileAfter(Line, &'static str),
}

/// A message of the withdrawal.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// Gate to witness: a head with more entries than the last.
    AddCheckpoint,
    /// Signer to gate: what is new?
    Follow,
    /// Signer to node.
    Broadcast,
    /// Signer to gate: it has signed.
    SaysSigned,
    /// Signer to gate: it has arrived.
    SaysConfirmed,
}

struct Row {
    step: &'static str,
    who: Who,
    on: On,
    failed: Failed,
    /// Among those that every run of the tests takes.
    short: bool,
}

#[rustfmt::skip] // a table
const ROWS: &[Row] = &[
    Row { step: "the act is journaled",            who: Gate,    on: File(SEGMENT, 1), failed: Absent, short: true },
    Row { step: "the act is journaled",            who: Gate,    on: File(SEGMENT, 1), failed: Persisted, short: true },
    Row { step: "a head is sent to be cosigned",   who: Gate,    on: Wire(Line::AddCheckpoint), failed: Absent, short: false },
    Row { step: "a head is sent to be cosigned",   who: Gate,    on: Wire(Line::AddCheckpoint), failed: Persisted, short: false },
    Row { step: "the witness remembers the head",  who: Witness, on: File(MEMORY, 1), failed: Absent, short: false },
    Row { step: "the witness remembers the head",  who: Witness, on: File(MEMORY, 1), failed: Persisted, short: true },
    Row { step: "the signer asks for entries",     who: Signer,  on: Wire(Line::Follow), failed: Absent, short: false },
    Row { step: "the signer asks for entries",     who: Signer,  on: Wire(Line::Follow), failed: Persisted, short: false },
    Row { step: "the plan is recorded",            who: Signer,  on: File(RECORD, 1), failed: Absent, short: false },
    Row { step: "the plan is recorded",            who: Signer,  on: File(RECORD, 1), failed: Persisted, short: true },
    Row { step: "the signed bytes are kept",       who: Signer,  on: File(RECORD, 2), failed: Absent, short: false },
    Row { step: "the signed bytes are kept",       who: Signer,  on: File(RECORD, 2), failed: Persisted, short: false },
    Row { step: "the transaction is broadcast",    who: Signer,  on: Wire(Line::Broadcast), failed: Absent, short: false },
    Row { step: "the transaction is broadcast",    who: Signer,  on: Wire(Line::Broadcast), failed: Persisted, short: true },
    Row { step: "the signature is stated",         who: Signer,  on: Wire(Line::SaysSigned), failed: Absent, short: false },
    Row { step: "the signature is stated",         who: Signer,  on: Wire(Line::SaysSigned), failed: Persisted, short: false },
    Row { step: "the signature is journaled",      who: Gate,    on: FileAfter(Line::SaysSigned, SEGMENT), failed: Absent, short: false },
    Row { step: "the signature is journaled",      who: Gate,    on: FileAfter(Line::SaysSigned, SEGMENT), failed: Persisted, short: false },
    Row { step: "the confirmation is stated",      who: Signer,  on: Wire(Line::SaysConfirmed), failed: Absent, short: false },
    Row { step: "the confirmation is stated",      who: Signer,  on: Wire(Line::SaysConfirmed), failed: Persisted, short: false },
    Row { step: "the confirmation is journaled",   who: Gate,    on: FileAfter(Line::SaysConfirmed, SEGMENT), failed: Absent, short: false },
    Row { step: "the confirmation is journaled",   who: Gate,    on: FileAfter(Line::SaysConfirmed, SEGMENT), failed: Persisted, short: false },
];

#[test]
fn a_kill_at_the_steps_that_matter_most_ends_right() {
    run(|row| row.short);
}

#[test]
#[ignore = "long: every process killed at every step of a withdrawal, two minutes"]
fn a_kill_at_every_step_ends_right() {
    run(|_| true);
}

fn run(takes: impl Fn(&Row) -> bool) {
    let Some(anvil) = Anvil::start() else { return };
    if !is_installed() {
        println!("skipped: no strace, run script/install");
        return;
    }
    let mut apart = Apart::start(&anvil);
    let mut acknowledged = BTreeSet::new();
    for (number, row) in ROWS.iter().enumerate().filter(|(_, row)| takes(row)) {
        let digest = row.run(&mut apart, &format!("row-{number}"));
        println!("{:?} killed, {:?}: {}", row.who, row.failed, row.step);
        assert!(acknowledged.insert(digest));
    }
    books::balance(&mut apart, &anvil, &acknowledged);
}

impl Row {
    /// One withdrawal through the crash; its act, once it is confirmed.
    fn run(&self, apart: &mut Apart, name: &str) -> Digest {
        let client = apart.client();
        let withdrawal = apart.network.until("a draft", |_| client.draft(name));
        let armed = self.arm(apart);
        let told = std::thread::scope(|scope| {
            let sending = scope.spawn(|| withdrawal.send());
            armed.hit(self, apart);
            sending.join().unwrap()
        });
        apart.begin(self.who);
        apart.network.until_witnessed();
        if told == Told::Unknown {
            self.check_found(withdrawal.stage().is_some());
            // Whoever was not told asks again, and is told then.
            apart.network.until("the gate's word", |_| {
                (withdrawal.send() != Told::Unknown).then_some(())
            });
        }
        apart.network.until("the withdrawal", |_| {
            let stage = withdrawal.stage();
            (stage.as_deref() == Some("confirmed")).then_some(())
        });
        withdrawal.digest
    }

    /// The gate knows an act exactly if its entry was written.
    fn check_found(&self, is_known: bool) {
        if matches!(self.on, File(SEGMENT, _)) {
            assert_eq!(is_known, self.failed == Persisted, "{}", self.step);
        }
    }

    fn arm(&self, apart: &Apart) -> Armed {
        match self.on {
            File(file, number) => Armed::Traced(Traced::new(self, apart, file, number)),
            Wire(line) => Armed::Wired(line.hold(apart, self.failed.held())),
            FileAfter(line, file) => Armed::Waiting(line.hold(apart, Held::Seen), file),
        }
    }
}

impl Failed {
    fn call(self) -> Call {
        match self {
            Absent => Call::Write,
            Persisted => Call::Sync,
        }
    }

    fn held(self) -> Held {
        match self {
            Absent => Held::Seen,
            Persisted => Held::Answered,
        }
    }
}

/// A process that will be killed in a system call.
struct Traced {
    _strace: Strace,
    path: PathBuf,
    before: Vec<u8>,
}

impl Traced {
    fn new(row: &Row, apart: &Apart, file: &str, number: u32) -> Self {
        let path = apart.network.path(file);
        let strace = Strace::attach(apart.pid(row.who), &path, row.failed.call(), number);
        let before = std::fs::read(&path).unwrap();
        Self {
            _strace: strace,
            path,
            before,
        }
    }

    /// The file shows which of the two it was, and that it was this step.
    fn hit(&self, row: &Row, apart: &mut Apart) {
        apart.until_killed(row.who);
        let after = std::fs::read(&self.path).unwrap();
        let is_there = row.failed == Persisted;
        match row.on {
            // Each write is a line: those before the one that was hit are there in any case.
            File(RECORD, number) => {
                let written = number as usize - usize::from(!is_there);
                assert_eq!(lines(&after) - lines(&self.before), written, "{}", row.step);
            }
            _ => assert_eq!(after != self.before, is_there, "{}", row.step),
        }
        if let FileAfter(line, SEGMENT) = row.on
            && is_there
        {
            let last = last_entries(&after).unwrap();
            assert!(
                last.iter().any(|entry| line.stands_in(entry)),
                "{}",
                row.step
            );
        }
    }
}

fn lines(record: &[u8]) -> usize {
    record.split_inclusive(|byte| *byte == b'\n').count()
}

/// What the last write to a segment brought.
fn last_entries(segment: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (salt, mut at) = first_frame(segment)?;
    let mut last = None;
    while let Some(length) = segment.get(at..)?.first_chunk().and_then(frame_length)
        && let Some(frame) = segment.get(at..at + length)
        && let Some(entries) = frame_entries(salt, frame)
    {
        last = Some(entries);
        at += length;
    }
    last
}

/// A step that is waited for.
enum Armed {
    Traced(Traced),
    Wired(Receiver<Caught>),
    Waiting(Receiver<Caught>, &'static str),
}

impl Armed {
    /// Wait until the step has come, and the process is dead.
    fn hit(self, row: &Row, apart: &mut Apart) {
        match self {
            Self::Traced(traced) => traced.hit(row, apart),
            Self::Wired(wait) => {
                let held = wait.recv_timeout(PATIENCE).expect(row.step);
                apart.kill(row.who);
                drop(held);
            }
            Self::Waiting(wait, file) => {
                let held = wait.recv_timeout(PATIENCE).expect(row.step);
                let traced = Traced::new(row, apart, file, 1);
                drop(held);
                traced.hit(row, apart);
            }
        }
    }
}

impl Line {
    fn hold(self, apart: &Apart, held: Held) -> Receiver<Caught> {
        self.wire(apart).hold(&self.which(), held)
    }

    fn wire(self, apart: &Apart) -> &Proxy {
        match self {
            Self::AddCheckpoint => &apart.to_witness,
            Self::Broadcast => &apart.to_node,
            Self::Follow | Self::SaysSigned | Self::SaysConfirmed => &apart.to_gate,
        }
    }

    fn which(self) -> Which {
        match self {
            Self::AddCheckpoint => Arc::new(grows),
            Self::Follow => Arc::new(|message: &Message| message.line.contains("/log/follow")),
            Self::Broadcast => Arc::new(|message: &Message| {
                String::from_utf8_lossy(&message.body).contains("eth_sendRawTransaction")
            }),
            Self::SaysSigned | Self::SaysConfirmed => {
                Arc::new(move |message: &Message| says(message, |says| self.brings(says)))
            }
        }
    }

    /// Whether a message of this kind brings such a statement.
    fn brings(self, says: &Says) -> bool {
        match self {
            Self::SaysSigned => matches!(says, Says::Signed { .. }),
            Self::SaysConfirmed => matches!(says, Says::Confirmed { .. }),
            Self::AddCheckpoint | Self::Follow | Self::Broadcast => false,
        }
    }

    /// Whether an entry is such a statement.
    fn stands_in(self, entry: &[u8]) -> bool {
        let body = Entry::from_bytes(entry).unwrap().body;
        matches!(body, Body::Statement(signed) if self.brings(&signed.statement.says))
    }
}

/// A request to cosign more than the witness has.
fn grows(message: &Message) -> bool {
    let text = String::from_utf8_lossy(&message.body);
    let old = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("old "));
    let new = text
        .split("\n\n")
        .nth(1)
        .and_then(|note| note.lines().nth(1));
    old.is_some() && old != new
}

fn says(message: &Message, which: impl Fn(&Says) -> bool) -> bool {
    let report = codec::decode::<Report>(&message.body, 1 << 20);
    let has_one = |Report(all): Report| all.iter().any(|signed| which(&signed.statement.says));
    message.line.contains("/v1/statements") && report.is_ok_and(has_one)
}

//! `restart`: from a snapshot and a tail to serving.
//!
//! The journal is written by the core, one entry for each account, and then more; the gate's snapshot
//! is what its own follower would have written at that place. All lies on the disk when the real process
//! is started, and most of it in the page cache; the clock stops when it answers.

use super::Setting;
use super::cpu::Took;
use super::crowd::Crowd;
use super::journal::Writer;
use super::ledger::Entered;
use super::row::Row;
use super::system::Process;
use crate::failure::{Exit, Failure};
use crate::folder::Folder;
use crate::keyring::purpose;
use portcullis_core::Span;
use portcullis_gate::Index;
use portcullis_host::{Clock as _, Dir, SystemClock};
use portcullis_journal::Snapshots;
use portcullis_journal::projection::Projection;
use portcullis_journal::snapshot::Mark;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Entries that may wait to be written.
const AHEAD: usize = 4096;
/// How long it may take at most.
const UP_WITHIN: Duration = Duration::from_mins(5);

pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let (accounts, tail) = (
        setting.size(3_000_000, 5_000),
        setting.size(1_000_000, 2_000),
    );
    let crowd = write(setting, accounts, tail)?;
    let took = start(&crowd)?;
    let seconds = took.wall.as_secs_f64();
    let row = Row::new("restart", seconds, "s", took.wall).at_most(5.0);
    Ok(vec![row.note(format!(
        "to serving, from a snapshot of {accounts} accounts and a tail of {tail} entries below the \
         gate's own checkpoint; {:.1} s of CPU",
        took.cpu.as_secs_f64()
    ))])
}

/// A journal with so many accounts, a snapshot there, and so many entries after it.
fn write(setting: &Setting, accounts: u64, tail: u64) -> Result<Crowd, Failure> {
    // Time passes as entries come, and all of it has to lie behind.
    let begin = SystemClock.now().before(Span::hours(24 * 3));
    let mut first = Vec::new();
    let mut crowd = Crowd::new(setting, begin, |entered| first.push(entered))?;
    let folder = crowd.platform.folder.file(Folder::JOURNAL);
    let kept = Kept {
        writer: Writer::new(&folder)?,
        index: Index::default(),
    };
    let kept = kept.while_entering(|mut write| {
        first.into_iter().for_each(&mut write);
        crowd.open(0..accounts, write)
    })?;
    let key = crowd.platform.reach.key_paths("gate");
    let snapshots = Snapshots::new(Arc::new(Dir::open(&folder)?), key.statement(purpose::LOG)?);
    let head = crowd.ledger.cosign()?;
    snapshots.save(&crowd.ledger.state, &head, &kept.index.to_bytes())?;
    let kept = kept.while_entering(|write| crowd.freeze(0..tail, write))?;
    let head = crowd.ledger.cosign()?;
    snapshots.mark(&Mark::of(&crowd.ledger.state, &head))?;
    let note = head.signed().note().to_string();
    let published =
        Projection::new(kept.writer.finish()?).publish(head.head().size, note.as_bytes());
    published.map_err(|error| Failure::new(Exit::Wrong, error, ""))?;
    // What is still on its way to the disk would be in the way of whoever starts.
    rustix::fs::sync();
    Ok(crowd)
}

/// What stands on the disk and what the gate would derive from it.
struct Kept {
    writer: Writer,
    index: Index,
}

impl Kept {
    /// Keep what is being entered, on a thread of its own.
    fn while_entering(
        self,
        enter: impl FnOnce(&mut dyn FnMut(Entered)) -> Result<(), Failure>,
    ) -> Result<Self, Failure> {
        thread::scope(|scope| {
            let (send, entered) = sync_channel(AHEAD);
            let keeping = scope.spawn(move || self.keep(entered));
            // Whoever takes nothing any more says why below.
            let done = enter(&mut |entered| drop(send.send(entered)));
            drop(send);
            let kept = keeping.join();
            let kept = kept.map_err(|_| Failure::new(Exit::Wrong, "the writer panicked", ""))?;
            done.and(kept)
        })
    }

    fn keep(mut self, entered: Receiver<Entered>) -> Result<Self, Failure> {
        for entered in entered {
            self.index.add(&entered.read, &entered.applied);
            self.writer.push(entered.bytes)?;
        }
        Ok(self)
    }
}

/// Start the gate, and wait until it answers. There is no witness, so it takes nothing yet that
/// loosens; a witness is back within a round trip.
fn start(crowd: &Crowd) -> Result<Took, Failure> {
    let begin = Instant::now();
    let process = Process::start(&crowd.platform, "serve", Folder::GATE)?;
    while crowd.platform.reach.gate.status().is_err() {
        if begin.elapsed() > UP_WITHIN || process.cpu().is_zero() && begin.elapsed().as_secs() > 30
        {
            let log = crowd.platform.folder.file("serve.log");
            let what = std::fs::read_to_string(log).unwrap_or_default();
            return Err(Failure::new(Exit::Stopped, format!("no gate: {what}"), ""));
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(Took {
        cpu: process.cpu(),
        wall: begin.elapsed(),
    })
}

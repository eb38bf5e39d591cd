//! `restart`: from a snapshot and a tail to serving.
//!
//! The journal is written by the core, one entry for each account, and then more; the gate's snapshot
//! is what its own follower would have written at that place. Then the real process is started, and
//! the clock stops when it answers.

use super::Setting;
use super::cpu::Took;
use super::crowd::Crowd;
use super::journal::Writer;
use super::row::Row;
use super::system::Process;
use crate::failure::{Exit, Failure};
use crate::folder::Folder;
use crate::keyring::purpose;
use portcullis_core::{Applied, Entry, Span};
use portcullis_gate::Index;
use portcullis_host::{Clock as _, Dir, SystemClock};
use portcullis_journal::Snapshots;
use portcullis_journal::projection::{CHECKPOINT_FILE, Projection};
use portcullis_journal::snapshot::Mark;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    let mut entries = Vec::new();
    let mut crowd = Crowd::new(setting, begin, |entered| entries.push(entered))?;
    let folder = crowd.platform.folder.file(Folder::JOURNAL);
    let mut writer = Writer::new(&folder)?;
    let mut index = Index::default();
    for (bytes, applied) in entries {
        note(&mut index, &bytes, &applied);
        writer.push(bytes)?;
    }
    let mut failed = Ok(());
    crowd.open(0..accounts, |(bytes, applied)| {
        note(&mut index, &bytes, &applied);
        failed = core::mem::replace(&mut failed, Ok(())).and_then(|()| writer.push(bytes));
    })?;
    failed?;
    let head = crowd.ledger.cosign()?;
    let disk = Arc::new(Dir::open(&folder)?);
    let key = crowd
        .platform
        .reach
        .key_paths("gate")
        .statement(purpose::LOG)?;
    let snapshots = Snapshots::new(disk, key);
    snapshots.save(&crowd.ledger.state, &head, &index.to_bytes())?;
    let mut failed = Ok(());
    crowd.freeze(0..tail, |(bytes, _)| {
        failed = core::mem::replace(&mut failed, Ok(())).and_then(|()| writer.push(bytes));
    })?;
    failed?;
    let head = crowd.ledger.cosign()?;
    snapshots.mark(&Mark::of(&crowd.ledger.state, &head))?;
    let view = writer.finish()?;
    let note = head.signed().note().to_string();
    let published = Projection::new(view).publish(head.head().size, note.as_bytes());
    published.map_err(|error| Failure::new(Exit::Wrong, error, ""))?;
    debug_assert!(folder.join(CHECKPOINT_FILE).exists());
    Ok(crowd)
}

fn note(index: &mut Index, bytes: &[u8], applied: &Applied) {
    if let Ok(entry) = Entry::from_bytes(bytes) {
        index.add(&entry, applied);
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
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(Took {
        cpu: process.cpu(),
        wall: begin.elapsed(),
    })
}

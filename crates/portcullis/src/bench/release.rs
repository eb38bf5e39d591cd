//! `release`: the whole path, every process for real, one witness, on one machine.
//!
//! A signed request over HTTP, the passkey verified by the gate and again by the signer, the journal
//! synced, the checkpoint cosigned, the planned bytes signed, the receipt written to the journal and not yet synced. Only what
//! the processes use of the cores counts; the load comes from this one.

use super::cpu::{micros_each, per_second};
use super::floor::Floor;
use super::load::{Answered, Pace, send, withdrawals};
use super::row::{Row, millis};
use super::system::System;
use super::tail::{Receipts, Tail};
use super::{Setting, bao};
use crate::failure::{Exit, Failure};
use crate::folder::Folder;
use std::time::{Duration, Instant};

/// Customers who take turns.
const CUSTOMERS: u64 = 64;
/// The rate at which latency is judged.
const RATE: u32 = 4_000;
/// How long the last receipts may take.
const RECEIPTS_WITHIN: Duration = Duration::from_mins(3);
/// Most acts in one batch of the gate.
pub(super) const BATCH: u64 = portcullis_gate::sequencer::MAX_BATCH as u64;

pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let floor = Floor::measure(setting.size(2_000, 100))?;
    let system = System::start(setting, CUSTOMERS)?;
    let tail = Tail::start(&system.platform.folder.file(Folder::JOURNAL));
    // Connections, caches and pools come up.
    run(
        &system,
        &tail,
        usize::try_from(setting.size(4_000, 500)).unwrap_or(0),
        Pace::AsFastAsItGoes,
    )?;
    let count = usize::try_from(setting.size(60_000, 3_000)).unwrap_or(0);
    let full = run(&system, &tail, count, Pace::AsFastAsItGoes)?;
    let paced = usize::try_from(setting.size(10, 1)).unwrap_or(0) * RATE as usize;
    let paced = run(&system, &tail, paced, Pace::PerSecond(RATE))?;
    let mut rows = vec![full.cost(&floor), full.rate(), paced.latency()];
    rows.push(bao::row(setting, full.micros())?);
    Ok(rows)
}

/// What one load came to.
pub(super) struct Run {
    count: u64,
    used: Vec<(&'static str, Duration)>,
    wall: Duration,
    /// From due to receipt, sorted.
    latencies: Vec<Duration>,
    /// From due to the gate's answer, sorted.
    answers: Vec<Duration>,
}

/// Send so many withdrawals, and wait for all receipts.
pub(super) fn run(system: &System, tail: &Tail, count: usize, pace: Pace) -> Result<Run, Failure> {
    let shots = withdrawals(system, count)?;
    let before = system.cpu();
    let begin = Instant::now();
    let answered = send(system.authority(), shots, pace)?;
    wait(&tail.receipts, &answered)?;
    let wall = begin.elapsed();
    let after = system.cpu();
    let used = before.iter().zip(&after);
    let used = used.map(|((name, before), (_, after))| (*name, after.saturating_sub(*before)));
    let receipt = |answered: &Answered| {
        let receipt = tail.receipts.of(answered.act)?;
        Some(receipt.saturating_duration_since(answered.due))
    };
    let mut latencies: Vec<Duration> = answered.iter().filter_map(receipt).collect();
    let mut answers: Vec<Duration> = answered.iter().map(|a| a.at - a.due).collect();
    latencies.sort_unstable();
    answers.sort_unstable();
    Ok(Run {
        count: answered.len() as u64,
        used: used.collect(),
        wall,
        latencies,
        answers,
    })
}

fn wait(receipts: &Receipts, answered: &[Answered]) -> Result<(), Failure> {
    if let Some(refused) = answered.iter().find(|answered| answered.status != 200) {
        let what = format!("the gate answered {} to {}", refused.status, refused.act);
        return Err(Failure::new(Exit::Wrong, what, ""));
    }
    let end = Instant::now() + RECEIPTS_WITHIN;
    while let Some(missing) = answered.iter().find(|a| receipts.of(a.act).is_none()) {
        if Instant::now() > end {
            let what = format!("no receipt for {} ({} seen)", missing.act, receipts.count());
            return Err(Failure::new(Exit::Wrong, what, ""));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

impl Run {
    /// CPU microseconds of one release, over all processes.
    pub(super) fn micros(&self) -> f64 {
        let all = self.used.iter().map(|(_, used)| *used).sum();
        micros_each(all, self.count)
    }

    /// Releases a second, to the receipt.
    pub(super) fn per_second(&self) -> f64 {
        per_second(self.count, self.wall)
    }

    fn cost(&self, floor: &Floor) -> Row {
        let row = Row::new("release", self.micros(), "us/release", self.wall);
        let row = row.against_cost(floor.of(2, 3, 1), 0.5);
        let each = self.used.iter().map(|(name, used)| {
            let micros = micros_each(*used, self.count);
            format!("{name} {micros:.0} us")
        });
        let each: Vec<String> = each.collect();
        let note = format!(
            "floor: 2 P-256 and 3 Ed25519 verifications, 1 secp256k1 signature; of it {}",
            each.join(", ")
        );
        row.batch(BATCH).witnesses(1).note(note)
    }

    fn rate(&self) -> Row {
        let row = Row::new("release-rate", self.per_second(), "releases/s", self.wall);
        let note = "as fast as it goes, with the load on the same cores";
        row.batch(BATCH).witnesses(1).note(note)
    }

    fn latency(&self) -> Row {
        let row = Row::new("release-p99", millis(&self.latencies, 99), "ms", self.wall);
        let note = format!(
            "to the receipt written, not yet synced, at {RATE}/s sent, {:.0}/s done; p50 {:.1} ms; the gate's answer p50 {:.1}, \
             p99 {:.1} ms",
            self.per_second(),
            millis(&self.latencies, 50),
            millis(&self.answers, 50),
            millis(&self.answers, 99),
        );
        row.at_most(15.0).batch(BATCH).witnesses(1).note(note)
    }
}

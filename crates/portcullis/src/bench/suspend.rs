//! `suspend`: how soon a suspension is on record while the gate is busy, and that it holds.
//!
//! At nine tenths of what the system can do, accounts nobody uses are suspended one after another, and
//! their answers timed; an answer means that the entry is durable. Then all withdrawals are, and the
//! journal and the signer's own record say whether anything went out that should not have.

use super::Setting;
use super::load::{Answered, Pace, Shot, send, shot, withdrawals};
use super::network::Customer;
use super::release::run;
use super::row::{Row, millis};
use super::system::System;
use super::tail::{Reader, Tail};
use crate::failure::{Exit, Failure};
use crate::folder::Folder;
use crate::reach::{Caller, CallerArgs};
use portcullis_core::act::{ActKind, Scope, Suspend};
use portcullis_core::entry::{Body, Entry};
use portcullis_core::statement::Says;
use portcullis_core::{Digest, Evidence};
use portcullis_host::Dir;
use std::time::{Duration, Instant};

const CUSTOMERS: u64 = 64;
/// Suspensions a second.
const RATE: u32 = 20;
/// Beyond the customers who withdraw.
const UNUSED: u64 = 1_000_000;

pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let system = System::start(setting, CUSTOMERS)?;
    let tail = Tail::start(&system.platform.folder.file(Folder::JOURNAL));
    let size = |full, quick| usize::try_from(setting.size(full, quick)).unwrap_or(0);
    run(&system, &tail, size(1_000, 200), Pace::AsFastAsItGoes)?;
    let peak = run(&system, &tail, size(6_000, 1_000), Pace::AsFastAsItGoes)?.per_second();
    let operator = CallerArgs::named("operator").required(&system.platform.reach)?;
    let count = size(200, 30);
    let shots: Result<Vec<Shot>, Failure> = (UNUSED..)
        .take(count)
        .map(|number| {
            let unused = Customer::number(number)?;
            suspension(&system, &operator, Scope::Account(unused.account))
        })
        .collect();
    let rate = rate_of(peak * 0.9);
    let seconds = count / RATE as usize + 1;
    let begin = Instant::now();
    let (load, answers) = at_once(&system, rate, seconds, shots?)?;
    let all = suspension(&system, &operator, Scope::Withdrawals)?;
    let by = all.act;
    let (_, stop) = at_once(&system, rate, 2, vec![all])?;
    let wall = begin.elapsed();
    // What the signer has set out to do before it had the suspension comes in.
    std::thread::sleep(Duration::from_secs(1));
    drop(tail);
    let checked = check(system, by)?;
    let mut times: Vec<Duration> = answers.iter().chain(&stop).map(|a| a.at - a.due).collect();
    times.sort_unstable();
    let row = Row::new("suspend", millis(&times, 99), "ms", wall).at_most(10.0);
    let recorded = row.batch(super::release::BATCH).witnesses(1).note(format!(
        "recorded, p99 of {} under {rate} releases/s, nine tenths of the peak; p50 {:.1} ms; {} \
         releases answered meanwhile",
        times.len(),
        millis(&times, 50),
        load.len()
    ));
    Ok(vec![recorded, checked])
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate of thousands, and positive"
)]
fn rate_of(rate: f64) -> u32 {
    rate.clamp(1.0, 1e6) as u32
}

fn suspension(system: &System, operator: &Caller, scope: Scope) -> Result<Shot, Failure> {
    let kind = ActKind::Suspend(Suspend { scope });
    let act = system.draft()?.by_staff(operator.principal, None, kind);
    shot(system, &operator.signer, act, Evidence::default())
}

/// Withdrawals at a rate for some seconds, and these beside them. Answers of both.
fn at_once(
    system: &System,
    rate: u32,
    seconds: usize,
    beside: Vec<Shot>,
) -> Result<(Vec<Answered>, Vec<Answered>), Failure> {
    let load = withdrawals(system, rate as usize * seconds)?;
    let panicked = |_| Failure::new(Exit::Wrong, "sending panicked", "");
    std::thread::scope(|scope| {
        let load = scope.spawn(|| send(system.authority(), load, Pace::PerSecond(rate)));
        std::thread::sleep(Duration::from_millis(200));
        let beside = send(system.authority(), beside, Pace::PerSecond(RATE))?;
        Ok((load.join().map_err(panicked)??, beside))
    })
}

/// No release stands in the journal behind the suspension, and the signer has set out to sign nothing
/// once it had it.
fn check(system: System, by: Digest) -> Result<Row, Failure> {
    let platform = system.stop();
    let begin = Instant::now();
    let mut reader = Reader::new(&platform.folder.file(Folder::JOURNAL));
    let (mut index, mut suspended, mut stopped, mut after) = (0_u64, None, None, 0_u64);
    while let Some(entries) = reader.next() {
        for bytes in entries {
            let entry = Entry::from_bytes(&bytes).map_err(|error| wrong(&error.to_string()))?;
            match entry.body {
                Body::Act(submission) if submission.act.digest() == by => suspended = Some(index),
                Body::Act(submission) => {
                    after += u64::from(suspended.is_some() && submission.plan.is_some());
                }
                Body::Statement(signed) => {
                    let has = signed.statement.says == Says::Stopped { suspension: by };
                    stopped = stopped.or(has.then_some(index));
                }
                _ => {}
            }
            index += 1;
        }
    }
    let suspended = suspended.ok_or_else(|| wrong("the suspension is not in the journal"))?;
    let data = Dir::open(platform.folder.file("data/signer"))?;
    let record =
        portcullis_signer::record::set_out(&data).map_err(|error| wrong(&error.to_string()))?;
    let late: usize = record
        .iter()
        .filter(|(next, _)| *next > suspended)
        .map(|(_, acts)| acts.len())
        .sum();
    let failed = after as f64 + late as f64;
    let row = Row::new("suspend-holds", failed, "releases", begin.elapsed()).at_most(0.0);
    let row = Row {
        met: row.met.map(|met| met && stopped.is_some()),
        ..row
    };
    let stated = stopped.map_or_else(
        || "never stated as stopped".to_owned(),
        |at| {
            format!(
                "stated as stopped {} entries later",
                at.saturating_sub(suspended)
            )
        },
    );
    Ok(row.witnesses(1).note(format!(
        "{after} releases journaled after it was recorded, {late} set out on by the signer once it had \
         it; {stated}"
    )))
}

fn wrong(what: &str) -> Failure {
    Failure::new(Exit::Wrong, what, "")
}

//! CPU time: what a thread, this process or another has used of the cores.

use rustix::time::{ClockId, Timespec, clock_gettime};
use std::time::{Duration, Instant};

/// Ticks in a second, as `/proc` counts them on Linux.
const TICK: Duration = Duration::from_millis(10);

/// What something took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Took {
    pub(super) cpu: Duration,
    pub(super) wall: Duration,
}

/// Do it, and say what this thread's core and the clock on the wall counted.
pub(super) fn of_thread<T>(run: impl FnOnce() -> T) -> (T, Took) {
    clocked(ClockId::ThreadCPUTime, run)
}

/// The same for all threads of this process.
pub(super) fn of_process<T>(run: impl FnOnce() -> T) -> (T, Took) {
    clocked(ClockId::ProcessCPUTime, run)
}

fn clocked<T>(clock: ClockId, run: impl FnOnce() -> T) -> (T, Took) {
    let (cpu, wall) = (since(clock_gettime(clock)), Instant::now());
    let done = run();
    let took = Took {
        cpu: since(clock_gettime(clock)).saturating_sub(cpu),
        wall: wall.elapsed(),
    };
    (done, took)
}

fn since(time: Timespec) -> Duration {
    Duration::try_from(time).unwrap_or_default()
}

/// What a running process has used so far, the threads that have ended included; nothing where it is
/// not there.
pub(super) fn of_other(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in brackets, may hold anything; what follows are numbers.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(TICK * ticks()?.checked_add(ticks()?)?)
}

/// Microseconds of each of `count`.
pub(super) fn micros_each(time: Duration, count: u64) -> f64 {
    time.as_secs_f64() * 1e6 / count.max(1) as f64
}

/// How many in a second.
pub(super) fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(1e-9)
}

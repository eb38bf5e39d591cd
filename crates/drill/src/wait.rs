//! Waiting for what has to come: asked again and again, and not for ever.

use crate::error::DrillError;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Long enough for a machine under load; nothing depends on how long it takes.
const PATIENCE: Duration = Duration::from_mins(2);
/// What comes soon is seen soon, and what takes long is not asked for all the time: a gate that answers does nothing else.
const SOONEST: Duration = Duration::from_millis(10);
const LATEST: Duration = Duration::from_millis(100);

/// How long to wait after so long.
fn pause(waited: Duration) -> Duration {
    (waited / 8).clamp(SOONEST, LATEST)
}

/// Ask until the answer is there.
pub(crate) fn until<T>(
    what: &str,
    mut ask: impl FnMut() -> Result<Option<T>, DrillError>,
) -> Result<T, DrillError> {
    let begun = Instant::now();
    let last = begun + PATIENCE;
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if Instant::now() >= last {
            return Err(DrillError::InVain(what.to_owned()));
        }
        sleep(pause(begun.elapsed()));
    }
}

/// Ask until nothing remains. As long as it becomes less, somebody is at work, however slow.
pub(crate) fn until_none(
    what: &str,
    mut remaining: impl FnMut() -> Result<u64, DrillError>,
) -> Result<(), DrillError> {
    let begun = Instant::now();
    let (mut least, mut last) = (u64::MAX, begun + PATIENCE);
    loop {
        match remaining()? {
            0 => return Ok(()),
            less if less < least => (least, last) = (less, Instant::now() + PATIENCE),
            _ if Instant::now() >= last => return Err(DrillError::InVain(what.to_owned())),
            _ => {}
        }
        sleep(pause(begun.elapsed()));
    }
}

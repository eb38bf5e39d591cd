//! Waiting for what has to come: asked again and again, and not for ever.

use crate::error::DrillError;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Long enough for a machine under load; nothing depends on how long it takes.
const PATIENCE: Duration = Duration::from_mins(2);
const EVERY: Duration = Duration::from_millis(20);

/// Ask until the answer is there.
pub(crate) fn until<T>(
    what: &str,
    mut ask: impl FnMut() -> Result<Option<T>, DrillError>,
) -> Result<T, DrillError> {
    let last = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if Instant::now() >= last {
            return Err(DrillError::InVain(what.to_owned()));
        }
        sleep(EVERY);
    }
}

/// Ask until nothing remains. As long as it becomes less, somebody is at work, however slow.
pub(crate) fn until_none(
    what: &str,
    mut remaining: impl FnMut() -> Result<u64, DrillError>,
) -> Result<(), DrillError> {
    let (mut least, mut last) = (u64::MAX, Instant::now() + PATIENCE);
    loop {
        match remaining()? {
            0 => return Ok(()),
            less if less < least => (least, last) = (less, Instant::now() + PATIENCE),
            _ if Instant::now() >= last => return Err(DrillError::InVain(what.to_owned())),
            _ => {}
        }
        sleep(EVERY);
    }
}

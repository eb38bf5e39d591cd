//! Waiting for what has to come: asked again and again, and not for ever.

use crate::error::DrillError;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Long enough for a machine under load; nothing depends on how long it takes.
const PATIENCE: Duration = Duration::from_secs(120);
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

//! Waiting, and saying for what.

use crate::failure::{Exit, Failure};
use crate::out::say;
use crate::reach::Reach;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Longer than any delay and confirmation of a development network.
const PATIENCE: Duration = Duration::from_mins(2);
const BETWEEN: Duration = Duration::from_millis(200);

/// Ask until there is something. Why we wait is said once, if we have to.
pub(super) fn until<T>(
    reach: &Reach,
    why: &str,
    mut ask: impl FnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let end = Instant::now() + PATIENCE;
    let mut said = false;
    loop {
        if let Some(found) = ask()? {
            return Ok(found);
        }
        if Instant::now() >= end {
            let what = format!("still waiting after {} s: {why}", PATIENCE.as_secs());
            let next = format!("portcullis doctor{}", reach.flags);
            return Err(Failure::new(Exit::NoAnswer, what, next));
        }
        if !said {
            said = true;
            say(format_args!("  waiting       {why}"));
        }
        sleep(BETWEEN);
    }
}

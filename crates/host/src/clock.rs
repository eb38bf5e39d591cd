//! The one seam for time.

use portcullis_core::Time;
use portcullis_core::genesis::Mode;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// Says what time it is. May step back, as machines' clocks do; whoever needs more keeps its own
/// highest.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// A clock for tests: the machine's, moved ahead by what a file says.
///
/// The file holds a number of milliseconds in decimal; it is read at every question, so whoever
/// writes it (by renaming a new file over it) moves time for all processes at once. Time still runs
/// between two writes, so that nothing that waits for it hangs.
#[derive(Clone, Debug)]
pub struct FileClock {
    path: PathBuf,
}

/// A test clock where none may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a test clock is accepted by a development genesis only; start without --test-clock")]
pub struct NotDevelopment;

impl FileClock {
    /// A test clock for a network of this mode.
    pub fn new(path: PathBuf, mode: Mode) -> Result<Self, NotDevelopment> {
        match mode {
            Mode::Development => Ok(Self { path }),
            Mode::Production => Err(NotDevelopment),
        }
    }

    fn ahead(&self) -> u64 {
        let text = std::fs::read_to_string(&self.path).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }
}

impl Clock for FileClock {
    fn now(&self) -> Time {
        Time(SystemClock.now().0.saturating_add(self.ahead()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_moves_time_only_in_development() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("clock");
        assert_eq!(
            FileClock::new(path.clone(), Mode::Production).unwrap_err(),
            NotDevelopment
        );
        let clock = FileClock::new(path.clone(), Mode::Development).unwrap();
        std::fs::write(&path, "3600000\n").unwrap();
        let ahead = clock.now().since(SystemClock.now()).0;
        assert!((3_590_000..=3_600_000).contains(&ahead), "{ahead}");
    }
}

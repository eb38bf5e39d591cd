//! The machine as values, so that a test or a simulator can be the machine.

use portcullis_core::{Span, Time};
use portcullis_host::{Clock, Disk, Http, Random};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Everything outside that a keeper reaches.
#[derive(Clone)]
pub struct Machine {
    /// Time; never steps back.
    pub watch: Watch,
    /// The keeper's own folder.
    pub disk: Arc<dyn Disk>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The way out.
    pub http: Arc<dyn Http>,
}

/// A clock that never steps back: were it to, a stale cosignature would look fresh again.
///
/// So after a leap ahead that is set right it stands still until the time has come to which the machine
/// leapt. Only a new process forgets that: whether the clock is right by now is for people to say.
#[derive(Clone)]
pub struct Watch {
    clock: Arc<dyn Clock>,
    highest: Arc<AtomicU64>,
}

impl Watch {
    /// A watch over a machine's clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            highest: Arc::new(AtomicU64::new(0)),
        }
    }

    /// Now, or the latest moment that it has been.
    #[must_use]
    pub fn now(&self) -> Time {
        let now = self.clock.now().0;
        Time(self.highest.fetch_max(now, Ordering::Relaxed).max(now))
    }

    /// By how much the machine's clock is behind what it has shown before: it leapt ahead then, or has
    /// been set back since.
    #[must_use]
    pub fn set_back(&self) -> Span {
        let highest = Time(self.highest.load(Ordering::Relaxed));
        highest.since(self.clock.now())
    }
}

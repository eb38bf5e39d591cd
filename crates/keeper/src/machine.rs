//! The machine as values, so that a test or a simulator can be the machine.

use portcullis_core::Time;
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
}

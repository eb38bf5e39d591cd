//! Time: one true clock that the scheduler moves, and everybody's own, which may be off.

use portcullis_core::{Span, Time};
use portcullis_host::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// True time. Only the scheduler and the network move it.
#[derive(Clone, Debug)]
pub struct TrueTime(Arc<AtomicU64>);

impl TrueTime {
    /// Beginning then.
    #[must_use]
    pub fn at(time: Time) -> Self {
        Self(Arc::new(AtomicU64::new(time.0)))
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }

    /// Time passes.
    pub fn pass(&self, span: Span) {
        self.0.fetch_add(span.0, Ordering::SeqCst);
    }
}

/// The clock of one machine.
#[derive(Clone, Debug)]
pub struct SimClock {
    time: TrueTime,
    off: Arc<AtomicI64>,
}

impl SimClock {
    /// A clock that is right.
    #[must_use]
    pub fn right(time: &TrueTime) -> Self {
        Self {
            time: time.clone(),
            off: Arc::new(AtomicI64::new(0)),
        }
    }

    /// Set it off by so many milliseconds, whatever it was.
    pub fn set_off(&self, ms: i64) {
        self.off.store(ms, Ordering::SeqCst);
    }

    /// By how many milliseconds it is off.
    #[must_use]
    pub fn off(&self) -> i64 {
        self.off.load(Ordering::SeqCst)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Time {
        Time(self.time.now().0.saturating_add_signed(self.off()))
    }
}

use portcullis_core::{Span, Time};
use portcullis_host::{Clock, Random};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A clock that only the test moves; all its clones show the same time.
#[derive(Clone, Debug)]
pub struct HandClock(Arc<AtomicU64>);

impl HandClock {
    /// A clock that shows this.
    #[must_use]
    pub fn at(time: Time) -> Self {
        Self(Arc::new(AtomicU64::new(time.0)))
    }

    /// Let time pass.
    pub fn pass(&self, span: Span) {
        self.0.fetch_add(span.0, Ordering::SeqCst);
    }

    /// Show this, whatever it was.
    pub fn set(&self, time: Time) {
        self.0.store(time.0, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

/// Randomness that never repeats and is the same in every run.
#[derive(Debug, Default)]
pub struct Dice(AtomicU64);

impl Random for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        let roll = self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        let rolls = roll.iter().rev().cycle();
        bytes.iter_mut().zip(rolls).for_each(|(b, r)| *b = *r);
    }
}

//! How long a node is left alone after an error.

use portcullis_core::{Span, Time};

/// The first and the longest time.
const FIRST: Span = Span::seconds(1);
const LONGEST: Span = Span::seconds(30);

/// A pause that grows with every error and ends with an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rest {
    next: Span,
    until: Time,
}

impl Default for Rest {
    fn default() -> Self {
        Self {
            next: FIRST,
            until: Time(0),
        }
    }
}

impl Rest {
    pub(crate) fn is_over(&self, now: Time) -> bool {
        self.until <= now
    }

    /// After an error.
    pub(crate) fn begin(&mut self, now: Time) {
        self.until = now.after(self.next);
        self.next = Span((self.next.0.saturating_mul(2)).min(LONGEST.0));
    }

    /// After an answer.
    pub(crate) fn end(&mut self) {
        self.next = FIRST;
    }
}

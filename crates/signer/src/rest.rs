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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_grows_with_every_error_up_to_an_end_and_begins_anew_with_an_answer() {
        let mut rest = Rest::default();
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            assert!(rest.is_over(Time(0)));
            rest.begin(Time(0));
            assert!(!rest.is_over(Time(seconds * 1_000 - 1)), "{seconds}");
            assert!(rest.is_over(Time(seconds * 1_000)), "{seconds}");
            rest.until = Time(0);
        }
        rest.end();
        rest.begin(Time(0));
        assert!(rest.is_over(Time(1_000)));
    }
}

//! The time that entries get: the machine's clock, as far as the witnesses bear it out.
//!
//! Time never goes back, so one entry from a clock that leapt ahead would hold every later entry at
//! that moment. A clock is therefore believed only to a little beyond the newest cosignature, and
//! between two cosignatures, or while the witnesses are away, only as it runs on from step to step.
//! Once it is right again there is nothing to mend.

use portcullis_core::{Span, Time};

/// How far beyond the newest cosignature an entry's time may be. Keepers wait for an entry that is
/// as far ahead of their own clock.
const AHEAD: Span = Span::seconds(30);
/// The most that the clock may run on between two steps, which are a twentieth of a second apart. A
/// machine that was asleep for longer has its time back with the next cosignature.
const STRIDE: Span = Span::seconds(30);

/// What is believed of the clock.
#[derive(Debug, Default)]
pub(super) struct Pace {
    clock: Option<Time>,
    believed: Option<Time>,
    cosigned: Option<Time>,
}

impl Pace {
    /// The time to go by when the clock shows `now`, and the newest cosignature was made at `newest`.
    ///
    /// Before the first cosignature of a process there is nothing to hold the clock against.
    pub(super) fn step(&mut self, now: Time, newest: Option<Time>) -> Time {
        let ran = Span(now.since(self.clock.unwrap_or(now)).0.min(STRIDE.0));
        let ran_on = self.believed.map_or(now, |believed| believed.after(ran));
        let is_new = newest.is_some() && newest != self.cosigned;
        let most = match newest.filter(|_| is_new) {
            Some(newest) => newest.after(AHEAD),
            None => ran_on,
        };
        let time = now.min(most);
        self.clock = Some(now);
        self.cosigned = newest;
        self.believed = Some(time);
        time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Time = Time(1_780_000_000_000);

    fn at(seconds: u64) -> Time {
        START.after(Span::seconds(seconds))
    }

    /// A clock that is an hour ahead from second 10 to second 20, beside witnesses that are right.
    #[test]
    fn a_leap_moves_time_no_further_than_the_witnesses_allow_and_ends_by_itself() {
        let mut pace = Pace::default();
        for second in 0..60 {
            let leap = if (10..20).contains(&second) { 3600 } else { 0 };
            for tick in 0..20 {
                let now = Time(at(second + leap).0 + tick * 50);
                let time = pace.step(now, Some(at(second)));
                assert!(time <= at(second + 31), "{second}: {time:?}");
                assert_eq!(time == now, leap == 0, "{second}: {time:?}");
            }
        }
    }

    #[test]
    fn without_witnesses_the_clock_is_believed_as_it_runs_on() {
        let mut pace = Pace::default();
        pace.step(at(0), Some(at(0)));
        for second in 1..7200 {
            assert_eq!(pace.step(at(second), Some(at(0))), at(second));
        }
        let time = pace.step(at(100_000), Some(at(0)));
        assert_eq!(time, at(7199 + 30), "a leap is a stride");
        assert_eq!(pace.step(at(7201), Some(at(0))), at(7201));
    }

    #[test]
    fn a_machine_that_slept_has_its_time_back_with_the_next_cosignature() {
        let mut pace = Pace::default();
        pace.step(at(0), Some(at(0)));
        assert_eq!(pace.step(at(5000), Some(at(0))), at(30));
        assert_eq!(pace.step(at(5001), Some(at(5001))), at(5001));
    }
}

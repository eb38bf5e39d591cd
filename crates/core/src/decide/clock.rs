//! Up to when the delays of acts that wait have run.
//!
//! An entry's time is its gate's word, and a settlement names no checkpoint that would bound it. Within its
//! delay somebody is to notice an act and stop it, so a delay has run once the witnesses, too, have come that
//! far (docs/design/052).

use super::Cosigned;
use crate::state::State;
use crate::state::release::Held;
use crate::time::{Span, Time};

/// How far beyond the newest journaled checkpoint delays run. A gate leads the batch that settles with a
/// checkpoint where the journaled one is over 60 s older, and takes only one of at most 10 s.
const BEYOND_WITNESSES: Span = Span::seconds(90);

/// The time of an entry, and how far the witnesses bear it out.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    /// The entry's.
    pub(super) time: Time,
    witnessed: Time,
}

impl Clock {
    /// At an entry's time, behind what is journaled and the checkpoint that will be.
    pub(super) fn at(state: &State, next: Option<Cosigned>, time: Time) -> Self {
        let next = next.map(|next| next.oldest);
        let witnessed = next.unwrap_or_default().max(state.witnessed());
        Self { time, witnessed }
    }

    /// Whether the delay of an act that waits has run.
    pub(super) fn has_run(self, held: &Held) -> bool {
        let run = self.time.min(self.witnessed.after(BEYOND_WITNESSES));
        held.available.is_at(run)
    }

    /// When it will have, where that is known and to come.
    pub(super) fn runs_until(self, held: &Held) -> Option<Time> {
        held.available.time().filter(|until| *until > self.time)
    }
}

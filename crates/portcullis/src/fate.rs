//! `portcullis verify act`: what became of one act, by the journal itself and nobody's answer.

use crate::failure::Failure;
use crate::out::{json, say};
use crate::reach::Reach;
use crate::replica::Replica;
use portcullis_core::effect::Effect;
use portcullis_core::state::release::End;
use portcullis_core::{Body, Decision, Digest, Reason, Span, Time};
use portcullis_keeper::follow::Seen;
use portcullis_keeper::rfc3339;
use serde::Serialize;

/// An act is never decided later than this after its expiry, by the clocks that may differ.
const CLOCKS_DIFFER: Span = Span::seconds(30);

/// Follow the journal to a fresh checkpoint, and say what it has of an act.
pub(crate) fn show(reach: &Reach, act: Digest, as_json: bool) -> Result<(), Failure> {
    let mut course = Course::of(act);
    let replica = Replica::follow_seeing(reach, &mut |seen| course.look(seen))?;
    let found = Found {
        act,
        fate: course.fate,
        entries: course.entries,
        size: replica.state().size(),
        cosigned_at: replica.cosigned(),
    };
    if as_json {
        say(json(&found));
    } else {
        found.tell(&replica.seen());
    }
    Ok(())
}

/// What became of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "fate", rename_all = "kebab-case")]
enum Fate {
    /// No entry names it.
    Absent,
    /// It was refused.
    Refused {
        /// Why.
        reason: Reason,
    },
    /// It waits.
    Held,
    /// It is on its way, and may go out yet.
    Released,
    /// The money arrived.
    Confirmed {
        /// By this transaction.
        transaction: Digest,
    },
    /// Nothing moved, and nothing can move any more.
    Returned,
    /// It took effect, and moves no money.
    Done,
}

/// What entries have said of an act, in their order.
struct Course {
    act: Digest,
    fate: Fate,
    entries: Vec<u64>,
}

impl Course {
    fn of(act: Digest) -> Self {
        Self {
            act,
            fate: Fate::Absent,
            entries: Vec::new(),
        }
    }

    /// What is void says nothing.
    fn look(&mut self, seen: &Seen) {
        if seen.applied.void.is_some() {
            return;
        }
        let before = self.fate;
        self.fate = self.decided(seen).unwrap_or(self.fate);
        for change in &seen.applied.changes {
            self.fate = self.ended(change).unwrap_or(self.fate);
        }
        if self.fate != before {
            self.entries.push(seen.applied.index);
        }
    }

    fn decided(&self, seen: &Seen) -> Option<Fate> {
        let (about, decision) = match &seen.entry.as_ref()?.body {
            Body::Act(said) => (said.act.digest(), &said.decision),
            Body::Settle(said) => (said.act, &said.decision),
            _ => return None,
        };
        if about != self.act {
            return None;
        }
        Some(match decision {
            // An act that was taken once is not undone by a refusal of the same bytes.
            Decision::Refuse { reason } if matches!(self.fate, Fate::Absent) => {
                Fate::Refused { reason: *reason }
            }
            Decision::Refuse { .. } => return None,
            Decision::Hold { .. } => Fate::Held,
            Decision::Release => {
                let changes = &seen.applied.changes;
                let pays = changes
                    .iter()
                    .any(|change| matches!(change, Effect::Plan { .. }));
                if pays { Fate::Released } else { Fate::Done }
            }
        })
    }

    fn ended(&self, change: &Effect) -> Option<Fate> {
        match change {
            Effect::End(act, end, _) if *act == self.act => Some(match end {
                End::Confirmed(transaction) => Fate::Confirmed {
                    transaction: *transaction,
                },
                // A refusal on record ends so, too, and says why.
                End::Returned if matches!(self.fate, Fate::Refused { .. }) => self.fate,
                End::Returned => Fate::Returned,
                End::Done => Fate::Done,
            }),
            _ => None,
        }
    }
}

/// The answer.
#[derive(Debug, Serialize)]
struct Found {
    act: Digest,
    #[serde(flatten)]
    fate: Fate,
    /// The entries that made it so.
    entries: Vec<u64>,
    /// How many entries were followed and decided again.
    size: u64,
    /// When a quorum cosigned the last of them, at the latest: milliseconds since the Unix epoch.
    cosigned_at: Time,
}

impl Found {
    fn tell(&self, followed: &str) {
        let line = |name: &str, text: &str| say(format_args!("{name:<14}{text}"));
        line("act", &self.act.to_string());
        say(followed);
        let entries: Vec<String> = self.entries.iter().map(u64::to_string).collect();
        if !entries.is_empty() {
            line("entries", &entries.join(", "));
        }
        line("fate", &self.fate.text());
        line("so", &self.advice());
    }

    fn advice(&self) -> String {
        match self.fate {
            Fate::Absent => {
                let last = self.cosigned_at.before(CLOCKS_DIFFER);
                format!(
                    "if the act's `expires` is before {} ({}), nobody will ever pay it: re-credit; otherwise look again \
                     after that",
                    last.0,
                    rfc3339(last)
                )
            }
            Fate::Refused { .. } | Fate::Returned => {
                "nothing moved and nothing can move any more: re-credit".into()
            }
            Fate::Held | Fate::Released => "it may go out yet: do not re-credit".into(),
            Fate::Confirmed { .. } => "the money has arrived".into(),
            Fate::Done => "it is in effect".into(),
        }
    }
}

impl Fate {
    fn text(self) -> String {
        match self {
            Self::Absent => "absent: no entry names it".into(),
            Self::Refused { reason } => format!("refused: {} {}", reason.number(), reason.slug()),
            Self::Held => "held".into(),
            Self::Released => "released".into(),
            Self::Confirmed { transaction } => format!("confirmed by transaction 0x{transaction}"),
            Self::Returned => "returned".into(),
            Self::Done => "done".into(),
        }
    }
}

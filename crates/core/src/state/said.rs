//! What vendors have said of an act: what of it counts, and for how long.

use crate::digest::Digest;
use crate::evidence::{Claim, Finding};
use crate::reason::Reason;
use crate::time::Time;
use minicbor::{Decode, Encode};

/// What screening and the travel rule have come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Said {
    /// The worst that a screening found.
    #[n(0)]
    pub screened: Option<Screened>,
    /// The travel rule's message.
    #[n(1)]
    pub exchanged: Option<Exchanged>,
}

/// What a screening found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Screened {
    /// What.
    #[n(0)]
    pub finding: Finding,
    /// Digest of the vendor's report.
    #[n(1)]
    pub report: Digest,
    /// It counts before this moment; a block counts for ever.
    #[n(2)]
    pub until: Time,
}

/// What is known of the travel rule's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Exchanged {
    /// One was exchanged, which counts before a moment.
    #[n(0)]
    Message(#[n(0)] Digest, #[n(1)] Time),
    /// Two that differ counted at one time, and nobody can tell which of them is true.
    #[n(1)]
    Contradictory,
}

impl Said {
    /// What one claim says that expires then.
    #[must_use]
    pub fn of(claim: &Claim, until: Time) -> Self {
        let mut said = Self::default();
        match *claim {
            Claim::Screening {
                finding, report, ..
            } => {
                said.screened = Some(Screened {
                    finding,
                    report,
                    until,
                });
            }
            Claim::TravelRule { message, .. } => {
                said.exchanged = Some(Exchanged::Message(message, until));
            }
            Claim::Onboarding | Claim::LedgerDebit { .. } | Claim::Identity | Claim::Root => {}
        }
        said
    }

    /// Take in what was said besides, at a time. Says whether that is news: of screenings that count at
    /// one time the worst stands, and of two messages that differ neither does, in whatever order they come.
    pub fn hear(&mut self, other: &Self, now: Time) -> bool {
        let before = *self;
        self.screened = worse(self.screened, other.screened, now);
        self.exchanged = exchanged(self.exchanged, other.exchanged, now);
        *self != before
    }

    /// Why the act does not go out, whatever else is said of it.
    #[must_use]
    pub fn bars(&self) -> Option<Reason> {
        if self.screened.is_some_and(Screened::blocks) {
            return Some(Reason::ScreeningBlocks);
        }
        let contradictory = self.exchanged == Some(Exchanged::Contradictory);
        contradictory.then_some(Reason::TravelRuleContradicts)
    }

    /// The screening that counts at a time.
    #[must_use]
    pub fn screened(&self, now: Time) -> Option<Screened> {
        self.screened.filter(|screened| screened.counts(now))
    }

    /// The message that counts at a time.
    #[must_use]
    pub fn message(&self, now: Time) -> Option<Digest> {
        match self.exchanged {
            Some(Exchanged::Message(message, until)) if now < until => Some(message),
            _ => None,
        }
    }
}

impl Screened {
    fn blocks(self) -> bool {
        self.finding == Finding::Block
    }

    fn counts(self, now: Time) -> bool {
        self.blocks() || now < self.until
    }
}

fn worse(known: Option<Screened>, new: Option<Screened>, now: Time) -> Option<Screened> {
    let (Some(old), Some(found)) = (known, new) else {
        return known.or(new);
    };
    // Of two that found the same the one that counts longer, so that none comes too late to count.
    let outlasts = old.blocks() || old.until >= found.until;
    let stands = old.finding > found.finding || (old.finding == found.finding && outlasts);
    Some(if old.counts(now) && stands {
        old
    } else {
        found
    })
}

fn exchanged(known: Option<Exchanged>, new: Option<Exchanged>, now: Time) -> Option<Exchanged> {
    match (known, new) {
        (Some(Exchanged::Message(old, until)), Some(Exchanged::Message(message, later)))
            if now < until =>
        {
            Some(if old == message {
                Exchanged::Message(old, until.max(later))
            } else {
                Exchanged::Contradictory
            })
        }
        (Some(Exchanged::Contradictory), _) | (_, None) => known,
        (_, new) => new,
    }
}

//! How fast new factors begin to count for this signer.
//!
//! Whoever has the onboarding key could enrol a factor of their own for any account that is new, or
//! whose factors an epoch has revoked. The journal cannot tell; but so many in a day are no customers.
//! Beyond a day's cap the next ones begin to count as the following days' caps have room: an attack
//! is slowed down to the cap, and an honest rush is late, not lost.

use minicbor::{Decode, Encode};
use portcullis_core::codec::encode;
use portcullis_core::effect::Effect;
use portcullis_core::entry::Body;
use portcullis_core::id::FactorId;
use portcullis_core::realm::Realm;
use portcullis_core::state::account::{Owner, Proof};
use portcullis_core::{Act, ActKind, Digest, Span, Time};
use portcullis_keeper::follow::Seen;
use std::collections::{BTreeMap, VecDeque};

use crate::config::Floors;

const DAY: Span = Span::hours(24);

/// Factors that are enrolled and do not count yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Enrolments {
    #[n(0)]
    first: Pace,
    #[n(1)]
    again: Pace,
    #[n(2)]
    waiting: BTreeMap<(Owner, FactorId), Time>,
}

/// When the newest factors of one kind begin to count; as many as a day's cap.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
struct Pace(#[n(0)] VecDeque<Time>);

/// A factor that came beyond the cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slowed {
    pub(crate) act: Digest,
    pub(crate) until: Time,
}

impl Enrolments {
    /// As kept in a snapshot; from nothing where there was none.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        minicbor::decode(bytes).unwrap_or_default()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Take in an entry. `Some` where a factor begins to count later for this signer.
    pub(crate) fn take(&mut self, seen: &Seen, floors: &Floors) -> Option<Slowed> {
        let entry = seen.entry.as_ref()?;
        let Body::Act(submission) = &entry.body else {
            return None;
        };
        let (owner, factor) = seen.applied.changes.iter().find_map(enrolled)?;
        let until = match onboards(&submission.act)? {
            Onboards::First => self
                .first
                .admit(entry.time, floors.first_enrolments_per_day),
            Onboards::Again => self.again.admit(entry.time, floors.re_enrolments_per_day),
        };
        self.waiting.retain(|_, until| *until > entry.time);
        if until <= entry.time {
            return None;
        }
        self.waiting.insert((owner, factor), until);
        let act = submission.act.digest();
        Some(Slowed { act, until })
    }

    /// Whether the factor behind a proof counts.
    pub(crate) fn count(&self, proof: &Proof, now: Time) -> bool {
        let until = self.waiting.get(&(proof.owner, proof.factor));
        until.is_none_or(|until| *until <= now)
    }
}

impl Pace {
    /// When a factor enrolled at this time begins to count: no 24 hours see more than the cap.
    fn admit(&mut self, time: Time, cap: u32) -> Time {
        let cap = usize::try_from(cap).unwrap_or(usize::MAX);
        let full_at = self.0.len().checked_sub(cap);
        let earliest = match full_at {
            None => time,
            Some(at) => self.0.get(at).map_or(Time(u64::MAX), |t| t.after(DAY)),
        };
        let counts_from = time.max(earliest);
        self.0.push_back(counts_from);
        while self.0.len() > cap {
            self.0.pop_front();
        }
        counts_from
    }
}

enum Onboards {
    First,
    Again,
}

/// What only the onboarding key stands behind. A factor that an older one enrolled is not.
fn onboards(act: &Act) -> Option<Onboards> {
    match act.kind {
        ActKind::OpenAccount(_) => Some(Onboards::First),
        ActKind::EnrolFactor(_) if act.realm == Realm::Staff => Some(Onboards::Again),
        _ => None,
    }
}

fn enrolled(effect: &Effect) -> Option<(Owner, FactorId)> {
    match effect {
        Effect::Enrol {
            owner: owner @ Owner::Holder { .. },
            factor,
            ..
        } => Some((*owner, factor.id())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_day_sees_more_than_the_cap() {
        let mut pace = Pace::default();
        let at = |hours| Time(0).after(Span::hours(hours));
        let admitted: Vec<u64> = [0, 0, 1, 1, 1, 30, 200]
            .map(|hours| pace.admit(at(hours), 2).0 / 3_600_000)
            .to_vec();
        assert_eq!(admitted, [0, 0, 24, 24, 48, 48, 200]);
        for window in 0..300 {
            let within = admitted
                .iter()
                .filter(|t| (window..window + 24).contains(*t));
            assert!(within.count() <= 2, "{window}");
        }
    }

    #[test]
    fn a_cap_of_nothing_lets_nothing_count() {
        assert_eq!(Pace::default().admit(Time(5), 0), Time(u64::MAX));
    }
}

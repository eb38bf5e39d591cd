//! How fast new factors begin to count for this signer.
//!
//! Whoever has the onboarding key could enrol a factor of their own for any account that is new, or
//! whose factors an epoch has revoked; so could whoever has the identity vendor's, or two of support. The journal cannot tell; but so many in a day are no customers.
//! Beyond a day's cap the next ones begin to count as the following days' caps have room: an attack
//! is slowed down to the cap, and an honest rush is late, not lost.
//!
//! What a waiting factor brings in (another factor, an address) counts no sooner than it does itself:
//! otherwise it would enrol a second one beside the cap. Nor does anything of an
//! account count sooner whose quorum it helped to set, or of whose principals it helped to put one out: otherwise
//! the others would send without it what takes it, too.

use minicbor::{Decode, Encode};
use portcullis_chains::caip::Address;
use portcullis_core::codec::encode;
use portcullis_core::effect::Effect;
use portcullis_core::entry::{Body, Submission};
use portcullis_core::factor::factor_id;
use portcullis_core::id::{AccountId, FactorId};
use portcullis_core::realm::Realm;
use portcullis_core::request::parse_base;
use portcullis_core::state::account::Owner;
use portcullis_core::state::joint::Together;
use portcullis_core::state::release::Release;
use portcullis_core::{Act, ActKind, Digest, Evidence, Span, Time};
use portcullis_keeper::follow::Seen;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::config::Floors;

const DAY: Span = Span::hours(24);

/// What is enrolled and does not count yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Enrolments {
    #[n(0)]
    first: Pace,
    #[n(1)]
    again: Pace,
    #[n(2)]
    waiting: BTreeMap<Brought, Time>,
}

/// Something that an entry brought into an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
enum Brought {
    #[n(0)]
    Factor(#[n(0)] Owner, #[n(1)] FactorId),
    #[n(1)]
    Address(#[n(0)] AccountId, #[n(1)] Address),
    /// Another quorum, or one principal less. (Also a higher one: an effect does not say which, and whoever
    /// could hold the others up by it can freeze the account.)
    #[n(2)]
    Principals(#[n(0)] AccountId),
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
    /// As kept in a snapshot. Nothing where it is damaged: to go on from none would let a day's cap be
    /// used twice.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        minicbor::decode(bytes).ok()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Take in an entry. `Some` where onboarding's word counts later for this signer.
    ///
    /// `now` is the signer's own clock: whoever dates an entry ahead makes no day of this signer's end sooner.
    pub(crate) fn take(&mut self, seen: &Seen, floors: &Floors, now: Time) -> Option<Slowed> {
        let entry = seen.entry.as_ref()?;
        // An account that is imported comes with several factors, all on the same word.
        let brought: Vec<Brought> = brought(seen).collect();
        if brought.is_empty() {
            return None;
        }
        let time = entry.time.min(now);
        self.waiting.retain(|_, until| *until > time);
        let (act, onboards) = match &entry.body {
            Body::Act(submission) => match onboards(&submission.act) {
                Some(onboards) => (submission.act.digest(), onboards),
                None => {
                    let until = self.inherited(submission).max(self.of_all(seen))?;
                    self.wait(brought, until);
                    return None;
                }
            },
            Body::Settle(settlement) if recovers(seen) => (settlement.act, Onboards::Again),
            // What an account's principals asked for, together or by a code.
            Body::Settle(_) => {
                let until = match together(seen) {
                    Some(_) => self.of_all(seen)?,
                    None => self.of_accounts(&brought)?,
                };
                self.wait(brought, until);
                return None;
            }
            _ => return None,
        };
        let until = match onboards {
            Onboards::First => self.first.admit(time, floors.first_enrolments_per_day),
            Onboards::Again => self.again.admit(time, floors.re_enrolments_per_day),
        };
        if until <= time {
            return None;
        }
        self.wait(brought, until);
        Some(Slowed { act, until })
    }

    fn wait(&mut self, brought: Vec<Brought>, until: Time) {
        for brought in brought {
            let waits = self.waiting.entry(brought).or_insert(until);
            *waits = until.max(*waits);
        }
    }

    /// Until when the factors wait of all who did something together: the last of them.
    fn of_all(&self, seen: &Seen) -> Option<Time> {
        let behind = together(seen).into_iter().flat_map(Together::proofs);
        let factors = behind.map(|proof| Brought::Factor(proof.owner, proof.factor));
        let untils = factors.filter_map(|factor| self.waiting.get(&factor));
        untils.copied().max()
    }

    /// Until when any factor waits of the accounts into which something came. A settlement does not say by whose.
    fn of_accounts(&self, brought: &[Brought]) -> Option<Time> {
        let accounts: BTreeSet<AccountId> = brought.iter().filter_map(Brought::account).collect();
        let waiting = self.waiting.iter();
        let factors = waiting.filter(|(waits, _)| matches!(waits, Brought::Factor(..)));
        let theirs =
            factors.filter(|(waits, _)| waits.account().is_some_and(|id| accounts.contains(&id)));
        theirs.map(|(_, until)| *until).max()
    }

    /// Until when the factors wait that prove an act: the last of them, where one waits at all.
    fn inherited(&self, submission: &Submission) -> Option<Time> {
        let (account, principal) = (submission.act.account?, submission.act.principal);
        let owner = Owner::Holder { account, principal };
        let untils = proving(&submission.evidence)
            .filter_map(|factor| self.waiting.get(&Brought::Factor(owner, factor)));
        untils.copied().max()
    }

    /// Whether the factors behind a release count, the address that it pays, and how many principals it takes.
    pub(crate) fn count(&self, release: &Release, now: Time) -> bool {
        let factors = release.proofs();
        let factors = factors.map(|proof| Brought::Factor(proof.owner, proof.factor));
        let address = match &release.act.kind {
            ActKind::Withdraw(withdraw) => Some(Brought::Address(release.account, withdraw.to)),
            _ => None,
        };
        factors
            .chain(address)
            .chain([Brought::Principals(release.account)])
            .filter_map(|brought| self.waiting.get(&brought))
            .all(|until| *until <= now)
    }
}

impl Brought {
    fn account(&self) -> Option<AccountId> {
        match self {
            Self::Factor(Owner::Holder { account, .. }, _)
            | Self::Address(account, _)
            | Self::Principals(account) => Some(*account),
            Self::Factor(Owner::Member { .. }, _) => None,
        }
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

/// What only the onboarding key stands behind. A factor that an older one enrolled is not. (A recovery counts as
/// one of these, whoever vouched for it.)
fn onboards(act: &Act) -> Option<Onboards> {
    match act.kind {
        ActKind::OpenAccount(_) => Some(Onboards::First),
        ActKind::EnrolFactor(_) if act.realm == Realm::Staff => Some(Onboards::Again),
        _ => None,
    }
}

/// Whether a recovery has ended.
fn recovers(seen: &Seen) -> bool {
    let mut changes = seen.applied.changes.iter();
    changes.any(|change| matches!(change, Effect::Recovered { .. }))
}

/// The principals of an account who did this together.
fn together(seen: &Seen) -> Option<&Together> {
    let mut changes = seen.applied.changes.iter();
    changes.find_map(|change| match change {
        Effect::Jointly(_, behind) => Some(behind),
        _ => None,
    })
}

/// What an entry brought. Who leaves by itself lets nobody send more alone.
fn brought(seen: &Seen) -> impl Iterator<Item = Brought> {
    let jointly = together(seen).is_some();
    let brought = seen.applied.changes.iter().filter_map(brought_by);
    brought.filter(move |brought| jointly || !matches!(brought, Brought::Principals(_)))
}

fn brought_by(effect: &Effect) -> Option<Brought> {
    match effect {
        Effect::Enrol {
            owner: owner @ Owner::Holder { .. },
            factor,
            ..
        } => Some(Brought::Factor(*owner, factor.id())),
        Effect::AddAddress(account, address, _) => Some(Brought::Address(*account, *address)),
        Effect::SetAccountQuorum(account, _)
        | Effect::RemovePrincipal(Owner::Holder { account, .. }) => {
            Some(Brought::Principals(*account))
        }
        _ => None,
    }
}

/// The factors that evidence was made with, as it says: the entry stands, so each signature holds.
fn proving(evidence: &Evidence) -> impl Iterator<Item = FactorId> {
    let passkeys = evidence.assertions.iter();
    let passkeys = passkeys.map(|assertion| factor_id(&assertion.credential.0));
    let keys = evidence.requests.iter();
    let keys = keys.filter_map(|signed| parse_base(&signed.base).ok()?.parts().key_id.parse().ok());
    passkeys.chain(keys)
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

    /// A cap that begins anew because its count is unreadable would be used twice in a day.
    #[test]
    fn what_is_damaged_is_not_taken_for_nothing() {
        let mut paced = Enrolments::default();
        paced.first.admit(Time(5), 1);
        let bytes = paced.to_bytes();
        assert_eq!(Enrolments::from_bytes(&bytes), Some(paced));
        for end in 0..bytes.len() {
            assert_eq!(Enrolments::from_bytes(&bytes[..end]), None, "{end} bytes");
        }
    }

    #[test]
    fn a_cap_of_nothing_lets_nothing_count() {
        assert_eq!(Pace::default().admit(Time(5), 0), Time(u64::MAX));
    }
}

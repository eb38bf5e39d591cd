//! What state knows of recoveries: those that wait, how many have begun today, accounts that were
//! recovered a short while ago, and how far re-enrolment has come since an epoch was raised.

use super::account::{Account, Owner};
use super::{Facts, State};
use crate::act::{Administration, Roots};
use crate::digest::Digest;
use crate::factor::{Available, FactorKind};
use crate::genesis::RecoveryBounds;
use crate::id::{AccountId, PrincipalId};
use crate::realm::Role;
use crate::time::{Span, Time};
use minicbor::{Decode, Encode};
use std::collections::{BTreeMap, BTreeSet};

/// A recovery waits three times as long as anything else that is new: 72 hours in production, where
/// the floor is never below 24.
const DELAYS_OF_A_RECOVERY: u64 = 3;
/// For how many delay floors a recovered account's limits are lowered: a week in production.
const DELAYS_LOWERED: u64 = 7;
/// For how many delay floors an address has to have stood in the book, for a TOTP code alone to pay it.
const DELAYS_OF_AN_ADDRESS_FOR_CODES: u64 = 7;

/// A recovery that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Pending {
    /// The act.
    #[n(0)]
    pub act: Digest,
    /// Who says that the new factor is the holder's.
    #[n(1)]
    pub voucher: Voucher,
}

/// Who says that a recovered factor is the holder's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Voucher {
    /// A factor of another kind, which must still stand in the end.
    #[n(0)]
    Factor,
    /// An identity vendor: the digest of the issuer as it was in force, and must still be in the end.
    #[n(1)]
    Identity(#[n(0)] Digest),
    /// Two members with role support.
    #[n(2)]
    Support,
    /// A recovery code; the factor that it is of must still stand in the end.
    #[n(3)]
    Code,
}

/// An account that was recovered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Recovered {
    /// Since when: the cosignature of the entry that ended the recovery's waiting.
    #[n(0)]
    pub since: Available,
    /// For how long its limits are lowered.
    #[n(1)]
    pub lowered: Span,
}

impl Recovered {
    /// From when it makes no difference any more, where that is known.
    #[must_use]
    pub fn until(&self) -> Option<Time> {
        self.since.time().map(|at| at.after(self.lowered))
    }
}

/// How many recoveries have begun on a UTC day. A veto gives nothing back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Begun {
    /// The day: whole days since the Unix epoch.
    #[n(0)]
    pub day: u64,
    /// By each member of staff who brought some.
    #[n(1)]
    pub agents: BTreeMap<PrincipalId, u32>,
    /// By all of staff.
    #[n(2)]
    pub platform: u32,
    /// By holders themselves.
    #[n(3)]
    pub vouched: u32,
}

impl Begun {
    /// One more begins: by an agent, or by the holder's own factor.
    pub(crate) fn count(&mut self, agent: Option<PrincipalId>, now: Time) {
        if self.day != day(now) {
            *self = Self {
                day: day(now),
                ..Self::default()
            };
        }
        if let Some(agent) = agent {
            let of_agent = self.agents.entry(agent).or_insert(0);
            *of_agent = of_agent.saturating_add(1);
            self.platform = self.platform.saturating_add(1);
        } else {
            self.vouched = self.vouched.saturating_add(1);
        }
    }

    /// Whether one more may begin.
    pub(crate) fn has_room(
        &self,
        bounds: RecoveryBounds,
        agent: Option<PrincipalId>,
        now: Time,
    ) -> bool {
        let today = self.day == day(now);
        let so_far = |count: u32| if today { count } else { 0 };
        match agent {
            Some(agent) => {
                let own = self.agents.get(&agent).copied().unwrap_or(0);
                so_far(own) < bounds.per_agent && so_far(self.platform) < bounds.per_platform
            }
            None => so_far(self.vouched) < bounds.vouched,
        }
    }
}

fn day(time: Time) -> u64 {
    time.0 / Span::hours(24).0
}

/// How many holders of accounts have which kinds of factor that count, now or after their delay.
/// Each change costs the same, however many holders there are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Enrolled {
    /// Those of accounts opened before the newest epoch of customers.
    #[n(0)]
    pub before: BTreeMap<BTreeSet<FactorKind>, u64>,
    /// Those of accounts opened since.
    #[n(1)]
    pub since: BTreeMap<BTreeSet<FactorKind>, u64>,
    /// The newest epoch of customers, if one was ever raised.
    #[n(2)]
    pub epoch: Option<Raised>,
}

/// An epoch of customers that was raised, and whom it left without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Raised {
    /// The entry.
    #[n(0)]
    pub entry: u64,
    /// Its time.
    #[n(1)]
    pub time: Time,
    /// Only factors of this kind; all where absent.
    #[n(2)]
    pub factors: Option<FactorKind>,
    /// Holders who had a factor of the scope until then.
    #[n(3)]
    pub revoked: u64,
}

/// How far re-enrolment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The epoch.
    pub raised: Raised,
    /// Holders of accounts that were open when it was raised.
    pub holders: u64,
    /// Those of them who have a factor of its scope again, or for the first time.
    pub enrolled: u64,
}

impl Enrolled {
    /// Re-enrolment since the newest epoch of customers.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        let raised = self.epoch?;
        Some(Progress {
            raised,
            holders: sum(&self.before, |_| true),
            enrolled: sum(&self.before, |kinds| is_hit(kinds, raised.factors)),
        })
    }

    /// Holders of accounts, and those of them who have a factor that counts, now or after its delay.
    #[must_use]
    pub fn holders(&self) -> (u64, u64) {
        let both = |count: fn(&BTreeSet<FactorKind>) -> bool| {
            sum(&self.before, count).saturating_add(sum(&self.since, count))
        };
        (both(|_| true), both(|kinds| !kinds.is_empty()))
    }

    fn raise(&mut self, factors: Option<FactorKind>, entry: u64, time: Time) {
        let mut all = core::mem::take(&mut self.before);
        for (kinds, count) in core::mem::take(&mut self.since) {
            add(&mut all, kinds, count);
        }
        self.epoch = Some(Raised {
            entry,
            time,
            factors,
            revoked: sum(&all, |kinds| is_hit(kinds, factors)),
        });
        for (mut kinds, count) in all {
            kinds.retain(|kind| factors.is_some_and(|only| only != *kind));
            add(&mut self.before, kinds, count);
        }
    }

    fn side(&mut self, opened: u64) -> &mut BTreeMap<BTreeSet<FactorKind>, u64> {
        if self.epoch.is_some_and(|epoch| opened < epoch.entry) {
            &mut self.before
        } else {
            &mut self.since
        }
    }
}

type Kinds = BTreeMap<BTreeSet<FactorKind>, u64>;

fn is_hit(kinds: &BTreeSet<FactorKind>, factors: Option<FactorKind>) -> bool {
    factors.map_or(!kinds.is_empty(), |only| kinds.contains(&only))
}

fn sum(all: &Kinds, counts: impl Fn(&BTreeSet<FactorKind>) -> bool) -> u64 {
    let some = all.iter().filter(|(kinds, _)| counts(kinds));
    some.fold(0, |sum, (_, count)| sum.saturating_add(*count))
}

fn add(all: &mut Kinds, kinds: BTreeSet<FactorKind>, count: u64) {
    let known = all.entry(kinds).or_insert(0);
    *known = known.saturating_add(count);
}

fn take(all: &mut Kinds, kinds: &BTreeSet<FactorKind>) {
    if let Some(known) = all.get_mut(kinds) {
        *known = known.saturating_sub(1);
        if *known == 0 {
            all.remove(kinds);
        }
    }
}

/// The kinds of factor that a holder has, and the entry that opened the account.
pub(crate) struct Had {
    opened: u64,
    kinds: BTreeSet<FactorKind>,
}

impl Facts {
    /// What a holder has, before it changes; nothing of whoever is none, or no more.
    pub(crate) fn had(&self, owner: Owner) -> Option<Had> {
        let Owner::Holder { account, principal } = owner else {
            return None;
        };
        let known = self.account(account)?;
        known.holder(principal)?;
        let current = self.factors(owner).iter();
        let current = current.filter(|f| self.is_current(owner, f.kind, f.epochs));
        Some(Had {
            opened: known.opened,
            kinds: current.map(|factor| factor.kind).collect(),
        })
    }

    /// Count a holder as what it has now.
    pub(crate) fn recount(&mut self, owner: Owner, had: Option<Had>) {
        let (Some(had), Some(has)) = (had, self.had(owner)) else {
            return;
        };
        let side = self.enrolled.side(had.opened);
        take(side, &had.kinds);
        add(side, has.kinds, 1);
    }

    /// A holder of a new account, who has nothing yet.
    pub(crate) fn count_holder(&mut self, opened: u64) {
        add(self.enrolled.side(opened), BTreeSet::new(), 1);
    }

    /// A holder who is to leave its account.
    pub(crate) fn uncount_holder(&mut self, owner: Owner) {
        if let Some(had) = self.had(owner) {
            take(self.enrolled.side(had.opened), &had.kinds);
        }
    }

    /// All of the customers' realm, or of one kind in it, count no more.
    pub(crate) fn count_epoch(&mut self, factors: Option<FactorKind>, entry: u64, time: Time) {
        self.enrolled.raise(factors, entry, time);
    }
}

impl State {
    /// How long a recovery waits for its veto: three delay floors.
    #[must_use]
    pub fn recovery_delay(&self) -> Span {
        times(DELAYS_OF_A_RECOVERY, self.network.delay_floor())
    }

    /// How long the recovery of a holder waits: never shorter than the account's own delay.
    #[must_use]
    pub fn recovery_delay_of(&self, account: &Account) -> Span {
        self.recovery_delay().max(account.delay)
    }

    /// What recoveries are bounded by.
    #[must_use]
    pub fn recovery_bounds(&self) -> RecoveryBounds {
        self.network.genesis().recovery.unwrap_or_default()
    }

    /// Whether the account takes no new address yet: for a delay floor after a recovery.
    #[must_use]
    pub fn takes_no_address(&self, account: AccountId, time: Time) -> bool {
        let quiet = self.network.delay_floor();
        let recovered = self.facts.recovered.get(&account);
        recovered.is_some_and(|r| r.since.time().is_none_or(|at| time < at.after(quiet)))
    }

    /// What the account's limits are divided by now, if it was recovered within seven delay floors.
    #[must_use]
    pub fn lowered(&self, account: AccountId, time: Time) -> Option<u32> {
        let recovered = self.facts.recovered.get(&account)?;
        let is_over = recovered.until().is_some_and(|until| time >= until);
        (!is_over).then(|| self.recovery_bounds().divisor)
    }

    /// For how long a recovery lowers an account's limits: seven delay floors.
    pub(crate) fn lowered_for(&self) -> Span {
        times(DELAYS_LOWERED, self.network.delay_floor())
    }

    /// How long an address has to have stood in a book for a TOTP code alone to pay it: seven delay floors, a
    /// week in production.
    #[must_use]
    pub fn address_age_for_codes(&self) -> Span {
        times(DELAYS_OF_AN_ADDRESS_FOR_CODES, self.network.delay_floor())
    }

    /// How many administrators loosen together.
    #[must_use]
    pub fn quorum(&self) -> u32 {
        let recovered = self.facts.administrators_quorum;
        recovered.unwrap_or(self.network.genesis().quorum)
    }

    /// The roots in force.
    #[must_use]
    pub fn roots(&self) -> Roots {
        let rotated = self.facts.keys.roots.clone();
        rotated.unwrap_or_else(|| self.network.genesis().first_roots())
    }

    /// Who loosens now, and who could replace them.
    #[must_use]
    pub fn administration(&self) -> Administration {
        let staff = self.facts.staff.iter();
        let administrators = staff.filter(|(_, member)| member.has(Role::Administrator));
        Administration {
            administrators: administrators.map(|(id, _)| *id).collect(),
            quorum: self.quorum(),
            roots: self.roots(),
        }
    }
}

fn times(count: u64, span: Span) -> Span {
    Span(span.0.saturating_mul(count))
}

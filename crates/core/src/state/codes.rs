//! One-time codes: which wait for the herald's word, how many were wrong, and which recovery codes are
//! left.

use super::account::Owner;
use crate::code::{SealedCode, step_at};
use crate::digest::Digest;
use crate::id::FactorId;
use crate::time::{Span, Time};
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use std::collections::{BTreeMap, BTreeSet};

/// Most codes of a factor in a UTC day that are wrong, wait, or were never judged.
pub const WRONG_IN_A_DAY: u32 = 5;
/// Most wrong codes of a factor in a row; then it proves nothing any more.
pub const WRONG_IN_A_ROW: u32 = 50;
/// How far a code's step may be from where its owner's clock was when it last served.
const WINDOW: i64 = 1;
/// How far an owner's clock may ever be off: five minutes.
const MOST_DRIFT: i64 = 10;

/// All about codes. Empty, it leaves no trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes {
    /// Acts with a TOTP code that the herald has not judged, or has judged wrong.
    waiting: BTreeMap<Digest, Waiting>,
    /// What is remembered of a TOTP factor's codes.
    tallies: BTreeMap<(Owner, FactorId), Tally>,
    /// Recovery codes that are left.
    recovery: BTreeMap<(Owner, FactorId), BTreeSet<Digest>>,
    /// The newest steps of TOTP factors that were taken back, for whoever enrols one again.
    served: BTreeMap<FactorId, u32>,
}

/// An act with a TOTP code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Waiting {
    /// Whose factor.
    #[n(0)]
    pub owner: Owner,
    /// Which.
    #[n(1)]
    pub factor: FactorId,
    /// The time of the act's entry, at which the code is judged.
    #[n(2)]
    pub time: Time,
    /// The digits, sealed.
    #[n(3)]
    pub sealed: SealedCode,
    /// Whether the herald has said that it is wrong.
    #[n(4)]
    pub is_wrong: bool,
}

/// What is remembered of a TOTP factor's codes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Tally {
    /// The day of the last one that is counted: whole days since the Unix epoch.
    #[n(0)]
    day: u64,
    /// Wrong ones on that day, and those that nobody judged.
    #[n(1)]
    today: u32,
    /// Wrong ones since the last right one.
    #[n(2)]
    row: u32,
    /// Those that wait.
    #[n(3)]
    open: u32,
    /// By how many steps the owner's clock was ahead when a code last served.
    #[n(4)]
    drift: i64,
}

impl Tally {
    /// One of an earlier day than the last counts for that: else what expires from yesterday would clear today's.
    fn count(&mut self, now: Time) {
        if day(now) > self.day {
            (self.day, self.today) = (day(now), 0);
        }
        self.today = self.today.saturating_add(1);
    }
}

impl Codes {
    /// The act's code, if the herald has not judged it.
    #[must_use]
    pub fn open(&self, act: Digest) -> Option<&Waiting> {
        self.waiting.get(&act).filter(|waiting| !waiting.is_wrong)
    }

    /// Whether the herald has said that the act's code is wrong.
    #[must_use]
    pub fn is_wrong(&self, act: Digest) -> bool {
        self.waiting
            .get(&act)
            .is_some_and(|waiting| waiting.is_wrong)
    }

    /// All codes that wait for the herald.
    pub fn all_open(&self) -> impl Iterator<Item = (Digest, &Waiting)> {
        let open = self.waiting.iter().filter(|(_, row)| !row.is_wrong);
        open.map(|(act, row)| (*act, row))
    }

    /// Whether another code of the factor may be tried.
    #[must_use]
    pub fn has_room(&self, owner: Owner, factor: FactorId, now: Time) -> bool {
        let Some(tally) = self.tallies.get(&(owner, factor)) else {
            return true;
        };
        let today = if tally.day == day(now) {
            tally.today
        } else {
            0
        };
        today.saturating_add(tally.open) < WRONG_IN_A_DAY
            && tally.row.saturating_add(tally.open) < WRONG_IN_A_ROW
    }

    /// The steps that a code of this factor may be of, given at this time; the likeliest first.
    pub fn steps(&self, owner: Owner, factor: FactorId, time: Time) -> impl Iterator<Item = u32> {
        let drift = self.drift(owner, factor);
        let at = move |off: i64| shifted(time, drift.saturating_add(off));
        [0, -WINDOW, WINDOW].into_iter().filter_map(at)
    }

    fn drift(&self, owner: Owner, factor: FactorId) -> i64 {
        let tally = self.tallies.get(&(owner, factor));
        tally.map_or(0, |tally| tally.drift)
    }

    /// The recovery codes that are left of a factor.
    #[must_use]
    pub fn left(&self, owner: Owner, factor: FactorId) -> usize {
        self.recovery.get(&(owner, factor)).map_or(0, BTreeSet::len)
    }

    /// Whether a recovery code is left.
    #[must_use]
    pub fn has(&self, owner: Owner, factor: FactorId, code: Digest) -> bool {
        let left = self.recovery.get(&(owner, factor));
        left.is_some_and(|left| left.contains(&code))
    }

    pub(crate) fn begin(&mut self, act: Digest, waiting: Waiting) {
        let place = (waiting.owner, waiting.factor);
        let tally = self.tallies.entry(place).or_default();
        tally.open = tally.open.saturating_add(1);
        self.waiting.insert(act, waiting);
    }

    /// The code is right, of this step: whose it is.
    pub(crate) fn right(&mut self, act: Digest, step: u32) -> Option<(Owner, FactorId)> {
        let row = self.take(act)?;
        let place = (row.owner, row.factor);
        let tally = self.tallies.entry(place).or_default();
        tally.row = 0;
        tally.drift = i64::from(step).saturating_sub(step_at(row.time).into());
        if *tally == Tally::default() {
            self.tallies.remove(&place);
        }
        Some(place)
    }

    pub(crate) fn wrong(&mut self, act: Digest, now: Time) {
        let Some(row) = self.take(act) else { return };
        let tally = self.tallies.entry((row.owner, row.factor)).or_default();
        tally.count(now);
        tally.row = tally.row.saturating_add(1);
        let is_wrong = true;
        self.waiting.insert(act, Waiting { is_wrong, ..row });
    }

    /// The act waits for no word about its code any more. One that was never judged counts for its day as if it were
    /// wrong: else whoever keeps the herald's word out of the journal could try any number.
    pub(crate) fn forget(&mut self, act: Digest) {
        let Some(row) = self.take(act).filter(|row| !row.is_wrong) else {
            return;
        };
        let tally = self.tallies.entry((row.owner, row.factor)).or_default();
        tally.count(row.time);
    }

    fn take(&mut self, act: Digest) -> Option<Waiting> {
        let row = self.waiting.remove(&act)?;
        if !row.is_wrong
            && let Some(tally) = self.tallies.get_mut(&(row.owner, row.factor))
        {
            tally.open = tally.open.saturating_sub(1);
        }
        Some(row)
    }

    /// The step up to which no code of a TOTP factor that is enrolled now serves.
    pub(crate) fn first_counter(&mut self, factor: FactorId, now: Time) -> u32 {
        let served = self.served.remove(&factor).unwrap_or(0);
        served.max(step_at(now))
    }

    /// A factor was taken back, a TOTP one with the newest step that it had served.
    pub(crate) fn forget_factor(&mut self, owner: Owner, factor: FactorId, served: Option<u32>) {
        self.served.extend(served.map(|step| (factor, step)));
        self.recovery.remove(&(owner, factor));
        let place = (owner, factor);
        // What waits is judged or expires, and counts down until then.
        if self.tallies.get(&place).is_some_and(|t| t.open == 0) {
            self.tallies.remove(&place);
        }
    }

    pub(crate) fn add_recovery(&mut self, owner: Owner, factor: FactorId, codes: &[Digest]) {
        let codes = codes.iter().copied().collect();
        self.recovery.insert((owner, factor), codes);
    }

    pub(crate) fn use_up(&mut self, owner: Owner, factor: FactorId, code: Digest) {
        if let Some(left) = self.recovery.get_mut(&(owner, factor)) {
            left.remove(&code);
        }
    }

    /// Whether a code given for an act may be of this step: near where the owner's clock was last, and not
    /// far from the true time.
    #[must_use]
    pub fn is_near(&self, waiting: &Waiting, step: u32) -> bool {
        let off = i64::from(step).saturating_sub(step_at(waiting.time).into());
        let drift = self.drift(waiting.owner, waiting.factor);
        off.abs() <= MOST_DRIFT && off.saturating_sub(drift).abs() <= WINDOW
    }
}

fn shifted(time: Time, by: i64) -> Option<u32> {
    let step = i64::from(step_at(time)).saturating_add(by);
    (by.abs() <= MOST_DRIFT)
        .then(|| u32::try_from(step).ok())
        .flatten()
}

fn day(time: Time) -> u64 {
    time.0 / Span::hours(24).0
}

impl<C> Encode<C> for Codes {
    fn encode<W: encode::Write>(
        &self,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        let Self {
            waiting,
            tallies,
            recovery,
            served,
        } = self;
        (waiting, tallies, recovery, served).encode(e, context)
    }

    fn is_nil(&self) -> bool {
        *self == Self::default()
    }
}

impl<'b, C> Decode<'b, C> for Codes {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
        let (waiting, tallies, recovery, served) = Decode::decode(d, context)?;
        Ok(Self {
            waiting,
            tallies,
            recovery,
            served,
        })
    }

    fn nil() -> Option<Self> {
        Some(Self::default())
    }
}

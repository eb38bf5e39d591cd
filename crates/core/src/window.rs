//! Sliding windows over what has left: 1 hour, 24 hours, 7 days.
//!
//! Both forms may count too much and never too little: an account's short list merges neighbours
//! under the later time; a ring counts its edge bucket whole.

use crate::few::Few;
use crate::limits::Limit;
use crate::policy::Shares;
use crate::time::{Span, Time};
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};
use portcullis_chains::Amount;

/// The window lengths, in the order of [`Limit`]'s fields.
const LENGTHS: [Span; 3] = [Span::hours(1), Span::hours(24), Span::hours(24 * 7)];

/// Which window a limit was met in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Any hour.
    Hour,
    /// Any 24 hours.
    Day,
    /// Any 7 days.
    Week,
}

/// Sums of what has left within each window, and what a further amount would make of them.
pub trait Outflow {
    /// At least what left in the `length` before `now`; `None` where the sum overflows.
    fn within(&self, length: Span, now: Time) -> Option<Amount>;

    /// The first window in which `amount` more would pass the limit.
    fn first_exceeded(&self, limit: &Limit, amount: Amount, now: Time) -> Option<Window> {
        let maxima = [limit.hour, limit.day, limit.week];
        let names = [Window::Hour, Window::Day, Window::Week];
        for ((length, maximum), name) in LENGTHS.into_iter().zip(maxima).zip(names) {
            let Some(maximum) = maximum else { continue };
            let sum = self
                .within(length, now)
                .and_then(|sum| sum.checked_add(amount));
            if sum.is_none_or(|sum| sum > maximum) {
                return Some(name);
            }
        }
        None
    }

    /// How much of each window's limit `amount` more would use.
    fn shares(&self, limit: &Limit, amount: Amount, now: Time) -> Shares {
        let share = |length, maximum: Option<Amount>| {
            let sum = maximum.and_then(|_| self.within(length, now)?.checked_add(amount));
            maximum.map_or(0, |maximum| tens_of_percent(sum, maximum))
        };
        let [hour, day, week] = LENGTHS;
        Shares {
            hour: share(hour, limit.hour),
            day: share(day, limit.day),
            week: share(week, limit.week),
        }
    }
}

/// How much of the whole a part is, in percent, rounded up to full tens; 110 where it is more than all.
fn tens_of_percent(part: Option<Amount>, whole: Amount) -> u8 {
    let Some(Amount(part)) = part.filter(|part| *part <= whole) else {
        return 110;
    };
    // Beyond 2^124 the last digits are too small to matter; what is left out makes the share larger.
    let tens = match part.checked_mul(10) {
        Some(ten_parts) => ten_parts.div_ceil(whole.0.max(1)),
        None => part.div_ceil((whole.0 / 10).max(1)),
    };
    u8::try_from(tens.min(10)).map_or(110, |tens| tens * 10)
}

/// Most events kept apart for one account and asset.
const MAX_EVENTS: usize = 16;

/// An account's outflow of one asset: exact up to 16 events within 7 days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Events(#[n(0)] Few<Event>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
struct Event {
    #[n(0)]
    time: Time,
    #[n(1)]
    amount: Halves,
}

/// An amount in two halves, so that an event takes 24 bytes instead of 32. CBOR is the amount's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Halves([u64; 2]);

impl Halves {
    fn of(Amount(amount): Amount) -> Self {
        let low = u64::try_from(amount & u128::from(u64::MAX)).unwrap_or(u64::MAX);
        Self([u64::try_from(amount >> 64).unwrap_or(u64::MAX), low])
    }

    fn amount(self) -> Amount {
        let Self([high, low]) = self;
        Amount((u128::from(high) << 64) | u128::from(low))
    }
}

impl<C> Encode<C> for Halves {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        self.amount().encode(e, context)
    }
}

impl<'b, C> Decode<'b, C> for Halves {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, decode::Error> {
        Amount::decode(d, context).map(Self::of)
    }
}

impl Events {
    /// Count `amount` as leaving at `now`, which is not before any earlier event.
    pub fn add(&mut self, amount: Amount, now: Time) {
        let oldest = now.before(LENGTHS[2]);
        self.0.retain(|event| event.time > oldest);
        let amount = Halves::of(amount);
        self.0.push(Event { time: now, amount });
        if self.0.len() > MAX_EVENTS {
            self.merge_closest();
        }
    }

    /// Merge the two neighbours nearest in time under the later time, so that the error is least.
    fn merge_closest(&mut self) {
        let gap = |i: usize| self.0[i + 1].time.since(self.0[i].time);
        let Some(at) = (0..self.0.len() - 1).min_by_key(|&i| gap(i)) else {
            return;
        };
        let earlier = self.0.remove(at);
        let later = &mut self.0[at];
        // Saturated, the account is shut until the events age: over-counted, never under.
        let both = later.amount.amount().checked_add(earlier.amount.amount());
        later.amount = Halves::of(both.unwrap_or(Amount(u128::MAX)));
    }
}

impl Outflow for Events {
    fn within(&self, length: Span, now: Time) -> Option<Amount> {
        let oldest = now.before(length);
        sum(self
            .0
            .iter()
            .filter(|event| event.time > oldest)
            .map(|event| event.amount.amount()))
    }
}

/// The outflow of a wallet or an asset: one ring of buckets for each window length.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rings {
    #[n(0)]
    hour: Ring,
    #[n(1)]
    day: Ring,
    #[n(2)]
    week: Ring,
}

/// Buckets in one window length; the one that the window's edge falls in counts whole.
const BUCKETS: u64 = 60;

#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
struct Ring(#[n(0)] Vec<Bucket>);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
struct Bucket {
    #[n(0)]
    number: u64,
    #[n(1)]
    amount: Amount,
}

impl Rings {
    /// Count `amount` as leaving at `now`.
    pub fn add(&mut self, amount: Amount, now: Time) {
        let [hour, day, week] = LENGTHS;
        self.hour.add(amount, hour, now);
        self.day.add(amount, day, now);
        self.week.add(amount, week, now);
    }

    /// What was counted at `charged` did not leave.
    pub fn take_back(&mut self, amount: Amount, charged: Time) {
        let [hour, day, week] = LENGTHS;
        self.hour.take_back(amount, hour, charged);
        self.day.take_back(amount, day, charged);
        self.week.take_back(amount, week, charged);
    }
}

impl Ring {
    fn add(&mut self, amount: Amount, length: Span, now: Time) {
        let width = length.0 / BUCKETS;
        let number = now.0 / width;
        let oldest = now.before(length).0 / width;
        self.0.retain(|bucket| bucket.number >= oldest);
        match self.0.last_mut() {
            Some(last) if last.number == number => {
                last.amount = last.amount.checked_add(amount).unwrap_or(Amount(u128::MAX));
            }
            _ => self.0.push(Bucket { number, amount }),
        }
    }

    fn take_back(&mut self, amount: Amount, length: Span, charged: Time) {
        let number = charged.0 / (length.0 / BUCKETS);
        let bucket = self.0.iter_mut().find(|bucket| bucket.number == number);
        // What a saturated bucket holds beyond its bound is not known: it stays full.
        if let Some(bucket) = bucket.filter(|bucket| bucket.amount != Amount(u128::MAX)) {
            bucket.amount = bucket.amount.checked_sub(amount).unwrap_or(Amount::ZERO);
        }
    }

    fn within(&self, length: Span, now: Time) -> Option<Amount> {
        let oldest = now.before(length).0 / (length.0 / BUCKETS);
        sum(self
            .0
            .iter()
            .filter(|bucket| bucket.number >= oldest)
            .map(|bucket| bucket.amount))
    }
}

impl Outflow for Rings {
    fn within(&self, length: Span, now: Time) -> Option<Amount> {
        let [hour, day, _] = LENGTHS;
        let ring = match length {
            length if length == hour => &self.hour,
            length if length == day => &self.day,
            _ => &self.week,
        };
        ring.within(length, now)
    }
}

fn sum(mut amounts: impl Iterator<Item = Amount>) -> Option<Amount> {
    amounts.try_fold(Amount::ZERO, Amount::checked_add)
}

//! What a withdrawal looks like beside the others, and what that comes to: points, each of which says why.

use super::RECENT;
use crate::time::Span;
use minicbor::{Decode, Encode};
use serde::Serialize;

/// Whole hours for as long as hours are told apart: more than 30 days are [`Hours::MANY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Hours(#[n(0)] pub u16);

impl Hours {
    /// 30 days and more, or nobody knows since when.
    pub const MANY: Self = Self(720);

    /// Of an age, where it is known.
    #[must_use]
    pub fn of(age: Option<Span>) -> Self {
        let hours = age.map(|age| age.0 / Span::hours(1).0);
        let hours = hours.and_then(|hours| u16::try_from(hours).ok());
        hours.map_or(Self::MANY, |hours| Self(hours).min(Self::MANY))
    }

    /// Whether it was a short while ago.
    #[must_use]
    pub fn is_recent(self) -> bool {
        Span::hours(self.0.into()) < RECENT
    }
}

/// How many, and how many at most on any of the seven days before.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize,
)]
pub struct Count {
    /// Now.
    #[n(0)]
    pub now: u32,
    /// At most on one of the seven days before this one.
    #[n(1)]
    pub usually: u32,
}

impl Count {
    /// How many more than twice as many as usually: chance alone brings no more than that.
    #[must_use]
    pub const fn beyond(self) -> u32 {
        self.now.saturating_sub(self.usually.saturating_mul(2))
    }

    fn worse(self, other: Self) -> Self {
        let by = |count: Self| (count.beyond(), count.now);
        if by(other) > by(self) { other } else { self }
    }
}

/// What a withdrawal looks like beside the others of the last 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize)]
pub struct Company {
    /// Other accounts that asked for just this amount of this asset, each to a fresh address, where this one is.
    #[n(0)]
    pub alike: Count,
    /// Other accounts that asked to pay this destination.
    #[n(1)]
    pub together: Count,
    /// Other accounts that pay a fresh address shortly after a change of their factors or contact, where this one does.
    #[n(2)]
    pub changed: Count,
    /// Withdrawals of all accounts to fresh addresses within the last hour.
    #[n(3)]
    pub fresh: u32,
    /// The same in tenths of what is usual: 10 is the usual hour.
    #[n(4)]
    pub rush: u32,
    /// All withdrawals within the last hour, in tenths of what is usual.
    #[n(5)]
    pub sudden: u32,
    /// Whole hours for which the account may pay this address.
    #[n(6)]
    pub address_hours: Hours,
    /// Whole hours since the account's newest factor, or contact, began to count.
    #[n(7)]
    pub changed_hours: Hours,
}

impl Default for Company {
    fn default() -> Self {
        Self::QUIET
    }
}

impl Company {
    /// Like no other, and nothing has changed.
    pub const QUIET: Self = Self {
        alike: Count { now: 0, usually: 0 },
        together: Count { now: 0, usually: 0 },
        changed: Count { now: 0, usually: 0 },
        fresh: 0,
        rush: 0,
        sudden: 0,
        address_hours: Hours::MANY,
        changed_hours: Hours::MANY,
    };

    /// Of two looks at one withdrawal what is worse in each: time that passes takes nothing back of what was seen.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        Self {
            alike: self.alike.worse(other.alike),
            together: self.together.worse(other.together),
            changed: self.changed.worse(other.changed),
            fresh: self.fresh.max(other.fresh),
            rush: self.rush.max(other.rush),
            sudden: self.sudden.max(other.sudden),
            address_hours: self.address_hours.min(other.address_hours),
            changed_hours: self.changed_hours.min(other.changed_hours),
        }
    }

    /// The sum of its parts, 100 at most.
    #[must_use]
    pub fn score(&self) -> u8 {
        let points = self.parts().map(|part| u32::from(part.points));
        u8::try_from(points.sum::<u32>()).map_or(MOST, |points| points.min(MOST))
    }

    /// What the score is the sum of: each part that has any points.
    pub fn parts(&self) -> impl Iterator<Item = Part> + use<> {
        let it = *self;
        let all = Sign::ALL.into_iter().map(move |sign| Part {
            sign,
            points: sign.points(&it),
        });
        all.filter(|part| part.points > 0)
    }

    /// The parts in words.
    #[must_use]
    pub fn said(&self) -> Vec<Said> {
        let said = |Part { sign, points }| Said {
            sign,
            points,
            text: sign.said(self),
        };
        self.parts().map(said).collect()
    }
}

/// The highest score.
const MOST: u8 = 100;

/// A part of a score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What speaks against it.
    pub sign: Sign,
    /// How much.
    pub points: u8,
}

/// A part of a score in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    /// What speaks against it.
    pub sign: Sign,
    /// How much.
    pub points: u8,
    /// What there is of it, for people.
    pub text: String,
}

/// What may speak against a withdrawal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sign {
    /// One amount out of many accounts, to fresh addresses.
    Alike,
    /// Many accounts to one destination.
    Together,
    /// Many accounts to fresh addresses, each shortly after a change.
    Changed,
    /// More fresh addresses within the hour than usual.
    Rush,
    /// More withdrawals within the hour than usual.
    Sudden,
    /// To a fresh address, shortly after a change of the account's own.
    Own,
}

impl Sign {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Alike,
        Self::Together,
        Self::Changed,
        Self::Rush,
        Self::Sudden,
        Self::Own,
    ];

    /// Ten for each account beyond what is usual, 60 at most. What many others do by chance, too (a busy hour, a
    /// new telephone), says little by itself: one for each tenth above twice the usual hour, 20 at most, and 10 at
    /// most of all withdrawals; 15 for a change.
    fn points(self, of: &Company) -> u8 {
        let each = |count: Count| capped(count.beyond().saturating_mul(10), 60);
        let above = |tenths: u32, most| capped(tenths.saturating_sub(20), most);
        let is_fresh = of.address_hours.is_recent();
        match self {
            Self::Alike => each(of.alike),
            Self::Together => each(of.together),
            Self::Changed => each(of.changed),
            Self::Rush if is_fresh => above(of.rush, 20),
            Self::Sudden if is_fresh => above(of.sudden, 10),
            Self::Own if is_fresh && of.changed_hours.is_recent() => 15,
            Self::Rush | Self::Sudden | Self::Own => 0,
        }
    }

    /// What it is in this one, for people.
    #[must_use]
    pub fn said(self, of: &Company) -> String {
        let usually = |count: Count, what: &str| {
            let Count { now, usually } = count;
            format!("{now} other accounts {what}, usually {usually} at most")
        };
        let times = |tenths: u32| format!("{}.{} times the usual hour", tenths / 10, tenths % 10);
        match self {
            Self::Alike => usually(of.alike, "asked for just this amount to fresh addresses"),
            Self::Together => usually(of.together, "asked to pay this destination"),
            Self::Changed => usually(
                of.changed,
                "pay fresh addresses shortly after a change of factor or contact, as this one does",
            ),
            Self::Rush => format!(
                "{} withdrawals to fresh addresses within the hour, {}",
                of.fresh,
                times(of.rush)
            ),
            Self::Sudden => format!("withdrawals come at {}", times(of.sudden)),
            Self::Own => format!(
                "to a fresh address, {} hours after a change of the account's own factor or contact",
                of.changed_hours.0
            ),
        }
    }
}

fn capped(points: u32, most: u8) -> u8 {
    u8::try_from(points).map_or(most, |points| points.min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: Company = Company {
        address_hours: Hours(1),
        ..Company::QUIET
    };

    fn of(now: u32, usually: u32) -> Count {
        Count { now, usually }
    }

    #[test]
    #[rustfmt::skip]
    fn points() {
        let late = Hours(23);
        for (what, company, score, parts) in [
            ("quiet",                          Company::QUIET,                                                0, ""),
            ("a fresh address",                FRESH,                                                         0, ""),
            ("after a change, to a known one", Company { changed_hours: Hours(0), ..Company::QUIET },         0, ""),
            ("after a change, to a fresh one", Company { changed_hours: late, ..FRESH },                     15, "own"),
            ("a day after a change",           Company { changed_hours: Hours(24), ..FRESH },                 0, ""),
            ("two alike",                      Company { alike: of(2, 0), ..FRESH },                         20, "alike"),
            ("six alike",                      Company { alike: of(6, 0), ..FRESH },                         60, "alike"),
            ("sixty alike",                    Company { alike: of(60, 0), ..FRESH },                        60, "alike"),
            ("as many alike as usual",         Company { alike: of(30, 20), ..FRESH },                        0, ""),
            ("to a merchant on a good day",    Company { together: of(60, 30), ..Company::QUIET },            0, ""),
            ("to a thief",                     Company { together: of(5, 0), ..Company::QUIET },             50, "together"),
            ("twice the usual hour",           Company { rush: 20, sudden: 20, ..FRESH },                     0, ""),
            ("four times the usual hour",      Company { rush: 40, sudden: 40, ..FRESH },                    30, "rush sudden"),
            ("the same to a known address",    Company { rush: 40, sudden: 40, ..Company::QUIET },            0, ""),
            ("three alike in a rush",          Company { alike: of(3, 0), rush: 35, ..FRESH },               45, "alike rush"),
            ("everything",                     Company { alike: of(9, 0), together: of(9, 0), changed: of(9, 0), changed_hours: late, rush: 99, sudden: 99, ..FRESH }, 100,
             "alike together changed rush sudden own"),
        ] {
            let names = company.parts().map(|part| format!("{:?}", part.sign).to_lowercase());
            assert_eq!(company.score(), score, "{what}");
            assert_eq!(names.collect::<Vec<_>>().join(" "), parts, "{what}");
        }
    }

    #[test]
    fn words() {
        let company = Company {
            alike: of(17, 2),
            fresh: 40,
            rush: 43,
            changed_hours: Hours(3),
            ..FRESH
        };
        let said = company.said().into_iter();
        assert_eq!(
            said.map(|said| said.text).collect::<Vec<_>>(),
            [
                "17 other accounts asked for just this amount to fresh addresses, usually 2 at most",
                "40 withdrawals to fresh addresses within the hour, 4.3 times the usual hour",
                "to a fresh address, 3 hours after a change of the account's own factor or contact",
            ]
        );
    }

    #[test]
    fn of_two_looks_the_worse_counts_in_everything() {
        let early = Company {
            alike: of(9, 1),
            together: of(1, 0),
            changed_hours: Hours(2),
            rush: 50,
            ..FRESH
        };
        let late = Company {
            alike: of(2, 0),
            together: of(4, 0),
            changed_hours: Hours(30),
            rush: 5,
            ..Company::QUIET
        };
        let both = early.worse(late);
        assert_eq!((both.alike, both.together), (early.alike, late.together));
        assert_eq!((both.changed_hours, both.rush), (Hours(2), 50));
        assert_eq!(both, late.worse(early));
        assert!(both.score() >= early.score().max(late.score()));
    }

    #[test]
    fn hours_are_told_apart_for_thirty_days() {
        for (age, want) in [
            (Some(Span(0)), 0),
            (Some(Span(3_599_999)), 0),
            (Some(Span::hours(719)), 719),
            (Some(Span::hours(99_999_999)), 720),
            (None, 720),
        ] {
            assert_eq!(Hours::of(age), Hours(want), "{age:?}");
        }
    }
}

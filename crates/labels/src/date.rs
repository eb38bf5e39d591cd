//! The day of a list.

use core::fmt;
use core::str::FromStr;

/// A day in the Gregorian calendar, from 1970 to 9999; written `2024-09-27` (RFC 3339, full-date).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date(u32);

/// Why a text is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a date is a day from 1970-01-01 to 9999-12-31, written like 2024-09-27")]
pub struct DateFault;

/// Days to the end of 9999.
const END: u32 = 2_932_897;
/// Days in 400 years, after which the calendar repeats.
const CYCLE: u32 = 146_097;
/// Days from 1 March of the year 0 to 1970-01-01.
const EPOCH: u32 = 719_468;

impl Date {
    /// The day so many days after 1970-01-01; `None` after 9999.
    #[must_use]
    pub const fn from_days(days: u32) -> Option<Self> {
        if days < END { Some(Self(days)) } else { None }
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> u32 {
        self.0
    }

    /// Year, month and day. Years are counted from March, so that the day that only some have is a
    /// year's last.
    fn civil(self) -> (u32, u32, u32) {
        let (cycles, rest) = ((self.0 + EPOCH) / CYCLE, (self.0 + EPOCH) % CYCLE);
        let years = (rest - rest / 1_460 + rest / 36_524 - rest / 146_096) / 365;
        let day = rest - (365 * years + years / 4 - years / 100);
        let months = (5 * day + 2) / 153;
        let month = if months < 10 { months + 3 } else { months - 9 };
        let year = 400 * cycles + years + u32::from(month <= 2);
        (year, month, day - (153 * months + 2) / 5 + 1)
    }
}

/// The inverse of [`Date::civil`], for whatever numbers: the caller compares.
fn days(year: u32, month: u32, day: u32) -> Option<u32> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = year - u32::from(month <= 2);
    let months = if month > 2 { month - 3 } else { month + 9 };
    let within = year % 400;
    let days = 365 * within + within / 4 - within / 100 + (153 * months + 2) / 5 + day - 1;
    (year / 400 * CYCLE + days).checked_sub(EPOCH)
}

impl FromStr for Date {
    type Err = DateFault;

    fn from_str(text: &str) -> Result<Self, DateFault> {
        let part = |range| text.get(range).and_then(|part: &str| part.parse().ok());
        let (year, month, day) = (part(0..4), part(5..7), part(8..10));
        let date = year
            .zip(month.zip(day))
            .and_then(|(year, (month, day))| days(year, month, day))
            .and_then(Self::from_days)
            .ok_or(DateFault)?;
        // The 31st of a month that has none is another day, and a sign is no digit.
        if date.to_string() == text {
            Ok(date)
        } else {
            Err(DateFault)
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

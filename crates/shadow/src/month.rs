//! A month of withdrawals that nobody made: to see what is found, and what is held wrongly.
//!
//! Honest customers pay what people pay: round sums and odd ones, themselves and merchants, more by day than by
//! night. Among them stand four thefts, each of which shows in another way. The same seed is the same month.

use crate::judge::Pattern;
use crate::row::{Factor, PLACES, Row};
use portcullis_chains::Amount;
use portcullis_core::{Span, Time};

/// 1 June 2026, 00:00 UTC.
const BEGIN: Time = Time(1_780_272_000_000);
const DAYS: u64 = 30;
const HOUR: u64 = Span::hours(1).0;
/// 10¹⁴: a ten-thousandth of a unit.
const GRAIN: u128 = 100_000_000_000_000;
/// Withdrawals of each honest account in the month, on average.
const EACH: u64 = 8;
const MERCHANTS: u64 = 40;
const ASSETS: [&str; 4] = ["BTC", "ETH", "USDT", "SOL"];
/// How busy each hour of the day is.
const BUSY: [u64; 24] = [
    3, 2, 2, 1, 1, 2, 3, 5, 7, 9, 10, 10, 9, 9, 10, 10, 9, 8, 8, 9, 9, 8, 6, 4,
];

/// A withdrawal, and which theft it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What a platform's file would have.
    pub row: Row,
    /// None where it is honest.
    pub theft: Option<Pattern>,
}

/// The columns of [`Made::line`], as a platform's file names them.
pub const COLUMNS: &str = "id,time,account,asset,amount,to,factor,factor_since";

impl Made {
    /// As a line of a platform's file.
    #[must_use]
    pub fn line(&self) -> String {
        let Row {
            id,
            time,
            account,
            asset,
            amount,
            to,
            factor,
            factor_since,
            ..
        } = &self.row;
        let (time, amount) = (time.0, amount.in_units(PLACES));
        let factor = match factor {
            Factor::Passkey => "webauthn",
            Factor::Totp => "app",
            Factor::Weak => "sms",
            Factor::None | Factor::Unsaid => "",
        };
        let since = factor_since.map_or(String::new(), |since| since.0.to_string());
        format!("{id},{time},{account},{asset},{amount},{to},{factor},{since}")
    }
}

/// So many honest withdrawals and the four thefts, in no order.
pub fn month(seed: u64, honest: u64) -> impl Iterator<Item = Made> {
    let mut dice = Dice(seed);
    let accounts = (honest / EACH).max(1_000);
    let thefts = thefts(&mut dice, accounts);
    let honest = (0..honest).map(move |_| Made {
        row: honest_row(&mut dice, accounts),
        theft: None,
    });
    honest.chain(thefts).zip(1..).map(|(mut made, number)| {
        made.row.number = number;
        made.row.id = format!("w{number}");
        made
    })
}

fn honest_row(dice: &mut Dice, accounts: u64) -> Row {
    let account = dice.below(accounts);
    let asset = ASSETS[dice.pick(ASSETS.len())];
    let to = match dice.below(100) {
        0..12 => format!("merchant-{}", dice.below(MERCHANTS)),
        // Most pay their own two or three addresses again and again.
        12..94 => format!("own-{account}-{}", dice.below(3)),
        _ => format!("new-{account}-{}", dice.below(1_000_000)),
    };
    let time = moment(dice);
    // One in two thousand has a new phone just then.
    let changed = dice.below(2_000) == 0;
    let since = Time(time.0.saturating_sub(dice.below(20 * HOUR)));
    row(time, account, asset, honest_amount(dice), to)
        .with_factor(account, changed.then_some(since))
}

/// Half are round, and many of those the same.
fn honest_amount(dice: &mut Dice) -> Amount {
    let round = [
        1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000,
    ];
    let grains = if dice.below(2) == 0 {
        round[dice.pick(round.len())]
    } else {
        let most = 10_u64.pow(u32::try_from(2 + dice.below(5)).unwrap_or(2));
        1 + dice.below(most * 10)
    };
    Amount(u128::from(grains) * GRAIN)
}

fn moment(dice: &mut Dice) -> Time {
    let all: u64 = BUSY.iter().sum();
    let mut place = dice.below(all);
    let hours = BUSY.iter().zip(0_u64..);
    let hour = hours.into_iter().find_map(|(busy, hour)| {
        let is_here = place < *busy;
        place = place.saturating_sub(*busy);
        is_here.then_some(hour)
    });
    let day = dice.below(DAYS);
    Time(BEGIN.0 + (day * 24 + hour.unwrap_or(0)) * HOUR + dice.below(HOUR))
}

/// Each on another day after the first week, out of accounts that are honest otherwise.
fn thefts(dice: &mut Dice, accounts: u64) -> Vec<Made> {
    let mut day = || 8 + dice.below(20);
    let days = [day(), day(), day(), day()];
    let [without, alike, together, changed] = days.map(|day| BEGIN.0 + day * 24 * HOUR + 2 * HOUR);
    let mut all = Vec::new();
    let odd = Amount(u128::from(70_000 + dice.below(9_999)) * GRAIN + 1);
    for n in 0..120 {
        let account = dice.below(accounts) & !1;
        let time = Time(without + dice.below(2 * HOUR));
        let mut stolen = row(
            time,
            account,
            "ETH",
            honest_amount(dice),
            format!("thief-a-{n}"),
        );
        stolen.factor = Factor::None;
        stolen.factor_since = Some(BEGIN);
        all.push((stolen, Pattern::WithoutFactor));
    }
    for n in 0..60 {
        let (account, time) = (dice.below(accounts), Time(alike + dice.below(3 * HOUR)));
        let stolen = row(time, account, "BTC", odd, format!("thief-b-{n}"));
        all.push((stolen.with_factor(account, None), Pattern::Alike));
    }
    for _ in 0..60 {
        let (account, time) = (dice.below(accounts), Time(together + dice.below(6 * HOUR)));
        let stolen = row(time, account, "USDT", honest_amount(dice), "thief-c".into());
        all.push((stolen.with_factor(account, None), Pattern::Together));
    }
    for n in 0..60 {
        let (account, time) = (dice.below(accounts), Time(changed + dice.below(5 * HOUR)));
        let since = Time(time.0 - dice.below(6 * HOUR));
        let stolen = row(
            time,
            account,
            "SOL",
            honest_amount(dice),
            format!("thief-d-{n}"),
        );
        all.push((stolen.with_factor(account, Some(since)), Pattern::Changed));
    }
    let made = all.into_iter().map(|(row, theft)| Made {
        row,
        theft: Some(theft),
    });
    made.collect()
}

fn row(time: Time, account: u64, asset: &str, amount: Amount, to: String) -> Row {
    Row {
        time,
        number: 0,
        id: String::new(),
        account: format!("a{account}"),
        asset: asset.into(),
        amount,
        to,
        factor: Factor::Totp,
        factor_since: None,
        contact_since: None,
        address_since: None,
        went_out: true,
        file: 0,
        line: 0,
    }
}

impl Row {
    /// As the account has it: every other a passkey, the others an app; since when where it was changed.
    fn with_factor(self, account: u64, changed: Option<Time>) -> Self {
        let factor = if account.is_multiple_of(2) {
            Factor::Passkey
        } else {
            Factor::Totp
        };
        Self {
            factor,
            factor_since: changed,
            ..self
        }
    }
}

/// `SplitMix64` (Steele, Lea and Flood, 2014).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn pick(&mut self, length: usize) -> usize {
        let at = self.below(length as u64);
        usize::try_from(at).unwrap_or(0)
    }
}

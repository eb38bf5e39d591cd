//! Figures as people read them.

use crate::money::Money;
use crate::outcome::Tally;
use core::fmt::Write as _;
use portcullis_report::grouped;

/// What there is of each asset: `480.62 ETH and 6,578.88 USD`.
pub(super) fn units(tally: &Tally) -> String {
    let some = tally.each().filter(|money| !money.amount.is_zero());
    let some: Vec<String> = some.map(unit).collect();
    match some.split_last() {
        None => "nothing".into(),
        Some((one, [])) => one.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// A number and its unit.
pub(super) fn unit(money: Money) -> String {
    format!("{} {}", number(money), money.asset.name)
}

/// The number with two decimals, rounded to the nearest; never to zero what is something.
pub(super) fn number(money: Money) -> String {
    let amount = money.amount;
    let hundredth = money.asset.unit() / 100;
    let hundredths = (amount.0 + hundredth / 2) / hundredth;
    if hundredths == 0 && !amount.is_zero() {
        return "under 0.01".into();
    }
    if hundredths == 0 {
        return "0".into();
    }
    format!("{}.{:02}", grouped(hundredths / 100), hundredths % 100)
}

/// Milliseconds, to the millisecond.
pub(super) fn milliseconds(ms: u64) -> String {
    format!("{} ms", grouped(u128::from(ms)))
}

/// Milliseconds, in the two largest units that matter.
pub(super) fn lasting(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0 => format!("{ms} ms"),
        1..60 => format!("{}.{} s", seconds, ms % 1000 / 100),
        60..3600 => two(seconds / 60, "min", seconds % 60, "s"),
        3600..172_800 => two(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

fn two(large: u64, unit: &str, small: u64, part: &str) -> String {
    let mut out = format!("{large} {unit}");
    if small > 0 {
        let _ = write!(out, " {small} {part}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{ASSETS, ETH};
    use portcullis_chains::Amount;

    #[test]
    fn figures_as_people_read_them() {
        let all: Tally = ASSETS
            .iter()
            .map(|asset| asset.much(asset.stolen))
            .collect();
        assert_eq!(units(&all), "4,836.26 ETH, 443.93 BTC and 66,200.00 USD");
        assert_eq!(units(&Tally::none()), "nothing");
        assert_eq!(number(ETH.much(Amount(0))), "0");
        assert_eq!(unit(ETH.much(Amount(1))), "under 0.01 ETH");
        for (ms, text) in [
            (7, "7 ms"),
            (2_989, "2.9 s"),
            (61_000, "1 min 1 s"),
            (86_460_000, "24 h 1 min"),
            (259_200_000, "3 d"),
        ] {
            assert_eq!(lasting(ms), text);
        }
    }
}

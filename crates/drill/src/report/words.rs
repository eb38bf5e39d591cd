//! Figures as people read them.

use crate::figures::ETHER;
use core::fmt::Write as _;
use portcullis_chains::Amount;
use portcullis_report::grouped;

/// Wei in ETH with two decimals, rounded to the nearest; never to zero what is something.
pub(super) fn ether(amount: Amount) -> String {
    let hundredth = ETHER / 100;
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

    #[test]
    fn figures_as_people_read_them() {
        assert_eq!(ether(crate::figures::STOLEN), "4,836.26");
        assert_eq!(ether(Amount(0)), "0");
        assert_eq!(ether(Amount(1)), "under 0.01");
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

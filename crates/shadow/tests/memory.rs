//! What is kept is bounded: rows of which each has an account and an address of its own, all within six days.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests; the table is for people"
)]

use portcullis_chains::Amount;
use portcullis_core::{Span, Time};
use portcullis_shadow::{Factor, Row, Shadow, Terms};

const BEGIN: Time = Time(1_780_272_000_000);
const DAY: u64 = Span::hours(24).0;

fn row(time: u64, n: u64) -> Row {
    Row {
        time: Time(BEGIN.0 + time),
        number: n,
        id: format!("w{n}"),
        account: format!("account-{n}"),
        asset: "ETH".into(),
        amount: Amount(1_000_000_000_000_000_000 + u128::from(n)),
        to: format!("0x{n:040x}"),
        factor: Factor::Totp,
        factor_since: None,
        contact_since: None,
        address_since: None,
        went_out: true,
        file: 0,
        line: n,
    }
}

/// Resident memory in MiB, of pages of 4 KiB (proc(5)).
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4 / 1024
}

/// The figures of docs/design/056.
#[test]
#[ignore = "a table for people: --run-ignored all --no-capture"]
fn table() {
    let before = resident();
    let terms = Terms::parse("[limits.ETH]\nday = \"100\"\ncode_day = \"10\"").unwrap();
    let mut shadow = Shadow::new(terms);
    shadow.take(row(0, 0));
    let (all, begun) = (10_000_000_u64, std::time::Instant::now());
    for n in 1..=all {
        shadow.take(row(7 * DAY + n * 6 * DAY / all, n));
        if n.is_power_of_two() && n >= 1 << 18 || n % 1_000_000 == 0 {
            let (grown, took) = (resident() - before, begun.elapsed());
            println!("| {n} | {grown} MiB | {took:.0?} |");
        }
    }
    let report = shadow.report();
    println!("{:?}", report.tally.forgotten);
    assert!(report.tally.forgotten.addresses > 0 && report.tally.forgotten.accounts > 0);
    assert!(resident() - before < 700);
}

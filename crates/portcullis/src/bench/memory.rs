//! `memory`: what an account costs a replica, by what the process has resident.
//!
//! Each account is opened, gets two addresses and pays once, all by entries. The figure is the growth
//! over the second half of them, when whatever else the replica keeps no longer grows.

use super::Setting;
use super::cpu::of_process;
use super::crowd::Crowd;
use super::row::Row;
use crate::failure::{Exit, Failure};
use portcullis_host::{Clock as _, SystemClock};

/// Accounts that live through the same hours.
const TOGETHER: u64 = 1_000;
/// Bytes of a page, as Linux counts resident memory on the machines that this is made for.
const PAGE: u64 = 4096;

pub(super) fn measure(setting: &Setting) -> Result<Vec<Row>, Failure> {
    let accounts = setting.size(400_000, 4_000);
    let mut crowd = Crowd::new(setting, SystemClock.now(), |_| {})?;
    let half = accounts / 2;
    live(&mut crowd, 0..half)?;
    let before = resident()?;
    let (done, took) = of_process(|| live(&mut crowd, half..accounts));
    done?;
    let grown = resident()?.saturating_sub(before);
    let each = grown as f64 / (accounts - half) as f64;
    let row = Row::new("memory", each, "bytes/account", took.wall).at_most(600.0);
    Ok(vec![row.note(format!(
        "resident growth over accounts {half} to {accounts}: one passkey, two addresses, one asset's \
         windows after one withdrawal, and the id of its debit, which is kept for ever"
    ))])
}

fn live(crowd: &mut Crowd, numbers: core::ops::Range<u64>) -> Result<(), Failure> {
    let mut first = numbers.start;
    while first < numbers.end {
        let end = numbers.end.min(first + TOGETHER);
        crowd.live(first..end)?;
        first = end;
    }
    Ok(())
}

pub(super) fn resident() -> Result<u64, Failure> {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    let pages = pages.ok_or_else(|| Failure::new(Exit::Wrong, "no /proc/self/statm", ""))?;
    Ok(pages * PAGE)
}

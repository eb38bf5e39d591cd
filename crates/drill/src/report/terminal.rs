//! What one attacker came to, in four lines for a terminal.

use super::words::{lasting, milliseconds, units};
use crate::Findings;
use crate::outcome::{Flow, Tally};
use portcullis_report::grouped;

/// Attempted, taken, detected, stopped: as it was, and on the running system.
#[must_use]
pub fn table(one: &Findings) -> String {
    let (before, now) = (&one.outcome.without, &one.outcome.with);
    let rows = [
        ("", "as it was".to_owned(), "Portcullis".to_owned()),
        ("attempted", sum(&before.attempted), sum(&now.attempted)),
        ("taken", sum(&before.released), sum(&now.released)),
        ("detected", detected(before), detected(now)),
        ("stopped", stopped(before), stopped(now)),
    ];
    let wide = rows.iter().map(|(_, before, _)| before.len()).max();
    let wide = wide.unwrap_or_default();
    let line = |(name, before, now): &(&str, String, String)| {
        format!("  {name:<9}  {before:<wide$}  {now}")
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn sum(tally: &Tally) -> String {
    match tally.count {
        0 => "nothing".into(),
        count => format!(
            "{} in {} withdrawals",
            units(tally),
            grouped(u128::from(count))
        ),
    }
}

fn detected(flow: &Flow) -> String {
    let alarm = |ms| format!("after {}, by the signer's own alarm", lasting(ms));
    flow.detected_ms.map_or("by no keeper".into(), alarm)
}

fn stopped(flow: &Flow) -> String {
    let after = |ms| format!("after {}", lasting(ms));
    let took = |ms| {
        format!(
            "; a suspension: {} from recorded to stopped",
            milliseconds(ms)
        )
    };
    let after = flow.contained_ms.map_or("never".into(), after);
    after + &flow.stopping_ms.map_or(String::new(), took)
}

//! The pictures: SVG in whole numbers, coloured by the page's style, told in words for who cannot see.

use super::words::{lasting, unit};
use crate::money::Asset;
use crate::story::Moment;
use core::fmt::Write as _;
use portcullis_chains::Amount;
use portcullis_report::{escape, grouped};

/// One bar of money: what became of it, in parts.
pub(super) struct Bar<'a> {
    pub(super) name: &'a str,
    pub(super) released: Amount,
    pub(super) refused: Amount,
    pub(super) held: Amount,
}

const WIDE: u128 = 720;
const TALL: u128 = 74;

/// Bars of an asset under each other, all to one scale.
pub(super) fn bars(asset: &'static Asset, bars: &[Bar<'_>]) -> String {
    let whole = bars
        .iter()
        .map(|bar| bar.released.0 + bar.refused.0 + bar.held.0);
    let whole = whole.max().unwrap_or(1).max(1);
    let height = TALL * bars.len() as u128;
    let told: Vec<String> = bars.iter().map(|bar| told(asset, bar)).collect();
    let mut svg = begin(WIDE, height, &told.join(" "));
    for (row, bar) in (0_u128..).zip(bars) {
        let top = row * TALL;
        let _ = write!(
            svg,
            "<text x=\"0\" y=\"{}\" class=\"name\">{}</text>\
             <text x=\"{WIDE}\" y=\"{}\" class=\"figure\" text-anchor=\"end\">{}</text>",
            top + 22,
            escape(bar.name),
            top + 22,
            taken(asset, bar),
        );
        let mut x = 0;
        let all = bar.released.0 + bar.held.0 + bar.refused.0;
        let end = (all * WIDE).div_ceil(whole).min(WIDE);
        for (class, part) in [
            ("lost", bar.released),
            ("held", bar.held),
            ("refused", bar.refused),
        ] {
            let width = part.0 * WIDE / whole;
            // What is something is seen.
            let width = if part.is_zero() { 0 } else { width.max(3) };
            // What rounding left is the last part's.
            let width = if class == "refused" && !part.is_zero() {
                end - x
            } else {
                width
            };
            if width > 0 {
                let _ = write!(
                    svg,
                    "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"{width}\" height=\"28\"/>",
                    top + 32
                );
            }
            x += width;
        }
    }
    svg + "</svg>\n"
}

fn taken(asset: &'static Asset, bar: &Bar<'_>) -> String {
    if bar.released.is_zero() {
        "nothing taken".into()
    } else {
        format!("{} taken", unit(asset.much(bar.released)))
    }
}

fn told(asset: &'static Asset, bar: &Bar<'_>) -> String {
    let unit = |amount| unit(asset.much(amount));
    format!(
        "{}: {} taken, {} held, {} refused.",
        bar.name,
        unit(bar.released),
        unit(bar.held),
        unit(bar.refused)
    )
}

/// Marks of the time line, in milliseconds: each step as wide as the next, so that a second and a day
/// are both seen.
const MARKS: [(u64, &str); 11] = [
    (0, "0"),
    (1_000, "1 s"),
    (10_000, "10 s"),
    (60_000, "1 min"),
    (600_000, "10 min"),
    (3_600_000, "1 h"),
    (86_400_000, "1 day"),
    (172_800_000, "2 days"),
    (345_600_000, "4 days"),
    (604_800_000, "1 week"),
    (864_000_000, "10 days"),
];

/// Where a time stands among the marks, in thousandths of a step.
fn place(ms: u64) -> u64 {
    let steps = MARKS.windows(2).enumerate();
    for (step, pair) in steps {
        let (from, to) = (pair[0].0, pair[1].0);
        if ms < to {
            return step as u64 * 1000 + (ms - from) * 1000 / (to - from);
        }
    }
    (MARKS.len() as u64 - 1) * 1000
}

/// Numbered moments on one line; the list below says what they are.
pub(super) fn timeline(moments: &[Moment]) -> String {
    let last = moments.iter().map(|moment| moment.at_ms).max().unwrap_or(0);
    let shown = MARKS
        .iter()
        .take_while(|(ms, _)| *ms <= last)
        .count()
        .max(2);
    let steps = (shown as u64).min(MARKS.len() as u64 - 1);
    let (left, wide) = (24, 672);
    let x = |ms: u64| left + place(ms).min(steps * 1000) * wide / (steps * 1000);
    let told: Vec<String> = moments
        .iter()
        .map(|moment| format!("{}: {}.", lasting(moment.at_ms), moment.what))
        .collect();
    let mut dots = String::new();
    let (mut rows, mut ends) = (1_u64, vec![0_u64; 12]);
    for (number, moment) in (1_u64..).zip(moments) {
        let at = x(moment.at_ms);
        // A dot that would lie upon another goes one row up.
        let row = ends.iter().position(|end| at >= *end).unwrap_or(11);
        ends[row] = at + 30;
        rows = rows.max(row as u64 + 1);
        let _ = write!(
            dots,
            "<g transform=\"translate({at} {{{row}}})\"><circle r=\"13\"/><text y=\"6\" text-anchor=\"middle\">{number}</text></g>"
        );
    }
    let base = rows * 32 + 8;
    for row in 0..rows {
        let y = base - 24 - row * 32;
        dots = dots.replace(&format!("{{{row}}}"), &y.to_string());
    }
    let mut svg = begin(720, u128::from(base + 34), &told.join(" "));
    let _ = write!(
        svg,
        "<line class=\"axis\" x1=\"{left}\" x2=\"{}\" y1=\"{base}\" y2=\"{base}\"/>",
        left + wide
    );
    for (ms, name) in MARKS
        .iter()
        .take(usize::try_from(steps + 1).unwrap_or(MARKS.len()))
    {
        let at = x(*ms);
        let _ = write!(
            svg,
            "<line class=\"axis\" x1=\"{at}\" x2=\"{at}\" y1=\"{base}\" y2=\"{}\"/>\
             <text class=\"mark\" x=\"{at}\" y=\"{}\" text-anchor=\"middle\">{name}</text>",
            base + 6,
            base + 28
        );
    }
    svg + "<g class=\"dots\">" + &dots + "</g></svg>\n"
}

/// Upper ends of the histogram's columns, in milliseconds.
const COLUMNS: [u64; 10] = [
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    30_000,
    u64::MAX,
];

/// How long honest withdrawals took.
pub(super) fn histogram(delays: &[u64]) -> String {
    let mut counts = [0_u64; COLUMNS.len()];
    for delay in delays {
        let column = COLUMNS.iter().position(|end| delay < end);
        if let Some(count) = column.and_then(|column| counts.get_mut(column)) {
            *count += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let told = COLUMNS.iter().zip(counts).filter(|(_, count)| *count > 0);
    let told: Vec<String> = told
        .map(|(end, count)| format!("{count} under {}.", edge(*end)))
        .collect();
    let mut svg = begin(720, 230, &told.join(" "));
    for (column, count) in (0_u64..).zip(counts) {
        let (x, tall) = (column * 72, count * 150 / most);
        let tall = if count > 0 { tall.max(3) } else { 0 };
        let _ = write!(
            svg,
            "<rect class=\"column\" x=\"{}\" y=\"{}\" width=\"60\" height=\"{tall}\"/>",
            x + 6,
            180 - tall
        );
        if count > 0 {
            let _ = write!(
                svg,
                "<text class=\"figure\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                x + 36,
                172 - tall,
                grouped(u128::from(count))
            );
        }
        let _ = write!(
            svg,
            "<text class=\"mark\" x=\"{}\" y=\"206\" text-anchor=\"middle\">{}</text>",
            x + 36,
            edge(COLUMNS[usize::try_from(column).unwrap_or(0)])
        );
    }
    svg + "<line class=\"axis\" x1=\"0\" x2=\"720\" y1=\"180\" y2=\"180\"/></svg>\n"
}

fn edge(end: u64) -> String {
    match end {
        u64::MAX => "more".into(),
        ..1_000 => format!("{end} ms"),
        _ => format!("{} s", end / 1_000),
    }
}

fn begin(wide: u128, tall: u128, told: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {wide} {tall}\" role=\"img\" aria-label=\"{}\">",
        escape(told)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_and_a_day_are_both_seen() {
        assert_eq!((place(0), place(1_000), place(5_500)), (0, 1_000, 1_500));
        assert_eq!(place(86_400_000), 6_000);
        assert_eq!(place(u64::MAX), 10_000);
        let places: Vec<u64> = (0..400).map(|n| place(n * 1_000_000)).collect();
        assert!(places.is_sorted());
    }

    #[test]
    fn every_delay_stands_in_a_column() {
        let svg = histogram(&[0, 49, 50, 60_000_000]);
        assert!(
            svg.contains("aria-label=\"2 under 50 ms. 1 under 100 ms. 1 under more.\""),
            "{svg}"
        );
    }

    #[test]
    fn what_is_something_is_seen_beside_what_is_large() {
        let bar = Bar {
            name: "a & b",
            released: Amount(1),
            refused: Amount(u128::MAX / 1_000),
            held: Amount(0),
        };
        let svg = bars(&crate::money::ETH, &[bar]);
        assert!(
            svg.contains("class=\"lost\" x=\"0\" y=\"32\" width=\"3\""),
            "{svg}"
        );
        assert!(svg.contains("a &amp; b"));
    }
}

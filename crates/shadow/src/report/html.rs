//! The report for people: one HTML file that needs nothing beside it.

use super::{Count, Report};
use crate::judge::{Episode, Ground};
use crate::row::PLACES;
use core::fmt::Write as _;
use portcullis_chains::Amount;
use portcullis_core::{Span, Time};
use portcullis_report::{STYLE, each, escape, grouped};

/// Longest name that stands whole in a table; of others so many characters at their begin and their end.
const SHORT: usize = 18;
const ENDS: (usize, usize) = (8, 6);
/// Most assets that one line names.
const NAMED: usize = 4;

pub(super) fn page(report: &Report, made: &str, again: &str) -> String {
    let sections = [
        answer(report),
        warnings(report),
        episodes(report),
        grounds(report),
        days(report),
        honest(report),
        unsaid(report),
        faults(report),
        columns(report),
        terms(report, again),
    ];
    let tally = &report.tally;
    let period = match (tally.first, tally.last) {
        (Some(first), Some(last)) => format!("{} to {}", day(first), day(last)),
        _ => "nothing".into(),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Shadow: what Portcullis would have done</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<header>\n<p class=\"over\">Portcullis · shadow</p>\n\
         <h1>What Portcullis would have done</h1>\n\
         <p class=\"lead\">{} withdrawals, {period}, judged as if Portcullis had stood before them. No key was \
         used and no customer touched.</p>\n\
         <p class=\"meta\">{}</p>\n</header>\n<main>\n{}</main>\n</body>\n</html>\n",
        grouped(tally.judged.count.into()),
        escape(made),
        sections.concat(),
    )
}

fn answer(report: &Report) -> String {
    let tally = &report.tally;
    let verdict = match report.episodes.len() {
        0 => "<p class=\"verdict good\">No pattern of attack was found.</p>".to_owned(),
        1 => "<p class=\"verdict bad\">A pattern of attack was found.</p>".into(),
        many => format!("<p class=\"verdict bad\">{many} patterns of attack were found.</p>"),
    };
    let card = |class: &str, name: &str, count: &Count| {
        format!(
            "<div class=\"card {class}\"><h3>{name}</h3><p class=\"big\">{}</p><p>{} %. {}</p></div>\n",
            grouped(count.count.into()),
            share(count.count, tally.judged.count),
            amounts(count),
        )
    };
    format!(
        "<section>\n{verdict}\n<div class=\"cards three\">\n{}{}{}</div>\n</section>\n",
        card("good", "gone out at once", &tally.out),
        card("held", "held", &tally.held),
        card("bad", "refused", &tally.refused),
    )
}

fn warnings(report: &Report) -> String {
    if report.warnings.is_empty() {
        return String::new();
    }
    let said = each(&report.warnings, |text| {
        format!("<li>{}</li>\n", escape(text))
    });
    format!(
        "<section>\n<h2>Before you read on</h2>\n<ul class=\"heed\">\n{said}</ul>\n</section>\n"
    )
}

fn episodes(report: &Report) -> String {
    if report.episodes.is_empty() {
        return String::new();
    }
    let shown = report.episodes.iter().take(20);
    let shown = each(shown, |episode| self::episode(report, episode));
    let more = report.episodes.len().saturating_sub(20);
    let more = match more {
        0 => String::new(),
        more => format!("<p class=\"note\">And {more} smaller ones, in the JSON file.</p>\n"),
    };
    format!(
        "<section>\n<h2>Patterns of attack</h2>\n<p>What follows belongs together by what its rows have in common. \
         Somebody should look at each: it may be a payday as well as a theft.</p>\n{shown}{more}</section>\n"
    )
}

fn episode(report: &Report, episode: &Episode) -> String {
    let common = match &*episode.common {
        "" => String::new(),
        common => format!(": <code>{}</code>", escape(common)),
    };
    let rows = each(&episode.examples, |row| {
        let id = if row.id.is_empty() {
            report.place(row.file, row.line)
        } else {
            row.id.clone()
        };
        let cells = [
            ("withdrawal", "", shortened(&id)),
            ("account", "", shortened(&row.account)),
            ("time (UTC)", "", moment(row.time)),
            ("amount", "n", escape(&paid(row.amount, &row.asset))),
            ("to", "", shortened(&row.to)),
            ("would", "", row.would.said().into()),
        ];
        line(&cells)
    });
    format!(
        "<h3>{}{common}</h3>\n<p>{} withdrawals out of {} accounts, from {} to {}: {}. {}</p>\n\
         <details><summary>The first of them</summary><div class=\"scroll\"><table class=\"blocks\">\n\
         <tr><th>withdrawal</th><th>account</th><th>time (UTC)</th><th class=\"n\">amount</th><th>to</th><th>would</th></tr>\n\
         {rows}</table></div></details>\n",
        capital(episode.pattern.said()),
        grouped(episode.rows.into()),
        grouped(episode.accounts.into()),
        moment(episode.first),
        moment(episode.last),
        list(&episode.amounts),
        episode.became(),
    )
}

/// A line of a table: each cell with its column's name, which stands before it where the page is narrow.
fn line(cells: &[(&str, &str, String)]) -> String {
    let cells = each(cells, |(name, class, html)| {
        format!("<td class=\"{class}\" data-of=\"{name}\">{html}</td>")
    });
    format!("<tr>{cells}</tr>\n")
}

/// Its beginning and its end, and the whole where the pointer rests on it: nobody reads forty digits in a column.
fn shortened(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= SHORT {
        return format!("<code>{}</code>", escape(text));
    }
    let (head, tail): (String, String) = (
        chars.iter().take(ENDS.0).collect(),
        chars.iter().skip(chars.len() - ENDS.1).collect(),
    );
    let (short, whole) = (escape(&format!("{head}…{tail}")), escape(text));
    format!("<code title=\"{whole}\">{short}</code>")
}

fn grounds(report: &Report) -> String {
    let met = report.tally.grounds.iter();
    let met = met.filter(|(_, held)| held.all.count > 0);
    let rows = each(met, |(ground, held)| {
        let what = match ground.reason() {
            Some(reason) => {
                let slug = reason.slug().replace('-', " ");
                format!("refused: {} ({})", escape(&slug), reason.number())
            }
            None => "held".into(),
        };
        line(&[
            ("ground", "", capital(ground.said())),
            ("what becomes of it", "", what),
            ("withdrawals", "n", grouped(held.all.count.into())),
            ("on this ground alone", "n", grouped(held.alone.into())),
        ])
    });
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<section>\n<h2>Why</h2>\n<div class=\"scroll\"><table class=\"blocks\">\n<tr><th>ground</th><th>what becomes of it</th>\
         <th class=\"n\">withdrawals</th><th class=\"n\">on this ground alone</th></tr>\n{rows}</table></div>\n</section>\n"
    )
}

/// One column for each day, to one scale.
fn days(report: &Report) -> String {
    let days = &report.tally.days;
    let (Some(first), Some(last)) = (days.keys().next(), days.keys().next_back()) else {
        return String::new();
    };
    let count = (last - first + 1).min(400);
    let most = days
        .values()
        .map(|parts| parts.iter().sum())
        .max()
        .unwrap_or(1)
        .max(1);
    let (wide, tall) = (720_u64, 160_u64);
    let step = wide / count.max(1);
    let mut svg = format!(
        "<svg viewBox=\"0 0 {wide} {}\" role=\"img\" aria-label=\"Withdrawals by day: gone out, held, refused\">",
        tall + 24
    );
    for (day, parts) in days.iter().filter(|(day, _)| **day - first < count) {
        let (x, mut top) = ((day - first) * wide / count, tall);
        for (class, part) in ["gone", "held", "lost"].into_iter().zip(parts) {
            let height = (part * tall).div_ceil(most);
            top = top.saturating_sub(height);
            let width = step.saturating_sub(1).max(1);
            let _ = write!(
                svg,
                "<rect class=\"{class}\" x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/>"
            );
        }
    }
    let at = |day: u64| self::day(Time(day * Span::hours(24).0));
    let end = tall + 20;
    let _ = write!(
        svg,
        "<text class=\"mark\" x=\"0\" y=\"{end}\">{}</text><text class=\"mark\" x=\"{wide}\" y=\"{end}\" text-anchor=\"end\">{}</text></svg>",
        at(*first),
        at(first + count - 1),
    );
    format!(
        "<section>\n<h2>Day by day</h2>\n{svg}\n<p class=\"key\"><span class=\"gone\"></span>gone out at once \
         <span class=\"held\"></span>held <span class=\"lost\"></span>refused; the tallest day has {}</p>\n</section>\n",
        grouped(most.into())
    )
}

fn honest(report: &Report) -> String {
    let tally = &report.tally;
    let delays = &tally.delays;
    let hours = |percent| match delays.percentile(percent) {
        Some(hours) => format!("{hours} h"),
        None => "–".into(),
    };
    let on = |grounds: &[Ground]| -> u64 { grounds.iter().map(|g| report.on(*g).all.count).sum() };
    let fact = |name: &str, count: u64| {
        let (count, share) = (grouped(count.into()), share(count, tally.judged.count));
        format!("<div><dt>{name}</dt><dd>{count} ({share} %)</dd></div>")
    };
    let locked_out = report
        .locked_out()
        .map(|text| format!("<p><b>{text}</b></p>\n"));
    let locked_out = locked_out.unwrap_or_default();
    let facts = [
        fact("wait for the customer’s passkey", on(&[Ground::Passkey])),
        fact(
            "wait for staff to approve the amount",
            on(&[Ground::Approval]),
        ),
        fact(
            "held for somebody to look at",
            on(&[Ground::Alike(0), Ground::Together(0)]),
        ),
        fact("refused", tally.refused.count),
    ];
    format!(
        "<section>\n<h2>What customers would have met</h2>\n\
         <p>{} % of the withdrawals go out at once. {} wait for nothing but time, mostly because an address is \
         new: a customer who adds addresses before paying them meets none of that.</p>\n{}\
         <dl class=\"facts\"><div><dt>half of those who wait, at most</dt><dd>{}</dd></div>\
         <div><dt>nine of ten</dt><dd>{}</dd></div><div><dt>ninety-nine in a hundred</dt><dd>{}</dd></div>\
         {}</dl>\n</section>\n",
        share(tally.out.count, tally.judged.count),
        grouped(delays.count().into()),
        locked_out,
        hours(50),
        hours(90),
        hours(99),
        facts.concat(),
    )
}

/// What the file does not say, and what follows from that.
fn unsaid(report: &Report) -> String {
    let tally = &report.tally;
    let mut said = Vec::new();
    if tally.with_factor < tally.judged.count {
        said.push(format!(
            "Of {} withdrawals the file does not say what proved them. Portcullis refuses what no factor proves: here they \
             are judged as if one had.",
            grouped(u128::from(tally.judged.count - tally.with_factor))
        ));
    }
    if report.terms.limits.is_empty() {
        said.push(
            "No limits were named, so none were met. Write those that you have into the terms."
                .into(),
        );
    }
    let days = report.terms.warm_up.0 / Span::hours(24).0;
    said.push(format!(
        "In the first {days} days addresses are only learnt, where the file does not say since when they stand in a \
         customer’s book: nothing is held there for being new."
    ));
    said.push(format!(
        "The first {} of equal sums to fresh addresses, and of accounts that pay one destination, go out before anybody \
         can see that there are more.",
        report.terms.alike.min(report.terms.together)
    ));
    let said = each(&said, |text| format!("<li>{}</li>\n", escape(text)));
    format!("<section>\n<h2>What this cannot know</h2>\n<ul>\n{said}</ul>\n</section>\n")
}

fn faults(report: &Report) -> String {
    let faults = &report.faults;
    if faults.rows == 0 && report.cut.is_empty() {
        return String::new();
    }
    let kinds = each(&faults.kinds, |(kind, count)| {
        line(&[
            ("the row", "", escape(kind)),
            ("rows", "n", grouped(count.rows.into())),
            ("what to do", "", escape(count.next)),
        ])
    });
    let kinds = if kinds.is_empty() {
        String::new()
    } else {
        format!(
            "<div class=\"scroll\"><table class=\"blocks\">\n<tr><th>the row</th><th class=\"n\">rows</th>\
             <th>what to do</th></tr>\n{kinds}</table></div>\n"
        )
    };
    let first = report.cut.iter().chain(&faults.first);
    let first = each(first, |text| format!("<li>{}</li>\n", escape(text)));
    format!(
        "<section>\n<h2>Rows that could not be read</h2>\n<p>Left out: {} of {} rows ({} %).</p>\n{kinds}\
         <details><summary>The first of them</summary><ul>\n{first}</ul></details>\n</section>\n",
        grouped(faults.rows.into()),
        grouped(report.rows().into()),
        share(faults.rows, report.rows()),
    )
}

/// Which columns were read, and which not.
fn columns(report: &Report) -> String {
    let columns = &report.columns;
    if columns.used.is_empty() {
        return String::new();
    }
    let used = columns.used.iter().map(|(field, column)| {
        let says = if column == field.name() {
            String::new()
        } else {
            format!(" ({})", field.name())
        };
        format!("<code>{}</code>{says}", escape(column))
    });
    let ignored = columns.ignored.iter();
    let ignored = ignored.map(|name| format!("<code>{}</code>", escape(name)));
    let line = |what: &str, names: Vec<String>| match names.len() {
        0 => String::new(),
        _ => format!("<p>{what}: {}.</p>\n", names.join(", ")),
    };
    format!(
        "<section>\n<h2>Columns</h2>\n{}{}</section>\n",
        line("Read", used.collect()),
        line("Not read", ignored.collect())
    )
}

fn terms(report: &Report, again: &str) -> String {
    let terms = &report.terms;
    let hours = |span: Span| span.0 / Span::hours(1).0;
    let limits = each(&terms.limits, |(asset, limit)| {
        let parts = [
            ("one withdrawal", limit.per_transaction),
            ("an hour", limit.hour),
            ("24 hours", limit.day),
            ("7 days", limit.week),
            ("24 hours by codes", limit.code_day),
            ("approval above", limit.approval_above),
        ];
        let parts = parts
            .into_iter()
            .filter_map(|(name, amount)| Some(format!("{name} {}", amount?.in_units(PLACES))));
        format!(
            "<li>{}: {}</li>\n",
            escape(asset),
            parts.collect::<Vec<_>>().join(", ")
        )
    });
    let limits = match &*limits {
        "" => String::new(),
        limits => format!("<ul>\n{limits}</ul>\n"),
    };
    format!(
        "<section>\n<h2>By what it was judged</h2>\n<p>A new address, factor or contact waits {} hours; a code pays \
         addresses of {} days; {} other accounts beyond what is usual make equal sums to fresh addresses a pattern, {} those \
         who pay one destination.</p>\n{limits}<p>Again:</p>\n<pre>{}</pre>\n</section>\n",
        hours(terms.delay),
        hours(terms.code_age) / 24,
        terms.alike,
        terms.together,
        escape(again),
    )
}

/// In percent, to the hundredth; never nothing of what is something.
pub(super) fn share(part: u64, whole: u64) -> String {
    let hundredths = (u128::from(part) * 10_000)
        .checked_div(whole.into())
        .unwrap_or(0);
    match hundredths {
        0 if part > 0 => "under 0.01".into(),
        hundredths => Amount(hundredths).in_units(2),
    }
}

fn amounts(count: &Count) -> String {
    if count.count == 0 {
        String::new()
    } else {
        capital(&format!("{}.", list(&count.amounts)))
    }
}

/// The first assets by name; how many there are besides.
fn list(amounts: &std::collections::BTreeMap<String, Amount>) -> String {
    let named = amounts.iter().take(NAMED);
    let mut named: Vec<String> = named
        .map(|(asset, amount)| escape(&paid(*amount, asset)))
        .collect();
    let more = amounts.len().saturating_sub(NAMED);
    named.extend((more > 0).then(|| format!("and {more} other assets")));
    named.join(", ")
}

fn paid(amount: Amount, asset: &str) -> String {
    let text = amount.in_units(PLACES);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    let fraction: String = fraction.chars().take(6).collect();
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{whole}{point}{fraction} {asset}")
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn moment(time: Time) -> String {
    portcullis_core::rfc3339::rfc3339(time)
        .replace('T', " ")
        .chars()
        .take(16)
        .collect()
}

fn day(time: Time) -> String {
    moment(time).chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_shortened_and_stands_whole_in_its_title() {
        assert_eq!(shortened("thief-c"), "<code>thief-c</code>");
        let address = "0x4b941eaba8b449638ae2e24327c14052a61779c9";
        let want = format!("<code title=\"{address}\">0x4b941e…1779c9</code>");
        assert_eq!(shortened(address), want);
        let evil = "\"><script>alert(1)</script>\"";
        assert!(!shortened(evil).contains("<script"));
    }
}

//! The report's parts, from what decides to what is checked.

use super::picture::{Bar, bars, histogram, timeline};
use super::words::{lasting, milliseconds, number, unit, units};
use super::{About, incident};
use crate::attack::Row;
use crate::money::{ASSETS, Asset};
use crate::outcome::{Check, Flow, Tally};
use crate::{ASSUMPTIONS, Beside, Findings, Variant};
use core::fmt::Write as _;
use portcullis_report::{each, escape, grouped};

/// The first screen: what it came to.
pub(super) fn answer(found: &[Findings]) -> String {
    let checks = || found.iter().flat_map(|one| &one.outcome.checks);
    let failed = checks().filter(|check| !check.pass).count();
    let verdict = match failed {
        0 => format!(
            "<p class=\"verdict good\">✓ All {} checks pass</p>",
            checks().count()
        ),
        _ => format!(
            "<p class=\"verdict bad\">✗ {failed} of {} checks do not hold</p>",
            checks().count()
        ),
    };
    let without = found.first().map(|one| &one.outcome.without);
    let mut cards = without.map(then_card).unwrap_or_default();
    cards.extend(found.iter().map(now_card));
    format!(
        "<section>{verdict}<div class=\"cards\">{}</div></section>\n",
        cards.concat()
    )
}

fn then_card(flow: &Flow) -> Vec<String> {
    vec![card(
        "bad",
        "The flow as it was",
        &lines(&flow.released),
        &format!(
            "taken, from {} accounts. The back end believed its own “2FA passed”.",
            flow.affected_subjects
        ),
    )]
}

fn now_card(one: &Findings) -> String {
    let flow = &one.outcome.with;
    let (class, told) = if flow.released.count == 0 {
        let tried = grouped(u128::from(flow.attempted.count));
        (
            "good",
            format!(
                "taken. All {tried} attempts on {} came to nothing.",
                units(&flow.attempted)
            ),
        )
    } else {
        let mut told = format!(
            "taken, from {} customers who were tricked twice (a day apart, and of codes a week) and noticed nothing, \
             each within its limit for a day.",
            flow.affected_subjects
        );
        if let Some(worst) = &one.beside.worst {
            let most = units(&worst.day);
            let _ = write!(told, " If nobody noticed: at most {most} on the first day.");
        }
        ("held", told)
    };
    card(class, title(one.variant), &lines(&flow.released), &told)
}

/// Each asset of which there is something on a line of its own.
fn lines(tally: &Tally) -> String {
    let some = tally.each().filter(|money| !money.amount.is_zero());
    let some: Vec<String> = some.map(unit).collect();
    if some.is_empty() {
        return "Nothing".into();
    }
    some.join("<br>")
}

fn card(class: &str, name: &str, figure: &str, told: &str) -> String {
    format!(
        "<div class=\"card {class}\"><h3>{name}</h3><p class=\"big\">{figure}</p><p>{told}</p></div>"
    )
}

fn title(variant: Variant) -> &'static str {
    match variant {
        Variant::Api => "Attackers hold the API",
        Variant::GateOwned => "Attackers are root on the gate",
        Variant::BackEndOwned => "Attackers hold the platform’s page",
    }
}

/// What became of the money, to one scale.
pub(super) fn money(found: &[Findings]) -> String {
    let of_each = each(&ASSETS, |asset| {
        format!(
            "<h3>{}</h3>{}",
            asset.name,
            bars(asset, &rows(found, asset))
        )
    });
    format!(
        "<section><h2>Where the money went</h2>{of_each}\
         <p class=\"key\"><span class=\"lost\"></span> taken \
         <span class=\"held\"></span> held, and never sent <span class=\"refused\"></span> refused</p>\
         <p>Every attempt is one of the three, and what is said to have been taken is what the attackers’ \
         addresses hold on the chain.</p></section>\n"
    )
}

fn rows<'a>(found: &'a [Findings], asset: &Asset) -> Vec<Bar<'a>> {
    let before = found.first().map(|one| &one.outcome.without);
    let before = before.map(|flow| bar(asset, "The flow as it was", flow));
    let now = found.iter();
    let now = now.map(|one| bar(asset, title(one.variant), &one.outcome.with));
    before.into_iter().chain(now).collect()
}

fn bar<'a>(asset: &Asset, name: &'a str, flow: &Flow) -> Bar<'a> {
    Bar {
        name,
        released: flow.released.of(asset),
        refused: flow.refused.of(asset),
        held: flow.held.of(asset),
    }
}

/// What the platform's own records would have told it, before anything was installed.
pub(super) fn shadow(found: &[Findings], about: &About) -> String {
    let Some(outcome) = found.first().map(|one| &one.outcome) else {
        return String::new();
    };
    let shadow = &outcome.shadow;
    let together = shadow.patterns.get("without-factor");
    format!(
        "<section><h2>What its own records would have shown</h2>\
         <p>The flow as it was exports its withdrawals; <code>portcullis shadow</code> looks at them as it looks at a \
         new adopter’s. Of {} withdrawals it would have stopped <b>{}</b> with <b>{}</b>, which is what the \
         attackers took, and let the other {} go at once. Nothing but the platform’s own word proved {}; {} \
         of those it shows together, as one pattern of attack.</p>\
         <p>The shadow report stands beside this page, in <code>{}</code>.</p>\
         <p class=\"note\">Four weeks before that day, from which it learns what is usual, come from the seed and stand in the \
         export only. That no code was checked is in the platform’s other log; a platform that keeps none would have \
         seen fresh addresses alone.</p></section>\n",
        grouped(u128::from(shadow.judged)),
        grouped(u128::from(shadow.stopped.count)),
        units(&shadow.stopped),
        grouped(u128::from(shadow.out)),
        grouped(u128::from(shadow.without_factor)),
        grouped(u128::from(together.copied().unwrap_or_default())),
        escape(&about.shadow),
    )
}

/// The incident as it is known, beside what stands in its way now.
pub(super) fn then_and_now() -> String {
    let mut then = String::new();
    for (when, what) in incident::TIMELINE {
        let _ = write!(then, "<li><b>{when}</b> {what}</li>");
    }
    let mut now = String::new();
    for (missing, there) in incident::CONTROLS {
        let _ = write!(now, "<tr><td>{missing}</td><td>{there}</td></tr>");
    }
    format!(
        "<section><h2>Then and now</h2><ol class=\"then\">{then}</ol>\
         <p class=\"note\">{}</p><p class=\"note\">The cause was never published. What was missing is our reading of \
         what is known, and of what the firm introduced afterwards.</p><div class=\"scroll\"><table><thead><tr><th>What was missing, by our reading</th>\
         <th>What stands there now</th></tr></thead><tbody>{now}</tbody></table></div></section>\n",
        incident::CONFLICTS
    )
}

/// One attacker after the other.
pub(super) fn variants(found: &[Findings]) -> String {
    found.iter().map(variant).collect()
}

fn variant(one: &Findings) -> String {
    let flow = &one.outcome.with;
    let (has, shows) = introduction(one.variant);
    let beside = beside(one);
    let assets = each(&ASSETS, |asset| {
        format!("<th class=\"n\">{}</th>", asset.name)
    });
    let rows = rows_of(&one.rows);
    let moments = each(&one.timeline, |moment| {
        let (when, what) = (lasting(moment.at_ms), escape(&moment.what));
        format!("<li><span class=\"when\">{when}</span> {what}</li>")
    });
    let of = |name: &str, figure: String| format!("<div><dt>{name}</dt><dd>{figure}</dd></div>");
    let facts = [
        of("attempted", counted(&flow.attempted)),
        of("taken", counted(&flow.released)),
        of("refused", counted(&flow.refused)),
        of("held", counted(&flow.held)),
        of("customers affected", flow.affected_subjects.to_string()),
        of(
            "signer’s own alarm",
            flow.detected_ms.map_or(silence(one.variant), lasting),
        ),
        of(
            stopped_by(one.variant),
            flow.contained_ms.map_or("never".into(), lasting),
        ),
        of(
            "suspension: recorded to stopped, measured",
            flow.stopping_ms.map_or("never".into(), milliseconds),
        ),
        of(
            "notices by mail, each signature checked",
            grouped(u128::from(one.told)),
        ),
    ];
    format!(
        "<section id=\"{}\"><h2>{}</h2><p>{has}</p><dl class=\"facts\">{}</dl>\
         <h3>What they tried, and what met it</h3>\
         <div class=\"scroll\"><table><thead><tr><th>Way</th><th class=\"n\">Tried</th>\
         {assets}<th>Met by</th></tr></thead><tbody>{rows}</tbody></table></div>{shows}{beside}\
         <h3>What happened when</h3>{}<ol class=\"moments\">{moments}</ol>\
         <p class=\"note\">By the network’s own clock, which the drill moves where people would wait; \
         the line’s steps are not to scale.</p></section>\n",
        one.variant.name(),
        title(one.variant),
        facts.concat(),
        timeline(&one.timeline),
    )
}

/// What the span from the first attempt to standing still is made of.
fn stopped_by(variant: Variant) -> &'static str {
    match variant {
        Variant::GateOwned => "signer stopped by itself after",
        Variant::Api | Variant::BackEndOwned => "all stopped after (operators’ time is scripted)",
    }
}

/// Why no keeper cried.
fn silence(variant: Variant) -> String {
    match variant {
        Variant::BackEndOwned => "none: each is what a customer signed".into(),
        Variant::Api | Variant::GateOwned => "none: nothing reached it".into(),
    }
}

fn introduction(variant: Variant) -> (&'static str, &'static str) {
    match variant {
        Variant::Api => (
            "They have what those of 2022 had, and more: the platform’s back end signs and relays whatever \
             they ask, its ledger debits for it, and everything that passes they see and can hold back. \
             What they do not have is a customer’s factor. Codes of those who have an app they guess, and talk \
             people out of.",
            "<p>Nothing can leave by a code here within the day. The digits are sealed to the herald, which judges \
             them in a process of its own; a step serves once, five wrong ones end an account’s codes for the day. \
             Who has talked somebody out of a good one gets a new address into the book, of which the customer is \
             told and which it takes back by its next code, and a little to the customer’s own old address. What \
             codes let out to attackers who wait a week is measured in the last variant.</p>",
        ),
        Variant::GateOwned => (
            "They have the gate’s host as root: the journal’s signing key and its files, the configuration, \
             and every request that ever came in. While the gate is down they write releases straight into \
             the journal; the witness cosigns what extends it. Later they cut the gate off from the stop \
             board, so that a stop which operators post there is not journaled.",
            "<p>Whoever decides again finds each of these entries <em>void</em>: nothing of it counts, and \
             the gate is shut until a quorum of administrators lifts that. The signer saw them in the \
             journal that it follows by itself, signed none, latched, and raised the alarm through a \
             webhook of its own.</p>",
        ),
        Variant::BackEndOwned => (
            "They have the platform’s page and back end: it shows a customer one act and obtains a genuine \
             assertion for another. No cryptography helps against a person who signs what a false page \
             shows; what helps is that a signature reaches only so far.",
            "<p>What they get is bounded: only at an address that the customer was tricked into adding and \
             that then stood in the customer’s own book for a full day, only from customers who did not look \
             and were tricked a second time, and only up to the account’s limits. What they do not get: a \
             fresh address, a shorter delay, a larger limit, anything of a customer who read its mail: the \
             herald, in a process of its own that the platform does not run, tells each of the new address, \
             under a code that only the customer and it know, and the delay does not begin before that.</p>\
             <p>Owners of an app are talked out of codes instead. That begins a week before, because a code pays no \
             address that is younger; from those who noticed none of it a code at a time lets out little, and \
             twice as much ends the day.</p>",
        ),
    }
}

/// What one attacker shows and the others do not, in figures of this run.
fn beside(one: &Findings) -> String {
    let Beside { worst, met_open } = &one.beside;
    let worst = worst.as_ref().map(|worst| {
        format!(
            "<p><b>If nobody noticed.</b> How many notice is this drill’s choice: of ten attacked customers with a passkey \
             three are tricked into paying at once; of the seven tricked into adding an address three notice \
             within the day, three notice nothing, and one is tricked the second time too late. Every app’s owner \
             misses the first address, takes back the second and leaves the third. If every one \
             were tricked twice and none noticed, the limits would let go at most <b>{}</b> on the first \
             day (of each account the smaller of its balance and its limit for a day, which of an app’s owner is that of codes), and {} within a \
             week, until somebody suspends; {} were attacked.</p>",
            units(&worst.day),
            units(&worst.week),
            units(&one.outcome.with.attempted)
        )
    });
    let met_open = met_open.map(|way| {
        format!(
            "<p>Of the {} forged releases the running signer judged one while all was open, the first: \
             <em>{}</em>. (The seed chooses which way comes first.) By it the signer latched, and the others \
             stand behind it; what meets each by itself was found by the same code offline.</p>",
            grouped(u128::from(one.outcome.with.attempted.count)),
            escape(way)
        )
    });
    worst.into_iter().chain(met_open).collect()
}

/// The rows, with a heading before those of other accounts than the last.
fn rows_of(rows: &[Row]) -> String {
    let (mut table, mut last) = (String::new(), "");
    for one in rows {
        if one.whose != last {
            let wide = 3 + ASSETS.len();
            let _ = write!(table, "<tr><th colspan=\"{wide}\">{}</th></tr>", one.whose);
            last = one.whose;
        }
        table += &row(one);
    }
    table
}

fn row(row: &Row) -> String {
    let answers = row.answers.iter().map(|(text, count)| {
        if row.answers.len() > 1 {
            format!("{count} × {}", escape(text))
        } else {
            escape(text)
        }
    });
    let amounts = row.tried.each().map(|money| {
        let figure = if money.amount.is_zero() {
            "–".into()
        } else {
            number(money)
        };
        format!("<td class=\"n\">{figure}</td>")
    });
    let amounts: String = amounts.collect();
    let mark = if row.as_it_must { "✓" } else { "✗" };
    format!(
        "<tr class=\"{}\"><td>{}</td><td class=\"n\">{}</td>{amounts}<td>{mark} {}</td></tr>",
        if row.as_it_must { "good" } else { "bad" },
        escape(row.name),
        grouped(u128::from(row.tried.count)),
        answers.collect::<Vec<_>>().join("<br>")
    )
}

fn counted(tally: &Tally) -> String {
    match tally.count {
        0 => "nothing".into(),
        count => format!("{}<br>in {}", lines(tally), grouped(u128::from(count))),
    }
}

/// What it cost those who did nothing wrong.
pub(super) fn honest(found: &[Findings]) -> String {
    let delays: Vec<u64> = found
        .iter()
        .flat_map(|one| one.delays.iter().copied())
        .collect();
    let rows: String = found.iter().map(honest_row).collect();
    format!(
        "<section><h2>Honest customers meanwhile</h2><div class=\"scroll\"><table><thead><tr><th></th>\
         <th class=\"n\">Asked</th><th class=\"n\">Arrived</th><th class=\"n\">Wrongly refused</th>\
         <th class=\"n\">Half within</th><th class=\"n\">99 % within</th>\
         <th class=\"n\">Held by a suspension</th></tr></thead><tbody>{rows}</tbody></table></div>\
         <h3>From the request to the block: how many took less than</h3>{}\
         <p class=\"note\">Of the withdrawals that no suspension held, under the load of all attackers at \
         once on this machine. What is paid from coins waits up to a minute for others that the same transaction \
         pays, hence the second hump. What a suspension held went out after the lift, each exactly once: the \
         payees’ balances on the chains say so.</p></section>\n",
        histogram(&delays)
    )
}

fn honest_row(one: &Findings) -> String {
    let honest = &one.outcome.honest;
    let longest = one.waits.iter().max();
    let held = longest.map_or("none".into(), |longest| {
        format!("{}, at most {}", one.waits.len(), lasting(*longest))
    });
    format!(
        "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
         <td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{held}</td></tr>",
        title(one.variant),
        grouped(u128::from(honest.attempted)),
        grouped(u128::from(honest.released)),
        honest.wrongly_refused,
        lasting(honest.delay_ms.p50),
        lasting(honest.delay_ms.p99),
    )
}

/// What the flow as it was is taken to have been, and what this page does not show.
pub(super) fn assumptions() -> String {
    let list = |texts: &[&str]| each(texts, |text| format!("<li>{}</li>", escape(text)));
    format!(
        "<section><h2>What is assumed</h2><h3>Of the flow as it was</h3><ul>{}</ul>\
         <h3>Of the drill</h3><ul>{}</ul></section>\n",
        list(ASSUMPTIONS),
        list(incident::OF_THE_DRILL)
    )
}

/// How somebody who believes nothing of this finds out.
pub(super) fn verify(found: &[Findings], about: &About) -> String {
    let rows = each(found, |one| {
        format!(
            "<tr><td>{}</td><td class=\"n\">{}</td><td><code>{}</code></td></tr>",
            title(one.variant),
            grouped(u128::from(one.entries)),
            escape(&one.genesis)
        )
    });
    let commands = each(found, |one| {
        let folder = format!("drill-again/{}/network", one.variant.name());
        format!(
            "portcullis verify journal {folder}/data/journal \\\n  --genesis-digest $(cat {folder}/genesis.digest)\n"
        )
    });
    format!(
        "<section><h2>Check it yourself</h2><p>Hold the drill again, in a new folder that keeps what its \
         processes write, with a report of its own. (<code>portcullis</code> is the program that \
         <code>script/run</code> builds: <code>target/debug/portcullis</code>.)</p>\
         <pre><code>{} --keep drill-again --report drill-again.html</code></pre>\
         <p>Then check each journal offline: every stored byte against the cosigned tree, and every \
         decision again, from nothing but the genesis digest.</p>\
         <pre><code>{commands}</code></pre>\
         <p>Entries written by a hostile gate are named there as void. Keys are made afresh each time, so that \
         digests differ from run to run; those of the new run stand in its report. Those of this run:</p>\
         <div class=\"scroll\"><table><thead><tr><th></th><th class=\"n\">Entries</th><th>Genesis digest</th></tr></thead>\
         <tbody>{rows}</tbody></table></div></section>\n",
        escape(&about.again)
    )
}

/// Everything that had to be so.
pub(super) fn checks(found: &[Findings]) -> String {
    let lists = each(found, |one| {
        format!(
            "<details open><summary>{} ({})</summary><ul class=\"checks\">{}</ul></details>",
            title(one.variant),
            one.outcome.checks.len(),
            each(&one.outcome.checks, check)
        )
    });
    format!("<section><h2>Every check</h2>{lists}</section>\n")
}

fn check(check: &Check) -> String {
    let (class, mark) = if check.pass {
        ("good", "✓")
    } else {
        ("bad", "✗")
    };
    format!(
        "<li class=\"{class}\"><span class=\"mark\">{mark}</span> {} <span class=\"detail\">{}</span></li>",
        escape(&check.name),
        escape(&check.detail)
    )
}

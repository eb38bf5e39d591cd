//! The report for people: one HTML file that needs nothing beside it.
//!
//! Written for whoever has to decide (the first screen) and for whoever has to check (the rest). All
//! pictures are SVG made here; there is no script, and nothing is fetched.

mod incident;
mod picture;
mod section;
mod terminal;
mod words;

pub use terminal::table;

use crate::money::{ASSETS, BTC, ETH, USD};
use crate::outcome::Tally;
use crate::{Findings, Scale};
use portcullis_report::{STYLE, escape, grouped};
use words::{unit, units};

/// What stands in the report beside what was found.
pub struct About {
    /// When it was made, RFC 3339.
    pub made: String,
    /// The command that makes it again, to be checked.
    pub again: String,
    /// The name of the file beside it that holds the shadow report.
    pub shadow: String,
}

/// The whole file.
#[must_use]
pub fn html(found: &[Findings], about: &About) -> String {
    let Some(first) = found.first() else {
        return String::new();
    };
    let sections = [
        section::answer(found),
        section::money(found),
        section::shadow(found, about),
        section::then_and_now(),
        section::variants(found),
        section::honest(found),
        section::assumptions(),
        section::verify(found, about),
        section::checks(found),
    ];
    let (seed, scale) = (first.outcome.seed, first.outcome.scale);
    let (made, size) = (escape(&about.made), size(scale));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Drill mfa-bypass: 17 January 2022, held again</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<header>\n<p class=\"over\">Portcullis · drill <code>mfa-bypass</code></p>\n\
         <h1>17 January 2022, held again</h1>\n\
         <p class=\"lead\">Withdrawals were approved without the customers’ second factor. {} users were \
         affected in all currencies together; {}, {} and {} in other assets left within hours. The attack, run for real \
         against the flow as it was and against Portcullis.</p>\n\
         <p class=\"size\">This run: {size}</p>\n\
         <p class=\"meta\">seed {seed} · scale {scale} · {made}</p>\n</header>\n<main>\n{}</main>\n\
         <footer><p>Figures of the incident: the firm’s own report of 20 January 2022. Everything else on \
         this page was measured while it was made.</p></footer>\n</body>\n</html>\n",
        crate::figures::ACCOUNTS,
        unit(Scale::WHOLE.held(&ETH)),
        unit(Scale::WHOLE.held(&BTC)),
        unit(Scale::WHOLE.held(&USD)),
        sections.concat(),
    )
}

/// What the attacked accounts hold together.
fn of_each(scale: Scale) -> Tally {
    ASSETS.map(|asset| scale.held(asset)).into_iter().collect()
}

/// How large the run is, beside the incident.
fn size(scale: Scale) -> String {
    let (accounts, honest) = (scale.accounts(), grouped(u128::from(scale.honest())));
    let held = units(&of_each(scale));
    if scale == Scale::WHOLE {
        return format!(
            "the whole incident: {accounts} attacked accounts with {held}, among {honest} honest customers."
        );
    }
    format!(
        "{accounts} attacked accounts with {held}, among {honest} honest customers: {scale} of the incident. Every figure below is of this size."
    )
}

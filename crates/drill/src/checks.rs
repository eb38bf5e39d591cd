//! What has to be so, whatever the variant.

use crate::answer::Answer;
use crate::before::Before;
use crate::outcome::{Check, Flow};
use portcullis_core::Reason;

/// The checks of a drill, gathered as it goes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checks(pub(crate) Vec<Check>);

impl Checks {
    /// Note whether something is so.
    pub(crate) fn note(&mut self, name: impl Into<String>, pass: bool, detail: impl Into<String>) {
        self.0.push(Check {
            name: name.into(),
            pass,
            detail: detail.into(),
        });
    }

    /// Note that two figures are the same.
    pub(crate) fn same<T: PartialEq + core::fmt::Display>(&mut self, name: &str, is: &T, must: &T) {
        let detail = if is == must {
            format!("{is}")
        } else {
            format!("{is}, and must be {must}")
        };
        self.note(name, is == must, detail);
    }

    /// Note that something was refused, with this reason.
    pub(crate) fn refused(&mut self, name: &str, answer: &Answer, reason: Reason) {
        let pass = *answer == Answer::Refused(reason);
        self.note(
            format!("{name} is refused with {}", reason.number()),
            pass,
            answer.text(),
        );
    }

    /// Every attempt is one of released, refused and held.
    pub(crate) fn conserved(&mut self, name: &str, flow: &Flow) {
        let of = |tally: &crate::outcome::Tally| format!("{} ({tally})", tally.count);
        let detail = format!(
            "{} attempted = {} released + {} refused + {} held",
            of(&flow.attempted),
            of(&flow.released),
            of(&flow.refused),
            of(&flow.held)
        );
        self.note(name, flow.is_conserved(), detail);
    }

    /// The flow as it was really was so.
    pub(crate) fn as_it_was(&mut self, before: &Before) {
        let flow = &before.flow;
        self.conserved("without: every attempt is accounted for", flow);
        let all_left = flow.released == flow.attempted;
        let detail = format!("{} of {}", flow.released.count, flow.attempted.count);
        self.note("without: all that was attempted left", all_left, detail);
        self.same(
            "without: the attackers' addresses on the chain hold what left",
            &before.on_chain.to_string(),
            &flow.released.to_string(),
        );
        self.same(
            "without: a guessed code was refused for every account, so the check was there",
            &before.codes_refused,
            &before.accounts,
        );
        self.same(
            "without: honest customers' withdrawals arrived",
            &before.honest.1,
            &before.honest.0,
        );
        let honest = u64::try_from(before.honest.0).unwrap_or(u64::MAX);
        before.shadowed.check(self, flow, honest);
    }
}

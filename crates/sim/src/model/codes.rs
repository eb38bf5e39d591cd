//! What one-time codes may do: little, once, and nothing before the herald has said that they are right.

use super::{Factor, Model, Proof, Waiting, token_of};
use crate::setting::DELAY;
use portcullis_chains::caip::Address;
use portcullis_core::act::{Act, ActKind, Withdraw};
use portcullis_core::code::{Code, step_at};
use portcullis_core::evidence::Evidence;
use portcullis_core::factor::FactorKind;
use portcullis_core::id::{AccountId, FactorId};
use portcullis_core::limits::Bounds;
use portcullis_core::{Decision, Digest, Span, Time};
use portcullis_keeper::testkit::World;
use std::collections::BTreeMap;

/// How many steps the clock of a phone may be off.
const DRIFT: u32 = 10;
/// How many floors an address has stood in a book before a code pays it.
const FLOORS: u64 = 7;

/// Codes that came with acts, and what has served.
#[derive(Default)]
pub(super) struct Codes {
    given: BTreeMap<Digest, Given>,
    served: BTreeMap<FactorId, u32>,
}

struct Given {
    factor: FactorId,
    /// The time of the entry that brought it.
    time: Time,
    /// Whether the herald has said that it is right.
    is_right: bool,
}

/// The factor whose TOTP code is in evidence.
pub(super) fn factor_of(evidence: &Evidence) -> Option<FactorId> {
    match evidence.code {
        Some(Code::Totp { factor, .. }) => Some(factor),
        _ => None,
    }
}

/// What a code stops.
pub(super) fn is_stop(kind: &ActKind) -> bool {
    matches!(
        kind,
        ActKind::Freeze | ActKind::Cancel(_) | ActKind::CancelAddress(_) | ActKind::Veto(_)
    )
}

impl Model {
    /// An act comes with a code: it has to wait, and the back end has relayed it.
    pub(super) fn take_code(
        &mut self,
        digest: Digest,
        (act, evidence): (&Act, &Evidence),
        decision: &Decision,
        time: Time,
    ) {
        let Some(factor) = factor_of(evidence) else {
            return;
        };
        let pays = matches!(act.kind, ActKind::Withdraw(_) | ActKind::AddAddress(_));
        if !is_stop(&act.kind) && !pays {
            let what = format!("{} {digest}", act.kind.name());
            self.violated("a code stands for little", what);
        }
        let is_relayed = self.truth.facts().has_signed(World::BACK_END, digest);
        if !is_relayed {
            self.violated("customers are relayed by the back end", digest);
        }
        if !matches!(decision, Decision::Hold { .. }) {
            self.violated("no code without the herald's word", digest);
        }
        self.chronicle.count("code given");
        let given = Given {
            factor,
            time,
            is_right: false,
        };
        self.codes.given.insert(digest, given);
    }

    /// The herald says that a code is right: one that waits for that, of a step that has not served.
    pub(super) fn take_right(&mut self, act: Digest, factor: FactorId, step: u32) {
        self.chronicle.count("code right");
        let Some(given) = self.codes.given.get_mut(&act) else {
            return self.violated("the herald judges only codes that wait", act);
        };
        let is_open = !given.is_right && given.factor == factor;
        let is_near = step.abs_diff(step_at(given.time)) <= DRIFT;
        given.is_right = true;
        if !is_open {
            self.violated("the herald judges only codes that wait", act);
        }
        if !is_near {
            let what = format!("step {step} for {act}");
            self.violated("a code is of a step near its act", what);
        }
        let served = self.codes.served.insert(factor, step);
        if served.is_some_and(|served| step <= served) {
            let what = format!("{step} of {factor} for {act}");
            self.violated("a step serves once", what);
        }
        let truth = self.truth.facts();
        let is_shown = truth.codes.get(&act) == Some(&(factor, step));
        let is_lie = truth.judged_falsely.contains(&act);
        drop(truth);
        if !is_shown && !is_lie {
            let what = format!("step {step} for {act}");
            self.violated("an honest herald knows its codes", what);
        }
    }

    /// A stop takes effect that has waited, which only codes make it do.
    pub(super) fn check_stop_by_code(&self, act: Digest) {
        self.check_judged(act);
        self.chronicle.count("stopped by a code");
    }

    /// An address enters the book by a code, of an account that has nothing better.
    pub(super) fn check_added_by_code(&self, act: Digest, account: Option<AccountId>) {
        self.check_judged(act);
        self.chronicle.count("address added by a code");
        let is_better = |known: &&Factor| known.account == account && known.kind > FactorKind::Totp;
        if let Some(better) = self.factors.values().find(is_better) {
            let what = format!("{act} beside a {:?} of entry {}", better.kind, better.entry);
            self.violated("a code stands for little", what);
        }
    }

    /// What came with a code takes effect: on the herald's word, and of whoever has really typed it where that
    /// is no lie.
    fn check_judged(&self, act: Digest) {
        let is_right = |given: &Given| given.is_right;
        if !self.codes.given.get(&act).is_some_and(is_right) {
            self.violated("no code without the herald's word", act);
        }
        let truth = self.truth.facts();
        let is_proven = truth.codes.contains_key(&act) || truth.judged_falsely.contains(&act);
        drop(truth);
        if !is_proven {
            self.violated("no act without its principal's proof", act);
        }
    }

    /// Whether a code is what proves an act.
    pub(super) fn is_by_code(&self, act: Digest, proof: Option<Proof>) -> bool {
        let given = self.codes.given.get(&act);
        given.is_some_and(|given| proof.is_some_and(|proof| proof.factor == given.factor))
    }

    /// A code pays where a rule says how much, and whom its account has known for long.
    pub(super) fn check_paid_by_code(
        &self,
        act: Digest,
        waiting: &Waiting,
        withdraw: &Withdraw,
        time: Time,
    ) {
        if !self.is_by_code(act, waiting.proof) {
            return;
        }
        self.check_judged(act);
        self.chronicle.count("paid by a code");
        let token = token_of(withdraw.asset);
        let mut rules = self.limits.rules.iter();
        if !rules.any(|rule| rule.bounds == Bounds::Code && token_of(rule.asset) == token) {
            self.violated("limits of codes hold", act);
        }
        let account = waiting.act.account;
        let is_old = account.is_some_and(|account| self.has_aged(account, withdraw.to, time));
        if !is_old {
            self.violated("a code pays no young address", act);
        }
    }

    fn has_aged(&self, account: AccountId, to: Address, time: Time) -> bool {
        let booked = self.book.get(&(account, to));
        booked.is_some_and(|booked| {
            let age = Span(DELAY.0 * FLOORS);
            self.delays.has_run(booked.entry, age, time)
        })
    }
}

//! What binding postings bar: found by journaling them, on a copy that is thrown away.

use super::{Bound, entry_time};
use portcullis_core::act::{Act, ActKind};
use portcullis_core::entry::{Body, Entry, Submission};
use portcullis_core::realm::Realm;
use portcullis_core::signature::Strict;
use portcullis_core::state::release::{Release, Stage, Withheld};
use portcullis_core::{Decision, Digest, State};

/// The state as it will be once the binding postings are journaled.
pub struct Bars {
    after: Option<State>,
    /// Releases of entries from here on were decided while a restriction on staff was left out.
    undecided_from: u64,
}

impl Bars {
    pub(super) fn new<'a>(state: &State, bound: impl Iterator<Item = &'a Bound>) -> Self {
        let mut bars = Self {
            after: None,
            undecided_from: u64::MAX,
        };
        for bound in bound {
            let after = bars.after.get_or_insert_with(|| state.clone());
            journal(after, bound);
            if restricts_staff(&bound.posting.act) {
                bars.undecided_from = bars.undecided_from.min(bound.since);
            }
        }
        bars
    }

    /// Whether the release may not be signed, and what is signed for it may not leave.
    #[must_use]
    pub fn bar(&self, act: &Digest, release: &Release) -> bool {
        let Some(after) = &self.after else {
            return false;
        };
        // The copy knows fewer cosignatures than this keeper: lateness is judged elsewhere.
        let goes_on = after.facts().releases.get(act).is_some_and(|after| {
            matches!(
                after.stage,
                Stage::Released | Stage::Withheld(Withheld::Late)
            )
        });
        !goes_on || release.entry >= self.undecided_from
    }
}

/// An entry that cannot be journaled any more is void, which shuts everything: that is right for a
/// stop which the gate has kept out for so long.
fn journal(state: &mut State, bound: &Bound) {
    let time = entry_time(state, &bound.posting);
    let submission = Submission {
        act: bound.posting.act.clone(),
        evidence: bound.posting.evidence.clone(),
        decision: Decision::Release,
        plan: None,
    };
    let entry = Entry::new(time, Body::Act(Box::new(submission)));
    state.apply_entry(&entry, &entry.to_bytes(), &Strict);
}

/// A role, a factor or an epoch of staff: it changes what is decided from then on, not what has been
/// released.
fn restricts_staff(act: &Act) -> bool {
    match &act.kind {
        ActKind::RevokeRole(_) => true,
        ActKind::RevokeFactor(_) => act.account.is_none(),
        ActKind::RaiseEpoch(raise) => raise.realm == Realm::Staff,
        _ => false,
    }
}

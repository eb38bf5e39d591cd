//! Label sets: what puts one in force, and what that takes back.

use super::withhold_where;
use crate::act::{Act, ActKind, LabelsOffered, SetLabels};
use crate::effect::Effect;
use crate::labels::{InForce, ListKind, MAX_LISTS, refuses};
use crate::reason::Reason;
use crate::state::State;
use crate::state::release::Withheld;
use crate::time::Span;
use portcullis_labels::{Date, Header, Kind, MAX_LABELS, Risk};

/// Most reasons for which rows can have been rejected.
const MAX_REJECTED: usize = 32;

/// What a proposal changes, if it fits what is in force.
pub(super) fn carry_out(state: &State, set: &SetLabels) -> Result<Vec<Effect>, Reason> {
    let in_force = state.facts.labels.as_ref();
    let replaced = in_force.and_then(|lists| lists.get(&set.name));
    if replaced.map(|list| list.set) != set.replaces {
        return Err(Reason::LabelsChanged);
    }
    if !is_well_formed(set) {
        return Err(Reason::LabelsMalformed);
    }
    if replaced.is_none() && in_force.is_some_and(|lists| lists.len() >= MAX_LISTS) {
        return Err(Reason::TooMany);
    }
    let list = set.set.as_ref().map(|offered| {
        let list = InForce::of(offered, state.size());
        Box::new(list)
    });
    let mut effects = vec![Effect::SetLabels(set.name.clone(), list)];
    effects.extend(set.set.iter().flat_map(|offered| take_back(state, offered)));
    Ok(effects)
}

/// Adding only takes away, and waits for nobody once a quorum agrees. What replaces a list, or takes it
/// out, can delist anybody: it is announced for as long as new limits are.
pub(super) fn delay(state: &State, set: &SetLabels) -> Option<Span> {
    set.replaces.map(|_| state.network.delay_floor())
}

fn is_well_formed(set: &SetLabels) -> bool {
    let new = set.set.as_ref();
    let changes = new.map(|offered| offered.digest) != set.replaces;
    set.name.is_well_formed() && changes && new.is_none_or(is_sound)
}

fn is_sound(offered: &LabelsOffered) -> bool {
    let fits = usize::try_from(offered.labels).is_ok_and(|labels| labels <= MAX_LABELS);
    let is_text = |text: &str| {
        Date::from_days(0).is_some_and(|day| Header::new(Kind::Authority, day, text).is_ok())
    };
    fits && Risk::new(offered.from).is_some()
        && is_text(&offered.source)
        && offered.rejected.len() <= MAX_REJECTED
        && offered.rejected.iter().all(|row| row.why.is_well_formed())
        && offered
            .rejected
            .is_sorted_by(|one, next| one.why < next.why)
}

/// What has not left does not leave for an address that an authority's new list names.
fn take_back(state: &State, offered: &LabelsOffered) -> Vec<Effect> {
    let opened = state.shelf.get(&offered.digest);
    let set = opened.and_then(|opened| opened.if_so(offered.kind, &offered.source, offered.labels));
    let Some(set) = set.filter(|_| offered.kind == ListKind::Authority) else {
        return Vec::new();
    };
    let withheld = withhold_where(state, Withheld::Revoked, |release| {
        match &release.act.kind {
            ActKind::Withdraw(withdraw) => refuses(set, offered.from, &withdraw.to),
            _ => false,
        }
    });
    withheld.collect()
}

/// Whether an authority's list in force bars an act for the address that money is to go to.
pub(super) fn check(state: &State, act: &Act) -> Result<(), Reason> {
    let refused = |address| state.shelf.sight(&address).refuses;
    if act.kind.address().is_some_and(refused) {
        Err(Reason::LabelRefuses)
    } else {
        Ok(())
    }
}

//! What vendors' words change: what is said of an act that waits, and a release that has not left.

use super::Case;
use super::claims::Claims;
use crate::digest::Digest;
use crate::effect::Effect;
use crate::state::State;
use crate::state::release::{Release, Stage, Withheld};
use crate::state::said::Said;
use crate::time::Time;

/// What came with an act that waits.
pub(super) fn first_said(case: &Case<'_>, claims: &Claims) -> Option<Effect> {
    let is_silent = claims.said == Said::default();
    (!is_silent).then_some(Effect::Said(case.digest, claims.said))
}

/// What came later; none where it is no news. A release takes one word only: that it must not be. It
/// stops what has not left, and stands once in the journal beside what has.
pub(super) fn more_said(
    state: &State,
    digest: Digest,
    claims: &Claims,
    now: Time,
) -> Option<Vec<Effect>> {
    if let Some(held) = state.facts.held.get(&digest) {
        let mut said = held.said.unwrap_or_default();
        let is_news = said.hear(&claims.said, now);
        return is_news.then(|| vec![Effect::Said(digest, said)]);
    }
    let release = state.facts.releases.get(&digest)?;
    claims.said.bars()?;
    if may_leave_yet(state, digest, release) {
        return Some(vec![Effect::Withhold(digest, Withheld::Cancelled)]);
    }
    claims.has_new_word().then(Vec::new)
}

/// Whether anything that pays may be signed yet, as far as statements say.
fn may_leave_yet(state: &State, digest: Digest, release: &Release) -> bool {
    let pays = release.voided_by.is_none();
    pays && match release.stage {
        Stage::Released => state.facts.unsigned.contains(&digest),
        Stage::Withheld(why) => why != Withheld::Cancelled,
    }
}
